"""What spans several phrases: segments of one, and the conditions `near` and `unless`.

What was seen lately and what still waits is one immutable value, so that backspace
restores it like the rest of a state.
"""

from typing import NamedTuple

from keywords.termbook import Entry, Step, TermBook
from keywords.tracks import Found

MOST_WAITING = 16
"""Hits that may wait at once; beyond it the oldest are let go."""
MOST_CUES = 64
"""Cues that are remembered; beyond it the oldest are forgotten. Each condition says how far
back it looks, so older ones do no harm."""
MOST_BEGUN = 32
"""Phrases that may be half said at once; beyond it the oldest are let go."""


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


class Begun(NamedTuple):
    """A phrase of which the segments up to `place` stand in the text."""

    chain: int
    place: int
    """The segment that it has come to."""
    start: int
    word: int
    """Number of the last word of it so far."""
    words: int
    disguised: bool


class Waiting(NamedTuple):
    """What later words depend on."""

    cues: tuple[Cue, ...] = ()
    hits: tuple[Hit, ...] = ()
    begun: tuple[Begun, ...] = ()


NOTHING = Waiting()


class Ends(NamedTuple):
    """What ends at one boundary, each once."""

    hits: list[Hit]
    cues: list[Cue]
    begun: tuple[Begun, ...]
    """The phrases begun so far, those that can still go on."""


def sort_found(book: TermBook, found: list[Found], waiting: Waiting, word: int) -> Ends:
    """What ends at a boundary after word number `word`."""
    hits: dict[int, Hit] = {}
    cues: dict[int, Cue] = {}
    begun: dict[Begun, None] = {}
    steps_from = len(book.entries)
    for phrase, starts, end, disguised in found:
        for pattern in book.phrases.found(phrase):
            words = book.words[pattern]
            for meaning in book.meant(pattern):
                if meaning < 0:
                    if meaning not in cues:
                        cues[meaning] = Cue(meaning, word, words)
                    continue
                here = Hit(meaning, starts[-words], end, disguised, word, words)
                if meaning >= steps_from:
                    _go_on(book.steps[meaning - steps_from], here, waiting.begun, begun, hits)
                elif meaning not in hits:
                    hits[meaning] = here
    late = [one for one in waiting.begun if word - one.word < book.longest]
    return Ends(list(hits.values()), list(cues.values()), (*late, *begun)[-MOST_BEGUN:])


def _go_on(
    step: Step,
    here: Hit,
    before: tuple[Begun, ...],
    begun: dict[Begun, None],
    hits: dict[int, Hit],
) -> None:
    """Lead the phrases on that this segment continues, or begin one."""
    ways = [(here.start, here.words, here.disguised)] if step.first else []
    for one in before:
        follows = one.word == here.word - here.words
        if one.chain == step.chain and follows and one.place in step.after:
            ways.append((one.start, one.words + here.words, one.disguised or here.disguised))
    for start, words, disguised in ways:
        if step.last:
            whole = Hit(step.entry, start, here.end, disguised, here.word, words)
            known = hits.get(step.entry)
            if known is None or known.words < words:
                hits[step.entry] = whole
        begun[Begun(step.chain, step.index, start, here.word, words, disguised)] = None


def judge(book: TermBook, ends: Ends, waiting: Waiting, word: int) -> tuple[list[Hit], Waiting]:
    """What may be told now, and what waits for later words."""
    seen = (*waiting.cues, *ends.cues)[-MOST_CUES:]
    if not ends.hits and not waiting.hits:
        return [], Waiting(seen, (), ends.begun)
    told: list[Hit] = []
    kept: list[Hit] = []
    for hit in waiting.hits:
        _judge_waiting(book.entries[hit.entry], hit, _Heard(seen, ends.cues, word), told, kept)
    for hit in ends.hits:
        _judge_new(book.entries[hit.entry], hit, seen, told, kept)
    told += [hit for hit in kept[:-MOST_WAITING] if not book.entries[hit.entry].near]
    return told, Waiting(seen, tuple(kept[-MOST_WAITING:]), ends.begun)


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
