"""Records deleted from a PC's spool: the collector names the device and the exact numbers.

Promise 7. The real spool is cut with SQL, cut short, set back or removed while the agent
is stopped. Then it is opened as at a start, greets the collector's own ingest, and sends
what it has; what the collector then warns of is held against what was taken away.
"""

import shutil
import sqlite3

import pytest

from agent.service.spool_file import SpoolFile
from collector.ingest.greet import beat, greet
from collector.ingest.record import Recorder, record_now
from collector.store.files import Files
from tests.faults.agent_spool import DEVICE, LIMITS, SCHOOL, SCRIBE, event, picture
from tests.faults.collector_files import checked, found
from wire.event import Heartbeat, Hello, Lane

WRITTEN, RECEIPTED, PICTURES = 20, 5, 8


class Chain:
    """A spool and a collector, as an uplink joins them."""

    def __init__(self, folder):
        self.path = folder / "spool.db"
        self.spool = SpoolFile.open(self.path, scribe=SCRIBE, limits=LIMITS)
        self.files = Files.open(folder / "collector")
        self.files.main.commit([found])[0].result()
        self.recorder = Recorder(SCHOOL)

    def close(self):
        self.spool.close()
        self.files.close()

    def restart(self, meanwhile):
        """Stop the agent, do something to its spool, start it, and let it connect."""
        self.spool.close()
        meanwhile(self.path)
        self.spool = SpoolFile.open(self.path, scribe=SCRIBE, limits=LIMITS)
        self.greet()
        self.beat(2)
        for lane in Lane:
            self.send(lane)

    def greet(self):
        hello = Hello(
            agent_version="1",
            policy_version=1,
            sent_at=0,
            written=self.spool.heads(),
            receipted=self.spool.receipted_heads(),
        )

        def job(conn):
            return greet(conn, school=SCHOOL, device=DEVICE, hello=hello, now=1)

        stored = self.files.main.commit([job])[0].result()
        for head in stored:
            self.spool.receipted(head)

    def beat(self, number):
        heartbeat = Heartbeat(number=number, sent_at=0, written=self.spool.heads())

        def job(conn):
            beat(conn, school=SCHOOL, device=DEVICE, heartbeat=heartbeat, signed_in=(), now=1)

        self.files.main.commit([job])[0].result()

    def send(self, lane, most=1_000):
        for written in list(self.spool.pending(lane))[:most]:
            [answer] = record_now(self.recorder, self.files, [checked(written)]).answers
            assert answer == written.head, answer
            assert self.spool.receipted(written.head)

    def warned(self):
        """Each warning's kind, lane and numbers."""

        def job(conn):
            query = "SELECT kind, lane, first, last, words FROM warnings WHERE device = ?"
            return conn.exec_driver_sql(query, (DEVICE,)).fetchall()

        return self.files.main.commit([job])[0].result()

    def lost(self, lane):
        """All numbers of a lane that some warning names."""
        return sorted(
            {
                number
                for _, of, first, last, _ in self.warned()
                if of == lane and first is not None
                for number in range(first, last + 1)
            }
        )


@pytest.fixture
def joined(tmp_path):
    """Twenty events and eight pictures are written; the collector has five events of them."""
    chain = Chain(tmp_path)
    for number in range(1, WRITTEN + 1):
        chain.spool.append([event(number)])
        if number <= PICTURES:
            chain.spool.append([picture(number)])
    chain.greet()
    chain.send(Lane.TEXT, RECEIPTED)
    chain.beat(1)
    assert not chain.warned()
    yield chain
    chain.close()


def delete(lane, *numbers):
    def job(path):
        with sqlite3.connect(path) as db:
            for number in numbers:
                assert db.execute(f"DELETE FROM {lane} WHERE n = ?", (number,)).rowcount == 1
        # SQLite leaves copies of rows in pages that it has split: from those they are saved.
        db.execute("VACUUM")
        db.close()

    return job


@pytest.mark.parametrize(
    "numbers",
    [[6], [11], [20], [6, 7, 8], [9, 12, 15], [19, 20], list(range(6, 21))],
    ids=str,
)
def test_the_exact_numbers_of_deleted_events_are_named(joined, numbers):
    joined.restart(delete("text", *numbers))
    assert joined.lost(Lane.TEXT) == numbers
    assert joined.lost(Lane.PICTURE) == []


@pytest.mark.parametrize("numbers", [[1], [4, 5], [8]], ids=str)
def test_the_exact_numbers_of_deleted_pictures_are_named(joined, numbers):
    joined.restart(delete("picture", *numbers))
    assert joined.lost(Lane.PICTURE) == numbers
    assert joined.lost(Lane.TEXT) == []


def test_nothing_is_named_where_nothing_is_lost(joined):
    joined.restart(lambda _path: None)
    assert joined.warned() == []


def test_a_spool_that_was_removed_is_named_with_what_was_in_it(joined):
    joined.restart(lambda path: [left.unlink() for left in path.parent.glob("spool.db*")])
    assert joined.lost(Lane.TEXT) == list(range(RECEIPTED + 1, WRITTEN + 1))
    assert joined.lost(Lane.PICTURE) == list(range(1, PICTURES + 1))


def test_a_spool_that_was_set_back_is_named_with_what_it_lost(joined, tmp_path):
    old = tmp_path / "old.db"
    joined.spool.close()
    shutil.copy(joined.path, old)
    joined.spool = SpoolFile.open(joined.path, scribe=SCRIBE, limits=LIMITS)
    for number in range(WRITTEN + 1, WRITTEN + 5):
        joined.spool.append([event(number)])
    joined.beat(2)
    joined.restart(lambda path: shutil.copy(old, path))
    assert joined.lost(Lane.TEXT) == list(range(WRITTEN + 1, WRITTEN + 5))
