"""What stands around a match: its own words, its clause, and the text near it, as plain words."""

import re
from dataclasses import dataclass

REACH = 200
"""Characters either side of a match that are looked at; time does not grow with the text."""
BEFORE = 8
"""Words before a match in which its speaker is looked for."""
AFTER = 5

_BREAK = re.compile(r"[.!?;:\n\r\u2028]")
_DROPPED = re.compile(r"['’‘`´]")  # noqa: RUF001 - each is typed for an apostrophe
_WORD = re.compile(r"[^\W_]+")
_QUOTES = '"“”„«»'


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Folded words; each text begins and ends with a space, so that ` word ` finds a whole one."""

    own: str
    """The matched words."""
    before: tuple[str, ...]
    """The words before it in its clause, at most `BEFORE`."""
    after: tuple[str, ...]
    """The words after it in its clause, at most `AFTER`."""
    near: str
    """All words within `REACH`, the matched ones included."""
    raw: str
    """The same as typed, for signs such as emoji."""
    quoted: bool
    """Whether an open quotation mark stands before the match and its end follows."""

    @property
    def clause(self) -> str:
        """The clause's words around and with the match."""
        return _spaced([*self.before, *self.own.split(), *self.after])


def look_around(text: str, start: int, end: int) -> Surroundings:
    """The surroundings of `text[start:end]`."""
    left = text[max(0, start - REACH) : start]
    right = text[end : end + REACH]
    own = _words(text[start:end][: 2 * REACH])
    clause_left = _BREAK.split(left)[-1]
    clause_right = _BREAK.split(right, maxsplit=1)[0]
    return Surroundings(
        own=_spaced(own),
        before=tuple(_words(clause_left)[-BEFORE:]),
        after=tuple(_words(clause_right)[:AFTER]),
        near=_spaced(_words(left) + own + _words(right)),
        raw=left + text[start:end][: 2 * REACH] + right,
        quoted=_quoted(left, right),
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(_DROPPED.sub("", text.casefold()))


def _spaced(words: list[str]) -> str:
    return f" {' '.join(words)} "


def _quoted(left: str, right: str) -> bool:
    marks = sum(left.count(mark) for mark in _QUOTES)
    return marks % 2 == 1 and any(mark in right for mark in _QUOTES)
