import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.service import uplink_state as core
from agent.service.uplink_state import Compared, Phase, Standing, State, compare, step
from wire.event import ZERO_HASH, Lane, LaneHead, Refusal, RefusalReason

EPOCH, OTHER = bytes(16), bytes([1]) * 16


def head(sequence, *, lane=Lane.TEXT, epoch=EPOCH, hashed=None):
    default = ZERO_HASH if sequence == 0 else bytes([sequence % 256]) * 32
    return LaneHead(lane=lane, epoch=epoch, sequence=sequence, hash=hashed or default)


def flowing(**changes):
    return State(phase=Phase.FLOWING, **changes)


def test_the_way_up():
    state, actions = step(State(), core.Due())
    assert (state.phase, actions) == (Phase.GREETING, (core.Dial(),))
    same = Compared(Standing.SAME, head(4))
    state, actions = step(state, core.Greeted({Lane.TEXT: same}))
    assert state.phase is Phase.FLOWING
    assert actions == (core.Forget(head(4)), core.Beat())
    assert state.sent[Lane.TEXT] == 4


def test_heads_are_compared():
    def judge(stored, receipted, *, is_ours):
        return compare(stored, written=head(9), receipted=head(receipted), is_ours=is_ours).standing

    assert judge(head(5), 3, is_ours=True) is Standing.SAME
    assert judge(None, 0, is_ours=False) is Standing.NEW
    assert judge(head(7, epoch=OTHER), 0, is_ours=False) is Standing.NEW
    assert judge(None, 3, is_ours=False) is Standing.STRANGE
    assert judge(head(2), 3, is_ours=False) is Standing.STRANGE
    assert judge(head(12), 3, is_ours=False) is Standing.STRANGE
    assert judge(head(5, epoch=OTHER), 3, is_ours=False) is Standing.STRANGE
    assert judge(head(5), 0, is_ours=False) is Standing.STRANGE


def test_a_picture_waits_for_the_one_before():
    state = flowing()
    assert state.room(Lane.PICTURE) == 1
    state, _ = step(state, core.Sent(Lane.PICTURE, 1))
    assert state.room(Lane.PICTURE) == 0
    assert state.room(Lane.TEXT) > 100
    state, actions = step(state, core.Receipted(head(1, lane=Lane.PICTURE), is_ours=True))
    assert state.room(Lane.PICTURE) == 1
    assert actions == (core.Forget(head(1, lane=Lane.PICTURE)),)


@pytest.mark.parametrize(
    "happened",
    [
        core.Receipted(head(3), is_ours=False),
        core.Refused(
            Refusal(reason=RefusalReason.FORK, words="no", expected=head(3)),
            is_ours=False,
            jitter=0.5,
        ),
        core.Refused(
            Refusal(reason=RefusalReason.FORK, words="no", lane=Lane.TEXT), is_ours=True, jitter=0.5
        ),
        core.Refused(
            Refusal(reason=RefusalReason.GAP, words="no", expected=head(3)),
            is_ours=False,
            jitter=0.5,
        ),
    ],
)
def test_a_new_epoch_ends_the_stream_so_that_no_late_answer_opens_another(happened):
    state, actions = step(flowing(), happened)
    assert [type(one) for one in actions] == [
        core.Renumber, core.HangUp, core.Tell, core.Rest
    ]  # fmt: skip
    assert state.phase is Phase.RESTING
    assert step(state, happened) == (state, ())


def test_a_collector_that_only_greets_is_asked_less_and_less():
    state, longest = State(), []
    for _ in range(8):
        state, _ = step(state, core.Due())
        state, _ = step(state, core.Greeted({lane: Compared(Standing.NEW, None) for lane in Lane}))
        state, actions = step(state, core.Lost("gone", 1.0))
        longest.append(actions[-1].seconds)
    assert longest == sorted(longest)
    assert longest[-1] == core.LONGEST_REST
    state, _ = step(state, core.Due())
    state, _ = step(state, core.Greeted({lane: Compared(Standing.NEW, None) for lane in Lane}))
    state, _ = step(state, core.Steady())
    _, actions = step(state, core.Lost("gone", 1.0))
    assert actions[-1].seconds == core.FIRST_REST


