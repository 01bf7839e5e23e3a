from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.service import gaps
from agent.service.roll import Roll
from agent.service.spool import Spool
from agent.service.spool_file import Limits, SpoolFile
from agent.service.watch import Watchkeeper, signed_in_users, system_uptime
from wire.event import Gap, GapReason

SECOND = 1_000_000
START = 1_800_000_000 * SECOND


class Clocks:
    def __init__(self):
        self.wall = START
        self.up = 5000.0

    def now(self):
        return self.wall

    def monotonic(self):
        return self.up

    def pass_(self, seconds):
        self.wall += int(seconds * SECOND)
        self.up += seconds


@pytest.fixture
def room(tmp_path, scribe):
    clocks = Clocks()
    limits = Limits(size=8 << 20, reserve=1 << 20, allocated=256 << 10)
    spool = Spool(SpoolFile.open(tmp_path / "spool.db", scribe=scribe, limits=limits))
    users = set()

    def keeper():
        return Watchkeeper(
            spool=spool,
            roll=Roll(),
            clock=clocks,
            users=lambda: set(users),
            uptime=lambda: clocks.up,
        )

    yield clocks, spool, users, keeper
    spool.close()


def found(spool):
    return [gap for _, gap in spool.state().gaps]


def test_somebody_signed_in_without_a_session_is_a_gap_after_a_while(room):
    clocks, spool, users, keeper = room
    watch = keeper()
    watch.started()
    users.add("1000")
    began = clocks.now()
    watch.look()
    assert found(spool) == []
    clocks.pass_(40)
    watch.look()
    assert found(spool) == [Gap(reason=GapReason.SESSION_MISSING, started_at=began)]
    clocks.pass_(20)
    users.clear()
    watch.look()
    (gap,) = found(spool)
    assert gap.ended_at == clocks.now()


@pytest.mark.parametrize("seconds", [-3600, 3600, 10 * 365 * 86400, -10 * 365 * 86400])
def test_a_clock_that_jumps_is_told(room, seconds):
    clocks, spool, _, keeper = room
    watch = keeper()
    watch.started()
    clocks.pass_(5)
    watch.look()
    clocks.pass_(5)
    clocks.wall += seconds * SECOND
    watch.look()
    (gap,) = found(spool)
    assert gap.reason is GapReason.CLOCK_JUMPED
    assert gap.ended_at - gap.started_at == abs(seconds) * SECOND


def test_a_sleep_is_no_jump(room):
    clocks, spool, _, keeper = room
    watch = keeper()
    watch.started()
    clocks.pass_(8 * 3600)
    watch.look()
    assert found(spool) == []


@pytest.mark.parametrize(
    ("away", "up", "expected"),
    [
        (600, 90_000.0, 600),
        (2, 90_000.0, None),
        (40_000, 60.0, None),
        (40_000, 900.0, 900),
    ],
)
def test_the_time_after_a_stop_counts_as_far_as_the_pc_was_on(room, away, up, expected):
    clocks, spool, _, keeper = room
    keeper().started()
    clocks.wall += away * SECOND
    clocks.up = up
    keeper().started()
    stops = [gap for gap in found(spool) if gap.reason is GapReason.AGENT_STOPPED]
    assert [(gap.ended_at - gap.started_at) // SECOND for gap in stops] == (
        [] if expected is None else [expected]
    )


def test_what_was_given_up_is_counted_in_one_gap(room):
    clocks, spool, _, keeper = room
    watch = keeper()
    watch.started()
    for _ in range(3):
        watch._roll.count(GapReason.RATE_LIMITED, 7)
        clocks.pass_(10)
        watch.look()
    (gap,) = found(spool)
    assert gap.dropped == 21


def test_the_system_answers():
    assert system_uptime() > 0
    assert isinstance(signed_in_users(), set)


times = st.integers(1, 10**15)
reasons = st.sampled_from(list(GapReason))
steps = st.lists(
    st.tuples(st.sampled_from(["begin", "end", "count", "told", "receipt"]), reasons), max_size=400
)


@given(steps)
def test_gaps_are_bounded_and_no_count_is_lost_before_its_receipt(steps):
    kept, now, number, counted, receipted = (), 0, 0, 0, 0
    for what, reason in steps:
        now += 120 * SECOND
        if what == "begin":
            kept = gaps.begin(kept, reason, now)
        elif what == "end":
            kept = gaps.end(kept, reason, now)
        elif what == "count":
            kept = gaps.count(kept, reason, now, 1, 60 * SECOND)
            counted += 1
        elif what == "told":
            number += 1
            kept = gaps.told(kept, number)
        else:
            before = sum(gap.dropped for _, gap in kept)
            kept = gaps.receipted(kept, number)
            receipted += before - sum(gap.dropped for _, gap in kept)
        assert len(kept) <= gaps.MOST + len(GapReason)
        assert sum(gap.dropped for _, gap in kept) + receipted == counted
        for first, gap in kept:
            assert first <= number
            assert gap.ended_at == 0 or gap.ended_at > gap.started_at


def test_a_gap_that_changed_after_it_was_told_is_told_again():
    kept = gaps.told(gaps.begin((), GapReason.WAYLAND, 5), 1)
    kept = gaps.end(kept, GapReason.WAYLAND, 9)
    assert gaps.receipted(kept, 1) == kept
    assert gaps.receipted(gaps.told(kept, 2), 2) == ()
    assert replace(kept[0][1], ended_at=0) == Gap(reason=GapReason.WAYLAND, started_at=5)
