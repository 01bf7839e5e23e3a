"""Texts without labels, made of labelled ones: what the deep model learns its teacher's mind from.

A small model that sees only the labelled texts learns their labels; to learn how the sentence
model sees meanings it needs many more, near them and between them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from training.sentence import SentenceModel


@dataclass(frozen=True)
class Spliced:
    """Texts without labels, and the sentence model's vectors of them."""

    texts: list[str]
    vectors: np.ndarray


def make(folder: Path, texts: Sequence[str], count: int, seed: int, model: SentenceModel) -> None:
    """Make texts and vectors, and keep them in a folder: reading them takes a quarter of an hour."""
    folder.mkdir(parents=True, exist_ok=True)
    made = list(spliced(texts, count, seed))
    np.save(folder / f"vectors-{seed}.npy", model.read(made).astype(np.float16))
    (folder / f"texts-{seed}.json").write_text(json.dumps(made), encoding="utf-8")


def kept(folder: Path) -> Spliced:
    """All that was kept in a folder."""
    texts: list[str] = []
    vectors = []
    for path in sorted(folder.glob("texts-*.json")):
        texts += json.loads(path.read_text(encoding="utf-8"))
        name = path.name.replace("texts", "vectors").replace(".json", ".npy")
        vectors.append(np.load(path.with_name(name)).astype(np.float32))
    return Spliced(texts, np.concatenate(vectors))


def spliced(texts: Sequence[str], count: int, seed: int = 0) -> Iterator[str]:
    """So many new texts: halves joined, texts joined, parts of texts, words exchanged."""
    draw = Random(seed)  # noqa: S311 - nothing secret is drawn
    cut = [text.split() for text in texts]
    made = 0
    while made < count:
        one, other = draw.choice(cut), draw.choice(cut)
        way = draw.random()
        if way < 0.4:  # noqa: PLR2004 - shares of the four ways
            words = one[: draw.randint(1, len(one) or 1)] + other[draw.randint(0, len(other)) :]
        elif way < 0.6:  # noqa: PLR2004
            words = one + other
        elif way < 0.75:  # noqa: PLR2004
            start = draw.randint(0, max(0, len(one) - 3))
            words = one[start : start + draw.randint(3, 30)]
        else:
            words = [draw.choice(other) if other and draw.random() < 0.25 else w for w in one]  # noqa: PLR2004
        words = words[:80]
        if len(words) > 1:
            made += 1
            yield " ".join(words)