def test_two_with_one_identity_do_not_push_each_other_out_each_second():
    _, actions = step(flowing(), refusal(RefusalReason.SUPERSEDED))
    assert actions[-1].seconds >= 60


@given(st.integers(0, 30), st.floats(0, 1))
def test_rests_are_jittered_and_bounded(failures, jitter):
    state = flowing(failures=failures)
    after, actions = step(state, core.Lost("gone", jitter))
    (rest,) = (action for action in actions if isinstance(action, core.Rest))
    assert 0 <= rest.seconds <= core.LONGEST_REST
    assert rest.seconds <= core.FIRST_REST * 2**failures
    assert after.failures == failures + 1


def refusal(reason, **changes):
    return core.Refused(Refusal(reason=reason, words="no", **changes), is_ours=True, jitter=0.5)


def test_a_gap_goes_back_to_what_is_expected():
    state, _ = step(flowing(), core.Sent(Lane.TEXT, 9))
    state, actions = step(state, refusal(RefusalReason.GAP, expected=head(4)))
    assert state.sent[Lane.TEXT] == 4
    assert state.phase is Phase.FLOWING
    assert isinstance(actions[0], core.Tell)


def test_a_denied_device_rests_for_minutes():
    _, actions = step(flowing(), refusal(RefusalReason.DENIED))
    (rest,) = (action for action in actions if isinstance(action, core.Rest))
    assert rest.seconds >= 300


def test_a_record_is_given_up_only_when_refused_again_and_again():
    state = flowing()
    for time in range(1, core.MOST_REFUSALS + 1):
        state = State(phase=Phase.FLOWING, failures=state.failures, refused=state.refused)
        state, actions = step(state, refusal(RefusalReason.MALFORMED, lane=Lane.TEXT, sequence=7))
        gives_up = any(isinstance(action, core.GiveUp) for action in actions)
        assert gives_up is (time == core.MOST_REFUSALS)


@pytest.mark.parametrize("reason", sorted(core.NEVER))
def test_a_record_of_an_earlier_identity_is_given_up_at_once_and_the_stream_stays(reason):
    state, actions = step(flowing(), refusal(reason, lane=Lane.TEXT, sequence=7))
    assert [type(one) for one in actions] == [core.GiveUp, core.Tell]
    assert state.phase is Phase.FLOWING


lanes = st.sampled_from(list(Lane))
numbers = st.integers(0, 20)
happenings = st.one_of(
    st.just(core.Due()),
    st.builds(lambda lane, n: core.Greeted({lane: Compared(Standing.SAME, head(n, lane=lane)),
              **{o: Compared(Standing.NEW, None) for o in Lane if o is not lane}}), lanes, numbers),
    st.builds(lambda lane, n, ours: core.Receipted(head(n, lane=lane), ours), lanes, numbers,
              st.booleans()),
    st.builds(core.Sent, lanes, st.integers(1, 20)),
    st.builds(core.Unsendable, lanes, st.integers(1, 20), st.just("it cannot be sent")),
    st.just(core.Steady()),
    st.builds(core.Lost, st.just("gone"), st.floats(0, 1), st.booleans()),
    st.builds(
        lambda reason, lane, n, ours: core.Refused(
            Refusal(reason=reason, words="no", expected=head(n, lane=lane), lane=lane, sequence=n),
            ours, 0.5),
        st.sampled_from(list(RefusalReason)), lanes, numbers, st.booleans()),
)  # fmt: skip


@given(st.lists(happenings, max_size=40))
def test_whatever_happens_it_rests_only_with_an_end_and_dials_only_from_rest(story):
    state = State()
    for happened in story:
        before = state
        state, actions = step(state, happened)
        assert set(state.sent) == set(state.receipted) == set(Lane)
        if any(isinstance(action, core.Dial) for action in actions):
            assert before.phase is Phase.RESTING
        if state.phase is Phase.RESTING and before.phase is not Phase.RESTING:
            kinds = [type(action) for action in actions]
            assert core.HangUp in kinds
            assert core.Rest in kinds
        for lane in Lane:
            assert state.room(lane) >= 0
            if state.phase is not Phase.FLOWING:
                assert state.room(lane) == 0
