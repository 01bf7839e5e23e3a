"""One spool's file under one lock: read row by row, changed by whole commits.

Layout, invariants and recovery are in `spool_file`. What a failed commit did is known
only after the file was opened anew, and what it then says is the truth.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Self

from agent.service import spool_frame, spool_tables
from agent.service.lock import Lock
from agent.service.record import Draft, Scribe, Written
from agent.service.spool_check import Checked
from agent.service.spool_frame import FrameDamaged, LaneState, State
from agent.service.spool_opening import Opening
from agent.service.spool_rescue import noted, stones
from agent.service.spool_room import Limits, SpoolFailed, is_full, is_full_disk
from wire.event import Lane

Key = tuple[bytes, Lane, int]


class Ledger:
    """The file, its state as last committed, and its records; one thread at a time."""

    def __init__(self, opening: Opening, lock: Lock) -> None:
        self._opening = opening
        self._scribe = opening.scribe
        self._limits = opening.limits
        self._lock = lock
        self._is_closed = False
        self._is_opening = False
        self._db: sqlite3.Connection | None = None
        self._state = State(lanes={})
        self._generation = 0
        self._used = 0
        self._is_tight = False
        """Whether the disk was full before our own limit was."""
        self._newest_picture: int | None = None
        """No number above it is a picture's; None: not known."""
        self._unsure: dict[Key, Written] = {}
        """What the last commit was about: whether it is there is not known if that failed."""
        self._survived: dict[Key, Written] = {}

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        scribe: Scribe,
        limits: Limits | None = None,
        synchronous: str = "FULL",
    ) -> Self:
        """Open the spool, or make it, and bring it to order. `synchronous` is for fault tests.

        Raises:
            SpoolFailed: another process has it, or the disk refuses.
        """
        lock = Lock(path.with_suffix(".lock"))
        try:
            is_ours = lock.take()
        except OSError as error:
            raise SpoolFailed(
                f"the spool {path} cannot be opened: {error.strerror or error}"
            ) from error
        if not is_ours:
            raise SpoolFailed(f"another process has the spool {path} open")
        opening = Opening(
            path=path, scribe=scribe, limits=limits or Limits(), synchronous=synchronous
        )
        spool = cls(opening, lock)
        try:
            spool._open()
            # Only here: what is given up while it is open must not be taken again at once.
            spool._is_tight = not opening.reserve(spool._connected())
        except BaseException as error:
            spool.close()
            if isinstance(error, sqlite3.Error):
                raise SpoolFailed(f"the spool {path} cannot be written: {error}") from error
            raise
        return spool

    def close(self) -> None:
        """Close the file and let go of the lock, for good."""
        self._is_closed = True
        self._disconnect()
        self._lock.release()

    @property
    def state(self) -> State:
        """What it knows besides its records, as last committed."""
        return self._state

    def _commit(self, change: Callable[[sqlite3.Connection], State]) -> None:
        """One transaction: what `change` writes, and the state that it returns."""
        db = self._connected()
        try:
            db.execute("BEGIN IMMEDIATE")
            state = change(db)
            spool_tables.write_state(db, state, self._generation + 1)
            self._before_commit()
            db.execute("COMMIT")
        except sqlite3.Error as error:
            if is_full_disk(error):
                self._is_tight = True
            if not (is_full_disk(error) and _rolled_back(db)):
                self._reopen()
            raise SpoolFailed(f"the spool could not commit: {error}") from error
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        try:
            used = spool_tables.used(db)
        except sqlite3.Error as error:
            # A file that cannot be read is no proof of a commit: whoever asks again gets
            # what is there when it was opened anew.
            self._reopen()
            raise SpoolFailed(f"the spool could not be read after a commit: {error}") from error
        self._state = state
        self._generation += 1
        self._unsure = {}
        self._used = used

    def _before_commit(self) -> None:
        """Nothing: a place for fault tests."""

    def _read(self, lane: Lane, sequence: int) -> Written:
        """A record, verified. Raises FrameDamaged."""
        try:
            raw = spool_tables.raw_row(self._connected(), lane, sequence)
            if raw is None:
                raise FrameDamaged("the row is not there")
            frame = spool_frame.decode(raw)
        except sqlite3.Error as error:
            self._reopen()
            raise SpoolFailed(f"the spool could not be read: {error}") from error
        if (frame.epoch, frame.sequence) != (self._state.lanes[lane].written.epoch, sequence):
            raise FrameDamaged("another row's record")
        return spool_frame.record_of(frame)

    def _whole(self, lane: Lane, sequence: int) -> Written:
        """A record, or the tombstone that takes its number if it is damaged."""
        try:
            return self._read(lane, sequence)
        except FrameDamaged:
            self._bury({lane: [sequence]})
            return self._read(lane, sequence)

    def _bury(
        self,
        damaged: dict[Lane, list[int]],
        why: str = "damaged records were quarantined",
    ) -> None:
        """Copy damaged rows to quarantine, and have tombstones take their numbers."""

        def bury(db: sqlite3.Connection) -> State:
            state = self._state
            said: list[str] = []
            for lane, numbers in damaged.items():
                if not numbers:
                    continue
                now = state.lanes[lane]
                whole, bad = self._around(lane, numbers)
                taken = stones(now, bad, whole, self._scribe)
                for n in sorted(bad):
                    raw = spool_tables.raw_row(db, lane, n)
                    db.execute("INSERT INTO quarantine (frame) VALUES (?)", (raw or b"",))
                    frame = spool_frame.record_frame(taken[n], self._generation + 1)
                    spool_tables.put(db, lane, frame)
                head = taken.get(now.written.sequence)
                if head is not None:
                    now = replace(now, written=head.head)
                state = with_lane(
                    replace(state, quarantined=state.quarantined + len(bad)), lane, now
                )
                said.append(f"{lane.name.lower()} {', '.join(map(str, sorted(bad)))}")
            return noted(state, f"{why}; tombstones took their numbers: {'; '.join(said)}")

        self._commit_small(bury)

    def _commit_small(self, change: Callable[[sqlite3.Connection], State]) -> None:
        """A commit that takes a page or two: on a full disk from the reserve."""
        try:
            self._commit(change)
        except SpoolFailed as error:
            if self._is_opening or not is_full(error) or not self._free_reserve():
                raise
            self._commit(change)

    def _free_reserve(self) -> bool:
        """Free pages within the file for a full disk; False if there is nothing in reserve."""
        try:
            db = self._connected()
            if not spool_tables.reserved(db):
                return False
            self._commit(self._without_reserve)
        except (SpoolFailed, sqlite3.Error):
            return False
        return True

    def _has_eased(self) -> bool:
        """Whether a disk that was full has room again: as much as is taken in advance."""
        if self._is_tight:
            db = self._connected()
            try:
                db.execute("BEGIN IMMEDIATE")
                spool_tables.allocate(db, self._limits.allocated)
                db.execute("COMMIT")
            except sqlite3.Error as error:
                if not (is_full_disk(error) and _rolled_back(db)):
                    self._reopen()
                return False
            self._is_tight = False
        return True

    def _without_reserve(self, db: sqlite3.Connection) -> State:
        spool_tables.free_reserve(db)
        return self._state

    def _around(self, lane: Lane, numbers: Collection[int]) -> tuple[dict[int, Written], set[int]]:
        """The whole records beside damaged ones, and all that are damaged in a row with them."""
        now = self._state.lanes[lane]
        wanted = range(now.receipted.sequence + 1, now.written.sequence + 1)
        bad = set(numbers)
        whole: dict[int, Written] = {}
        beside = {n for m in bad for n in (m - 1, m + 1) if n in wanted} - bad
        while beside:
            n = beside.pop()
            try:
                whole[n] = self._read(lane, n)
            except FrameDamaged:
                # A damaged page rarely holds one record alone.
                bad.add(n)
                beside |= {m for m in (n - 1, n + 1) if m in wanted} - bad - set(whole)
        return whole, bad

    def _open(self) -> None:
        """Connect, bring the file to order, and learn what a failed commit left."""
        unsure, self._unsure = self._unsure, {}
        self._is_opening = True
        try:
            self._db, checked = self._opening.open()
            self._in_order(checked)
            survived = {key: written for key, written in unsure.items() if self._has(written)}
        except BaseException as error:
            self._unsure = unsure
            self._disconnect()
            if isinstance(error, sqlite3.Error | OSError | FrameDamaged):
                words = f"the spool {self._opening.path} cannot be opened: {error}"
                raise SpoolFailed(words) from error
            raise
        finally:
            self._is_opening = False
        # The caller was told that it failed; when it asks again, it is not doubled.
        self._survived |= survived

    def _in_order(self, checked: Checked) -> None:
        assert self._db is not None, "it was opened just now"
        self._state, self._generation = checked.state, checked.generation
        self._newest_picture = None
        self._used = spool_tables.used(self._db)
        self._is_tight = not spool_tables.is_reserve_whole(self._db, self._limits.allocated)
        if any(checked.damaged.values()):
            self._bury(checked.damaged)
        elif checked.copies == 1:
            self._commit(lambda _: noted(self._state, "a damaged copy of the state was replaced"))

    def _has(self, written: Written) -> bool:
        now = self._state.lanes[written.head.lane]
        return (
            now.written.epoch == written.head.epoch
            and now.receipted.sequence < written.head.sequence <= now.written.sequence
            and self._whole(written.head.lane, written.head.sequence).head == written.head
        )

    def _connected(self) -> sqlite3.Connection:
        if self._is_closed:
            # Never without the lock, which another process may have by now.
            raise SpoolFailed("the spool is closed")
        if self._db is None:
            self._open()
        assert self._db is not None, "an opening that fails raises"
        return self._db

    def _reopen(self) -> None:
        """After a failure: what the file says, read anew, is the truth."""
        self._disconnect()
        if self._is_opening:
            return
        with contextlib.suppress(SpoolFailed):
            self._open()

    def _disconnect(self) -> None:
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None


def _rolled_back(db: sqlite3.Connection) -> bool:
    """Whether a full disk left all as it was: nothing was synced, so nothing is unsure."""
    try:
        if db.in_transaction:
            db.execute("ROLLBACK")
    except sqlite3.Error:
        return False
    return True


def with_lane(state: State, lane: Lane, now: LaneState) -> State:
    """The state with one lane as it now is."""
    return replace(state, lanes={**state.lanes, lane: now})


def key_of(draft: Draft) -> Key:
    """By what a record is known again when it is asked for a second time.

    Not by its kind: the picture that is asked for again may have survived as a tombstone.
    """
    return draft.event, draft.lane, draft.repeats
