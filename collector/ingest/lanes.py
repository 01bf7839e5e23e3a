"""Where every lane stands, and how the next record relates to it.

The heads are kept in memory and rebuilt from the store. They are used in the one
writer's thread alone, in the order in which records are stored; after a commit that
failed `forget` drops them, since they may speak of what is not there.

    a record's number      judged
    the next, chaining     NEXT: stored, the head moves
    the head's or lower    AGAIN if the stored record has the same bytes, else FORK
    higher than the next   GAP
    of an unknown epoch    the epoch is opened, the one before it is named in a warning
"""

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import Connection

from collector.ingest.check import Checked
from collector.ingest.epochs import enter_epoch
from collector.ingest.warnings import IntegrityWarning, lane_words, numbers
from wire.chain import ForkFound, GapFound, follow, start
from wire.event import Lane, LaneHead, Refusal, RefusalReason

_HEADS = "SELECT lane, epoch, sequence, hash FROM lanes WHERE school = ? AND device = ?"
_MOVE = """
UPDATE lanes SET sequence = ?, hash = ?, written = max(written, ?)
WHERE school = ? AND device = ? AND lane = ? AND epoch = ?
"""
_STORED = """
SELECT header FROM records
WHERE school = ? AND device = ? AND lane = ? AND epoch = ? AND sequence = ?
"""


class Step(Enum):
    """How a record relates to its lane."""

    NEXT = auto()
    AGAIN = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the lane says of a record. `head` is where the lane stands after it."""

    step: Step
    head: LaneHead
    refusal: Refusal | None = None
    warning: IntegrityWarning | None = None


class LaneBook:
    """The heads of one school's lanes."""

    def __init__(self, school: str) -> None:
        """Know nothing yet; heads are read as their devices first speak."""
        self._school = school
        self._heads: dict[str, dict[tuple[Lane, bytes], LaneHead]] = {}
        self._moved: dict[tuple[str, Lane, bytes], LaneHead] = {}
        # Headers of this batch, whose rows are not written yet.
        self._coming: dict[tuple[str, Lane, bytes, int], bytes] = {}
        self._warned: dict[tuple[str, Lane], tuple[bytes, int]] = {}

    def forget(self) -> None:
        """Drop what may not be durable; the store is asked again."""
        self._heads.clear()
        self._moved.clear()
        self._coming.clear()
        self._warned.clear()

    def judge(self, conn: Connection, record: Checked) -> Verdict:
        """Say how the record relates to its lane, and move the lane's head if it is the next."""
        header = record.header
        lane, epoch = header.position.lane, header.position.epoch
        device = header.device
        heads = self._heads.get(device)
        if heads is None:
            heads = self._heads[device] = self._read(conn, device)
        if (lane, epoch) not in heads:
            # A hello or a heartbeat may have opened it, in a job of its own.
            heads |= self._read(conn, device) | heads
        head = heads.get((lane, epoch)) or start(lane, epoch)
        if 0 < header.position.sequence <= head.sequence:
            return self._seen(conn, record, head)
        try:
            after = follow(head, header, record.header_bytes)
        except GapFound as gap:
            return self._gap(record, gap.expected)
        except ForkFound as fork:
            return self._fork(record, fork.expected)
        warning = None
        if (lane, epoch) not in heads:
            now = record.received_at
            self._write_heads(conn)  # what this batch added to the epoch before it counts
            warning = enter_epoch(conn, self._school, device, lane, epoch, now=now)
        heads[lane, epoch] = after
        self._moved[device, lane, epoch] = after
        self._coming[device, lane, epoch, after.sequence] = record.header_bytes
        self._warned.pop((device, lane), None)
        return Verdict(Step.NEXT, after, warning=warning)

    def write(self, conn: Connection) -> None:
        """Write the heads that moved. Last in each batch, whose records are written by then."""
        self._write_heads(conn)
        self._coming.clear()

    def _write_heads(self, conn: Connection) -> None:
        if self._moved:
            rows = [
                (head.sequence, head.hash, head.sequence, self._school, device, lane, epoch)
                for (device, lane, epoch), head in self._moved.items()
            ]
            conn.exec_driver_sql(_MOVE, rows)
            self._moved.clear()

    def _read(self, conn: Connection, device: str) -> dict[tuple[Lane, bytes], LaneHead]:
        found = conn.exec_driver_sql(_HEADS, (self._school, device))
        heads = {}
        for lane, epoch, sequence, hashed in found:
            head = LaneHead(lane=Lane(lane), epoch=epoch, sequence=sequence, hash=hashed)
            heads[head.lane, epoch] = head
        return heads

    def _seen(self, conn: Connection, record: Checked, head: LaneHead) -> Verdict:
        position = record.header.position
        key = (record.header.device, position.lane, position.epoch, position.sequence)
        stored = self._coming.get(key)
        if stored is None:
            stored = conn.exec_driver_sql(_STORED, (self._school, *key)).scalar()
        if stored == record.header_bytes:
            return Verdict(Step.AGAIN, head)
        return self._fork(record, head)

    def _gap(self, record: Checked, head: LaneHead) -> Verdict:
        position = record.header.position
        missing = numbers(head.sequence + 1, position.sequence - 1)
        where = lane_words(position.lane)
        warning = None
        if self._first_time(record, head):
            warning = _warning(
                record,
                "gap",
                f"In the {where} record {position.sequence} came where {head.sequence + 1} was due:"
                f" {missing} did not come.",
                head.sequence + 1,
                position.sequence - 1,
            )
        words = f"Not taken: in the {where} {missing} must come before {position.sequence}."
        return _refused(record, RefusalReason.GAP, words, head, warning)

    def _fork(self, record: Checked, head: LaneHead) -> Verdict:
        position = record.header.position
        where = lane_words(position.lane)
        warning = None
        if self._first_time(record, head):
            warning = _warning(
                record,
                "fork",
                f"In the {where} another record {position.sequence} came than the one that is"
                f" stored up to {head.sequence}: the PC was copied, or its spool was set back.",
                position.sequence,
                position.sequence,
            )
        words = (
            f"Not taken: in the {where} number {position.sequence} does not follow what is stored"
            f" up to {head.sequence}. Open a new epoch."
        )
        return _refused(record, RefusalReason.FORK, words, head, warning)

    def _first_time(self, record: Checked, head: LaneHead) -> bool:
        # What was in flight behind the first is refused like it, but says nothing new.
        key = (record.header.device, head.lane)
        state = (head.epoch, head.sequence)
        if self._warned.get(key) == state:
            return False
        self._warned[key] = state
        return True


def _warning(record: Checked, kind: str, words: str, first: int, last: int) -> IntegrityWarning:
    return IntegrityWarning(
        device=record.header.device,
        kind=kind,
        words=words,
        lane=record.header.position.lane,
        epoch=record.header.position.epoch,
        first=first,
        last=last,
        header=record.header_bytes,
    )


def _refused(
    record: Checked,
    reason: RefusalReason,
    words: str,
    head: LaneHead,
    warning: IntegrityWarning | None,
) -> Verdict:
    refusal = Refusal(
        reason=reason,
        words=words,
        expected=head,
        lane=record.header.position.lane,
        sequence=record.header.position.sequence,
    )
    return Verdict(Step.REFUSED, head, refusal, warning)
