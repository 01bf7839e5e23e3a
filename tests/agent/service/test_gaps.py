"""Many gaps are fused, so that time and counts are kept in a bounded number."""

from hypothesis import given
from hypothesis import strategies as st

from agent.service import gaps
from wire.event import Gap, GapReason


def closed(n, reason=GapReason.HOOK_DEAD):
    return Gap(reason=reason, started_at=10 * n + 1, ended_at=10 * n + 5, dropped=n)


def test_the_oldest_of_one_reason_are_fused_when_there_are_too_many():
    kept = ()
    for n in range(gaps.MOST + 50):
        kept = gaps.add(kept, closed(n))
    assert len(kept) == gaps.MOST
    whole = [gap for _, gap in kept]
    assert sum(gap.dropped for gap in whole) == sum(range(gaps.MOST + 50))
    assert min(gap.started_at for gap in whole) == 1
    assert max(gap.ended_at for gap in whole) == 10 * (gaps.MOST + 49) + 5
    # A fused one is told anew, and not forgotten for what was told of its parts.
    assert gaps.receipted(kept, 5) == kept


@given(st.randoms(use_true_random=False))
def test_open_gaps_are_never_fused(rng):
    kept = gaps.begin((), GapReason.WAYLAND, 3)
    for n in range(gaps.MOST + 20):
        kept = gaps.add(kept, closed(n, rng.choice(list(GapReason))))
    opened = [gap for _, gap in kept if not gap.ended_at]
    assert opened == [Gap(reason=GapReason.WAYLAND, started_at=3)]
    assert len(kept) <= gaps.MOST


def test_open_ones_alone_are_all_kept():
    kept = tuple((0, Gap(reason=GapReason.WAYLAND, started_at=n + 1)) for n in range(gaps.MOST))
    assert len(gaps.add(kept, closed(1))) == gaps.MOST + 1


def test_a_gap_that_is_over_ends_the_open_one_of_its_reason():
    kept = gaps.begin((), GapReason.SESSION_MISSING, 100)
    ((_, gap),) = gaps.between(kept, GapReason.SESSION_MISSING, 90, 130)
    assert (gap.started_at, gap.ended_at) == (100, 130)
    ((_, alone),) = gaps.between((), GapReason.SESSION_MISSING, 90, 90)
    assert (alone.started_at, alone.ended_at) == (90, 91)


def test_no_gap_begins_before_1970():
    ((_, gap),) = gaps.add((), Gap(reason=GapReason.AGENT_STOPPED, started_at=-50, ended_at=-3))
    assert 0 < gap.started_at < gap.ended_at
    ((_, opened),) = gaps.begin((), GapReason.HOOK_DEAD, -4)
    assert opened.started_at == 1
