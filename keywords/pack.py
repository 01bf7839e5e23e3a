"""Read a pack: a versioned list of terms of one category and language.

The format (TOML 1.0, UTF-8), all fields required unless said otherwise:

    format = 1                      # this layout
    category = "suicide"            # [a-z_], the file's own name
    language = "en"                 # the folder's own name
    version = 1                     # raised with every change
    title = "Suicide"               # what staff read
    four_c = "conduct"              # content, contact, conduct or commerce
    illegal = "no"                  # no, act or image (an image withholds pictures)
    see = ["dsl", "deputy"]         # roles that may see its alerts
    guidance = "…"                  # for the DSL: what to do, where to refer

    [sets]                          # optional: alternatives used as {want} in phrases
    want = ["want to", "wanna"]

    [[term]]
    id = "want-to-die"              # [a-z0-9-], never reused in this pack
    phrases = ["i (just|) {want} die"]
    severity = 5                    # 1-2 low, 3 medium, 4 high, 5 critical
    match = "i just wanna die"      # a line in which it must be found
    innocent = "i want to dye it"   # a line in which it must not be found
    says = ["intent"]               # optional: reasons that the words carry themselves
    near = ["school"]               # optional: only if one of these stands within `within` words
    within = 6                      # optional: 1 to 12 words, for near and unless
    unless = ["in minecraft"]       # optional: not if one of these stands before, within `within`
    unless_then = ["laughing"]      # optional: not if followed by one of these; waits for them
    only_in = ["search"]            # optional: only where it is known to be typed in one of these
    first_person = true             # optional: only where the writer speaks of themselves
    part = true                     # optional: one word, found inside longer words too
    ages = ["secondary"]            # optional: only for pupils of these: primary, secondary, sixth_form

A pack of `import_only = true` is shipped without terms: its list comes from the school's
supplier. In a phrase `(a|b|)` stands for one of a, b and nothing, and `{name}` for one of a
set, and `word~` for the word with its regular inflections. A phrase is whole words, written as anyone would type it: the normaliser folds
the pack and the text alike.

Invariants: a pack is immutable; its fingerprint is the SHA-256 of the file's bytes;
a pack that is not wholly right is refused wholly.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from keywords.packfields import Fields, Problem, find_lines
from keywords.phrases import PhraseError, expand, expand_plain
from keywords.reasons import REASONS

FORMAT = 1
MAX_BYTES = 4_000_000
MAX_TERMS = 20_000
MAX_WITHIN = 12
"""Words; the matcher remembers conditions no longer than this."""

FOUR_CS = ("content", "contact", "conduct", "commerce")
ILLEGAL = ("no", "act", "image")
PLACES = ("search", "chat", "document", "title")
"""Where `only_in` may ask a text to be."""
AGES = ("primary", "secondary", "sixth_form")
ROLES = ("dsl", "deputy", "investigator", "headteacher", "technician")


class Severity(IntEnum):
    """How serious a term is, read alone."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


SEVERITIES = {
    1: Severity.LOW,
    2: Severity.LOW,
    3: Severity.MEDIUM,
    4: Severity.HIGH,
    5: Severity.CRITICAL,
}


class PackError(Exception):
    """A pack that cannot be used: where it is wrong, and what mends it."""

    def __init__(self, file: str, line: int, field: str, mend: str) -> None:
        """Take the file's name, the line (from 1; 0 if not known), the field and the mend."""
        super().__init__(f"{file}:{line}: {field}: {mend}")
        self.file = file
        self.line = line
        self.field = field
        self.mend = mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One entry of a pack."""

    id: str
    phrases: tuple[str, ...]
    """As written: `keywords.phrases.expand` with the pack's sets makes them plain."""
    severity: Severity
    match: str
    innocent: str
    says: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    within: int = 8
    unless: tuple[str, ...] = ()
    unless_then: tuple[str, ...] = ()
    only_in: tuple[str, ...] = ()
    first_person: bool = False
    part: bool = False
    ages: tuple[str, ...] = ()
    line: int = 0
    """Where it stands in its file, for messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack as read: `name` is language/category."""

    name: str
    category: str
    language: str
    version: int
    title: str
    four_c: str
    illegal: str
    see: tuple[str, ...]
    guidance: str
    terms: tuple[Term, ...]
    sets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Named alternatives for phrases."""
    fingerprint: str
    """SHA-256 of the file's bytes, in hexadecimal."""


