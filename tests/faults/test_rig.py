"""The rig itself, on a subject as plain as can be: it passes what is durable and catches what is not."""

import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from tests.faults import disk as disks
from tests.faults.trial import Outcome, power_cuts

pytestmark = [pytest.mark.root]


class PlainTable:
    """A single table in WAL mode."""

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


def trial(folder: Path, cycles: int, **how: object) -> Outcome:
    with disks.Disk(folder) as disk:
        return power_cuts(
            disk,
            lambda place: PlainTable(place, **how),  # type: ignore[arg-type]
            cycles=cycles,
            seed=1,
            stop_when_lost=True,
            disk_errors=(OSError, sqlite3.Error),
        )


def test_a_full_commit_survives_every_cut(tmp_path):
    outcome = trial(tmp_path, 100)
    assert outcome.clean
    assert outcome.cycles == 100
    assert outcome.acknowledged > 100
    assert outcome.cut_while_writing > 50, (
        "the cuts must fall while it writes, or they prove nothing"
    )


def test_synchronous_off_is_caught(tmp_path):
    assert trial(tmp_path, 100, synchronous="OFF").lost


def test_a_receipt_before_the_commit_is_caught(tmp_path):
    assert trial(tmp_path, 200, early=True).lost
