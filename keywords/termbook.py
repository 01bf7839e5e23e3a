"""The terms of several packs made ready for the automaton: patterns, and what each one means.

A pattern is a phrase as symbols with a boundary before, between and after its words,
so that only whole words match. Conditions (`near`, `unless`, `unless_then`) become
patterns of their own, called cues.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keywords.automaton import Automaton
from keywords.normalise import Kind, read
from keywords.pack import Pack, Term

BOUNDARY = "\x01"
"""The symbol between words; characters are numbered from the next one on."""
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

    automaton: Automaton
    codes: dict[str, int]
    """Symbol of a character; a character that no pattern holds has none."""
    words: tuple[int, ...]
    """Words of each pattern."""
    meanings: tuple[tuple[int, ...], ...]
    entries: tuple[Entry, ...]
    longest: int
    """Words of the longest pattern."""


def make_book(packs: Sequence[Pack]) -> TermBook:
    """Fold the phrases of all packs and build the automaton."""
    cues: dict[str, int] = {}
    meanings: dict[str, list[int]] = {}
    entries: list[Entry] = []

    def cue_numbers(phrases: Sequence[str]) -> frozenset[int]:
        spelt = [spell(phrase) for phrase in phrases]
        return frozenset(cues.setdefault(one, -1 - len(cues)) for one in spelt if one)

    for pack in packs:
        for term in pack.terms:
            for phrase in dict.fromkeys(spell(phrase) for phrase in term.phrases):
                if phrase:
                    meanings.setdefault(phrase, []).append(len(entries))
            hold = max((word_count(spell(phrase)) for phrase in term.unless_then), default=0)
            entries.append(
                Entry(
                    term,
                    pack,
                    cue_numbers(term.near),
                    cue_numbers(term.unless),
                    cue_numbers(term.unless_then),
                    hold,
                )
            )
    for cue, number in cues.items():
        meanings.setdefault(cue, []).append(number)
    codes = _number(meanings)
    coded = {"".join(chr(codes[char]) for char in text): text for text in meanings}
    patterns = sorted(coded)
    words = tuple(word_count(coded[pattern]) for pattern in patterns)
    return TermBook(
        automaton=Automaton(patterns),
        codes=codes,
        words=words,
        meanings=tuple(tuple(meanings[coded[pattern]]) for pattern in patterns),
        entries=tuple(entries),
        longest=max(words, default=1),
    )


def spell(phrase: str) -> str:
    """A phrase as symbols with boundaries around its words; empty if nothing of it is seen."""
    symbols = BOUNDARY
    for char in phrase:
        reading = read(char)
        if reading.kind is Kind.LETTER:
            symbols += reading.symbols
        elif reading.kind is Kind.ICON:
            symbols += BOUNDARY + reading.symbols + BOUNDARY
        elif reading.kind is not Kind.UNSEEN:
            symbols += BOUNDARY
    symbols += BOUNDARY
    while BOUNDARY * 2 in symbols:
        symbols = symbols.replace(BOUNDARY * 2, BOUNDARY)
    return "" if symbols == BOUNDARY else _shorten_runs(symbols)


def word_count(spelt: str) -> int:
    """Words of a spelt phrase."""
    return max(0, spelt.count(BOUNDARY) - 1)


def _shorten_runs(symbols: str) -> str:
    """No letter more than twice in a row: the matcher reads longer runs as two or as one."""
    kept = ""
    for symbol in symbols:
        if kept[-2:] != symbol * 2:
            kept += symbol
    return kept


def _number(meanings: dict[str, list[int]]) -> dict[str, int]:
    chars = sorted({char for text in meanings for char in text} - {BOUNDARY})
    return {BOUNDARY: 1, **{char: code for code, char in enumerate(chars, 2)}}
