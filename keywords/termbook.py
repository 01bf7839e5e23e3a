"""The terms of several packs made ready for the matcher: words, phrases, and what they mean.

A word is a row of symbols and a phrase a row of words: a trie spells words, and a graph
finds phrases in them, so that only whole words match and the thousands of ways to say a
thing share their words. Conditions (`near`, `unless`, `unless_then`) become phrases of
their own, called cues.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from keywords.automaton import Automaton, Trie
from keywords.normalise import Kind, read
from keywords.pack import Pack, Severity, Term
from keywords.phrasegraph import PhraseGraph
from keywords.phrases import MOST_WORDS, Phrase, expand, plain_rows
from keywords.variants import glued, splits, typos

GLUED_FROM = 16
"""A phrase that stands for more rows of words than this is not looked for glued or cut."""
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
class TermBook:
    """What the matcher looks up.

    What a phrase means is a number: an entry from 0 on, a cue below 0.
    """

    spelling: Trie
    """A trie of words and their misspellings; what ends at a node, less one, is a word's number,
    and that plus one its symbol in `phrases`."""
    phrases: PhraseGraph
    codes: dict[str, int]
    """Symbol of a character; a character that no word holds has none."""
    entries: Sequence[Entry]
    longest: int
    """Words of the longest phrase."""
    parts: Automaton | None = None
    """The words that are found inside longer ones, if there are any."""
    parted: tuple[tuple[int, ...], ...] = ()
    """The entries of each pattern in `parts`."""


def make_book(packs: Sequence[Pack]) -> TermBook:
    """Fold the phrases of all packs and build trie and graph."""
    meant = _Meanings()
    for pack in packs:
        for term in pack.terms:
            meant.add(term, pack)
    vocabulary = sorted(meant.vocabulary)
    numbers = {word: number for number, word in enumerate(vocabulary, 1)}
    letters = sorted({char for word in vocabulary for char in word})
    codes = {char: code for code, char in enumerate(letters, 1)}
    spelt = {_coded(word, codes): numbers[word] for word in vocabulary}
    for word in sorted(meant.grave):
        for typo in typos(word):
            if codes.keys() >= set(typo):
                spelt.setdefault(_coded(typo, codes), numbers[word])
    spellings = sorted(spelt)
    numbered = (
        ([[tuple(numbers[word] for word in way) for way in ways] for ways in row], meaning)
        for row, meaning in meant.phrases()
    )
    return TermBook(
        spelling=Trie(spellings, [spelt[spelling] for spelling in spellings]),
        phrases=PhraseGraph(numbered),
        codes=codes,
        entries=tuple(meant.entries),
        longest=meant.longest,
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


Row = tuple[tuple[tuple[str, ...], ...], ...]
"""A phrase as places in order, each with the rows of words of which one stands there."""


class _Meanings:
    """Gathers what each phrase means while the terms are read."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.vocabulary: set[str] = set()
        self.longest = 1
        self.grave: set[str] = set()
        """The words of grave terms, which are found misspelt too."""
        self.parts: dict[str, list[int]] = {}
        self._rows: dict[tuple[Row, int], None] = {}
        self._cues: dict[tuple[str, ...], int] = {}

    def add(self, term: Term, pack: Pack) -> None:
        number = len(self.entries)
        hold = max((len(spell(phrase)) for phrase in term.unless_then), default=0)
        near, unless = self._numbers(term.near), self._numbers(term.unless)
        self.entries.append(Entry(term, pack, near, unless, self._numbers(term.unless_then), hold))
        for phrase in expand(term.phrases, dict(pack.sets)):
            row = tuple(tuple(dict.fromkeys(map(spell, segment))) for segment in phrase)
            self._take(row, number)
            if term.part:
                for (word,) in row[0]:
                    self.parts.setdefault(word, []).append(number)
            if term.severity >= Severity.HIGH:
                self._disguise(row, phrase, number)

    def phrases(self) -> list[tuple[Row, int]]:
        """All phrases and what they mean."""
        cues = ((((cue,),), number) for cue, number in self._cues.items() if len(cue) <= MOST_WORDS)
        return [*self._rows, *cues]

    def _take(self, row: Row, number: int) -> None:
        words = sum(max(map(len, ways)) for ways in row)
        if all(() in ways for ways in row) or words > MOST_WORDS:
            return  # `check` tells both: nothing is seen, or signs make many words of few
        self._rows[row, number] = None
        self.vocabulary.update(word for ways in row for way in ways for word in way)
        self.longest = max(self.longest, words)

    def _disguise(self, row: Row, phrase: Phrase, number: int) -> None:
        self.grave.update(word for ways in row for way in ways for word in way)
        for plain in plain_rows(phrase, GLUED_FROM) or ():
            spelt = spell(plain)
            for way in (*splits(spelt), (glued(spelt),)):
                if way != ("",):
                    self._take(((way,),), number)

    def _numbers(self, phrases: Sequence[str]) -> frozenset[int]:
        if not phrases:
            return NO_CUES
        spelt = [spell(phrase) for phrase in phrases]
        cues = self._cues
        self.vocabulary.update(word for one in spelt for word in one)
        self.longest = max(self.longest, *(min(len(one), MOST_WORDS) for one in spelt))
        return frozenset(cues.setdefault(one, -1 - len(cues)) for one in spelt if one)


def _shorten_runs(symbols: str) -> str:
    """No letter more than twice in a row: the matcher reads longer runs as two or as one."""
    kept = ""
    for symbol in symbols:
        if kept[-2:] != symbol * 2:
            kept += symbol
    return kept
