"""The terms of several packs made ready for the automaton: patterns, and what each one means.

A pattern is a phrase as a row of words, and a word a row of symbols: one automaton
spells words, another finds phrases in them, so that only whole words match and the
thousands of ways to say a thing share their words. Conditions (`near`, `unless`,
`unless_then`) become patterns of their own, called cues.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain
from typing import Any

from keywords.automaton import Automaton
from keywords.normalise import Kind, read
from keywords.pack import Pack, Severity, Term
from keywords.phrases import Phrase, expand
from keywords.variants import glued, splits, typos

NO_CUES: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """A term with its pack and its conditions as cue numbers."""

    term: Term
    pack: Pack
    near: frozenset[int] = NO_CUES
    unless: frozenset[int] = NO_CUES
    unless_then: frozenset[int] = NO_CUES
    hold: int = 0
    """Words to wait for `unless_then`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One segment of a phrase of several."""

    entry: int
    chain: int
    """The phrase that it belongs to."""
    index: int
    """Its place in it."""
    after: frozenset[int]
    """The places that may come right before it."""
    first: bool
    """Whether the phrase may begin here."""
    last: bool
    """Whether the phrase may end here."""


@dataclass(frozen=True, slots=True)
class TermBook:
    """What the matcher looks up.

    A pattern's meanings are numbers: entries from 0, then steps, and cues below 0.
    """

    spelling: Automaton
    """A trie of words and their misspellings; what ends at a node, less one, is a word's number,
    and that plus one its symbol in `phrases`."""
    phrases: Automaton
    codes: dict[str, int]
    """Symbol of a character; a character that no word holds has none."""
    words: "array[int]"
    """Words of each pattern."""
    meanings: "array[int]"
    """The meanings of all patterns, one after the other."""
    meanings_from: "array[int]"
    """Where those of each pattern begin, and at last their number."""
    entries: tuple[Entry, ...]
    steps: tuple[Step, ...]
    longest: int
    """Words of the longest pattern."""
    parts: Automaton | None = None
    """The words that are found inside longer ones, if there are any."""
    parted: tuple[tuple[int, ...], ...] = ()
    """The entries of each pattern in `parts`."""

    def meant(self, pattern: int) -> "array[int]":
        """The meanings of one pattern."""
        return self.meanings[self.meanings_from[pattern] : self.meanings_from[pattern + 1]]


def make_book(packs: Sequence[Pack]) -> TermBook:
    """Fold the phrases of all packs and build both automata."""
    meant = _Meanings()
    for pack in packs:
        for term in pack.terms:
            meant.add(term, pack)
    meanings = meant.numbered()
    vocabulary = sorted({word for phrase in meanings for word in phrase})
    symbols = {word: chr(number) for number, word in enumerate(vocabulary, 1)}
    letters = sorted({char for word in vocabulary for char in word})
    codes = {char: code for code, char in enumerate(letters, 1)}
    spelt = {_coded(word, codes): ord(symbols[word]) for word in vocabulary}
    for word in sorted(meant.grave):
        for typo in typos(word):
            if codes.keys() >= set(typo):
                spelt.setdefault(_coded(typo, codes), ord(symbols[word]))
    spellings = sorted(spelt)
    coded = {"".join(symbols[word] for word in phrase): phrase for phrase in meanings}
    patterns = sorted(coded)
    words = array("B", (len(coded[pattern]) for pattern in patterns))
    listed = [meanings[coded[pattern]] for pattern in patterns]
    return TermBook(
        spelling=Automaton(spellings, [spelt[spelling] for spelling in spellings]),
        phrases=Automaton(patterns),
        codes=codes,
        words=words,
        meanings=array("i", chain.from_iterable(listed)),
        meanings_from=array("i", accumulate(map(len, listed), initial=0)),
        entries=tuple(meant.entries),
        steps=tuple(meant.steps),
        longest=max(words, default=1),
        **_parts(meant.parts, codes),
    )


def _coded(word: str, codes: dict[str, int]) -> str:
    return "".join(chr(codes[char]) for char in word)


def _parts(parts: dict[str, list[int]], codes: dict[str, int]) -> dict[str, Any]:
    if not parts:
        return {}
    coded = {_coded(word, codes): tuple(entries) for word, entries in parts.items()}
    patterns = sorted(coded)
    automaton = Automaton(patterns, size=len(codes) + 1)
    return {"parts": automaton, "parted": tuple(coded[pattern] for pattern in patterns)}


def spell(phrase: str) -> tuple[str, ...]:
    """A phrase as the words that are seen in it, in symbols; none if nothing is."""
    return tuple(word for part in phrase.split() for word in _spell(part))


@lru_cache(maxsize=2048)
def _spell(part: str) -> tuple[str, ...]:
    symbols = ""
    for char in part:
        reading = read(char)
        if reading.kind is Kind.LETTER:
            symbols += reading.symbols
        elif reading.kind is Kind.ICON:
            symbols += f" {reading.symbols} "
        elif reading.kind is not Kind.UNSEEN:
            symbols += " "
    return tuple(_shorten_runs(word) for word in symbols.split(" ") if word)


class _Meanings:
    """Gathers what each phrase means while the terms are read."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.steps: list[Step] = []
        self._whole: dict[tuple[str, ...], list[int]] = {}
        self._parts: dict[tuple[str, ...], list[int]] = {}
        self._cues: dict[tuple[str, ...], int] = {}
        self._chains = 0
        self.grave: set[str] = set()
        """The words of grave terms, which are found misspelt too."""
        self.parts: dict[str, list[int]] = {}

    def add(self, term: Term, pack: Pack) -> None:
        number = len(self.entries)
        hold = max((len(spell(phrase)) for phrase in term.unless_then), default=0)
        near, unless = self._numbers(term.near), self._numbers(term.unless)
        self.entries.append(Entry(term, pack, near, unless, self._numbers(term.unless_then), hold))
        phrases = expand(term.phrases, dict(pack.sets))
        whole = {spell(plain) for phrase in phrases if len(phrase) == 1 for plain in phrase[0]}
        for spelt in sorted(whole):
            if spelt:
                self._whole.setdefault(spelt, []).append(number)
            if term.part:
                self.parts.setdefault("".join(spelt), []).append(number)
        if term.severity >= Severity.HIGH:
            self._disguise(whole, number)
        for phrase in phrases:
            if len(phrase) > 1:
                self._chain(phrase, number)

    def _disguise(self, whole: set[tuple[str, ...]], number: int) -> None:
        self.grave.update(word for phrase in whole for word in phrase)
        for phrase in sorted(whole):
            ways = [*splits(phrase), (glued(phrase),)]
            for way in ways:
                if way != ("",) and way not in whole:
                    self._whole.setdefault(way, []).append(number)

    def numbered(self) -> dict[tuple[str, ...], list[int]]:
        """The meanings of every phrase: entries, steps after them, cues below 0."""
        meanings = {phrase: list(numbers) for phrase, numbers in self._whole.items()}
        for phrase, steps in self._parts.items():
            meanings.setdefault(phrase, []).extend(len(self.entries) + step for step in steps)
        for phrase, cue in self._cues.items():
            meanings.setdefault(phrase, []).append(cue)
        return meanings

    def _chain(self, phrase: Phrase, entry: int) -> None:
        optional = ["" in segment for segment in phrase]
        for index, segment in enumerate(phrase):
            after = {before for before in range(index) if all(optional[before + 1 : index])}
            first, last = all(optional[:index]), all(optional[index + 1 :])
            step = Step(entry, self._chains, index, frozenset(after), first, last)
            for spelt in sorted({spell(plain) for plain in segment} - {()}):
                self._parts.setdefault(spelt, []).append(len(self.steps))
            self.steps.append(step)
        self._chains += 1

    def _numbers(self, phrases: Sequence[str]) -> frozenset[int]:
        if not phrases:
            return NO_CUES
        spelt = [spell(phrase) for phrase in phrases]
        cues = self._cues
        return frozenset(cues.setdefault(one, -1 - len(cues)) for one in spelt if one)


def _shorten_runs(symbols: str) -> str:
    """No letter more than twice in a row: the matcher reads longer runs as two or as one."""
    kept = ""
    for symbol in symbols:
        if kept[-2:] != symbol * 2:
            kept += symbol
    return kept
