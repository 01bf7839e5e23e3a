"""Read a word list as other systems export them: pure.

A list is CSV (comma, semicolon or tab) under a header that names its columns, in any case and
order, or plain: one phrase a line, `#` before a comment.

    phrase, keyword, term or word           what is looked for
    category                                a pack each; else the one that is assumed
    severity, level, risk or priority       1 to 5 (5 is gravest; under `priority` 1 is),
                                            low to critical, P1 to P5; else the one assumed
    group or list                           phrases of one group and severity become one term

A row is taken whole or **refused**, with its line and the reason; nothing is left out in
silence. An apostrophe that keeps a cell from being a formula is taken off.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from typing import Final

from keywords.matcher import Matcher
from keywords.normalise import Kind, fold, read
from keywords.packwrite import empty_pack, plain_term, with_terms
from keywords.phrases import LONGEST, MOST_WORDS
from keywords.termbook import spell

COLUMNS: Final = {
    "phrase": "phrase",
    "keyword": "phrase",
    "term": "phrase",
    "word": "phrase",
    "category": "category",
    "severity": "severity",
    "level": "severity",
    "risk": "severity",
    "priority": "severity",
    "group": "group",
    "list": "group",
}
"""What each header stands for."""
IDENTITIES: Final = (
    "gay", "lesbian", "bisexual", "bi", "trans", "transgender", "nonbinary", "non binary", "enby",
    "queer", "asexual", "intersex", "straight", "lgbt", "lgbtq", "lgbtqia", "muslim", "islam",
    "jew", "jewish", "judaism", "christian", "hindu", "sikh", "buddhist", "catholic", "protestant",
    "atheist", "black", "white", "asian", "african", "arab", "chinese", "indian", "polish",
    "romanian", "pakistani", "bangladeshi", "somali", "ukrainian", "gypsy", "roma", "traveller",
    "autistic", "autism", "adhd", "dyslexic", "disabled", "deaf", "blind", "refugee", "immigrant",
    "migrant", "asylum seeker", "adopted", "fostered", "foster child", "in care", "girl", "boy",
    "man", "woman",
)  # fmt: skip
"""Words for who somebody is; alone they are never a concern."""

_FILLERS: Final = frozenset(["a", "an", "the", "and", "or", "i", "im", "am", "is", "are"])
_LEVELS: Final = {"low": 2, "medium": 3, "high": 4, "critical": 5}
_SHOWN: Final = 60
_LONGEST_HEADER: Final = 10_000
_PATTERN: Final = re.compile(
    r"[\\\[\](){}|^~*]|\.[+?]|\w\?\w|^\w+\?$|^/.*/\w*$|%[^\W\d]|[^\W\d]%|\b(?:AND|OR|NOT|NEAR)\b"
)
"""Signs of wildcards, regular expressions, and searches with AND and OR."""
_NO_TEXT: Final = re.compile("[\ud800-\udfff\ufffd]")
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class Row:
    """What one row of a list says."""

    phrase: str
    category: str
    severity: int
    """1 to 5, as in a pack."""
    group: str
    line: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row or a term that was not taken, and why."""

    file: str
    line: int
    phrase: str
    reason: str

    def __str__(self) -> str:
        shown = self.phrase if len(self.phrase) <= _SHOWN else f"{self.phrase[: _SHOWN - 1]}…"
        return f"{self.file}:{self.line}: {shown!r} {self.reason}"


@dataclass(frozen=True, slots=True)
class Assumed:
    """What holds where a row says nothing."""

    category: str = "imported"
    severity: int = 3


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as read."""

    rows: tuple[Row, ...]
    refused: tuple[Refused, ...]
    notes: tuple[str, ...] = ()
    """How the list was understood."""


def decode(raw: bytes) -> tuple[str, str]:
    """A file's text, and the name of the encoding: UTF-8, UTF-16 with its mark, Windows-1252.

    Bytes that are no text become U+FFFD, and the rows with them are refused.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace"), "UTF-16"
    try:
        return raw.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace"), "Windows-1252"


def read_list(text: str, assumed: Assumed | None = None, *, file: str = "") -> Listed:
    """The rows of a list, and those that cannot be taken."""
    assumed = assumed or Assumed()
    lines = list(StringIO(text.removeprefix("\ufeff"), newline=""))
    first = next((at for at, line in enumerate(lines) if not _is_bare(line)), len(lines))
    header = _header(lines[first]) if first < len(lines) else None
    taking = _Taking(file, assumed)
    if header is None:
        _read_plain(lines, taking)
        notes = ["read as one phrase a line"]
    else:
        _read_table(lines[first + 1 :], first + 1, header, taking)
        notes = [f"read as columns {', '.join(header.columns)}", *header.notes]
    if taking.without:
        notes.append(f"{taking.without} rows have no severity: taken as {assumed.severity}")
    return Listed(tuple(taking.rows), tuple(taking.refused), tuple(notes))


