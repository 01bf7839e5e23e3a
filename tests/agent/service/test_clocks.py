"""A PC whose clock is ten years off, either way, from the start or all at once."""

import json
from dataclasses import replace

import pytest

from agent.service.doctor import Facts, diagnose
from tests.agent.service.conftest import found
from wire.clock import SystemClock
from wire.event import GapReason
from wire.local import Taken

TEN_YEARS = 3653 * 86_400_000_000
SINCE_1970 = 1_700_000_000_000_000


class Shifted(SystemClock):
    def __init__(self, shift):
        self.shift = shift

    def now(self):
        return max(1, super().now() + self.shift)


def put(pc, clock, number=3):
    session = pc.session()
    session.hello()
    events = []
    for _ in range(number):
        one = replace(found(), matched_at=clock.now())
        assert isinstance(session.ask(one), Taken)
        events.append(one.event)
    session.close()
    return events


@pytest.mark.parametrize("shift", [TEN_YEARS, -TEN_YEARS, -10 * TEN_YEARS])
def test_a_clock_that_is_off_loses_nothing_and_shows(pc, collector, shift):
    clock = Shifted(shift)
    pc.parts = replace(pc.parts, clock=clock)
    pc.start()
    collector.wait(lambda c: c.beats)
    events = put(pc, clock)
    collector.wait(lambda c: len(c.records) == 3)
    assert [header.event for header in collector.headers()] == events
    real = SystemClock().now()
    for header in collector.headers():
        # What the PC says and the offset beside it give the real time.
        assert abs(header.matched_at + header.clock_offset - real) < 30_000_000
    said = pc.until(lambda said: said["spool"]["records"] == 0)
    words = [one.what for one in diagnose(Facts(status=said))]
    assert any("clock is off by" in one for one in words)
    assert collector.beats[-1].clock_offset == said["uplink"]["clock_offset_us"]
    json.dumps(said)


@pytest.mark.parametrize("shift", [TEN_YEARS, -TEN_YEARS])
def test_a_clock_that_jumps_while_it_runs_keeps_the_order_and_tells_the_jump(pc, collector, shift):
    clock = Shifted(0)
    pc.parts = replace(pc.parts, clock=clock)
    pc.start()
    first = put(pc, clock)
    clock.shift = shift
    pc.service.roll.changed.set()
    second = put(pc, clock)
    clock.shift = 0
    pc.service.roll.changed.set()
    third = put(pc, clock)
    collector.wait(lambda c: len(c.records) == 9)
    assert [header.event for header in collector.headers()] == first + second + third
    collector.wait(
        lambda c: any(
            gap.reason is GapReason.CLOCK_JUMPED and gap.ended_at - gap.started_at > TEN_YEARS // 2
            for beat in c.beats
            for gap in beat.gaps
        )
    )
    pc.until(lambda said: said["spool"]["records"] == 0)


def test_what_a_session_kept_while_the_service_was_away_keeps_its_time(pc, collector):
    pc.start()
    session = pc.session()
    session.hello()
    clock = SystemClock()
    hours_ago = clock.now() - 5 * 3_600_000_000
    session.ask(replace(found(), matched_at=hours_ago))
    session.ask(replace(found(), matched_at=clock.now() - TEN_YEARS))
    session.ask(replace(found(), matched_at=clock.now() + TEN_YEARS))
    session.close()
    collector.wait(lambda c: len(c.records) == 3)
    times = [header.matched_at for header in collector.headers()]
    assert times[0] == hours_ago
    assert all(abs(at - clock.now()) < 30_000_000 for at in times[1:])
