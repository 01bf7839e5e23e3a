"""The spool as many threads share it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.service.spool import Spool
from agent.service.spool_file import Limits, SpoolFailed, SpoolFile, SpoolFull
from tests.agent.service.conftest import draft
from tests.agent.service.test_spool_file import ROOMY, holds
from wire.event import Kind, Lane

SMALL = Limits(size=1 << 20, reserve=256 << 10, allocated=64 << 10)


@pytest.fixture
def spool(tmp_path, scribe):
    made = Spool(SpoolFile.open(tmp_path / "spool.db", scribe=scribe, limits=ROOMY))
    yield made
    made.close()


def test_many_threads_put_and_each_gets_its_own_number(spool):
    called = []
    spool.call_when_written(lambda: called.append(threading.get_ident()))
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda _: spool.put(draft()), range(400)))
    assert sorted(one.head.sequence for one in done) == list(range(1, 401))
    assert holds(spool.read(Lane.TEXT, 0, 1000))
    assert 0 < len(called) <= 400
    assert spool.read(Lane.TEXT, 0, 0) == []


def test_one_that_finds_no_room_takes_no_other_with_it(tmp_path, scribe):
    spool = Spool(SpoolFile.open(tmp_path / "spool.db", scribe=scribe, limits=SMALL))
    with pytest.raises(SpoolFull):
        spool.put(draft(size=2 << 20))
    assert "full" in spool.problem

    def put(size):
        try:
            return spool.put(draft(size=size)).kind
        except SpoolFull:
            return None

    with ThreadPoolExecutor(16) as pool:
        kinds = list(pool.map(put, [900, 2 << 20] * 40))
    assert kinds == [Kind.EVENT, None] * 40
    spool.put(draft())
    assert spool.problem == ""
    spool.close()


def test_what_is_put_after_the_end_is_refused(tmp_path, scribe):
    spool = Spool(SpoolFile.open(tmp_path / "spool.db", scribe=scribe, limits=ROOMY))
    spool.close()
    for act in (
        lambda: spool.put(draft()),
        lambda: spool.keep(lambda state: type(state)(lanes=state.lanes, heartbeat=9)),
        lambda: spool.new_epoch(Lane.TEXT, "a test"),
    ):
        with pytest.raises(SpoolFailed, match="closed"):
            act()


def test_a_record_that_no_header_holds_is_refused_and_the_next_is_taken(spool):
    broken = draft()
    object.__setattr__(broken, "event", b"short")
    with pytest.raises(SpoolFailed, match="could not be written"):
        spool.put(broken)
    assert spool.put(draft()).head.sequence == 1
