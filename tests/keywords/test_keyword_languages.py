"""Languages that no native speaker has reviewed: what they reach on our own lines, and no less."""

import json
from pathlib import Path

import pytest

from keywords.decide import Detector
from keywords.pack import shipped_packs
from keywords.ranker import Ranker

DATA = Path(__file__).parents[1] / "data"
LANGUAGES = sorted({path.parent.name for path in shipped_packs()} - {"en"})


@pytest.fixture(scope="module")
def detector(matcher):
    return Detector(matcher, Ranker())


@pytest.mark.parametrize("language", LANGUAGES)
def test_half_of_the_concerns_are_found_and_little_else(detector, language):
    lines = (DATA / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert all(row["language"] == language and row["split"] == "test" for row in rows)
    shown = [(row["label"], detector.decide(row["text"]).priority is not None) for row in rows]
    concerns = [found for label, found in shown if label == "concern"]
    harmless = [found for label, found in shown if label == "benign"]
    assert min(len(concerns), len(harmless)) >= 25
    assert sum(concerns) >= 0.5 * len(concerns)
    assert sum(harmless) <= 0.1 * len(harmless)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_pack_says_that_nobody_has_reviewed_it(language):
    for path in shipped_packs(language):
        assert "native speaker" in path.read_text(encoding="utf-8").splitlines()[0], path.name
