"""The regular inflections of an English word, as pupils write them: stab, stabs, stabbed, stabbin.

Rules only, no list: an irregular form (went, knives) is written out in its pack. A form
that nobody writes costs a few bytes and does no harm.
"""

import re
from typing import Final

_VOWELS = frozenset("aeiou")
_UNDOUBLED = _VOWELS | frozenset("hswxyz")
_SYLLABLES = re.compile(r"[aeiouy]+")
_ENDINGS: Final = ("ed", "ing", "in")
_HISSING: Final = ("s", "x", "z", "ch", "sh")


def inflections(word: str) -> tuple[str, ...]:
    """The word, with -s, -ed, -ing and -in; each once, the word itself first."""
    if len(word) < 3 or not word.isalpha():  # noqa: PLR2004 - too short to tell its stem
        return (word,)
    return tuple(dict.fromkeys((word, _with_s(word), *(_stem(word, end) for end in _ENDINGS))))


def _with_s(word: str) -> str:
    if word.endswith(_HISSING):
        return word + "es"
    if word[-1] == "y" and word[-2] not in _VOWELS:
        return word[:-1] + "ies"
    return word + "s"


def _stem(word: str, ending: str) -> str:
    if word.endswith("ie") and ending != "ed":
        return word[:-2] + "y" + ending
    if word[-1] == "e" and word[-2] not in "eoy":
        return word[:-1] + ending
    if word[-1] == "e" and ending == "ed":
        return word + "d"
    if word[-1] == "y" and word[-2] not in _VOWELS and ending == "ed":
        return word[:-1] + "ied"
    doubles = word[-1] not in _UNDOUBLED and word[-2] in _VOWELS and word[-3] not in _VOWELS
    if doubles and len(_SYLLABLES.findall(word)) == 1:
        return word + word[-1] + ending
    return word + ending
