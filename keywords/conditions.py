"""What spans several phrases: the conditions `near`, `unless` and `unless_then`.

What was seen lately and what still waits is one immutable value, so that backspace
restores it like the rest of a state.
"""

from typing import NamedTuple

from keywords.phrasegraph import SPAN
from keywords.termbook import Entry, TermBook
from keywords.tracks import Found

MOST_WAITING = 16
"""Hits that may wait at once; beyond it the oldest are let go."""
MOST_CUES = 64
"""Cues that are remembered; beyond it the oldest are forgotten. Each condition says how far
back it looks, so older ones do no harm."""


class Hit(NamedTuple):
    """An entry whose phrase stands in the text."""

    entry: int
    start: int
    end: int
    disguised: bool
    word: int
    """Number of its last word, counted from the start of the text."""
    words: int


class Cue(NamedTuple):
    """A condition's phrase that stands in the text."""

    cue: int
    word: int
    words: int


class Waiting(NamedTuple):
    """What later words depend on."""

    cues: tuple[Cue, ...] = ()
    hits: tuple[Hit, ...] = ()


NOTHING = Waiting()


class Ends(NamedTuple):
    """What ends at one boundary, each once."""

    hits: list[Hit]
    cues: list[Cue]


def sort_found(book: TermBook, found: list[Found], word: int) -> Ends:
    """What ends at a boundary after word number `word`; of one entry the longest."""
    hits: dict[int, Hit] = {}
    cues: dict[int, Cue] = {}
    for walks, starts, end, disguised in found:
        for walk in walks:
            words = walk % SPAN
            for meaning in book.phrases.found(walk):
                if meaning < 0:
                    cues.setdefault(meaning, Cue(meaning, word, words))
                elif meaning not in hits:
                    hits[meaning] = Hit(meaning, starts[-words], end, disguised, word, words)
    return Ends(list(hits.values()), list(cues.values()))


def judge(book: TermBook, ends: Ends, waiting: Waiting, word: int) -> tuple[list[Hit], Waiting]:
    """What may be told now, and what waits for later words."""
    seen = (*waiting.cues, *ends.cues)[-MOST_CUES:]
    if not ends.hits and not waiting.hits:
        return [], Waiting(seen, ())
    told: list[Hit] = []
    kept: list[Hit] = []
    for hit in waiting.hits:
        _judge_waiting(book.entries[hit.entry], hit, _Heard(seen, ends.cues, word), told, kept)
    for hit in ends.hits:
        _judge_new(book.entries[hit.entry], hit, seen, told, kept)
    told += [hit for hit in kept[:-MOST_WAITING] if not book.entries[hit.entry].near]
    return told, Waiting(seen, tuple(kept[-MOST_WAITING:]))


def held(book: TermBook, waiting: Waiting) -> list[Hit]:
    """What is told if nothing more is typed: hits that only waited for what might follow."""
    return [hit for hit in waiting.hits if not _lacks_near(book, hit, waiting.cues)]


def _lacks_near(book: TermBook, hit: Hit, cues: tuple[Cue, ...]) -> bool:
    entry = book.entries[hit.entry]
    return bool(entry.near) and not _near(entry, hit, cues)


def _judge_new(
    entry: Entry, hit: Hit, seen: tuple[Cue, ...], told: list[Hit], kept: list[Hit]
) -> None:
    if entry.unless and any(
        cue.cue in entry.unless and _within(cue, hit, entry.term.within) for cue in seen
    ):
        return
    if entry.unless_then or (entry.near and not _near(entry, hit, seen)):
        kept.append(hit)
    else:
        told.append(hit)


class _Heard(NamedTuple):
    """The cues of late, those of this boundary, and its word."""

    seen: tuple[Cue, ...]
    fresh: list[Cue]
    word: int


def _judge_waiting(entry: Entry, hit: Hit, heard: _Heard, told: list[Hit], kept: list[Hit]) -> None:
    if any(
        cue.cue in entry.unless_then and cue.word - cue.words == hit.word for cue in heard.fresh
    ):
        return
    gone = heard.word - hit.word
    if entry.near and not _near(entry, hit, heard.seen):
        if gone < entry.term.within:
            kept.append(hit)
    elif gone >= entry.hold:
        told.append(hit)
    else:
        kept.append(hit)


def _near(entry: Entry, hit: Hit, cues: tuple[Cue, ...]) -> bool:
    return any(cue.cue in entry.near and _within(cue, hit, entry.term.within) for cue in cues)


def _within(cue: Cue, hit: Hit, words: int) -> bool:
    before = hit.word - hit.words - cue.word
    after = cue.word - cue.words - hit.word
    return max(before, after) < words
