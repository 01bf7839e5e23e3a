"""Word lists of other systems to packs, and packs to a list that other systems read: pure.

What is taken of a list (`keywords.wordlist`) passes `redshank-keywords check`: each phrase is
found as it is written, and each term has an innocent line near its own that it does not find.

The other way, every plain phrase is a row of phrase, category, severity and group (the term's
id). A term with conditions is refused, since without them it would alert on anything; reasons,
title and guidance have no column.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from io import StringIO
from itertools import count, islice, permutations
from string import ascii_lowercase
from typing import Final

from keywords.matcher import Matcher
from keywords.pack import MAX_BYTES, MAX_TERMS, SEVERITIES, Pack, Term
from keywords.packwrite import empty_pack, head_text, plain_term, term_text, with_terms
from keywords.phrases import SEGMENT, expand, plain_rows
from keywords.termbook import spell
from keywords.wordlist import Refused, Row, code, inert

HEADER: Final = ("phrase", "category", "severity", "group")
_PER_TERM: Final = 200
_CONDITIONS: Final = (
    *("near", "unless", "unless_then"),
    *("only_in", "first_person", "part", "ages"),
)


@dataclass(slots=True)
class Packed:
    """Packs as TOML by language/category, and what did not go into them."""

    packs: dict[str, str] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


def to_packs(rows: Iterable[Row], *, language: str, heads: Iterable[Pack] = ()) -> Packed:
    """A pack for each category.

    `heads` are packs of which one of the same name gives title, roles, guidance and the next
    version.
    """
    known = {pack.name: replace(pack, version=pack.version + 1) for pack in heads}
    packed = Packed()
    categories: dict[str, list[Row]] = {}
    for row in rows:
        categories.setdefault(f"{language}/{code(row.category, '_')}", []).append(row)
    for name, members in sorted(categories.items()):
        pack = known.get(name) or empty_pack(name, members[0].category)
        _write_pack(pack, _without_doubles(members, packed.refused), packed)
    return packed


def to_csv(packs: Iterable[Pack]) -> tuple[str, tuple[Refused, ...]]:
    """A list of all plain phrases of packs, and the terms that a list cannot say."""
    refused: list[Refused] = []
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(HEADER)
    for pack in packs:
        for term in pack.terms:
            for phrase in _written_out(pack, term, refused):
                cells = (phrase, pack.category, term.severity.name.lower(), term.id)
                rows.writerow(map(inert, cells))
    return text.getvalue(), tuple(refused)


def _without_doubles(rows: Iterable[Row], refused: list[Refused]) -> list[Row]:
    first: dict[tuple[str, ...], Row] = {}
    for row in rows:
        other = first.setdefault(spell(row.phrase), row)
        if other is not row:
            where = f"{other.file}:{other.line}" if other.file != row.file else f"line {other.line}"
            why = f"stands at {where} too, with severity {other.severity}"
            refused.append(Refused(row.file, row.line, row.phrase, why))
    return list(first.values())


@dataclass(slots=True)
class _Draft:
    """A term to be."""

    id: str
    severity: int
    rows: list[Row]

    def term(self) -> Term:
        phrases = tuple(row.phrase for row in self.rows)
        return plain_term(self.id, phrases, SEVERITIES[self.severity])


def _drafts(rows: Iterable[Row]) -> list[_Draft]:
    """Terms by group and severity; a phrase without a group is a term by itself."""
    groups: dict[tuple[str, int, int], list[Row]] = {}
    for number, row in enumerate(rows):
        key = (row.group, row.severity, 0) if row.group else ("", 0, number)
        groups.setdefault(key, []).append(row)
    drafts: list[_Draft] = []
    names: dict[str, int] = {}
    for members in groups.values():
        for at in range(0, len(members), _PER_TERM):
            part = members[at : at + _PER_TERM]
            name = _name(part[0].group or part[0].phrase, names)
            drafts.append(_Draft(name, part[0].severity, part))
    return drafts


def _name(text: str, names: dict[str, int]) -> str:
    """An id made of a text and not among those that are; `names` counts how often each came."""
    plain = code(text, "-")[:50].strip("-") or "term"
    name = plain
    while name in names:
        names[plain] += 1
        name = f"{plain}-{names[plain]}"
    names[name] = 1
    return name


def _write_pack(head: Pack, rows: list[Row], packed: Packed) -> None:
    drafts, matcher = _settled(head, rows, packed.refused)
    blocks = [head_text(head)]
    room = MAX_BYTES - _size(blocks[0])
    for number, draft in enumerate(drafts):
        block = term_text(replace(draft.term(), innocent=_innocent(draft, matcher)), draft.severity)
        room -= _size(block)
        if room < 0 or number >= MAX_TERMS:
            why = "has no room in its pack; split the category"
            packed.refused += [Refused(one.file, one.line, one.phrase, why) for one in draft.rows]
        else:
            blocks.append(block)
    if len(blocks) > 1:
        packed.packs[head.name] = "\n".join(blocks)


def _settled(head: Pack, rows: list[Row], refused: list[Refused]) -> tuple[list[_Draft], Matcher]:
    """Terms of which each finds all of its phrases, and a matcher of them."""
    while True:
        drafts = _drafts(rows)
        matcher = Matcher([with_terms(head, [draft.term() for draft in drafts])])
        lost: dict[int, tuple[Row, set[str]]] = {}
        losers: set[str] = set()
        for draft in drafts:
            for row in draft.rows:
                finders = {match.term.id for match in matcher.find(row.phrase)}
                if draft.id not in finders:
                    lost[id(row)] = row, finders
                    losers.add(draft.id)
        if not lost:
            return drafts, matcher
        # What is lost to a term that is itself lost may be found without it.
        sure = {key: one for key, one in lost.items() if losers.isdisjoint(one[1])} or lost
        for row, finders in sure.values():
            by = f"is found by {', '.join(sorted(finders))} already" if finders else "is not found"
            refused.append(Refused(row.file, row.line, row.phrase, by))
        rows = [row for row in rows if id(row) not in sure]


def _innocent(draft: _Draft, matcher: Matcher) -> str:
    """A line near the first phrase that the term does not find."""
    return next(
        line
        for line in _near(draft.rows[0].phrase)
        if all(match.term.id != draft.id for match in matcher.find(line))
    )


def _near(phrase: str) -> Iterator[str]:
    """Lines ever farther from a phrase: another order, another letter, other words."""
    yield from map(" ".join, islice(permutations(phrase.split()), 1, 24))
    for at in range(len(phrase) - 1, -1, -1):
        if phrase[at].isalpha():
            for letter in ascii_lowercase:
                yield phrase[:at] + letter + phrase[at + 1 :]
    yield from (f"{_name_of(number)} instead" for number in count(1))


def _name_of(number: int) -> str:
    return "".join(ascii_lowercase[int(digit)] for digit in str(number))


def _size(text: str) -> int:
    return len(text.encode()) + 1


def _written_out(pack: Pack, term: Term, refused: list[Refused]) -> Iterator[str]:
    """The plain phrases of a term."""
    conditions = [name for name in _CONDITIONS if getattr(term, name)]
    for written in term.phrases:
        (phrase,) = expand([written], dict(pack.sets))
        plain = plain_rows(phrase, SEGMENT)
        why = ""
        if conditions:
            why = f"has conditions that a list cannot say: {', '.join(conditions)}"
        elif plain is None:
            why = f"stands for more than {SEGMENT} plain phrases"
        if why:
            refused.append(Refused(f"{pack.name}.toml", term.line, f"{term.id}: {written}", why))
        else:
            yield from plain or ()
