"""Expand a phrase with alternatives into the plain phrases it stands for.

`(a|b|)` is one of a, b and nothing; `{name}` is one of a named set. Neither nests,
nothing repeats, so that the number of plain phrases is known and bounded.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

MOST = 2_000
"""Plain phrases that one term may stand for."""
LONGEST = 120
"""Characters of a plain phrase."""
MOST_WORDS = 14

_PIECE = re.compile(r"\(([^(){}]*)\)|\{([^(){}|]*)\}|([^(){}|]+)")


class PhraseError(ValueError):
    """A phrase that cannot be expanded; the text says how to mend it."""


def expand(phrases: Iterable[str], sets: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """All plain phrases, each once, in order, with single spaces.

    Raises:
        PhraseError: if brackets do not pair, a set is not known, or it grows too large.
    """
    found: dict[str, None] = {}
    for phrase in phrases:
        for plain in _expand(phrase, sets):
            tidy = " ".join(plain.split())
            if not tidy:
                raise PhraseError(f"{phrase!r} can be empty; leave at least one word outside")
            if len(tidy) > LONGEST or tidy.count(" ") >= MOST_WORDS:
                raise PhraseError(
                    f"{tidy[:40]!r}… is longer than {LONGEST} characters or {MOST_WORDS} words"
                )
            found[tidy] = None
        if len(found) > MOST:
            raise PhraseError(f"stands for more than {MOST} phrases; split the term")
    return tuple(found)


def _expand(phrase: str, sets: Mapping[str, Sequence[str]]) -> list[str]:
    results = [""]
    end = 0
    for piece in _PIECE.finditer(phrase):
        if piece.start() != end:
            break
        end = piece.end()
        choices: Sequence[str]
        if piece[1] is not None:
            choices = piece[1].split("|")
        elif piece[2] is not None:
            if piece[2] not in sets:
                raise PhraseError(f"{{{piece[2]}}} is no set of this pack; add it under [sets]")
            choices = sets[piece[2]]
        else:
            choices = (piece[3],)
        if len(results) * len(choices) > MOST:
            raise PhraseError(f"{phrase!r} stands for more than {MOST} phrases; split it")
        results = [result + choice for result in results for choice in choices]
    if end != len(phrase):
        raise PhraseError(
            f"{phrase!r}: brackets must pair and not nest, and | stands only inside ( )"
        )
    return results
