"""A hundred texts, written and labelled by somebody who saw neither code nor packs nor data.

`tests/data/fresh/README.md` tells how. They are for judging, not for mending: a term or a weight
that was made for one of them would make the figure worthless.
"""

import json
from pathlib import Path

import pytest

from keywords.decide import Detector
from keywords.ranker import Ranker

TEXTS = Path(__file__).parents[1] / "data" / "fresh" / "texts.jsonl"


@pytest.mark.no_cover
def test_nine_of_ten_are_decided_as_their_writer_would(matcher):
    rows = [json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()]
    detector = Detector(matcher, Ranker(), patterns=True)
    agree = [
        (row["label"] == "concern") == (detector.decide(row["text"]).priority is not None)
        for row in rows
    ]
    assert len(agree) == 100
    assert sum(agree) >= 90
