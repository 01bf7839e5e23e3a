"""Read a whole spool and say what of it is sound."""

import sqlite3
from dataclasses import dataclass

from agent.service import spool_frame
from agent.service.spool_frame import FrameDamaged, State
from agent.service.spool_tables import APPLICATION, TABLES, VERSION, as_bytes
from wire.event import Lane


class Broken(Exception):
    """The file's structure is not sound: it must be carved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A spool whose structure holds."""

    state: State
    generation: int
    damaged: dict[Lane, list[int]]
    """The numbers whose frames are not what was written."""
    copies: int
    """How many whole copies of the state there are, 1 or 2."""


def check(db: sqlite3.Connection) -> Checked:
    """Read and verify everything.

    Raises:
        Broken: rows are missing, misplaced, or without any state.
        sqlite3.Error: SQLite cannot read it at all.
    """
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise Broken("the file does not say that it is a spool")
    if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        raise Broken("the file is of another version")
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise Broken("SQLite finds the file's structure unsound")
    for table in ("quarantine", "reserve"):
        # Nothing in them is needed to go on; that they are there is.
        db.execute(f"SELECT n FROM {table} LIMIT 1").fetchone()  # noqa: S608  # a name of ours
    state, generation, copies = _state(db)
    damaged = {}
    for lane in Lane:
        damaged[lane], newest = _lane(db, lane, state)
        generation = max(generation, newest)
    return Checked(state=state, generation=generation, damaged=damaged, copies=copies)


def _state(db: sqlite3.Connection) -> tuple[State, int, int]:
    whole = []
    rows = db.execute("SELECT n, frame FROM state ORDER BY n").fetchall()
    for _, raw in rows:
        try:
            frame = spool_frame.decode(as_bytes(raw))
            whole.append((frame.generation, spool_frame.state_of(frame)))
        except FrameDamaged:
            continue
    if not whole or [row[0] for row in rows] != [1, 2]:
        raise Broken("no copy of the state can be read")
    generation, state = max(whole, key=lambda found: found[0])
    if set(state.lanes) != set(Lane):
        raise Broken("the state does not speak of both lanes")
    return state, generation, len(whole)


def _lane(db: sqlite3.Connection, lane: Lane, state: State) -> tuple[list[int], int]:
    now = state.lanes[lane]
    wanted = now.receipted.sequence + 1
    damaged, newest = [], 0
    before: bytes | None = now.receipted.hash
    for n, raw in db.execute(f"SELECT n, frame FROM {TABLES[lane]} ORDER BY n"):  # noqa: S608  # ours
        if n != wanted:
            raise Broken("rows are missing, or numbered wrongly")
        wanted += 1
        try:
            frame = spool_frame.decode(as_bytes(raw))
            spool_frame.record_of(frame)
        except FrameDamaged:
            damaged.append(n)
            before = None
            continue
        if (frame.lane, frame.epoch, frame.sequence) != (lane, now.written.epoch, n):
            raise Broken("a row holds another row's record")
        if before is not None and frame.previous != before:
            raise Broken("a record does not follow the one before it")
        before = frame.hash
        newest = max(newest, frame.generation)
    if wanted != now.written.sequence + 1:
        raise Broken("the last rows are missing")
    return damaged, newest
