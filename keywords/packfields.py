"""Take typed fields out of a pack's table, and tell each wrong one with its line and mend."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]\]?\s*(#.*)?$")
_FIELD = re.compile(r"\s*\"?([A-Za-z0-9_-]+)\"?\s*=")


class Problem(Exception):
    """One wrong field: its line (from 1; 0 if not known), its name and the mend."""

    def __init__(self, line: int, name: str, mend: str) -> None:
        """Take where it is and what mends it."""
        super().__init__(mend)
        self.line = line
        self.field = name
        self.mend = mend


@dataclass(slots=True)
class Lines:
    """The line on which each field stands; a term's own line is under its empty name."""

    top: dict[str, int] = field(default_factory=dict)
    sets: dict[str, int] = field(default_factory=dict)
    terms: list[dict[str, int]] = field(default_factory=list)


def find_lines(text: str) -> Lines:
    """Find the lines of fields, which `tomllib` does not tell. Meant for a text that parses."""
    found = Lines()
    here = found.top
    quoted = False
    for number, line in enumerate(text.split("\n"), 1):
        if not quoted:
            if header := _HEADER.match(line):
                found.top.setdefault(header[1], number)
                here = found.sets if header[1] == "sets" else {"": number}
                if header[1] == "term":
                    found.terms.append(here)
            elif name := _FIELD.match(line):
                here.setdefault(name[1], number)
        if (line.count('"""') + line.count("'''")) % 2:
            quoted = not quoted
    return found


@dataclass(slots=True)
class Fields:
    """One table's fields; what is wrong goes into `problems`, and the field comes back empty."""

    table: dict[str, Any]
    lines: dict[str, int]
    line: int
    problems: list[Problem]

    def wrong(self, name: str, mend: str) -> None:
        """Note that a field is wrong."""
        self.problems.append(Problem(self.lines.get(name, self.line), name, mend))

    def only(self, what: str, known: Sequence[str]) -> None:
        """Note the fields that are not known: a typing error must not pass as a condition."""
        for name in self.table:
            if name not in known:
                self.wrong(name, f"is no field of {what}; the fields are {', '.join(known)}")

    def text(self, name: str, longest: int) -> str | None:
        """A line of text, not blank, of at most `longest` characters."""
        value = self.table.get(name)
        if not isinstance(value, str) or not value.strip():
            self.wrong(name, f'must be text: {name} = "…"')
            return None
        if len(value) > longest:
            self.wrong(name, f"must have at most {longest} characters; it has {len(value)}")
            return None
        return value

    def texts(
        self, name: str, most: int, *, optional: bool = False, empty: bool = False
    ) -> tuple[str, ...]:
        """A list of up to `most` texts; at least one unless `optional`, blank ones if `empty`."""
        value = self.table.get(name)
        if value is None and optional:
            return ()
        whole = isinstance(value, list) and all(
            isinstance(item, str) and (empty or item.strip()) for item in value
        )
        if not whole or not value:
            self.wrong(name, f'must be a list of texts: {name} = ["…"]')
            return ()
        if len(value) > most:
            self.wrong(name, f"must have at most {most} entries; it has {len(value)}")
            return ()
        return tuple(value)

    def number(self, name: str, least: int, most: int, *, optional: bool = False) -> int | None:
        """A whole number from `least` to `most`."""
        value = self.table.get(name)
        if value is None and optional:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.wrong(name, f"must be a whole number from {least} to {most}")
            return None
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """One of the texts given."""
        value = self.table.get(name)
        if not isinstance(value, str) or value not in choices:
            self.wrong(name, f"must be one of {', '.join(choices)}")
            return None
        return value

    def choices(self, name: str, known: Sequence[str]) -> tuple[str, ...]:
        """A list of the texts given, none if it is left out."""
        values = self.texts(name, len(known), optional=True)
        for value in values:
            if value not in known:
                self.wrong(name, f"{value!r} is not known here; use {', '.join(known)}")
        return values

    def flag(self, name: str) -> bool:
        """Whether it is true; left out is false."""
        value = self.table.get(name, False)
        if not isinstance(value, bool):
            self.wrong(name, f"must be true or false: {name} = true")
        return value is True

    def code(self, name: str, joint: str) -> str | None:
        """A code of small letters and digits with `joint` between them, at most 60 long."""
        value = self.table.get(name)
        if not isinstance(value, str) or not re.fullmatch(
            rf"[a-z0-9]+(?:{joint}[a-z0-9]+)*", value
        ):
            self.wrong(name, f'must be small letters and digits with "{joint}" between them')
            return None
        if len(value) > 60:  # noqa: PLR2004 - the bound that the docstring names
            self.wrong(name, "must have at most 60 characters")
            return None
        return value
