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

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from collector.alerts import AlertRow
from collector.ingest.check import Checked
from collector.ingest.grouping import AlertBook
from collector.ingest.lanes import LaneBook, Step
from collector.ingest.rows import BatchRows
from collector.ingest.warnings import IntegrityWarning, write_warnings
from collector.priority import Rules
from collector.store.files import Files
from wire.event import LaneHead, PartKind, Refusal

_KEY = """
INSERT INTO part_keys (school, event, part, digest, enc, received_at)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET received_at = excluded.received_at
"""
_PICTURE = """
INSERT INTO picture_parts (school, event, digest, device, ciphertext, received_at)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET received_at = excluded.received_at
"""


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
        rows = BatchRows(self._school, conn, self._alerts, batch)
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
                rows.take(record)
        rows.write()
        self._lanes.write(conn)
        shown = self._alerts.write(conn)
        warnings += rows.warnings
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
