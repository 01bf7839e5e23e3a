"""The spool's file: what a PC has recorded and the collector has not yet receipted.

Layout. One SQLite file of 4,096-byte pages, rollback journal kept beside it
(PERSIST), `synchronous=FULL`, and one lock file. Tables, all (n, frame):

    text, picture   n is the record's number in its lane; frame as in spool_frame
    state           n is 1 and 2: two copies of the state, equal
    quarantine      n counts; the bytes of a damaged row as they were found
    reserve         n counts; zeros, given up one by one when the disk is full

A rollback journal, and not WAL: a flipped byte in a WAL makes SQLite drop what was
committed after it without a word. PERSIST, and not DELETE: under FULL a deleted
journal can come back after a power cut, and would undo a commit; and a journal that
is there already needs no space on a full disk.

Invariants, true after every commit:
 1. The records of a lane are numbered without a hole from the one after its receipted
    head to its written head, all in one epoch, each naming the hash of the one before.
 2. A frame's own lane, epoch and number are those of its row.
 3. Both copies of the state are of the newest generation.
 4. No plain text: what speaks of a person is sealed before it comes here. (The account
    id stands beside the header, as it is sent.)

Recovery, at each opening:
 1. SQLite rolls back what was not committed. `spool.db.new` of an interrupted rescue
    is removed.
 2. Everything is read and checked, SQLite's own structure by `quick_check`.
 3. A record whose frame is damaged is copied to quarantine, and a signed tombstone takes
    its number, with the lost header's hash where its neighbour names it.
 4. If the structure is broken, or rows are missing or misplaced, the file is kept aside
    as it is, and its whole frames are carved into a new one; a number of which no whole
    frame is found is taken by a tombstone.
 5. If no copy of the state can be read, each lane starts a new epoch, with the records
    that were found in it.
 Nothing is cut off silently: what was lost is counted, and said in `State.notes`.

A failed commit is an error to the caller. The connection is closed and opened anew,
and what the file then says is the truth: nothing is retried as if it had not happened.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from wire import chain
from wire.event import Kind, Lane, LaneHead

from agent.service import spool_frame, spool_tables
from agent.service.lock import Lock
from agent.service.record import Draft, Scribe, Written
from agent.service.spool_check import Broken, Checked, check
from agent.service.spool_frame import FrameDamaged, LaneState, State
from agent.service.spool_rescue import (
    clear_rescue,
    fresh_state,
    noted,
    rescue,
    stones,
    sync_directory,
)
from agent.service.spool_room import (
    Depth,
    Limits,
    SpoolError,
    SpoolFailed,
    SpoolFull,
    given_up,
    is_broken,
    is_full,
    room_of,
)

__all__ = ["Depth", "Limits", "SpoolError", "SpoolFailed", "SpoolFile", "SpoolFull"]


class SpoolFile:
    """One spool; one thread at a time."""

    def __init__(
        self, path: Path, *, scribe: Scribe, limits: Limits, lock: Lock, synchronous: str
    ) -> None:
        self._path = path
        self._scribe = scribe
        self._limits = limits
        self._lock = lock
        self._synchronous = synchronous
        self._db: sqlite3.Connection | None = None
        self._state = State(lanes={})
        self._generation = 0
        self._used = 0
        self._newest_picture: int | None = None
        """No number above it is a picture's; None: not known."""
        self._unsure: dict[tuple[bytes, Kind, int], Written] = {}
        self._survived: dict[tuple[bytes, Kind, int], Written] = {}

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
        if not lock.take():
            raise SpoolFailed(f"another process has the spool {path} open")
        spool = cls(
            path, scribe=scribe, limits=limits or Limits(), lock=lock, synchronous=synchronous
        )
        try:
            spool._open()
        except BaseException:
            spool.close()
            raise
        return spool

    def close(self) -> None:
        """Close the file and let go of the lock."""
        self._disconnect()
        self._lock.release()

    @property
    def state(self) -> State:
        """What it knows besides its records, as last committed."""
        return self._state

    def heads(self) -> tuple[LaneHead, ...]:
        """Where the lanes stand: the last record written in each."""
        return tuple(self._state.lanes[lane].written for lane in Lane)

    def receipted_heads(self) -> tuple[LaneHead, ...]:
        """The last record of each lane for which there is a receipt."""
        return tuple(self._state.lanes[lane].receipted for lane in Lane)

    def depth(self) -> Depth:
        """How much waits."""
        lanes = self._state.lanes.values()
        return Depth(
            records=sum(now.written.sequence - now.receipted.sequence for now in lanes),
            bytes=self._used,
            quarantined=self._state.quarantined,
        )

    def append(self, drafts: Sequence[Draft]) -> tuple[Written, ...]:
        """Write records and commit: they are durable when this returns.

        A picture that finds no room leaves a tombstone in its place (`Written.kind`).

        Raises:
            SpoolFull: no room even for text; none of them is written.
            SpoolFailed: the disk refused; none of them may be counted on.
        """
        known = [self._survived.pop(_key(draft), None) for draft in drafts]
        new = [draft for draft, written in zip(drafts, known, strict=True) if written is None]
        done = iter(self._append_new(new) if new else ())
        return tuple(written or next(done) for written in known)

    def pending(self, lane: Lane, after: int = 0) -> Iterator[Written]:
        """Give the records of a lane that have no receipt and a number above `after`, in order.

        A record that turns out to be damaged is quarantined, and its tombstone given.
        """
        while True:
            now = self._state.lanes[lane]
            wanted = max(after, now.receipted.sequence) + 1
            if wanted > now.written.sequence:
                return
            yield self._whole(lane, wanted)
            after = wanted

    def knows(self, head: LaneHead) -> bool:
        """Whether `head` is one of our lane's that is still within our memory."""
        now = self._state.lanes[head.lane]
        if head.epoch != now.written.epoch:
            return False
        if head.sequence == now.receipted.sequence:
            return head.hash == now.receipted.hash
        if head.sequence == now.written.sequence:
            return head.hash == now.written.hash
        if not now.receipted.sequence < head.sequence < now.written.sequence:
            return False
        return self._whole(head.lane, head.sequence).head.hash == head.hash

    def receipted(self, head: LaneHead) -> bool:
        """Forget what the collector has, up to and with `head`.

        Returns:
            False if that head is not one of ours: nothing was forgotten.

        Raises:
            SpoolFailed: the disk refused.
        """
        now = self._state.lanes[head.lane]
        if head.epoch == now.written.epoch and head.sequence < now.receipted.sequence:
            return True
        if not self.knows(head):
            return False
        if head.sequence > now.receipted.sequence:

            def forget(db: sqlite3.Connection) -> State:
                spool_tables.drop(db, head.lane, last=head.sequence)
                return _with(self._state, head.lane, replace(now, receipted=head))

            self._commit(forget)
        return True

    def new_epoch(self, lane: Lane, why: str) -> LaneHead:
        """Begin a lane anew: what has no receipt is numbered from 1 and signed again.

        Raises:
            SpoolFailed: the disk refused; the lane is as it was.
        """
        waiting = [written.head.sequence for written in self.pending(lane)]
        start = chain.fresh_epoch(lane)

        def move(db: sqlite3.Connection) -> State:
            head = start
            for sequence in waiting:
                written = self._scribe.move(self._read(lane, sequence), head)
                head = written.head
                # A new number is never above the old one: it meets no row that is still old.
                spool_tables.drop(db, lane, first=sequence, last=sequence)
                frame = spool_frame.record_frame(written, self._generation + 1)
                spool_tables.put(db, lane, frame)
            return noted(_with(self._state, lane, LaneState(written=head, receipted=start)), why)

        self._commit(move)
        self._newest_picture = None
        return self._state.lanes[lane].written

    def give_up(self, lane: Lane, sequence: int, why: str) -> None:
        """Quarantine a record that is whole, and have a tombstone take its number.

        Raises:
            SpoolFailed: the disk refused.
        """
        now = self._state.lanes[lane]
        if now.receipted.sequence < sequence <= now.written.sequence:
            self._bury({lane: [sequence]}, why)

    def keep(self, change: Callable[[State], State]) -> State:
        """Change what stands besides the records (gaps, heartbeat, notes), and commit.

        Raises:
            SpoolFailed: the disk refused; what was asked may not be counted on.
        """
        changed = replace(change(self._state), lanes=self._state.lanes)
        if changed != self._state:
            self._commit(lambda _: changed)
        return self._state

    def _append_new(self, drafts: Sequence[Draft]) -> tuple[Written, ...]:
        try:
            return self._write(drafts)
        except SpoolFailed as error:
            if not is_full(error):
                raise
        # The disk is full before our own limit is. The file was opened anew; giving up
        # reserve and pictures frees pages inside it, which need no more of the disk.
        if not self._give_way(sum(room_of(draft) for draft in drafts)):
            raise SpoolFull("the disk is full, and nothing is left that could be given up")
        try:
            return self._write(drafts)
        except SpoolFailed as error:
            if is_full(error):
                raise SpoolFull("the disk is full") from error
            raise

    def _write(self, drafts: Sequence[Draft]) -> tuple[Written, ...]:
        drafts, victims = self._fit(drafts)
        heads = {lane: now.written for lane, now in self._state.lanes.items()}
        done = []
        for draft in drafts:
            written = self._scribe.write(draft, heads[draft.lane])
            heads[draft.lane] = written.head
            done.append(written)

        def insert(db: sqlite3.Connection) -> State:
            self._shed(db, victims)
            state = self._state
            for lane, head in heads.items():
                state = _with(state, lane, replace(state.lanes[lane], written=head))
            for written in done:
                frame = spool_frame.record_frame(written, self._generation + 1)
                spool_tables.put(db, written.head.lane, frame)
            return state

        self._unsure = {_key(draft): one for draft, one in zip(drafts, done, strict=True)}
        self._commit(insert)
        if any(written.kind is Kind.PICTURE for written in done):
            self._newest_picture = None
        return tuple(done)

    def _fit(self, drafts: Sequence[Draft]) -> tuple[list[Draft], list[int]]:
        """Find room: which drafts go in as what, and which pictures are given up for them."""
        soft = self._limits.size - self._limits.reserve
        room = soft - self._used
        fitted: list[Draft] = []
        for draft in drafts:
            fits = room >= room_of(draft)
            fitted.append(given_up(draft) if draft.kind is Kind.PICTURE and not fits else draft)
            room -= room_of(fitted[-1])
        victims, freed = self._victims(-room) if room < 0 else ([], 0)
        if room + freed + self._limits.reserve < 0:
            raise SpoolFull("the spool is full, its reserve included")
        return fitted, victims

    def _victims(self, wanted: int) -> tuple[list[int], int]:
        """Pictures to give up, the newest first: a flood must not push out what came before it."""
        now = self._state.lanes[Lane.PICTURE]
        victims: list[int] = []
        freed = 0
        top = now.written.sequence if self._newest_picture is None else self._newest_picture
        for sequence in range(top, now.receipted.sequence, -1):
            if freed >= wanted:
                break
            written = self._whole(Lane.PICTURE, sequence)
            if written.kind is Kind.PICTURE:
                victims.append(sequence)
                freed += len(written.envelope.sealed)
            elif not victims:
                self._newest_picture = sequence - 1
        return victims, freed

    def _shed(self, db: sqlite3.Connection, victims: Sequence[int]) -> None:
        for sequence in victims:
            stone = self._scribe.shed(self._read(Lane.PICTURE, sequence))
            frame = spool_frame.record_frame(stone, self._generation + 1)
            spool_tables.put(db, Lane.PICTURE, frame)

    def _give_way(self, wanted: int) -> bool:
        """On a full disk: free pages within the file, from the reserve, then from pictures."""
        victims, _ = self._victims(wanted)

        def free(db: sqlite3.Connection) -> State:
            rows = db.execute("SELECT n FROM reserve ORDER BY n DESC LIMIT 1").fetchall()
            for (n,) in rows:
                db.execute("DELETE FROM reserve WHERE n = ?", (n,))
            if not rows:
                self._shed(db, victims)
                if not victims:
                    raise SpoolFull("nothing is left that could be given up")
            return self._state

        try:
            self._commit(free)
        except SpoolError:
            return False
        return True

    def _read(self, lane: Lane, sequence: int) -> Written:
        """A record, verified. Raises FrameDamaged."""
        try:
            raw = spool_tables.raw_row(self._connected(), lane, sequence)
            if raw is None:
                raise FrameDamaged("the row is not there")
            frame = spool_frame.decode(raw)
        except sqlite3.Error as error:
            self._reopen(error)
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
        self, damaged: dict[Lane, list[int]], why: str = "damaged records were quarantined"
    ) -> None:
        """Copy damaged rows to quarantine, and have tombstones take their numbers."""

        def bury(db: sqlite3.Connection) -> State:
            state = self._state
            for lane, numbers in damaged.items():
                now = state.lanes[lane]
                bad = set(numbers)
                wanted = range(now.receipted.sequence + 1, now.written.sequence + 1)
                near = {n for m in bad for n in (m - 1, m + 1)} - bad
                whole = {n: self._read(lane, n) for n in wanted if n in near}
                taken = stones(now, bad, whole, self._scribe)
                for n in sorted(bad):
                    raw = spool_tables.raw_row(db, lane, n)
                    db.execute("INSERT INTO quarantine (frame) VALUES (?)", (raw or b"",))
                    frame = spool_frame.record_frame(taken[n], self._generation + 1)
                    spool_tables.put(db, lane, frame)
                head = taken.get(now.written.sequence)
                if head is not None:
                    state = _with(state, lane, replace(now, written=head.head))
            lost = sum(len(numbers) for numbers in damaged.values())
            which = "; ".join(
                f"{lane.name.lower()} {', '.join(map(str, numbers))}"
                for lane, numbers in damaged.items()
                if numbers
            )
            return noted(
                replace(state, quarantined=state.quarantined + lost),
                f"{why}; tombstones took their numbers: {which}",
            )

        self._commit(bury)

    def _open(self) -> None:
        """Connect and bring the file to order."""
        clear_rescue(self._path)
        try:
            is_new = not self._path.exists() or self._path.stat().st_size == 0
            if is_new:
                self._create()
            checked = self._checked()
        except (sqlite3.Error, OSError) as error:
            self._disconnect()
            raise SpoolFailed(f"the spool {self._path} cannot be opened: {error}") from error
        self._state, self._generation = checked.state, checked.generation
        self._newest_picture = None
        self._used = spool_tables.used(self._connected())
        if any(checked.damaged.values()):
            self._bury(checked.damaged)
        elif checked.copies == 1:
            self._commit(lambda _: noted(self._state, "a damaged copy of the state was replaced"))

    def _create(self) -> None:
        with contextlib.closing(spool_tables.connect(self._path, self._synchronous)) as db:
            db.execute("BEGIN IMMEDIATE")
            spool_tables.create(db, fresh_state(), 1)
            spool_tables.allocate(db, self._limits.allocated)
            db.execute("COMMIT")
        self._path.chmod(0o600)
        sync_directory(self._path.parent)

    def _checked(self) -> Checked:
        """Check the file, and rescue it once if its structure is broken."""
        try:
            return self._connect_and_check()
        except (Broken, sqlite3.Error) as error:
            self._disconnect()
            if isinstance(error, sqlite3.Error) and not is_broken(error):
                raise
        rescue(
            self._path,
            self._scribe,
            self._aside(),
            lambda path: spool_tables.connect(path, self._synchronous),
        )
        try:
            return self._connect_and_check()
        except Broken as error:
            raise sqlite3.DatabaseError("the rescued file is not sound") from error

    def _connect_and_check(self) -> Checked:
        self._db = spool_tables.connect(self._path, self._synchronous)
        checked = check(self._db)
        # The first write shows whether the file takes one at all.
        self._db.execute("BEGIN IMMEDIATE")
        spool_tables.allocate(self._db, self._limits.allocated)
        spool_tables.write_state(self._db, checked.state, checked.generation + 1)
        self._db.execute("COMMIT")
        return replace(checked, generation=checked.generation + 1)

    def _aside(self) -> Path:
        number = 1
        while (aside := self._path.with_name(f"{self._path.name}.damaged-{number}")).exists():
            number += 1
        return aside

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
            self._reopen(error)
            raise SpoolFailed(f"the spool could not commit: {error}") from error
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        self._state = state
        self._generation += 1
        self._unsure = {}
        self._used = spool_tables.used(db)

    def _before_commit(self) -> None:
        """Nothing: a place for fault tests."""

    def _connected(self) -> sqlite3.Connection:
        if self._db is None:
            self._open()
        if self._db is None:
            raise SpoolFailed("the spool is closed")
        return self._db

    def _reopen(self, error: sqlite3.Error) -> None:
        """After a failure: what the file says, read anew, is the truth."""
        del error
        unsure, self._unsure = self._unsure, {}
        self._disconnect()
        with contextlib.suppress(SpoolFailed):
            self._open()
            for key, written in unsure.items():
                now = self._state.lanes[written.head.lane].written
                is_there = (
                    now.epoch == written.head.epoch
                    and now.sequence >= written.head.sequence
                    and self._whole(written.head.lane, written.head.sequence).head == written.head
                )
                if is_there:
                    # The caller was told that it failed; when it asks again, it is not doubled.
                    self._survived[key] = written

    def _disconnect(self) -> None:
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None


def _with(state: State, lane: Lane, now: LaneState) -> State:
    return replace(state, lanes={**state.lanes, lane: now})


def _key(draft: Draft) -> tuple[bytes, Kind, int]:
    return draft.event, draft.kind, draft.repeats
