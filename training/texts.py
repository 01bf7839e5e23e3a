"""Labelled texts: JSON Lines of id, text, label, category, severity and source."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

BENIGN, CONCERN = "benign", "concern"
GRAVE = frozenset({"high", "critical"})
ALIKE = {"violence_weapons": "violence", "eating_disorder": "eating_disorder"}
"""Categories of other hands, in our words."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text, and what a person said of it."""

    text: str
    concern: bool
    grave: bool
    category: str
    """Empty for a benign text."""
    source: str
    held_out: bool
    """Whether it is kept for measuring, and never trained on."""


def read(folders: Iterable[Path], *, besides: Iterable[str] = ()) -> Iterator[Labelled]:
    """All texts of the `.jsonl` files in these folders but those whose name starts so."""
    skipped = tuple(besides)
    for folder in folders:
        for path in sorted(folder.glob("*.jsonl")):
            if skipped and path.name.startswith(skipped):
                continue
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                concern = row["label"] == CONCERN
                category = ALIKE.get(row["category"], row["category"]) if concern else ""
                yield Labelled(
                    row["text"],
                    concern,
                    concern and row["severity"] in GRAVE,
                    category,
                    row["source"],
                    row.get("split") == "test",
                )
