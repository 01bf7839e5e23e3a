"""Conditions of terms: `near`, `unless` and `unless_then`, judged word by word.

What was seen lately and what still waits is one immutable value, so that backspace
restores it like the rest of a state.
"""

from typing import NamedTuple

from keywords.termbook import Entry, TermBook
from keywords.tracks import Found

MEMORY = 32
"""Words for which a cue is remembered: the longest phrase and the farthest `within`."""
MOST_WAITING = 16
"""Hits that may wait at once; beyond it the oldest are let go."""


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


def sort_found(book: TermBook, found: list[Found], word: int) -> tuple[list[Hit], list[Cue]]:
    """The entries and the cues that end at one boundary, each once."""
    hits: dict[int, Hit] = {}
    cues: dict[int, Cue] = {}
    for node, starts, end, disguised in found:
        for pattern in book.phrases.found(node):
            words = book.words[pattern]
            start = starts[-words]
            for meaning in book.meanings[pattern]:
                if meaning < 0:
                    cues.setdefault(meaning, Cue(meaning, word, words))
                elif meaning not in hits:
                    hits[meaning] = Hit(meaning, start, end, disguised, word, words)
    return _longest(book, list(hits.values())), list(cues.values())


def judge(
    book: TermBook, hits: list[Hit], cues: list[Cue], waiting: Waiting, word: int
) -> tuple[list[Hit], Waiting]:
    """What may be told now, and what waits for later words."""
    seen = [cue for cue in waiting.cues if word - cue.word <= MEMORY] + cues
    told: list[Hit] = []
    kept: list[Hit] = []
    for hit in waiting.hits:
        _judge_waiting(book.entries[hit.entry], hit, seen, cues, word, told, kept)
    for hit in hits:
        _judge_new(book.entries[hit.entry], hit, seen, told, kept)
    told += [hit for hit in kept[:-MOST_WAITING] if not book.entries[hit.entry].near]
    return told, Waiting(tuple(seen), tuple(kept[-MOST_WAITING:]))


def held(book: TermBook, waiting: Waiting) -> list[Hit]:
    """What is told if nothing more is typed: hits that only waited for what might follow."""
    return [hit for hit in waiting.hits if not _lacks_near(book, hit, waiting.cues)]


def _lacks_near(book: TermBook, hit: Hit, cues: tuple[Cue, ...]) -> bool:
    entry = book.entries[hit.entry]
    return bool(entry.near) and not _near(entry, hit, cues)


def _judge_new(entry: Entry, hit: Hit, seen: list[Cue], told: list[Hit], kept: list[Hit]) -> None:
    if entry.unless and any(
        cue.cue in entry.unless and _within(cue, hit, entry.term.within) for cue in seen
    ):
        return
    if entry.unless_then or (entry.near and not _near(entry, hit, seen)):
        kept.append(hit)
    else:
        told.append(hit)


def _judge_waiting(
    entry: Entry,
    hit: Hit,
    seen: list[Cue],
    fresh: list[Cue],
    word: int,
    told: list[Hit],
    kept: list[Hit],
) -> None:
    if any(cue.cue in entry.unless_then and cue.word - cue.words == hit.word for cue in fresh):
        return
    gone = word - hit.word
    if entry.near and not _near(entry, hit, seen):
        if gone < entry.term.within:
            kept.append(hit)
    elif gone >= entry.hold:
        told.append(hit)
    else:
        kept.append(hit)


def _near(entry: Entry, hit: Hit, cues: list[Cue] | tuple[Cue, ...]) -> bool:
    return any(cue.cue in entry.near and _within(cue, hit, entry.term.within) for cue in cues)


def _within(cue: Cue, hit: Hit, words: int) -> bool:
    before = hit.word - hit.words - cue.word
    after = cue.word - cue.words - hit.word
    return max(before, after) < words


def _longest(book: TermBook, hits: list[Hit]) -> list[Hit]:
    """Without hits that lie inside a longer one of their own pack: the longer says more."""
    if len(hits) < 2:  # noqa: PLR2004 - one hit lies inside no other
        return hits
    return [
        hit
        for hit in hits
        if not any(
            other.words > hit.words
            and book.entries[other.entry].pack is book.entries[hit.entry].pack
            and other.start <= hit.start
            for other in hits
        )
    ]
