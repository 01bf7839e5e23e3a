"""Find terms in text that is typed key by key: pure, (state, character) -> (state, matches).

A match is told by the character that ends its last word, or by `settle` when the
writer pauses (both may tell the same match: its term, start and end are then equal).
The answer is the same however the text was cut, and a backspace is undone by going
back to the state before it, since states are immutable and hold no text.

A state is a plain tuple, for speed: building one is the larger part of the work. Where
nothing is disguised there is a single track, and a key costs a step of the automaton
and a tuple; the rest is in `tracks`.

Offsets count characters (code points) since the start state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from keywords.automaton import DEAD, ROOT, Automaton
from keywords.conditions import NOTHING, Hit, Waiting, held, judge, sort_found
from keywords.normalise import SPACE, Kind, Reading, read
from keywords.pack import Pack, Term
from keywords.phrasegraph import Walks
from keywords.termbook import TermBook, make_book
from keywords.tracks import Found, Mode, Stride, Track, read_gap, read_letter

State = tuple[
    int,  # node of the word that is being typed, as it is
    Walks,  # the walks of the words before it
    int,  # characters read
    int,  # where the last word ended
    tuple[int, ...],  # where the last words begin
    int,  # symbols of the current word; 0 at a boundary
    int,  # the last letter's symbol; 0 after anything else
    int,  # how often it stands in a row
    int,  # the node after its first
    tuple[Track, ...],  # the other tracks
    int,  # words so far
    Waiting,  # what conditions look back on
    tuple[int, tuple[int, ...]],  # within the current word: a node of `parts`, and those found
    int,  # symbols of the current word that are digits or signs
]
"""Opaque outside this module: keep it, compare it, hash it, give it back."""


@dataclass(frozen=True, slots=True)
class Match:
    """A term found in the text: from `start` up to but not with `end`, in whole words."""

    term: Term
    pack: Pack
    start: int
    end: int
    disguised: bool = False
    """Whether it took reading signs as letters, gaps as nothing, or runs as one letter."""


@dataclass(frozen=True, slots=True)
class _Key:
    """A character as the matcher takes it."""

    kind: Kind
    codes: tuple[int, ...]
    others: tuple[int, ...]
    sign: bool
    """Whether it is a digit or a sign, read as a letter or not."""


_OUTSIDE: Final[tuple[int, tuple[int, ...]]] = (ROOT, ())
_NONE: Final[tuple[Match, ...]] = ()
_GAP: Final = -1
_MOST_KEYS: Final = 4096
"""Characters kept ready; whoever types more different ones pays for reading them again."""


class Matcher:
    """Finds the terms of all packs given. Immutable but for a bounded memory of characters."""

    def __init__(self, packs: Sequence[Pack] | TermBook) -> None:
        """Take packs, or a book that was made of them; thousands of terms take many seconds."""
        self._book = packs if isinstance(packs, TermBook) else make_book(packs)
        self._spelling = self._book.spelling
        self._parts = self._book.parts
        self._keep = max(1, self._book.longest)
        self._simple: dict[str, int] = {}
        self._keys: dict[str, _Key] = {}
        self._space = self._key_of(SPACE)
        for char in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ '":
            self._learn(char)
        self.start: State = (ROOT, (), 0, 0, (), 0, 0, 0, ROOT, (), 0, NOTHING, _OUTSIDE, 0)

    @property
    def nbytes(self) -> int:
        """Bytes of the automata's arrays."""
        return self._book.spelling.nbytes + self._book.phrases.nbytes

    def step(self, state: State, char: str) -> tuple[State, tuple[Match, ...]]:
        """The state after one more character, and the matches that it confirms."""
        code = self._simple.get(char)
        if code is None or state[9]:
            return self._step_any(state, char)
        if code == _GAP:
            return self._simple_gap(state)
        node, phrase, at, _, starts, length, last, run, first, _, words, waiting, inside, signs = (
            state
        )
        spelling = self._spelling
        child = spelling.base[node] + code
        after = at + 1
        if not length:
            starts = (*starts[-self._keep :], at)
            words += 1
        node = child if spelling.check[child] == node else DEAD
        if code != last or not code:
            run, first = 1, node
        elif run > 1:
            return self._step_any(state, char)
        else:
            run = 2
        length += 1
        if self._parts is not None:
            inside = _enter(self._parts, inside, code)
        head = (node, phrase, after, after, starts, length, code, run, first)
        return (*head, (), words, waiting, inside, signs), _NONE

    def _simple_gap(self, state: State) -> tuple[State, tuple[Match, ...]]:
        """After a space, with the plain track alone."""
        node, phrase, at, end, starts, length, _, run, _, _, words, waiting, inside, _ = state
        if length == 1 or run > 1:
            return self._step_any(state, " ")
        matches = _NONE
        if length:
            phrases = self._book.phrases
            word = self._spelling.ends[node] if node != DEAD else 0
            phrase = phrases.advance(phrase, word) if word else ()
            if waiting.hits or inside[1] or (phrase and phrases.ends(phrase)):
                found = [Found(phrase, starts, end, disguised=False)]
                within = self._within(inside, starts, end, words)
                matches, waiting = self._tell(found, within, waiting, words)
        after = (ROOT, phrase, at + 1, end, starts, 0, 0, 0, ROOT, (), words, waiting, _OUTSIDE, 0)
        return after, matches

    def settle(self, state: State) -> tuple[Match, ...]:
        """What stands complete now, as if the writer had finished."""
        after, matches = self._gap(state, self._space, point=False)
        return _telling([*matches, *self._matches(held(self._book, after[11]))])

    def find(self, text: str) -> tuple[Match, ...]:
        """All matches in a whole text: its steps', and what stands complete at its end."""
        state, step = self.start, self.step
        matches: list[Match] = []
        for char in text:
            state, told = step(state, char)
            if told:
                matches += told
        matches += self.settle(state)
        return tuple(matches)

    def _step_any(self, state: State, char: str) -> tuple[State, tuple[Match, ...]]:
        key = self._keys.get(char) or self._learn(char)
        kind = key.kind
        if kind is Kind.LETTER:
            for code in key.codes:
                state = self._letter(state, code, key)
            return _moved(state), _NONE
        if kind is Kind.UNSEEN:
            return _moved(state), _NONE
        state, matches = self._gap(state, key, point=kind is Kind.POINT)
        if kind is Kind.ICON:
            state = self._letter(state, key.codes[0], key)
            after = (*state[:3], state[2] + 1, *state[4:])
            state, more = self._gap(after, self._space, point=False)
            matches += more
        return _moved(state), matches

    def _letter(self, state: State, code: int, key: _Key) -> State:
        (
            node,
            phrase,
            at,
            end,
            starts,
            length,
            last,
            run,
            first,
            tracks,
            words,
            waiting,
            inside,
            signs,
        ) = state
        run = run + 1 if code == last and code else 1
        plain = Track(phrase, node, Mode.PLAIN, starts, first, signs, length, end)
        stride = Stride(at, at + 1, run, self._keep, key.sign)
        grown = read_letter(self._book, [plain, *tracks], stride, code, key.others)
        plain, left = grown[0], tuple(grown[1:])
        words += not length
        length += 1
        if self._parts is not None:
            inside = _enter(self._parts, inside, code)
        return (
            *(plain.node, phrase, at, plain.end, plain.starts, length, code, run, plain.first),
            *(left, words, waiting, inside, plain.signs),
        )

    def _gap(self, state: State, key: _Key, *, point: bool) -> tuple[State, tuple[Match, ...]]:
        (
            node,
            phrase,
            at,
            end,
            starts,
            length,
            _,
            run,
            first,
            tracks,
            words,
            waiting,
            inside,
            signs,
        ) = state
        plain = Track(phrase, node, Mode.PLAIN, starts, first, signs, length, end)
        stride = Stride(at, at + 1, run, self._keep)
        grown, found = read_gap(self._book, [plain, *tracks], stride, key.others, point=point)
        matches = _NONE
        if found or inside[1] or (waiting.hits and length):
            within = self._within(inside, starts, end, words)
            matches, waiting = self._tell(found, within, waiting, words)
        phrase, left = grown[0].phrase, tuple(grown[1:])
        after = (ROOT, phrase, at, end, starts, 0, 0, 0, ROOT, left, words, waiting, _OUTSIDE, 0)
        return after, matches

    def _within(
        self, inside: tuple[int, tuple[int, ...]], starts: tuple[int, ...], end: int, words: int
    ) -> list[Hit]:
        """What stands inside the word that ends here: the whole word is the match."""
        numbers = dict.fromkeys(entry for one in inside[1] for entry in self._book.parted[one])
        return [Hit(one, starts[-1], end, disguised=False, word=words, words=1) for one in numbers]

    def _tell(
        self, found: list[Found], within: list[Hit], waiting: Waiting, words: int
    ) -> tuple[tuple[Match, ...], Waiting]:
        ends = sort_found(self._book, found, words)
        known = {hit.entry for hit in ends.hits}
        ends.hits.extend(hit for hit in within if hit.entry not in known)
        told, waiting = judge(self._book, ends, waiting, words)
        return self._matches(told) if told else _NONE, waiting

    def _matches(self, hits: Sequence[Hit]) -> tuple[Match, ...]:
        found = []
        for hit in hits:
            entry = self._book.entries[hit.entry]
            found.append(Match(entry.term, entry.pack, hit.start, hit.end, hit.disguised))
        return _telling(found)

    def _key_of(self, reading: Reading) -> _Key:
        codes = self._book.codes
        return _Key(
            reading.kind,
            tuple(codes.get(symbol, 0) for symbol in reading.symbols),
            tuple(codes[symbol] for symbol in reading.others if symbol in codes),
            reading.symbols.isdigit() or bool(reading.others),
        )

    def _learn(self, char: str) -> _Key:
        key = self._key_of(read(char))
        if len(self._keys) < _MOST_KEYS:
            self._keys[char] = key
            if key.kind is Kind.LETTER and len(key.codes) == 1 and not key.sign:
                self._simple[char] = key.codes[0]
            elif key.kind is Kind.SPACE:
                self._simple[char] = _GAP
        return key


def _enter(
    parts: Automaton, inside: tuple[int, tuple[int, ...]], code: int
) -> tuple[int, tuple[int, ...]]:
    """One more letter of a word, as the parts of words see it."""
    node, found = inside
    node = parts.step(node, code)
    if parts.ends[node] or parts.link[node]:
        found = (*found, *(one for one in parts.found(node) if one not in found))
    return node, found


def _moved(state: State) -> State:
    """The state one character on."""
    node, phrase, at, *rest = state
    return (node, phrase, at + 1, *rest)  # type: ignore[return-value]  # the tuple's own shape


def _telling(matches: Sequence[Match]) -> tuple[Match, ...]:
    """Without those that lie in another of their pack that says more: longer, else graver."""
    return tuple(
        match
        for number, match in enumerate(matches)
        if not any(
            _outdoes(other, match, earlier=place < number)
            for place, other in enumerate(matches)
            if place != number
        )
    )


def _outdoes(one: Match, other: Match, *, earlier: bool) -> bool:
    if one.pack is not other.pack or one.start > other.start or one.end < other.end:
        return False
    longer = (one.end - one.start) - (other.end - other.start)
    graver = one.term.severity - other.term.severity
    return longer > 0 or graver > 0 or (not graver and earlier)
