"""The spool's file: what a PC has recorded and the collector has not yet receipted.

Layout. One SQLite file of 4,096-byte pages, rollback journal kept beside it
(PERSIST), `synchronous=FULL`, and one lock file. Tables, all (n, frame):

    text, picture   n is the record's number in its lane; frame as in spool_frame
    state           n is 1 and 2: two copies of the state, equal
    quarantine      n counts; the bytes of a damaged row as they were found
    reserve         n counts; 16 kB of nothing, whose pages are text's when the disk is full

A rollback journal, and not WAL: a flipped byte in a WAL makes SQLite drop what was
committed after it without a word. PERSIST, and not DELETE: under FULL a deleted
journal can come back after a power cut, and would undo a commit; and a journal that
is there already needs no space on a full disk.

Room. Text comes before pictures, and what came first before what came later:
 1. At the spool's own limit, and when the disk is full, a picture that finds no room goes
    in as a tombstone (SHED), signed, in its own number. It never pushes out another.
 2. On a full disk text takes the reserve, row by row; a tombstone counts as text.
 3. Until the reserve is whole again, every picture is a tombstone at once: the first room
    that comes back, by a receipt or on the disk, is the reserve's. Otherwise pictures
    would take the pages that were freed for text.
 4. When the reserve is used up, and at the own limit before it is, the newest pictures
    become tombstones that carry the lost hash.
 5. Only when no picture is left is a record refused (`SpoolFull`): never without a word.

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
A full disk alone is met otherwise, where SQLite could take the commit back whole.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from agent.service import spool_frame, spool_tables
from agent.service.record import Draft, Written
from agent.service.spool_frame import LaneState, State
from agent.service.spool_ledger import Ledger, key_of, with_lane
from agent.service.spool_rescue import noted
from agent.service.spool_room import (
    Depth,
    Limits,
    SpoolError,
    SpoolFailed,
    SpoolFull,
    given_up,
    is_full,
    room_of,
)
from wire import chain
from wire.event import Kind, Lane, LaneHead

__all__ = ["Depth", "Limits", "SpoolError", "SpoolFailed", "SpoolFile", "SpoolFull"]


class SpoolFile(Ledger):
    """One spool; one thread at a time."""

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
        known = [self._survived.pop(key_of(draft), None) for draft in drafts]
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
            try:
                self._forget(head)
            except SpoolFailed as error:
                if not is_full(error):
                    raise
                # What is receipted is what makes room: in steps that a full disk can take.
                for sequence in range(now.receipted.sequence + 1, head.sequence):
                    self._forget(self._whole(head.lane, sequence).head)
                self._forget(head)
        return True

    def _forget(self, head: LaneHead) -> None:
        def forget(db: sqlite3.Connection) -> State:
            spool_tables.drop(db, head.lane, last=head.sequence)
            now = replace(self._state.lanes[head.lane], receipted=head)
            return with_lane(self._state, head.lane, now)

        self._commit(forget)

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
            return noted(
                with_lane(self._state, lane, LaneState(written=head, receipted=start)), why
            )

        try:
            self._commit(move)
        except SpoolFailed as error:
            if not is_full(error):
                raise
            # The disk has no room for the pages as they were. Better a lane without its
            # pictures than one that never goes on.
            self._give_up_pictures(lane)
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

        def changed(_: sqlite3.Connection | None = None) -> State:
            return replace(change(self._state), lanes=self._state.lanes)

        if changed() != self._state:
            self._commit_small(changed)
        return self._state

    def _append_new(self, drafts: Sequence[Draft]) -> tuple[Written, ...]:
        try:
            return self._write(drafts)
        except SpoolFailed as error:
            if not is_full(error):
                raise
        # The disk is full before our own limit is. What is in reserve is for text, so a
        # picture leaves its tombstone.
        drafts = [given_up(one) if one.kind is Kind.PICTURE else one for one in drafts]
        while True:
            try:
                return self._write(drafts)
            except SpoolFailed as error:
                if not is_full(error):
                    raise
                # Reserve and pictures free pages inside the file, which need no more of the disk.
                if not self._give_way(sum(room_of(draft) for draft in drafts)):
                    raise SpoolFull(
                        "the disk is full, and nothing is left that could be given up"
                    ) from error

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
                state = with_lane(state, lane, replace(state.lanes[lane], written=head))
            for written in done:
                frame = spool_frame.record_frame(written, self._generation + 1)
                spool_tables.put(db, written.head.lane, frame)
            return state

        self._unsure = {key_of(draft): one for draft, one in zip(drafts, done, strict=True)}
        self._commit(insert)
        if any(written.kind is Kind.PICTURE for written in done):
            self._newest_picture = None
        return tuple(done)

    def _fit(self, drafts: Sequence[Draft]) -> tuple[list[Draft], list[int]]:
        """Find room: which drafts go in as what, and which pictures are given up for them."""
        soft = self._limits.size - self._limits.reserve
        room = soft - self._used
        fitted: list[Draft] = []
        is_eased = any(draft.kind is Kind.PICTURE for draft in drafts) and self._has_eased()
        for draft in drafts:
            fits = is_eased and room >= room_of(draft)
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
        if self._free_reserve():
            return True
        try:
            victims, _ = self._victims(wanted)
            for sequence in victims:
                self._give_up_picture(Lane.PICTURE, sequence)
        except SpoolError:
            return False
        return bool(victims)

    def _give_up_pictures(self, lane: Lane) -> None:
        """Leave a tombstone for each picture of a lane, one by one: that needs little room."""
        now = self._state.lanes[lane]
        for sequence in range(now.written.sequence, now.receipted.sequence, -1):
            if self._whole(lane, sequence).kind is Kind.PICTURE:
                self._give_up_picture(lane, sequence)

    def _give_up_picture(self, lane: Lane, sequence: int) -> None:
        def shed(db: sqlite3.Connection) -> State:
            stone = self._scribe.shed(self._read(lane, sequence))
            frame = spool_frame.record_frame(stone, self._generation + 1)
            spool_tables.put(db, lane, frame)
            return self._state

        self._commit(shed)
