"""Expand a phrase with alternatives into the plain words it stands for.

`(a|b|)` is one of a, b and nothing, and may nest; `{name}` is one of a named set;
`word~` is the word with its regular inflections (`keywords.inflect`).
Nothing repeats, so that what a phrase stands for is known and bounded. Each place of a
phrase is a **segment**, the plain rows of words of which one stands there (none, if one of
them is empty); places are never multiplied out (`keywords.phrasegraph`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from keywords.inflect import inflections

SEGMENT = 300
"""Plain rows of words that one place may stand for, and one condition."""
MOST = 3_000
"""Plain phrases of all segments of one term."""
LONGEST = 200
"""Characters of a plain phrase."""
MOST_WORDS = 15
"""Words of a phrase, at its longest."""
_DEEPEST = 4

Phrase = tuple[tuple[str, ...], ...]
"""Segments in order; one that holds an empty text may be left out."""

_TOKEN = re.compile(r"[(){}|]|[^(){}|]+")
_INFLECTED = re.compile(r"([^\s(){}|~]+)~")


class PhraseError(ValueError):
    """A phrase that cannot be expanded; the text says how to mend it."""


def expand(phrases: Iterable[str], sets: Mapping[str, Sequence[str]]) -> tuple[Phrase, ...]:
    """Each phrase as its segments.

    Raises:
        PhraseError: if brackets do not pair, a set is not known, or it grows too large.
    """
    expanded = tuple(_segments(phrase, sets) for phrase in phrases)
    if sum(len(segment) for phrase in expanded for segment in phrase) > MOST:
        raise PhraseError(f"stands for more than {MOST} phrases; split the term or use near")
    return expanded


def expand_plain(phrases: Iterable[str], sets: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Phrases that stand for few rows of words each, as these.

    Raises:
        PhraseError: as `expand`, and if a phrase stands for too many.
    """
    found: dict[str, None] = {}
    for phrase in expand(phrases, sets):
        plain = plain_rows(phrase, SEGMENT)
        if plain is None:
            raise PhraseError(f"must stand for at most {SEGMENT} phrases each; shorten it")
        found.update(dict.fromkeys(plain))
    return tuple(found)


def plain_rows(phrase: Phrase, most: int) -> tuple[str, ...] | None:
    """All plain rows of words that a phrase stands for; none if they are more than `most`."""
    count = 1
    for segment in phrase:
        count *= len(segment)
    if count > most:
        return None
    rows = (" ".join(filter(None, row)) for row in product(*phrase))
    return tuple(dict.fromkeys(rows))


def _segments(phrase: str, sets: Mapping[str, Sequence[str]]) -> Phrase:
    segments: list[list[str]] = []
    for part in _parts(_inflected(phrase)):
        choices = [" ".join(choice.split()) for choice in _Expansion(part, sets).all()]
        segments.append(list(dict.fromkeys(choices)))
    longest = [max(segment, key=len) for segment in segments]
    most_words = sum(max(len(choice.split()) for choice in segment) for segment in segments)
    if sum(map(len, longest)) > LONGEST or most_words > MOST_WORDS:
        raise PhraseError(
            f"{' '.join(longest)[:40]!r}… is longer than {LONGEST} characters or {MOST_WORDS} words"
        )
    if all("" in segment for segment in segments):
        raise PhraseError(f"{phrase!r} can be empty; leave at least one word outside")
    return tuple(tuple(segment) for segment in segments)


def _inflected(phrase: str) -> str:
    return _INFLECTED.sub(lambda found: f"({'|'.join(inflections(found[1]))})", phrase)


def _parts(phrase: str) -> list[str]:
    """The phrase cut at the spaces that stand outside brackets."""
    parts = [""]
    depth = 0
    for char in phrase:
        depth += (char in "({") - (char in ")}")
        if char.isspace() and depth <= 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part]


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
            piece = self._tokens[self._at]
            self._at += 1
            if piece == "|":
                choices.append([""])
            elif piece == "(":
                inner = self._choices(depth + 1)
                self._close(")")
                choices[-1] = self._joined(choices[-1], [one for many in inner for one in many])
            elif piece == "{":
                choices[-1] = self._joined(choices[-1], self._set())
            elif piece == "}":
                raise self._unpaired()
            else:
                choices[-1] = [one + piece for one in choices[-1]]
        return choices

    def _set(self) -> Sequence[str]:
        name = self._tokens[self._at] if self._at < len(self._tokens) else ""
        self._at += 1
        self._close("}")
        if name not in self._sets:
            raise PhraseError(f"{{{name}}} is no set of this pack; add it under [sets]")
        plain: list[str] = [] if self._sets[name] else [""]
        for entry in self._sets[name]:
            inflected = _inflected(entry)
            plain += [entry] if inflected == entry else _Expansion(inflected, {}).all()
        return plain

    def _close(self, bracket: str) -> None:
        if self._at >= len(self._tokens) or self._tokens[self._at] != bracket:
            raise self._unpaired()
        self._at += 1

    def _joined(self, left: Sequence[str], right: Sequence[str]) -> list[str]:
        if len(left) * len(right) > SEGMENT:
            raise PhraseError(
                f"{self._phrase!r} stands for more than {SEGMENT} phrases; split it or use near"
            )
        return [one + other for one in left for other in right]

    def _unpaired(self) -> PhraseError:
        return PhraseError(f"{self._phrase!r}: brackets must pair, and | stands only inside ( )")
