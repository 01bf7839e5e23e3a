"""What the records of one batch become: rows of `records` and `events`, and their alerts.

An **event** makes its row and joins an alert; a **repeat** adds to both; a **picture**
and the **tombstone** of one say what became of the picture, whichever of the two comes
first. An event whose id is known is no news: it is the same evidence sent in another
place of a lane, or it is kept beside the first with a warning.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from collector.ingest.check import Checked
from collector.ingest.grouping import AlertBook
from collector.ingest.warnings import IntegrityWarning, lane_words
from wire.codec import decode_header
from wire.event import Kind, Lane, PictureState, TombstoneReason

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


class BatchRows:
    """The rows of one batch, and the alerts that they touch."""

    def __init__(
        self, school: str, conn: Connection, alerts: AlertBook, batch: Sequence[Checked]
    ) -> None:
        """Look up what is stored already of the events of a batch."""
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
