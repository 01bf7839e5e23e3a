"""The plainest subject: one table. It proves the rig, with nothing of Redshank in it."""

import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path

DISK_ERRORS = (OSError, sqlite3.Error)


class PlainTable:
    """A single table in WAL mode; `early` acknowledges before the commit."""

    def __init__(self, folder: Path, *, synchronous: str = "FULL", early: bool = False) -> None:
        self._early = early
        self._db = sqlite3.connect(folder / "plain.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={synchronous}")
        self._db.execute("CREATE TABLE IF NOT EXISTS item (number INTEGER PRIMARY KEY, body BLOB)")

    def write(self, number: int, acknowledge: Callable[[int], None]) -> None:
        if self._early:
            acknowledge(number)
        self._db.execute("INSERT INTO item VALUES (?, zeroblob(1000))", (number,))
        if not self._early:
            acknowledge(number)

    def present(self) -> Collection[int]:
        return [row[0] for row in self._db.execute("SELECT number FROM item")]

    def close(self) -> None:
        self._db.close()


def durable(folder: Path) -> PlainTable:
    return PlainTable(folder)


def synchronous_off(folder: Path) -> PlainTable:
    return PlainTable(folder, synchronous="OFF")


def early(folder: Path) -> PlainTable:
    return PlainTable(folder, early=True)
