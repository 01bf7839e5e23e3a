"""The terms of several packs made ready for the automaton: patterns, and what each one means.

A pattern is a phrase as a row of words, and a word a row of symbols: one automaton
spells words, another finds phrases in them, so that only whole words match and the
thousands of ways to say a thing share their words. Conditions (`near`, `unless`,
`unless_then`) become patterns of their own, called cues.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from keywords.automaton import Automaton
from keywords.normalise import Kind, read
from keywords.pack import Pack, Term

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
    """What the matcher looks up. A pattern's meanings are entries (from 0) and cues (below 0)."""

    spelling: Automaton
    """A trie of words; one more than a word's number is its symbol in `phrases`."""
    phrases: Automaton
    codes: dict[str, int]
    """Symbol of a character; a character that no word holds has none."""
    words: tuple[int, ...]
    """Words of each pattern."""
    meanings: tuple[tuple[int, ...], ...]
    entries: tuple[Entry, ...]
    longest: int
    """Words of the longest pattern."""


def make_book(packs: Sequence[Pack]) -> TermBook:
    """Fold the phrases of all packs and build both automata."""
    entries, meanings = _collect(packs)
    vocabulary = sorted({word for phrase in meanings for word in phrase})
    letters = sorted({char for word in vocabulary for char in word})
    codes = {char: code for code, char in enumerate(letters, 1)}
    spelt = {"".join(chr(codes[char]) for char in word): word for word in vocabulary}
    spellings = sorted(spelt)
    symbols = {spelt[spelling]: chr(number) for number, spelling in enumerate(spellings, 1)}
    coded = {"".join(symbols[word] for word in phrase): phrase for phrase in meanings}
    patterns = sorted(coded)
    words = tuple(len(coded[pattern]) for pattern in patterns)
    return TermBook(
        spelling=Automaton(spellings),
        phrases=Automaton(patterns),
        codes=codes,
        words=words,
        meanings=tuple(tuple(meanings[coded[pattern]]) for pattern in patterns),
        entries=tuple(entries),
        longest=max(words, default=1),
    )


def spell(phrase: str) -> tuple[str, ...]:
    """A phrase as the words that are seen in it, in symbols; none if nothing is."""
    return tuple(word for part in phrase.split() for word in _spell(part))


@lru_cache(maxsize=4096)
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


def _collect(packs: Sequence[Pack]) -> tuple[list[Entry], dict[tuple[str, ...], list[int]]]:
    """The entries of all packs, and what each phrase means."""
    cues: dict[tuple[str, ...], int] = {}
    meanings: dict[tuple[str, ...], list[int]] = {}
    entries: list[Entry] = []

    def numbers(phrases: Sequence[str]) -> frozenset[int]:
        spelt = [spell(phrase) for phrase in phrases]
        return frozenset(cues.setdefault(one, -1 - len(cues)) for one in spelt if one)

    for pack in packs:
        for term in pack.terms:
            for phrase in dict.fromkeys(spell(phrase) for phrase in term.phrases):
                if phrase:
                    meanings.setdefault(phrase, []).append(len(entries))
            hold = max((len(spell(phrase)) for phrase in term.unless_then), default=0)
            near, unless = numbers(term.near), numbers(term.unless)
            entries.append(Entry(term, pack, near, unless, numbers(term.unless_then), hold))
    for cue, number in cues.items():
        meanings.setdefault(cue, []).append(number)
    return entries, meanings


def _shorten_runs(symbols: str) -> str:
    """No letter more than twice in a row: the matcher reads longer runs as two or as one."""
    kept = ""
    for symbol in symbols:
        if kept[-2:] != symbol * 2:
            kept += symbol
    return kept