@dataclass(frozen=True, slots=True)
class _Header:
    delimiter: str
    columns: Mapping[str, int]
    """Our names to the places of their cells."""
    width: int
    urgent_first: bool
    """Whether 1 is the gravest number."""
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Taking:
    """Rows as they come, each taken or refused."""

    file: str
    assumed: Assumed
    rows: list[Row] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    without: int = 0

    def refuse(self, line: int, phrase: str, reason: str) -> None:
        self.refused.append(Refused(self.file, line, phrase, reason))

    def take(self, line: int, cells: Mapping[str, str], *, urgent_first: bool = False) -> None:
        said = cells["phrase"]
        severity = self.assumed.severity
        if level := cells.get("severity", ""):
            severity = _severity(level, urgent_first=urgent_first)
        else:
            self.without += 1
        category = cells.get("category") or self.assumed.category
        if not severity:
            why = f"has severity {level[:_SHOWN]!r}; use 1 to 5, low to critical or P1 to P5"
            self.refuse(line, said, why)
        elif not 0 < len(code(category, "_")) <= _SHOWN or _NO_TEXT.search(category):
            why = f"has category {category[:_SHOWN]!r}; name it in at most {_SHOWN} letters a-z"
            self.refuse(line, said, why)
        elif why := _unfit(said):
            self.refuse(line, said, why)
        else:
            phrase = " ".join(filter(spell, said.split()))
            group = cells.get("group", "")
            self.rows.append(Row(phrase, category, severity, group, line, self.file))


def _is_bare(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _header(line: str) -> _Header | None:
    """The columns that a line names; none if it is no header."""
    if len(line) > _LONGEST_HEADER:
        return None
    delimiter = max(",;\t", key=line.count)
    names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
    columns: dict[str, int] = {}
    unused: list[str] = []
    for place, name in enumerate(names):
        column = COLUMNS.get(name.casefold())
        if column is None or column in columns:
            unused.append(name)
        else:
            columns[column] = place
    if "phrase" not in columns:
        return None
    notes = [f"not used: column {name[:_SHOWN]!r}" for name in unused]
    urgent_first = "severity" in columns and names[columns["severity"]].casefold() == "priority"
    if urgent_first:
        notes.append("numbers under priority: 1 is the most urgent")
    return _Header(delimiter, columns, len(names), urgent_first, tuple(notes))


def _read_plain(lines: Sequence[str], taking: _Taking) -> None:
    for number, line in enumerate(lines, 1):
        if _is_bare(line):
            continue
        phrase = _cell(line.rstrip("\r\n"))
        if any(sign in line.strip() for sign in ",;\t"):
            why = "may be several columns; give them a header, or one phrase a line without , and ;"
            taking.refuse(number, phrase, why)
        else:
            taking.take(number, {"phrase": phrase})


def _read_table(lines: Sequence[str], before: int, header: _Header, taking: _Taking) -> None:
    for number, last, cells in _table(lines, before, header.delimiter):
        if isinstance(cells, str):
            shown = lines[number - before - 1].strip()
            taking.refuse(number, shown, f"cannot be read up to line {last} ({cells})")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        used = {
            column: cells[place] if place < len(cells) else ""
            for column, place in header.columns.items()
        }
        said = _cell(used["phrase"])
        if any(cell.strip() for cell in cells[header.width :]):
            taking.refuse(number, said, "has more cells than the header; put quotes around it")
        elif any("\n" in cell.strip() or "\r" in cell.strip() for cell in used.values()):
            taking.refuse(number, said, f"goes on to line {last}; close its quotes")
        else:
            plain = {column: _cell(cell) for column, cell in used.items()}
            taking.take(number, plain, urgent_first=header.urgent_first)


def _table(
    lines: Sequence[str], before: int, delimiter: str
) -> Iterator[tuple[int, int, list[str] | str]]:
    """Rows with their first and last lines; a text in place of cells says what is wrong."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = before + reader.line_num + 1
        cells: list[str] | str
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = str(error)
        yield number, before + reader.line_num, cells


def _cell(cell: str) -> str:
    """A cell's words, without the apostrophe that keeps it from being a formula."""
    bare = cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
    return " ".join(bare.split())


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _severity(level: str, *, urgent_first: bool) -> int:
    """1 to 5; 0 if it is none."""
    said = level.casefold()
    if said in _LEVELS:
        return _LEVELS[said]
    found = re.fullmatch(r"(p?)([1-5])(?:\.0+)?", said)
    if found is None:
        return 0
    number = int(found[2])
    return 6 - number if found[1] or urgent_first else number


def _unfit(phrase: str) -> str:
    """Why a phrase cannot stand in a pack; empty if it can."""
    words = spell(phrase)
    most = max(len(words), len(phrase.split()))
    reason = ""
    if not phrase:
        reason = "is empty"
    elif _NO_TEXT.search(phrase):
        reason = "holds bytes that are no text; save the list as UTF-8"
    elif _PATTERN.search(phrase):
        reason = "is a wildcard, regular expression or search; write each phrase out"
    elif not words:
        reason = "has nothing that can be seen"
    elif len(phrase) > LONGEST or most > MOST_WORDS:
        reason = f"is longer than {LONGEST} characters or {MOST_WORDS} words; shorten it"
    elif len("".join(words)) == 1 and read(words[0]).kind is not Kind.ICON:
        reason = "is a single letter or digit, which would alert on anything"
    elif _only_identity(phrase):
        reason = "says who somebody is, and that alone is never a concern; add what is done to them"
    return reason


def _only_identity(phrase: str) -> bool:
    rest = phrase
    for match in _identities().find(phrase):
        rest = rest[: match.start] + " " * (match.end - match.start) + rest[match.end :]
    return rest != phrase and _FILLERS.issuperset(spell(rest))


@cache
def _identities() -> Matcher:
    phrases = tuple(form for word in IDENTITIES for form in (word, f"{word}s"))
    return Matcher([with_terms(empty_pack("en/identity", ""), [plain_term("identity", phrases)])])


def code(text: str, joint: str) -> str:
    """A text as small letters and digits with `joint` between them; empty if it has none."""
    plain = "".join(fold(char) or " " for char in text.replace("'", ""))
    return joint.join(re.findall(r"[a-z0-9]+", plain))
