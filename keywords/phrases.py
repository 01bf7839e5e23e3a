"""Expand a phrase with alternatives into the plain phrases it stands for.

`(a|b|)` is one of a, b and nothing, and may nest; `{name}` is one of a named set.
Nothing repeats, so that the number of plain phrases is known and bounded.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

MOST = 1_000
"""Plain phrases that one term may stand for; `near` joins what need not stand together."""
LONGEST = 120
"""Characters of a plain phrase."""
MOST_WORDS = 14
_DEEPEST = 4

_TOKEN = re.compile(r"[(){}|]|[^(){}|]+")


class PhraseError(ValueError):
    """A phrase that cannot be expanded; the text says how to mend it."""


def expand(phrases: Iterable[str], sets: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """All plain phrases, each once, in order, with single spaces.

    Raises:
        PhraseError: if brackets do not pair, a set is not known, or it grows too large.
    """
    found: dict[str, None] = {}
    for phrase in phrases:
        for plain in _Expansion(phrase, sets).all():
            tidy = " ".join(plain.split())
            if not tidy:
                raise PhraseError(f"{phrase!r} can be empty; leave at least one word outside")
            if len(tidy) > LONGEST or tidy.count(" ") >= MOST_WORDS:
                raise PhraseError(
                    f"{tidy[:40]!r}… is longer than {LONGEST} characters or {MOST_WORDS} words"
                )
            found[tidy] = None
        if len(found) > MOST:
            raise PhraseError(f"stands for more than {MOST} phrases; split the term or use near")
    return tuple(found)


class _Expansion:
    """One phrase, read from left to right."""

    def __init__(self, phrase: str, sets: Mapping[str, Sequence[str]]) -> None:
        self._phrase = phrase
        self._sets = sets
        self._tokens = _TOKEN.findall(phrase)
        self._at = 0

    def all(self) -> list[str]:
        choices = self._choices(0)
        if self._at < len(self._tokens) or len(choices) != 1:
            raise self._unpaired()
        return choices[0]

    def _choices(self, depth: int) -> list[list[str]]:
        """The alternatives up to the bracket that closes them, each expanded."""
        if depth > _DEEPEST:
            raise PhraseError(f"{self._phrase!r} nests too deeply; use a set")
        choices = [[""]]
        while self._at < len(self._tokens) and self._tokens[self._at] != ")":
            token = self._tokens[self._at]
            self._at += 1
            if token == "|":
                choices.append([""])
            elif token == "(":
                inner = self._choices(depth + 1)
                self._close(")")
                choices[-1] = self._joined(choices[-1], [one for many in inner for one in many])
            elif token == "{":
                choices[-1] = self._joined(choices[-1], self._set())
            elif token == "}":
                raise self._unpaired()
            else:
                choices[-1] = [one + token for one in choices[-1]]
        return choices

    def _set(self) -> Sequence[str]:
        name = self._tokens[self._at] if self._at < len(self._tokens) else ""
        self._at += 1
        self._close("}")
        if name not in self._sets:
            raise PhraseError(f"{{{name}}} is no set of this pack; add it under [sets]")
        return self._sets[name]

    def _close(self, bracket: str) -> None:
        if self._at >= len(self._tokens) or self._tokens[self._at] != bracket:
            raise self._unpaired()
        self._at += 1

    def _joined(self, left: Sequence[str], right: Sequence[str]) -> list[str]:
        if len(left) * len(right) > MOST:
            raise PhraseError(
                f"{self._phrase!r} stands for more than {MOST} phrases; split it or use near"
            )
        return [one + other for one in left for other in right]

    def _unpaired(self) -> PhraseError:
        return PhraseError(f"{self._phrase!r}: brackets must pair, and | stands only inside ( )")