def shipped_packs(*languages: str) -> tuple[Path, ...]:
    """The files of the packs that come with the product, of all languages or of these, by name."""
    every = sorted((Path(__file__).parent / "packs").glob("*/*.toml"))
    return tuple(path for path in every if not languages or path.parent.name in languages)


def load_packs(paths: Iterable[Path]) -> tuple[Pack, ...]:
    """Read packs.

    Raises:
        PackError: for the first thing that is wrong in any of them.
    """
    return tuple(read_pack(path) for path in paths)


def read_pack(path: Path) -> Pack:
    """Read one pack; its name is the file's folder and stem.

    Raises:
        PackError: for the first thing that is wrong in it, or if it cannot be read.
    """
    pack, problems = inspect_file(path)
    return _whole(pack, problems)


def read_head(path: Path) -> Pack:
    """What a pack says of itself, without its terms: a hundred times as fast.

    Raises:
        PackError: for the first thing that is wrong in it, or if it cannot be read.
    """
    try:
        head = path.read_text(encoding="utf-8").partition("[[term]]")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(str(path), 0, "file", f"cannot be read ({error})") from error
    bare = head if "\nimport_only" in head else f"import_only = true\n{head}"
    return parse_pack(bare, name=f"{path.parent.name}/{path.stem}")


def parse_pack(text: str | bytes, *, name: str) -> Pack:
    """Read a pack from its text; `name` is language/category.

    Raises:
        PackError: for the first thing that is wrong in it.
    """
    pack, problems = inspect_pack(text, name=name)
    return _whole(pack, problems)


def inspect_file(path: Path) -> tuple[Pack | None, tuple[PackError, ...]]:
    """As `inspect_pack`, from a file."""
    try:
        text = path.read_bytes()
    except OSError as error:
        why = error.strerror or "cannot be read"
        return None, (PackError(str(path), 0, "file", f"{why}; give the path of a .toml file"),)
    return inspect_pack(text, name=f"{path.parent.name}/{path.stem}", file=str(path))


def inspect_pack(
    text: str | bytes, *, name: str, file: str = ""
) -> tuple[Pack | None, tuple[PackError, ...]]:
    """Read a pack and tell everything that is wrong in it; no pack comes back if anything is."""
    file = file or f"{name}.toml"
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    try:
        table, decoded = _toml(raw)
    except Problem as problem:
        return None, (PackError(file, problem.line, problem.field, problem.mend),)
    problems: list[Problem] = []
    pack = _pack(table, decoded, raw, name, problems)
    if problems or pack is None:
        return None, tuple(PackError(file, p.line, p.field, p.mend) for p in problems)
    return pack, ()


def _whole(pack: Pack | None, problems: Sequence[PackError]) -> Pack:
    if pack is None:
        raise problems[0]
    return pack


def _toml(raw: bytes) -> tuple[dict[str, Any], str]:
    if len(raw) > MAX_BYTES:
        raise Problem(0, "file", f"is larger than {MAX_BYTES:,} bytes; split the pack")
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Problem(line, "file", "is not UTF-8 here; save it as UTF-8") from error
    try:
        return tomllib.loads(decoded), decoded
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        digits = message.rpartition("line ")[2].partition(",")[0]
        line = int(digits) if digits.isdigit() else decoded.count("\n") + 1
        raise Problem(line, "TOML", f"{message}; mend the line or the one before") from error
    except RecursionError as error:
        raise Problem(1, "TOML", "is nested too deeply; a pack has no nested lists") from error
    except ValueError as error:
        raise Problem(1, "TOML", f"{error}; shorten the number") from error


def _pack(
    table: dict[str, Any], decoded: str, raw: bytes, name: str, problems: list[Problem]
) -> Pack | None:
    lines = find_lines(decoded)
    language, _, category = name.rpartition("/")
    fields = Fields(table, lines.top, 1, problems)
    fields.only("the pack", [*_PACK_FIELDS, "import_only", "term", "sets"])
    if fields.number("format", 1, 1_000_000) not in (None, FORMAT):
        fields.wrong("format", f"must be {FORMAT}; this release reads no other")
    if fields.code("category", "_") not in (None, category):
        fields.wrong("category", f"must be the file's own name, {category!r}")
    if fields.code("language", "-") not in (None, language):
        fields.wrong("language", f"must be the folder's own name, {language!r}")
    version = fields.number("version", 1, 2**31 - 1)
    title = fields.text("title", 80)
    four_c = fields.choice("four_c", FOUR_CS)
    illegal = fields.choice("illegal", ILLEGAL)
    see = fields.texts("see", 20)
    for role in see:
        if role not in ROLES:
            fields.wrong("see", f"{role!r} is no role; use {', '.join(ROLES)}")
    guidance = fields.text("guidance", 2000)
    sets = _sets(table, lines.sets, fields)
    bare = fields.flag("import_only") and "term" not in table
    terms = () if bare else _terms(table, lines.terms, sets, fields)
    if problems:
        return None
    return Pack(
        name=name,
        category=category,
        language=language,
        version=version or 0,
        title=title or "",
        four_c=four_c or "",
        illegal=illegal or "",
        see=see,
        guidance=guidance or "",
        terms=terms,
        sets=tuple(sets.items()),
        fingerprint=hashlib.sha256(raw).hexdigest(),
    )


