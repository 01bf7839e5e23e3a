"""A bad network between a real agent and a real collector: all arrives once and in order.

Promise 3, in small: the installed commands in two network namespaces, a wire that loses
30 of 100 packets each way, is pulled and put in, and resets what is open.
"""

import contextlib
import sqlite3
import sys
import time
from pathlib import Path

import pytest

from agent.local import LocalError
from demo.school import BOOKS, LISTENERS, Program, School
from tests.agent.service.conftest import Session, found
from tests.faults import wire
from tests.faults.wire import Wire
from wire.clock import SystemClock
from wire.event import Kind, Lane, PictureState
from wire.local import Shot

pytestmark = [pytest.mark.root, pytest.mark.timeout(120)]
CLOCK = SystemClock()
WEBP = b"RIFF\x00\x00\x00\x00WEBP" + bytes(4_000)


@pytest.fixture
def far():
    """The wire, an enrolled PC at the far end of it, and its collector."""
    if reason := wire.why_not():
        pytest.skip(reason)
    with Wire() as line, School(host=line.address) as school:
        school.set_up()
        school.addresses = dict.fromkeys(LISTENERS, f"{line.address}:0")
        school.addresses["ops"] = "127.0.0.1:0"
        school.serve(prefix=line.at(line.collector))
        yield line, school


class FarPc:
    """The agent's service at the far end, and a session that speaks to it."""

    def __init__(self, line, school):
        self.folder = school.folder / "pc-1"
        self.state = self.folder / "state"
        self.state.mkdir(parents=True, mode=0o700)
        self.environment = {
            "REDSHANK_STATE": str(self.state),
            "REDSHANK_SOCKET": str(self.folder / "agent.sock"),
            "REDSHANK_BOOKS": str(BOOKS),
        }
        self.line = line
        said = school.token()
        words = ["enrol", "--server", said["server"], "--token", said["token"], "--host", "pc-1"]
        enrol = self.run(*words)
        while not enrol.ended:
            time.sleep(0.05)
        self.agent = self.run("run", "--service")
        self.session = None

    def run(self, *words):
        command = [
            *self.line.at(self.line.pc),
            str(Path(sys.executable).with_name("redshank-agent")),
        ]
        return Program([*command, *words], self.folder / "agent.log", self.environment)

    def connect(self, seconds=20):
        end = time.monotonic() + seconds
        while True:
            try:
                self.session = Session(self.environment["REDSHANK_SOCKET"])
            except LocalError:
                assert time.monotonic() < end, (self.folder / "agent.log").read_text()
                time.sleep(0.1)
            else:
                self.session.hello()
                return

    def record(self, count):
        """So many events, a picture with each fourth; what was taken, in order."""
        taken = {Lane.TEXT: [], Lane.PICTURE: []}
        for number in range(count):
            has_picture = number % 4 == 0
            one = found(picture=PictureState.FOLLOWS if has_picture else PictureState.BY_POLICY)
            assert self.session.ask(one).kind is Kind.EVENT
            taken[Lane.TEXT].append(one.event)
            if has_picture:
                shot = Shot(
                    event=one.event, webp=WEBP, width=9, height=9, taken_at=CLOCK.now(), of="window"
                )
                assert self.session.ask(shot).kind is Kind.PICTURE
                taken[Lane.PICTURE].append(one.event)
        return taken

    def greetings(self):
        return (self.folder / "agent.log").read_text().count("the collector answered")

    def close(self):
        if self.session is not None:
            self.session.close()
        self.agent.stop()


def stored(school, lane):
    """The events of a lane as they came in, and whether anything does not add up."""
    path = school.data / "main.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        query = "SELECT event, epoch, sequence FROM records WHERE lane = ? ORDER BY rowid"
        rows = db.execute(query, (int(lane),)).fetchall()
        warnings = db.execute("SELECT kind, words FROM warnings").fetchall()
    return rows, warnings


def count(school):
    return sum(len(stored(school, lane)[0]) for lane in Lane)


def test_all_arrives_once_and_in_order_over_a_wire_that_loses_resets_and_is_pulled(far):
    line, school = far
    pc = FarPc(line, school)
    try:
        pc.connect()
        with line.losing(30):
            taken = pc.record(60)
            time.sleep(3)
            line.pull(3)
            more = pc.record(40)
            time.sleep(3)
            with line.resetting():
                time.sleep(1)
            time.sleep(2)
            line.pull(1)
            time.sleep(3)
            assert line.lost() > 20
            assert count(school) > 0, "some of it came over the bad wire"
        for lane in Lane:
            taken[lane] += more[lane]
        end = time.monotonic() + 60
        while count(school) < sum(map(len, taken.values())):
            assert time.monotonic() < end, (count(school), (pc.folder / "agent.log").read_text())
            time.sleep(0.1)
        for lane in Lane:
            rows, warnings = stored(school, lane)
            assert [event for event, _, _ in rows] == taken[lane]
            assert [number for _, _, number in rows] == list(range(1, len(rows) + 1))
            assert len({epoch for _, epoch, _ in rows}) == 1
            assert not warnings
        assert pc.greetings() >= 2, "a stream that was reset is opened anew"
    finally:
        pc.close()
