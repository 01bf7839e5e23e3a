"""The ways in which one text can be read at once, beside the plain one.

A **track** is one reading: 'k!ll' goes on as 'k' and 'll', and as 'kill'; 'k m s' as
three words, and as one; 'kiiill' as 'kiill' and as 'kill'. The first track is always
the plain reading; the others live only while they could still complete a phrase that
the plain one could not, and at most `MOST` do, so that time stays linear whatever is
typed. All values are immutable.
"""

from enum import IntEnum
from typing import NamedTuple

from keywords.automaton import DEAD, ROOT
from keywords.phrasegraph import SPAN, Walks
from keywords.termbook import TermBook

MOST = 8
"""Tracks beside the plain one; the deepest are kept."""
RUN = 3
"""Letters in a row from which a run is no spelling but emphasis."""


class Mode(IntEnum):
    """What a track expects."""

    PLAIN = 0
    JOIN = 1
    """A gap after a single letter was read as nothing: a single letter must follow."""
    JOINED = 2
    """That single letter came; a gap must follow."""
    SKIP = 3
    """A point was read as nothing: a letter must follow."""


class Track(NamedTuple):
    """One reading of the text so far."""

    phrase: Walks
    """The walks of the words before."""
    node: int
    """The node of the word that is being typed."""
    mode: Mode
    starts: tuple[int, ...]
    """Where its last words begin, in characters."""
    first: int
    """The node after the first letter of the run that is being typed."""
    signs: int
    """Symbols of the current word that are digits or signs, whatever they are read as."""
    length: int
    """Symbols of the current word; 0 after a boundary."""
    end: int
    """Where its last word ends, in characters."""
    turned: bool = False
    """Whether a digit or sign of the current word is read as a letter."""


class Found(NamedTuple):
    """Walks with which phrases ended, and the track that led there."""

    phrase: Walks
    starts: tuple[int, ...]
    end: int
    disguised: bool


class Stride(NamedTuple):
    """What stands around one symbol, and what it is."""

    at: int
    after: int
    run: int
    """Which in a row of the same it is."""
    keep: int
    """Starts of words to keep."""
    sign: bool = False
    """Whether it is a digit or a sign."""


def read_letter(
    book: TermBook,
    tracks: list[Track],
    stride: Stride,
    code: int,
    others: tuple[int, ...],
) -> list[Track]:
    """All tracks after a letter, the plain one first."""
    grown: list[Track] = []
    for track in tracks:
        mode = track.mode
        if mode is Mode.JOINED:
            continue
        mode = Mode.JOINED if mode is Mode.JOIN else Mode.PLAIN
        starts = track.starts if track.length else (*track.starts[-stride.keep :], stride.at)
        length, end = track.length + 1, stride.after
        if stride.run >= RUN:
            signs = track.signs + stride.sign
            stay = track._replace(mode=mode, length=length, end=end, signs=signs)
            grown += [stay, stay._replace(node=track.first)]
            continue
        for number, symbol in enumerate((code, *others)):
            node = book.spelling.follow(track.node, symbol)
            if number and node == DEAD and stride.run == 1:
                continue
            first = track.first if stride.run > 1 else node
            signs = track.signs + stride.sign
            turned = track.turned or number > 0
            after = Track(track.phrase, node, mode, starts, first, signs, length, end, turned)
            grown.append(after)
    return _prune(grown, doubled=stride.run == RUN - 1)


def read_gap(
    book: TermBook,
    tracks: list[Track],
    stride: Stride,
    others: tuple[int, ...],
    *,
    point: bool,
) -> tuple[list[Track], list[Found]]:
    """All tracks after a space or a point, the plain one first, and what ended there."""
    grown: list[Track] = []
    found: list[Found] = []
    for track in tracks:
        if track.mode is Mode.JOIN or track.mode is Mode.SKIP:
            continue
        plain = track is tracks[0]
        if not track.length:
            grown.append(track)
        else:
            # A word without a letter is a number, not a disguise.
            if not track.turned or track.signs < track.length:
                _end_word(book, track, stride, grown, found, disguised=not plain)
            if point:
                grown.append(track._replace(mode=Mode.SKIP))
            elif track.length == 1 or track.mode is Mode.JOINED:
                grown.append(track._replace(mode=Mode.JOIN))
        if track.mode is Mode.PLAIN:
            grown += _signs(book, track, stride, others)
    return _prune(grown), found


def _end_word(
    book: TermBook,
    track: Track,
    stride: Stride,
    grown: list[Track],
    found: list[Found],
    *,
    disguised: bool,
) -> None:
    ways = [track.node]
    if stride.run == RUN - 1 and track.first != track.node:
        ways.append(track.first)
    for way in ways:
        word = book.spelling.ends[way] if way != DEAD else 0
        phrase = book.phrases.advance(track.phrase, word)
        grown.append(Track(phrase, ROOT, Mode.PLAIN, track.starts, ROOT, 0, 0, track.end))
        if book.phrases.ends(phrase):
            found.append(Found(phrase, track.starts, track.end, disguised))


def _signs(book: TermBook, track: Track, stride: Stride, others: tuple[int, ...]) -> list[Track]:
    """The ways in which a sign may be a letter of a word: '$' as s."""
    starts = track.starts if track.length else (*track.starts[-stride.keep :], stride.at)
    signs, length = track.signs + 1, track.length + 1
    ways = (book.spelling.follow(track.node, other) for other in others)
    return [
        Track(
            track.phrase, node, Mode.PLAIN, starts, node, signs, length, stride.after, turned=True
        )
        for node in ways
        if node != DEAD
    ]


def _prune(tracks: list[Track], *, doubled: bool = False) -> list[Track]:
    """Without those that lead nowhere or find nothing that the plain one does not find.

    Within a double letter the node after the first one counts too, as it may turn out a run.
    """
    if len(tracks) == 1:
        return tracks
    plain = tracks[0]
    covered = set(plain.phrase)
    kept: dict[tuple[Walks, int, int, Mode], Track] = {}
    for track in tracks[1:]:
        first = track.first if doubled else DEAD
        same = track.node == plain.node and (not doubled or first == plain.first)
        dead = track.node == DEAD and first == DEAD
        if not dead and not (same and set(track.phrase) <= covered):
            kept.setdefault((track.phrase, track.node, first, track.mode), track)
    others = list(kept.values())
    if len(others) > MOST:
        others.sort(key=lambda track: -max((walk % SPAN for walk in track.phrase), default=0))
        del others[MOST:]
    return [plain, *others]