def _sets(table: dict[str, Any], lines: dict[str, int], top: Fields) -> dict[str, tuple[str, ...]]:
    sets = table.get("sets", {})
    if not isinstance(sets, dict):
        top.wrong("sets", 'must be a table: [sets] and below it name = ["…"]')
        return {}
    fields = Fields(sets, lines, top.line, top.problems)
    return {name: fields.texts(name, 200, empty=True) for name in sets}


def _terms(
    table: dict[str, Any],
    lines: Sequence[dict[str, int]],
    sets: dict[str, tuple[str, ...]],
    top: Fields,
) -> tuple[Term, ...]:
    rows = table.get("term")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        top.wrong("term", "there is none; add at least one [[term]]")
        return ()
    if len(rows) > MAX_TERMS:
        top.wrong("term", f"there are more than {MAX_TERMS:,}; split the pack")
        return ()
    terms: list[Term] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows):
        where = lines[number] if number < len(lines) else {}
        fields = Fields(row, where, where.get("", 0), top.problems)
        term = _term(fields, sets)
        if term is None:
            continue
        if term.id in seen:
            fields.wrong("id", f"{term.id!r} stands at line {seen[term.id]} too; rename one")
        seen[term.id] = term.line
        terms.append(term)
    return tuple(terms)


def _term(fields: Fields, sets: dict[str, tuple[str, ...]]) -> Term | None:
    before = len(fields.problems)
    fields.only("a term", _TERM_FIELDS)
    name = fields.code("id", "-")
    phrases = _phrases(fields, sets)
    severity = fields.number("severity", 1, 5)
    match = fields.text("match", 300)
    innocent = fields.text("innocent", 300)
    says = fields.texts("says", 10, optional=True)
    for code in says:
        if code not in REASONS:
            fields.wrong(
                "says", f"{code!r} is no reason; see `redshank-keywords explain --reasons`"
            )
    within = fields.number("within", 1, MAX_WITHIN, optional=True)
    near = _cues(fields, "near", sets)
    unless = _cues(fields, "unless", sets)
    unless_then = _cues(fields, "unless_then", sets)
    only_in = fields.choices("only_in", PLACES)
    ages = fields.choices("ages", AGES)
    first_person, part = fields.flag("first_person"), fields.flag("part")
    if part and any(len(spelt.split()) > 1 for spelt in phrases):
        fields.wrong("part", "is for single words; take the phrases of several into another term")
    if within is not None and not (near or unless):
        fields.wrong("within", "counts words for near or unless; add one of them or take it out")
    if len(fields.problems) > before:
        return None
    return Term(
        id=name or "",
        phrases=phrases,
        severity=SEVERITIES[severity or 1],
        match=match or "",
        innocent=innocent or "",
        says=says,
        near=near,
        within=within or 8,
        unless=unless,
        unless_then=unless_then,
        only_in=only_in,
        first_person=first_person,
        part=part,
        ages=ages,
        line=fields.line,
    )


def _phrases(fields: Fields, sets: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    phrases = fields.texts("phrases", 200)
    try:
        expand(phrases, sets)
    except PhraseError as error:
        fields.wrong("phrases", str(error))
    return phrases


def _cues(fields: Fields, name: str, sets: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    try:
        return expand_plain(fields.texts(name, 200, optional=True), sets)
    except PhraseError as error:
        fields.wrong(name, str(error))
        return ()


_PACK_FIELDS = (
    "format",
    "category",
    "language",
    "version",
    "title",
    "four_c",
    "illegal",
    "see",
    "guidance",
)
_TERM_FIELDS = (
    "id",
    "phrases",
    "severity",
    "match",
    "innocent",
    "says",
    "near",
    "within",
    "unless",
    "unless_then",
    "only_in",
    "first_person",
    "part",
    "ages",
)
