"""How much room the spool has, and what its failures are called."""

import sqlite3
from dataclasses import dataclass, replace

from agent.service.record import Draft
from agent.service.spool_carve import PAGE
from wire.event import Kind, Tombstone, TombstoneReason

_BROKEN = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_ERROR,  # a table or a column is not there
    sqlite3.SQLITE_READONLY,  # the header says that only newer versions may write
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_NOMEM,  # a length in the file that no memory holds
    sqlite3.SQLITE_CANTOPEN,  # the header says WAL, and the file is not
    sqlite3.SQLITE_CONSTRAINT,
}
_ROW_OVERHEAD = 200


class SpoolError(Exception):
    """The spool could not do what was asked."""


class SpoolFull(SpoolError):
    """Neither the size limit nor the reserve has room: the record is not taken."""


class SpoolFailed(SpoolError):
    """The disk refused: whether the records are there is known only after opening again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large the spool may grow, in bytes."""

    size: int = 512 << 20
    reserve: int = 32 << 20
    """The last part of `size`, in which text goes on when pictures are given up."""
    allocated: int = 2 << 20
    """How much of the disk is taken in advance, so that text goes on when the disk is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """What waits in the spool."""

    records: int
    bytes: int
    quarantined: int


def given_up(draft: Draft) -> Draft:
    """The tombstone that goes in for a picture without room."""
    return replace(
        draft,
        kind=Kind.TOMBSTONE,
        part=None,
        sealed=b"",
        tombstone=Tombstone(reason=TombstoneReason.SHED),
    )


def room_of(draft: Draft) -> int:
    """Bytes of the file that a draft will take, a little over."""
    size = draft.size + _ROW_OVERHEAD
    return size if size < PAGE else (size // (PAGE - 4) + 2) * PAGE


def is_full(error: SpoolFailed) -> bool:
    """Whether the disk is full."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.Error) and is_full_disk(cause)


def is_full_disk(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the disk is full."""
    return _primary(error) == sqlite3.SQLITE_FULL


def is_broken(error: sqlite3.Error) -> bool:
    """Whether SQLite speaks of the file's structure, and not of the disk."""
    return _primary(error) in _BROKEN


def _primary(error: sqlite3.Error) -> int:
    code = getattr(error, "sqlite_errorcode", None)
    # Python raises some of its own, without a code: a text that is not UTF-8, a size.
    return sqlite3.SQLITE_CORRUPT if code is None else code & 0xFF
