"""Texts without labels, made of labelled ones: what the deep model learns its teacher's mind from.

A small model that sees only the labelled texts learns their labels; to learn how the sentence
model sees meanings it needs many more, near them and between them.
"""

from collections.abc import Iterator, Sequence
from random import Random


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
