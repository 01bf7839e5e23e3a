"""One batch of checked records becomes rows: the durable step of ingest.

Order, of which the fault tests hold every cut:
1. `keys` and `pictures`: what the records speak of, durable in their own files.
2. `main`: records, lanes, events, alerts, warnings and the change counter, as one job.
3. Only then are the receipts that `main` gave handed on.
A crash after 1 leaves orphans, which the sweeper removes; a crash after 2 leaves
records without a receipt, which the device sends AGAIN and which change nothing.

The recorder remembers lanes and people between batches. Batches are written one
after another; after one that failed, `forget` must come before the next.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection
from wire.codec import decode_header
from wire.event import (
    Kind,
    Lane,
    LaneHead,
    PartKind,
    PictureState,
    Refusal,
    TombstoneReason,
)

from collector.alerts import AlertRow
from collector.ingest.check import Checked
from collector.ingest.grouping import AlertBook
from collector.ingest.lanes import LaneBook, Step
from collector.ingest.warnings import IntegrityWarning, lane_words, write_warnings
from collector.priority import Rules
from collector.store.files import Files

_KEY = """
INSERT INTO part_keys (school, event, part, digest, enc, received_at)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET received_at = excluded.received_at
"""
_PICTURE = """
INSERT INTO picture_parts (school, event, digest, device, ciphertext, received_at)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET received_at = excluded.received_at
"""
_RECORD = """
INSERT INTO records
  (school, device, lane, epoch, sequence, kind, event, header, signature, sealed, received_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_EVENT = """
INSERT INTO events
  (school, event, device, alert, pseudonym, matched_at, clock_offset, received_at, source,
   category, severity, score, reasons, pack, pack_version, term, repeats, picture, priority)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_KNOWN = "SELECT event, device, alert, pseudonym FROM events WHERE school = ? AND event IN (%s)"
_PICTURED = """
SELECT event, device, kind, header FROM records WHERE school = ? AND lane = 2 AND event IN (%s)
"""
_RECORDS_OF = (
    "SELECT header FROM records WHERE school = ? AND event = ? AND device = ? AND kind = 1"
)
_SET_PICTURE = "UPDATE events SET picture = ? WHERE school = ? AND event = ? AND device = ?"
_REPEATED = "UPDATE events SET repeats = repeats + ? WHERE school = ? AND event = ?"

_PICTURES = {
    PictureState.FOLLOWS: "follows",
    PictureState.BY_POLICY: "by_policy",
    PictureState.FAILED: "failed",
}
_LOST_PICTURES = {
    TombstoneReason.SHED: "shed",
    TombstoneReason.DAMAGED: "damaged",
    TombstoneReason.MISSING: "missing",
    TombstoneReason.FAILED: "failed",
}
_LOST_WORDS = {
    TombstoneReason.SHED: "was given up, since the PC's spool was full",
    TombstoneReason.DAMAGED: "was unreadable in the PC's spool and is quarantined there",
    TombstoneReason.MISSING: "was not in the PC's spool any more",
    TombstoneReason.FAILED: "was promised and could not be made",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of a batch."""

    answers: tuple[LaneHead | Refusal, ...]
    """For each record of the batch, in its order: where its lane now stands, or why not."""
    alerts: tuple[AlertRow, ...] = ()
    """What changed, for the feed."""
    stored: int = 0
    again: int = 0
    warnings: int = 0


class Recorder:
    """Writes batches for one school. `keys`, `pictures` and `main` are jobs for the three files."""

    def __init__(self, school: str, rules: Rules | None = None) -> None:
        """Remember nothing yet."""
        self._school = school
        self._lanes = LaneBook(school)
        self._alerts = AlertBook(school, rules or Rules())

    def forget(self) -> None:
        """Drop what was remembered, after a batch that failed."""
        self._lanes.forget()
        self._alerts.forget()

    def keys(self, batch: Sequence[Checked], conn: Connection) -> None:
        """Write the batch's encapsulated keys. A job for `keys.db`."""
        rows = [
            (self._school, r.header.event, r.header.part.kind, r.digest, r.enc, r.received_at)
            for r in batch
            if r.header.part
        ]
        if rows:
            conn.exec_driver_sql(_KEY, rows)

    def pictures(self, batch: Sequence[Checked], conn: Connection) -> None:
        """Write the batch's pictures. A job for `pictures.db`."""
        rows = [
            (self._school, r.header.event, r.digest, r.header.device, r.ciphertext, r.received_at)
            for r in batch
            if has_picture(r)
        ]
        if rows:
            conn.exec_driver_sql(_PICTURE, rows)

    def main(self, batch: Sequence[Checked], conn: Connection) -> Recorded:
        """Write everything else, once keys and pictures are durable. A job for `main.db`."""
        self._alerts.refresh(conn, batch)
        work = _Work(self._school, conn, self._alerts, batch)
        answers: list[LaneHead | Refusal] = []
        warnings: list[IntegrityWarning] = []
        stored = again = 0
        for record in batch:
            verdict = self._lanes.judge(conn, record)
            if verdict.warning:
                warnings.append(verdict.warning)
            answers.append(verdict.refusal or verdict.head)
            if verdict.step is Step.AGAIN:
                again += 1
            elif verdict.step is Step.NEXT:
                stored += 1
                work.take(record)
        work.write()
        self._lanes.write(conn)
        shown = self._alerts.write(conn)
        warnings += work.warnings
        write_warnings(conn, self._school, warnings, batch[-1].received_at if batch else 0)
        return Recorded(
            answers=tuple(answers),
            alerts=tuple(shown),
            stored=stored,
            again=again,
            warnings=len(warnings),
        )


def record_now(recorder: Recorder, files: Files, batch: Sequence[Checked]) -> Recorded:
    """Write a batch through all three files and wait, with no loop and no thread.

    Raises:
        CommitFailed: nothing of it may be receipted; the recorder has forgotten.
    """
    try:
        files.keys.commit([partial(recorder.keys, batch)])[0].result()
        if any(has_picture(record) for record in batch):
            files.pictures.commit([partial(recorder.pictures, batch)])[0].result()
        recorded: Recorded = files.main.commit([partial(recorder.main, batch)])[0].result()
    except BaseException:
        recorder.forget()
        raise
    return recorded


def has_picture(record: Checked) -> bool:
    """Whether the record brings a picture."""
    part = record.header.part
    return part is not None and part.kind is PartKind.PICTURE


class _Work:
    """The rows of one batch while they are put together."""

    def __init__(
        self, school: str, conn: Connection, alerts: AlertBook, batch: Sequence[Checked]
    ) -> None:
        self._school = school
        self._conn = conn
        self._alerts = alerts
        self._records: list[tuple[Any, ...]] = []
        self._events: list[tuple[Any, ...]] = []
        self._pictures: list[tuple[Any, ...]] = []
        self._repeats: list[tuple[Any, ...]] = []
        self.warnings: list[IntegrityWarning] = []
        ids = list({record.header.event for record in batch})
        marks = ", ".join("?" * len(ids))
        # (device, alert, pseudonym) of each event that is stored already, or in this batch.
        self._known: dict[bytes, tuple[str, bytes | None, str]] = {
            event: (device, alert, pseudonym)
            for event, device, alert, pseudonym in conn.exec_driver_sql(
                _KNOWN % marks, (school, *ids)
            )
        }
        # What became of the picture of an event that is still to come.
        self._pictured: dict[tuple[bytes, str], str] = {
            (event, device): _picture_of(kind, header)
            for event, device, kind, header in conn.exec_driver_sql(
                _PICTURED % marks, (school, *ids)
            )
        }

    def take(self, record: Checked) -> None:
        """Take a record that is the next of its lane."""
        header = record.header
        kind = header.kind
        if kind is Kind.EVENT:
            self._event(record)
        elif kind is Kind.REPEAT:
            self._repeat(record)
        elif kind is Kind.PICTURE:
            self._picture(record, "here")
        else:
            self._tombstone(record)
        position = header.position
        self._records.append(
            (
                self._school,
                header.device,
                int(position.lane),
                position.epoch,
                position.sequence,
                int(kind),
                header.event,
                record.header_bytes,
                record.signature,
                record.ciphertext if kind is Kind.EVENT else None,
                record.received_at,
            ),
        )

    def write(self) -> None:
        """Write what was taken so far."""
        for statement, rows in (
            (_RECORD, self._records),
            (_EVENT, self._events),
            (_SET_PICTURE, self._pictures),
            (_REPEATED, self._repeats),
        ):
            if rows:
                self._conn.exec_driver_sql(statement, rows)
                rows.clear()

    def _event(self, record: Checked, repeats: int = 0) -> None:
        header = record.header
        finding = header.finding
        assert finding is not None
        if header.event in self._known:
            self._known_event(record)
            return
        alert, priority = self._alerts.add(self._conn, record, finding, 1 + repeats)
        picture = _PICTURES[header.picture] if header.picture else "by_policy"
        if header.picture is PictureState.FOLLOWS:
            picture = self._pictured.get((header.event, header.device), picture)
        self._known[header.event] = (header.device, alert, record.pseudonym)
        self._events.append(
            (
                self._school,
                header.event,
                header.device,
                alert,
                record.pseudonym,
                record.matched_at,
                record.clock_offset,
                record.received_at,
                int(finding.source),
                finding.category,
                int(finding.severity),
                finding.score,
                _as_json(finding.reasons),
                finding.pack,
                finding.pack_version,
                finding.term_id,
                repeats,
                picture,
                None if priority is None else int(priority),
            ),
        )

    def _known_event(self, record: Checked) -> None:
        """Tell the same evidence sent in another place of a lane from another under its id."""
        header = record.header
        self.write()
        key = (self._school, header.event, header.device)
        part = header.part
        for (stored,) in self._conn.exec_driver_sql(_RECORDS_OF, key):
            before = decode_header(stored).part
            if part and before and before.sealed_digest == part.sealed_digest:
                return
        device, _, _ = self._known[header.event]
        of = "this device" if device == header.device else f"device {device}"
        self._warn(
            record,
            "known_event",
            f"Record {header.position.sequence} of the {lane_words(header.position.lane)} speaks"
            f" of event {header.event.hex()}, which {of} sent before with other content."
            " It is kept beside it.",
        )

    def _repeat(self, record: Checked) -> None:
        header = record.header
        known = self._known.get(header.event)
        if known is None:  # the event itself was lost: this is all that is known of it
            self._event(record, repeats=header.repeats - 1)
            return
        device, alert, pseudonym = known
        if device != header.device:
            self._known_event(record)
            return
        self._repeats.append((header.repeats, self._school, header.event))
        if alert is not None:
            self._alerts.touch(self._conn, record, pseudonym, alert, more=header.repeats)

    def _picture(self, record: Checked, state: str) -> None:
        header = record.header
        self._pictured[header.event, header.device] = state
        known = self._known.get(header.event)
        if known is None or known[0] != header.device:
            return
        _, alert, pseudonym = known
        self._pictures.append((state, self._school, header.event, header.device))
        if alert is not None:
            self._alerts.touch(self._conn, record, pseudonym, alert)

    def _tombstone(self, record: Checked) -> None:
        header = record.header
        tombstone = header.tombstone
        assert tombstone is not None
        if header.position.lane is Lane.PICTURE:
            self._picture(record, _LOST_PICTURES[tombstone.reason])
        if tombstone.reason is not TombstoneReason.FAILED:
            self._warn(
                record,
                f"lost_{tombstone.reason.name.lower()}",
                f"Record {header.position.sequence} of the {lane_words(header.position.lane)}"
                f" {_LOST_WORDS[tombstone.reason]}.",
            )

    def _warn(self, record: Checked, kind: str, words: str) -> None:
        position = record.header.position
        self.warnings.append(
            IntegrityWarning(
                device=record.header.device,
                kind=kind,
                words=words,
                lane=position.lane,
                epoch=position.epoch,
                first=position.sequence,
                last=position.sequence,
                header=record.header_bytes,
            ),
        )


@lru_cache(4096)
def _as_json(codes: tuple[str, ...]) -> str:
    return json.dumps(codes)


def _picture_of(kind: int, header: bytes) -> str:
    if kind == Kind.PICTURE:
        return "here"
    lost = decode_header(header).tombstone
    return _LOST_PICTURES[lost.reason] if lost else "missing"
