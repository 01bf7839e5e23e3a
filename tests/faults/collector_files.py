"""The subject at the collector's end: the durable step of ingest, on its three files.

An item is a match with its details and its picture, signed by a device and recorded as
one batch: keys and picture commit first, then everything else, then comes the receipt.
"""

import sqlite3
import tempfile
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from agent.service.record import Written
from collector.errors import CollectorError
from collector.ingest.check import Checked, Peer
from collector.ingest.record import Recorder, record_now
from collector.store import schema
from collector.store.files import Files
from collector.store.writer import FileWriter
from tests.faults import agent_spool
from tests.faults.trial import lay
from wire import codec
from wire.event import Kind, Lane, LaneHead, PartKind

DISK_ERRORS = (OSError, CollectorError, sqlite3.Error)
LONGEST = 0.02
"""Seconds of writing before the power is cut, at most."""
STRIKES = {"pwrite64": 160, "fdatasync": 40}
"""After how many calls of a kind the last blow falls: sixteen items make more."""

SCHOOL, DEVICE = agent_spool.SCHOOL, agent_spool.DEVICE
PEER = Peer(school=SCHOOL, device=DEVICE, host="pc-1", room="IT 1", key=agent_spool.PUBLIC_KEY)
EPOCH = b"an epoch of ours"


class CollectorFiles:
    """Records items through the collector's own recorder and writers."""

    def __init__(
        self, folder: Path, *, synchronous: Any = "FULL", early: bool = False, migrate: bool = False
    ) -> None:
        if not migrate and not (folder / "main.db").exists():
            # Alembic takes half a second: it runs once, and the empty files are copied.
            lay(_empty(), folder)
        self._early = early
        self._files = Files.open(folder, synchronous=synchronous, migrate=migrate)
        self._recorder = Recorder(SCHOOL)
        self._heads: dict[Lane, LaneHead] = {}
        if migrate:
            self._files.main.commit([found])[0].result()

    def write(self, number: int, acknowledge: Callable[[int], None]) -> None:
        heads = self._heads or self._stored()
        self._heads = {}  # after a failure the device asks again where it stands
        drafts = (agent_spool.event(number), agent_spool.picture(number, size=4_000))
        written = [agent_spool.SCRIBE.write(draft, heads[draft.lane]) for draft in drafts]
        if self._early:
            acknowledge(number)
        recorded = record_now(self._recorder, self._files, [checked(one) for one in written])
        assert recorded.answers == tuple(one.head for one in written), recorded.answers
        self._heads = {one.head.lane: one.head for one in written}
        if not self._early:
            acknowledge(number)

    def present(self) -> Collection[int]:
        """The events there, each of which must have its records, its keys and its picture.

        One whose parts are missing breaks the first invariant of the schema, acknowledged
        or not, and ends the test.
        """
        events = set(self._events(self._files.main, schema.events.c.event))
        records = self._events(self._files.main, schema.records.c.event)
        keys = self._events(self._files.keys, schema.part_keys.c.event)
        pictures = self._events(self._files.pictures, schema.picture_parts.c.event)
        assert sorted(records) == sorted([*events, *events]), "half of a batch"
        assert len(keys) == len(set(keys)) * len(PartKind), "half of an event's keys"
        bare = events - (set(keys) & set(pictures))
        assert not bare, f"{len(bare)} records speak of parts that are not there"
        return [int.from_bytes(event) for event in events]

    def close(self) -> None:
        self._files.close()

    def _stored(self) -> dict[Lane, LaneHead]:
        """Where the lanes stand, as a welcome tells a device."""
        heads = {lane: LaneHead(lane=lane, epoch=EPOCH, sequence=0) for lane in Lane}
        lanes = schema.lanes.c
        query = select(lanes.lane, lanes.sequence, lanes.hash)
        for number, sequence, hashed in self._read(self._files.main, query):
            lane = Lane(number)
            heads[lane] = LaneHead(lane=lane, epoch=EPOCH, sequence=sequence, hash=hashed)
        return heads

    def _events(self, writer: FileWriter, column: Any) -> list[bytes]:
        return [row[0] for row in self._read(writer, select(column))]

    @staticmethod
    def _read(writer: FileWriter, query: Any) -> list[Any]:
        def job(conn: Connection) -> list[Any]:
            return list(conn.execute(query))

        rows: list[Any] = writer.commit([job])[0].result()
        return rows


def found(conn: Connection) -> None:
    row = {"school": SCHOOL, "name": "Marsh Lane", "created_at": 0, "root_certificate": b"-"}
    conn.execute(insert(schema.schools).prefix_with("OR IGNORE").values(row))


def checked(written: Written) -> Checked:
    """A record as the check before the store passes it on."""
    envelope = written.envelope
    header = codec.decode_header(envelope.header)
    return Checked(
        peer=PEER,
        header=header,
        header_bytes=envelope.header,
        signature=envelope.signature,
        enc=envelope.sealed[:32],
        ciphertext=envelope.sealed[32:],
        digest=header.part.sealed_digest[:16] if header.part else b"",
        pseudonym="0123456789abcdef" if header.kind is Kind.EVENT else "",
        received_at=header.matched_at,
        clock_offset=0,
        matched_at=header.matched_at,
    )


@cache
def _empty() -> dict[str, bytes]:
    """Empty files, by name. Kept in memory: a run that is killed leaves no folder behind."""
    with tempfile.TemporaryDirectory(prefix="empty-collector-") as folder:
        CollectorFiles(Path(folder), migrate=True).close()
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def durable(folder: Path) -> CollectorFiles:
    return CollectorFiles(folder)


def first_start(folder: Path) -> CollectorFiles:
    return CollectorFiles(folder, migrate=True)


def synchronous_off(folder: Path) -> CollectorFiles:
    return CollectorFiles(folder, synchronous="OFF")


def early(folder: Path) -> CollectorFiles:
    return CollectorFiles(folder, early=True)


power = durable
