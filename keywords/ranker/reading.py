"""A text as the ranker reads it: small plain words, disguises undone, signs that mean something.

Unlike the matcher, which weighs every reading of a disguise, this takes the likeliest one,
as a score may be a little wrong where a match may not.
"""

import re
from typing import Final

from keywords.normalise import Kind, read

LONGEST: Final = 2_000
"""Characters of a text that are ranked; of a longer one the first and the last half of them."""
MOST_WORDS: Final = 256
WORD_LONGEST: Final = 24

_SIGNS: Final = {"?": " ? ", "!": " ! ", '"': ' " ', "“": ' " ', "”": ' " '}
_LEET: Final = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a"}
    | {"$": "s", "!": "i", "|": "l", "€": "e", "+": "t", "*": "", "#": ""}
)
_INSIDE: Final = re.compile(
    r"[a-z][0-9@$!|€*#+]{1,2}[a-z]|^[@$][a-z]{2}|^[a-z]{1,2}[03]$|^[0-9][a-z]{1,3}[0-9]$"
)
"""A digit or sign that is likely to stand for a letter: between letters, before or after a few."""
_SPACED: Final = re.compile(r"(?<!\S)(?:[a-z0-9@$!][ .\-_*/]{1,2}){3,}[a-z0-9@$!](?!\S)")
_RUN: Final = re.compile(r"([a-z])\1{2,}")
_MASKED: Final = re.compile(r"https?://\S+|www\.\S+")
_TOKEN: Final = re.compile(r"[^\W_]+|[?!\"]|[^\w\s]")


def words_of(text: str) -> list[str]:
    """The words and signs of a text, at most `MOST_WORDS`."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} {text[-LONGEST // 2 :]}"
    plain = _MASKED.sub(" url ", text.lower())
    plain = _SPACED.sub(_joined, plain)
    plain = " ".join(word if word.isalpha() else _unleet(word) for word in plain.split())
    plain = plain.translate(_PLAIN)
    plain = _RUN.sub(r"\1\1", plain)
    return [word[:WORD_LONGEST] for word in _TOKEN.findall(plain)[:MOST_WORDS]]


def _joined(found: re.Match[str]) -> str:
    return re.sub(r"[ .\-_*/]", "", found[0])


def _unleet(word: str) -> str:
    bare = word.rstrip("!?.,;:")
    return bare.translate(_LEET) + word[len(bare) :] if _INSIDE.search(bare) else word


class _Plain(dict[int, str]):
    """What each character is read as; filled as characters come, within bounds."""

    _MOST = 4096

    def __missing__(self, point: int) -> str:
        plain = _read(chr(point))
        if len(self) < self._MOST:
            self[point] = plain
        return plain


def _read(char: str) -> str:
    if char in _SIGNS:
        return _SIGNS[char]
    reading = read(char)
    if reading.kind is Kind.LETTER:
        return reading.symbols
    if reading.kind is Kind.ICON:
        return f" {reading.symbols} "
    return "" if reading.kind is Kind.UNSEEN else " "


_PLAIN: Final = _Plain()
