"""Read a character as what a person sees in it, one character at a time.

A **reading** has a kind and symbols. A letter's symbols are small, without accents,
and of the plain alphabet where it only looks like one of its letters (NFKC's
compatibility forms, full width, the Cyrillic a, a circled k). Some characters have
**others**: a digit or a sign that may stand for a letter ('3', '$'). A character
that cannot be seen has no symbols. Nothing here looks at neighbours, so a text may
be cut anywhere; runs, gaps and words are the matcher's business.

Sources: Unicode 15 (UAX #15, UTS #39); `lookalikes.txt` says where its rows are from.
"""

import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path


class Kind(IntEnum):
    """What a character does to a text."""

    LETTER = 0
    """One or more symbols of a word: letters, digits, marks that are read as them."""
    SPACE = 1
    """Ends a word."""
    POINT = 2
    """Punctuation: ends a word, or stands inside a disguised one."""
    ICON = 3
    """A word of its own: an emoji."""
    UNSEEN = 4
    """Nothing that is seen: zero-width, accents, apostrophes, controls."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one character may be read as."""

    kind: Kind
    symbols: str = ""
    """What it is: for a letter one or more, for an icon one."""
    others: str = ""
    """Letters that it may stand for instead, one symbol each."""


SPACE = Reading(Kind.SPACE)
UNSEEN = Reading(Kind.UNSEEN)

_STANDS_FOR = {
    "0": "o",
    "1": "il",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "gb",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "€": "e",
    "¥": "y",
    "¢": "c",
    "!": "il",
    "¡": "i",
    "|": "il",
    "+": "t",
    "*": "aeiou",
    "#": "aeiou",
}
_APOSTROPHES = "'’‘`´ʼ＇′"  # noqa: RUF001 - each of them is typed for an apostrophe
_SIGNS_WITH_MEANING = "@$€¥¢+"
_TAGS = 0xE0000
_NEGATIVE_CIRCLED = 0x1F150
_NEGATIVE_SQUARED = 0x1F170
_REGIONAL = 0x1F1E6
_ALPHABET = 26


def read(char: str) -> Reading:  # noqa: PLR0911 - a list of cases, each with its answer
    """The reading of one character; any code point is taken, lone surrogates too."""
    if "a" <= char <= "z":
        return Reading(Kind.LETTER, char)
    if char in _APOSTROPHES:
        return UNSEEN
    if char.isspace():
        return SPACE
    looks = _looks_like(char)
    if looks:
        return Reading(Kind.LETTER, looks)
    category = unicodedata.category(char)
    if category[0] in "MC" or _modifies(char):
        return UNSEEN if category not in {"Cs", "Co", "Cn"} else Reading(Kind.POINT)
    folded = fold(char)
    if folded.isdigit():
        return Reading(Kind.LETTER, folded, _STANDS_FOR.get(folded, ""))
    if folded:
        return Reading(Kind.LETTER, folded)
    if category == "So":
        return Reading(Kind.ICON, char)
    plain = unicodedata.normalize("NFKC", char)
    return Reading(Kind.POINT, others=_STANDS_FOR.get(plain, ""))


def fold(text: str) -> str:
    """Letters and digits alone: small, in plain forms, without accents."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(_looks_like(part) or _small(part) for part in parts if part.isalnum())


def _small(char: str) -> str:
    parts = unicodedata.normalize("NFKD", char.casefold())
    return "".join(_looks_like(part) or part for part in parts if part.isalnum())


def _modifies(char: str) -> bool:
    """Skin tones and the like, which change a neighbour and are no sign of their own."""
    return unicodedata.category(char) == "Sk" and ord(char) > 0x7F  # noqa: PLR2004 - beyond ASCII


def _looks_like(char: str) -> str:
    found = _lookalikes().get(char)
    if found:
        return found
    point = ord(char)
    for start in (_NEGATIVE_CIRCLED, _NEGATIVE_SQUARED, _REGIONAL):
        if start <= point < start + _ALPHABET:
            return chr(ord("a") + point - start)
    return ""


@cache
def _lookalikes() -> dict[str, str]:
    table: dict[str, str] = {}
    text = (Path(__file__).parent / "lookalikes.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        letter, _, points = line.partition(" ")
        if letter != "#":
            table.update((chr(int(point, 16)), letter) for point in points.split())
    return table
