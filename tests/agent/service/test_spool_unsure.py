"""What a caller may conclude when a commit of the spool was not answered as it should be."""

import sqlite3

import pytest

from agent.service import spool_tables
from agent.service.spool_file import SpoolFailed, SpoolFile
from tests.agent.service.conftest import draft
from tests.agent.service.test_spool_file import ROOMY, holds, records
from wire.event import Kind, Lane


class Unlucky(SpoolFile):
    """Its next commit is made, and then reported as failed."""

    broken = False

    def _before_commit(self):
        if self.broken:
            self.broken = False
            self._db.execute("COMMIT")
            self._db.execute("COMMIT")


@pytest.fixture
def spool(tmp_path, scribe):
    with_lock = Unlucky.open(tmp_path / "spool.db", scribe=scribe, limits=ROOMY)
    yield with_lock
    with_lock.close()


def test_a_file_that_cannot_be_read_after_a_commit_is_not_acknowledged(spool, monkeypatch):
    used = spool_tables.used
    refusals = [sqlite3.DatabaseError("database disk image is malformed")]

    def refuse_once(db):
        if refusals:
            raise refusals.pop()
        return used(db)

    monkeypatch.setattr(spool_tables, "used", refuse_once)
    one = draft()
    with pytest.raises(SpoolFailed, match="after a commit"):
        spool.append([one])
    # It is there, and whoever asks again gets that and no second one.
    (there,) = records(spool)[0]
    assert spool.append([one]) == (there,)
    assert records(spool)[0] == [there]
    (after,) = spool.append([draft()])
    assert holds(records(spool)[0])
    assert after.head.sequence == 2


def test_a_picture_that_survived_as_a_tombstone_is_not_doubled(tmp_path, scribe):
    limits = type(ROOMY)(size=1 << 20, reserve=512 << 10, allocated=64 << 10)
    spool = Unlucky.open(tmp_path / "spool.db", scribe=scribe, limits=limits)
    one = draft(Kind.PICTURE, 900_000)
    spool.broken = True
    with pytest.raises(SpoolFailed):
        spool.append([one])
    (written,) = spool.append([one])
    assert written.kind is Kind.TOMBSTONE
    assert list(spool.pending(Lane.PICTURE)) == [written]
    spool.close()


def test_what_was_rolled_back_is_written_when_it_is_asked_for_again(spool):
    one = draft()
    spool._before_commit = lambda: spool._db.execute("a syntax error")
    with pytest.raises(SpoolFailed):
        spool.append([one])
    del spool._before_commit
    assert records(spool)[0] == []
    (written,) = spool.append([one])
    assert records(spool)[0] == [written]
