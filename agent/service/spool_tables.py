"""The spool's tables: how they are opened and written (the layout is in spool_file)."""

import sqlite3
from pathlib import Path

from agent.service import spool_frame
from agent.service.spool_carve import PAGE
from agent.service.spool_frame import MAX_FRAME, Frame, State
from wire.event import Lane

TABLES = {Lane.TEXT: "text", Lane.PICTURE: "picture"}
APPLICATION = 0x52534850
VERSION = 1
RESERVE_ROW = 16 << 10
JOURNAL = 64 << 10
"""Bytes of journal that are there from the start: enough to free a row of the reserve."""

_SCHEMA = tuple(
    f"CREATE TABLE {name} (n INTEGER PRIMARY KEY, frame BLOB NOT NULL)"
    for name in (*TABLES.values(), "state", "quarantine", "reserve")
)
_COPIES = (1, 2)


def connect(path: Path, synchronous: str) -> sqlite3.Connection:
    """Open the file as the layout says; nothing is read yet."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    try:
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * MAX_FRAME)
        db.execute(f"PRAGMA page_size={PAGE}")
        db.execute("PRAGMA journal_mode=PERSIST")
        # Large enough for any commit of text, so that a full disk has room for it.
        db.execute("PRAGMA journal_size_limit=1048576")
        db.execute(f"PRAGMA synchronous={synchronous}")
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        # Builds differ. Where all is overwritten, to forget a picture needs a journal as large
        # as the picture, which a full disk does not have.
        db.execute("PRAGMA secure_delete=FAST")
        db.execute("PRAGMA cell_size_check=ON")
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA cache_size=-512")
        db.execute("PRAGMA temp_store=MEMORY")
    except BaseException:
        db.close()
        raise
    return db


def create(db: sqlite3.Connection, state: State, generation: int) -> None:
    """Make the tables and the first state, in the caller's transaction."""
    db.execute(f"PRAGMA application_id={APPLICATION}")
    db.execute(f"PRAGMA user_version={VERSION}")
    for statement in _SCHEMA:
        db.execute(statement)
    write_state(db, state, generation)


def write_state(db: sqlite3.Connection, state: State, generation: int) -> None:
    """Write both copies of the state."""
    raw = spool_frame.encode(spool_frame.state_frame(state, generation))
    for copy in _COPIES:
        db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (copy, raw))


def put(db: sqlite3.Connection, lane: Lane, frame: Frame) -> None:
    """Write a record's row, in place of what may be there."""
    db.execute(
        f"INSERT OR REPLACE INTO {TABLES[lane]} VALUES (?, ?)",  # noqa: S608  # a name of ours
        (frame.sequence, spool_frame.encode(frame)),
    )


def drop(db: sqlite3.Connection, lane: Lane, *, first: int = 0, last: int) -> None:
    """Delete rows by their numbers."""
    db.execute(
        f"DELETE FROM {TABLES[lane]} WHERE n BETWEEN ? AND ?",  # noqa: S608  # a name of ours
        (first, last),
    )


def raw_row(db: sqlite3.Connection, lane: Lane, sequence: int) -> bytes | None:
    """A row's bytes as they stand, or None."""
    row = db.execute(
        f"SELECT frame FROM {TABLES[lane]} WHERE n = ?",  # noqa: S608  # a name of ours
        (sequence,),
    ).fetchone()
    return None if row is None else as_bytes(row[0])


def as_bytes(value: object) -> bytes:
    """What a damaged row may hold instead of a blob, as bytes to keep."""
    if isinstance(value, bytes):
        return value
    return repr(value).encode(errors="replace")


def allocate(db: sqlite3.Connection, size: int) -> None:
    """Fill the reserve up to `size` bytes."""
    for _ in range(reserved(db), size // RESERVE_ROW):
        db.execute("INSERT INTO reserve (frame) VALUES (zeroblob(?))", (RESERVE_ROW,))


def reserved(db: sqlite3.Connection) -> int:
    """How many rows the reserve has."""
    (rows,) = db.execute("SELECT count(*) FROM reserve").fetchone()
    return int(rows)


def stretch_journal(db: sqlite3.Connection) -> None:
    """Write four rows of the reserve anew, so that the journal has held all their pages once.

    With other bytes each time: what is the same SQLite does not write.
    """
    db.execute("UPDATE reserve SET frame = randomblob(?) WHERE n <= 4", (RESERVE_ROW,))


def is_reserve_whole(db: sqlite3.Connection, size: int) -> bool:
    """Whether all is taken in advance that is to be."""
    return reserved(db) >= size // RESERVE_ROW


def free_reserve(db: sqlite3.Connection) -> None:
    """Give up one row of the reserve: its pages serve whatever is written next."""
    db.execute("DELETE FROM reserve WHERE n = (SELECT max(n) FROM reserve)")


def used(db: sqlite3.Connection) -> int:
    """Bytes of the file that hold something, the reserve not counted."""
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    free = db.execute("PRAGMA freelist_count").fetchone()[0]
    return int(pages - free) * PAGE - reserved(db) * RESERVE_ROW
