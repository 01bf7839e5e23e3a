"""The subject at the collector's end: its three files, in the order that ingest keeps.

An item is an event with a picture. The keys of both parts and the picture commit first,
then the row of `main.db` that speaks of them, then comes the receipt.
"""

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select
from wire.event import Kind, Lane, PartKind

from collector.errors import CollectorError
from collector.store import schema
from collector.store.files import Files
from collector.store.writer import FileWriter
from tests.faults.trial import force

SCHOOL = "marsh-lane"
DEVICE = "0f0f0f0f-0000-4000-8000-000000000001"
EPOCH = bytes(16)
DIGEST = bytes(32)
PICTURE = bytes(range(256)) * 20
DISK_ERRORS = (OSError, CollectorError, sqlite3.Error)
LONGEST = 0.02
"""Seconds of writing before the power is cut, at most."""
STRIKES = {"pwrite64": 160, "fdatasync": 40}
"""After how many calls of a kind the last blow falls: sixteen items make more."""


class CollectorFiles:
    """Writes items through the collector's own writers."""

    def __init__(
        self, folder: Path, *, synchronous: Any = "FULL", early: bool = False, migrate: bool = False
    ) -> None:
        if not migrate and not (folder / "main.db").exists():
            # Alembic takes half a second: it runs once, and the empty files are copied.
            shutil.copytree(_empty(), folder, dirs_exist_ok=True)
            force(folder)
        self._early = early
        self._files = Files.open(folder, synchronous=synchronous, migrate=migrate)

    def write(self, number: int, acknowledge: Callable[[int], None]) -> None:
        event = number.to_bytes(16)
        if self._early:
            acknowledge(number)
        self._commit(self._files.keys, lambda conn: _keys(conn, event))
        self._commit(self._files.pictures, lambda conn: _picture(conn, event))
        self._commit(self._files.main, lambda conn: _record(conn, number, event))
        if not self._early:
            acknowledge(number)

    def present(self) -> Collection[int]:
        """The records there, each of which must have its keys and its picture.

        A record whose parts are missing breaks the first invariant of the schema,
        acknowledged or not, and ends the test.
        """
        records = self._read(self._files.main, select(schema.records.c.event))
        keys = self._read(self._files.keys, select(schema.part_keys.c.event))
        pictures = self._read(
            self._files.pictures,
            select(schema.picture_parts.c.event).where(
                schema.picture_parts.c.ciphertext == PICTURE
            ),
        )
        bare = set(records) - (set(keys) & set(pictures))
        assert not bare, f"{len(bare)} records speak of parts that are not there"
        return [int.from_bytes(event) for event in records]

    def close(self) -> None:
        self._files.close()

    @staticmethod
    def _commit(writer: FileWriter, job: Callable[[Connection], None]) -> None:
        writer.commit([job])[0].result()

    @staticmethod
    def _read(writer: FileWriter, query: Any) -> list[bytes]:
        found: list[bytes] = writer.commit([lambda conn: list(conn.scalars(query))])[0].result()
        return found


def _keys(conn: Connection, event: bytes) -> None:
    shared = {"school": SCHOOL, "event": event, "digest": DIGEST, "enc": bytes(32)}
    parts = [{**shared, "part": part, "received_at": 0} for part in PartKind]
    conn.execute(insert(schema.part_keys), parts)


def _picture(conn: Connection, event: bytes) -> None:
    conn.execute(
        insert(schema.picture_parts).values(
            school=SCHOOL,
            event=event,
            digest=DIGEST,
            device=DEVICE,
            ciphertext=PICTURE,
            received_at=0,
        )
    )


def _record(conn: Connection, number: int, event: bytes) -> None:
    conn.execute(
        insert(schema.records).values(
            school=SCHOOL,
            device=DEVICE,
            lane=Lane.PICTURE,
            epoch=EPOCH,
            sequence=number,
            kind=Kind.PICTURE,
            event=event,
            header=bytes(400),
            signature=bytes(70),
            received_at=0,
        )
    )


@cache
def _empty() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="empty-collector-")) / "files"
    Files.open(folder).close()
    atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    return folder


def durable(folder: Path) -> CollectorFiles:
    return CollectorFiles(folder)


def first_start(folder: Path) -> CollectorFiles:
    return CollectorFiles(folder, migrate=True)


def synchronous_off(folder: Path) -> CollectorFiles:
    return CollectorFiles(folder, synchronous="OFF")


def early(folder: Path) -> CollectorFiles:
    return CollectorFiles(folder, early=True)


power = durable
