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
from functools import cache, lru_cache
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
_TATWEEL = "\u0640"
"""Stretches an Arabic word, and is no letter of it."""
_ONE_LETTER = {
    "\u0649": "\u064a",  # alef maksura, and below the Persian yeh: yeh
    "\u06cc": "\u064a",
    "\u06a9": "\u0643",  # keheh: kaf
    "\u0629": "\u0647",  # teh marbuta, heh goal, heh doachashmee, teh marbuta goal, ae: heh
    "\u06c1": "\u0647",
    "\u06be": "\u0647",
    "\u06c3": "\u0647",
    "\u06d5": "\u0647",
    "\u0671": "\u0627",  # alef wasla: alef
}
"""Letters of the Arabic script that one keyboard types for another's."""
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
    if _is_vowel_sign(char):
        return Reading(Kind.LETTER, char)
    if category[0] in "MC" or char == _TATWEEL or _modifies(char):
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
    return "".join(_looks_like(part) or _small(part) for part in parts if _is_read(part))


def _small(char: str) -> str:
    parts = unicodedata.normalize("NFKD", char.casefold())
    return "".join(_looks_like(part) or _plain(part) for part in parts if _is_read(part))


def _plain(char: str) -> str:
    """One of the signs that mean the same letter or digit."""
    digit = unicodedata.decimal(char, None)
    return _ONE_LETTER.get(char, char) if digit is None else str(digit)


def _is_read(char: str) -> bool:
    return (char.isalnum() and char != _TATWEEL) or _is_vowel_sign(char)


@lru_cache(4096)
def _is_vowel_sign(char: str) -> bool:
    """Whether it is a vowel of an Indic script: a mark to Unicode, and to a reader a letter."""
    return unicodedata.category(char)[0] == "M" and "VOWEL SIGN" in unicodedata.name(char, "")


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
