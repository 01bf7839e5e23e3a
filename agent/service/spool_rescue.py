"""Bring what is whole of a broken spool into a new file."""

import contextlib
import os
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from agent.service import spool_frame, spool_tables
from agent.service.record import Scribe, Written
from agent.service.spool_carve import carve
from agent.service.spool_frame import RECORD, Frame, FrameDamaged, LaneState, State
from wire import chain
from wire.event import Lane, TombstoneReason

MOST_NOTES = 20


def fresh_state() -> State:
    """The state of a spool that has never held anything."""
    lanes = {}
    for lane in Lane:
        start = chain.fresh_epoch(lane)
        lanes[lane] = LaneState(written=start, receipted=start)
    return State(lanes=lanes)


def noted(state: State, words: str) -> State:
    """Keep an integrity warning, for `status`."""
    return replace(state, notes=(*state.notes, words)[-MOST_NOTES:])


def stones(
    now: LaneState, bad: set[int], whole: dict[int, Written], scribe: Scribe
) -> dict[int, Written]:
    """Tombstones for damaged numbers, with the whole records beside them at hand.

    Each carries the lost header's hash where the next record names it, or the lane's head
    does: so what comes after still chains.
    """
    made: dict[int, Written] = {}
    for n in sorted(bad):
        if n - 1 in made:
            before = made[n - 1].head
        else:
            before = whole[n - 1].head if n - 1 in whole else now.receipted
        if n == now.written.sequence:
            lost = now.written.hash
        else:
            lost = whole[n + 1].previous if n + 1 in whole else b""
        made[n] = scribe.bury(TombstoneReason.DAMAGED, before, lost)
    return made


def rescue(
    path: Path,
    scribe: Scribe,
    aside: Path,
    connect: Callable[[Path], sqlite3.Connection],
) -> None:
    """Carve `path` into a new file that takes its place; the old one is kept at `aside`.

    Raises:
        sqlite3.Error, OSError: the disk refused; the old file is where it was.
    """
    new = path.with_name(path.name + ".new")
    clear_rescue(path)
    records, state, generation = _newest(path)
    rescued, rows = _all_lanes(records, state, scribe)
    lost = rescued.quarantined - (state.quarantined if state else 0)
    words = (
        f"the spool was damaged: {len(rows) - lost} records were saved, {lost} are lost and "
        f"have tombstones; the damaged file is kept as {aside.name}"
    )
    with contextlib.closing(connect(new)) as db:
        db.execute("BEGIN IMMEDIATE")
        spool_tables.create(db, noted(rescued, words), generation + 1)
        for written in rows:
            frame = spool_frame.record_frame(written, generation + 1)
            spool_tables.put(db, written.head.lane, frame)
        db.execute("COMMIT")
    # A second name for the old file first, so that at no moment there is none.
    os.link(path, aside)
    new.replace(path)
    for left in (new, path):
        left.with_name(left.name + "-journal").unlink(missing_ok=True)
    sync_directory(path.parent)


def clear_rescue(path: Path) -> None:
    """Remove what an interrupted rescue left: the spool itself is still whole as it was."""
    new = path.with_name(path.name + ".new")
    for left in (new, new.with_name(new.name + "-journal")):
        left.unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Make names durable, where the system can."""
    if sys.platform == "win32":
        return
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_Records = dict[tuple[int, bytes, int], Frame]


def _newest(path: Path) -> tuple[_Records, State | None, int]:
    """Of each record and of the state, the newest whole copy; and the newest generation."""
    records: _Records = {}
    states: list[tuple[int, State]] = []
    generation = 0
    for frame in carve(path):
        generation = max(generation, frame.generation)
        with contextlib.suppress(FrameDamaged):
            if frame.sort == RECORD:
                spool_frame.record_of(frame)
                key = (frame.lane, frame.epoch, frame.sequence)
                if key not in records or records[key].generation <= frame.generation:
                    records[key] = frame
            else:
                states.append((frame.generation, spool_frame.state_of(frame)))
    state = max(states, key=lambda found: found[0])[1] if states else None
    return records, state, generation


def _all_lanes(
    records: _Records, state: State | None, scribe: Scribe
) -> tuple[State, list[Written]]:
    if state is None:
        return _begin_anew(records, scribe)
    rows: list[Written] = []
    lanes = dict(state.lanes)
    lost = 0
    for lane, now in state.lanes.items():
        wanted = range(now.receipted.sequence + 1, now.written.sequence + 1)
        whole = {
            n: spool_frame.record_of(records[lane, now.written.epoch, n])
            for n in wanted
            if (lane, now.written.epoch, n) in records
        }
        taken = stones(now, set(wanted) - set(whole), whole, scribe)
        mine = [taken.get(n) or whole[n] for n in wanted]
        rows += mine
        lanes[lane] = replace(now, written=mine[-1].head if mine else now.written)
        lost += len(taken)
    return replace(state, lanes=lanes, quarantined=state.quarantined + lost), rows


def _begin_anew(records: _Records, scribe: Scribe) -> tuple[State, list[Written]]:
    """Without any state: what was found of each lane's newest epoch goes into a new one."""
    state = fresh_state()
    rows: list[Written] = []
    lanes = dict(state.lanes)
    for lane, start in state.lanes.items():
        found = [frame for (of, _, _), frame in records.items() if of == lane]
        head = start.written
        if found:
            epoch = max(found, key=lambda frame: frame.generation).epoch
            for frame in sorted(found, key=lambda frame: frame.sequence):
                if frame.epoch == epoch:
                    written = scribe.move(spool_frame.record_of(frame), head)
                    rows.append(written)
                    head = written.head
        lanes[lane] = LaneState(written=head, receipted=start.receipted)
    return replace(state, lanes=lanes), rows
