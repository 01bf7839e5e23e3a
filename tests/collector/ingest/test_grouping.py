"""Which alert an event joins, at the borders: of time, of order, of what a batch already changed."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from collector.alerts import AlertState
from collector.ingest.record import Recorder
from collector.priority import DAY, HOUR, MINUTE, Rules
from collector.store import schema
from tests.collector.desk import START, Desk
from tests.collector.device import GRAVE, MILD
from wire.event import AccountKind, Lane, Severity, TombstoneReason
from wire.ids import new_event


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.files.close()


def test_what_a_batch_changed_is_kept_when_its_person_is_read_after(desk):
    event = new_event(desk)
    desk.take(desk.device.event(event=event, account="alex"))
    desk.recorder = Recorder("oak")  # remembers nobody
    desk.device.account = "alex"
    desk.take(
        desk.device.tombstone(event, TombstoneReason.SHED),
        desk.device.repeat(event, repeats=7),
        desk.device.event(),
    )
    (alert,) = desk.list()
    assert alert.events == 1 + 7 + 1


def test_what_comes_twice_in_one_batch_is_taken_once(desk):
    first, second, third = (desk.device.event() for _ in range(3))
    desk.take(first, second, first, second, third, second)
    (alert,) = desk.list()
    assert alert.events == 3
    warnings = desk.do(lambda conn: conn.execute(select(schema.warnings)).all())
    assert warnings == []


def test_a_person_forgotten_in_the_middle_of_a_batch_loses_nothing(desk, monkeypatch):
    monkeypatch.setattr("collector.ingest.grouping._MOST_PEOPLE", 1)
    people = ["alex", "billie", "chris"]
    desk.take(*[desk.device.event(account=name) for name in people * 4])
    assert sorted(alert.events for alert in desk.list()) == [4, 4, 4]


@pytest.mark.parametrize("restart", [False, True])
def test_of_two_alerts_within_reach_the_newest_takes_the_event(desk, restart):
    (newer,) = desk.happens(at=11 * MINUTE)
    (older,) = desk.happens(at=0, received=12 * MINUTE)
    if restart:
        desk.recorder = Recorder("oak")
    (joined,) = desk.happens(at=6 * MINUTE, received=13 * MINUTE)
    assert joined.alert == newer.alert != older.alert


def test_what_came_after_the_match_is_no_history_of_it(desk):
    for days in (20, 21):
        desk.happens(GRAVE, at=days * DAY)
    (late,) = desk.happens(MILD, at=10 * DAY, received=22 * DAY)
    assert late.late
    assert late.priority == 3
    assert not any("serious alerts" in reason for reason in late.reasons)


def test_the_history_of_a_late_match_is_that_of_its_own_time(desk):
    for days in (1, 2):
        desk.happens(GRAVE, at=days * DAY)
    (late,) = desk.happens(MILD, at=3 * DAY, received=60 * DAY)
    assert late.priority == 2
    desk.recorder = Recorder("oak")
    desk.happens(MILD, at=61 * DAY)
    (late,) = desk.happens(MILD, at=4 * DAY, received=61 * DAY)
    assert late.priority == 2


def test_a_shared_account_has_no_history(desk):
    for days in (1, 2):
        desk.happens(GRAVE, at=days * DAY, kind=AccountKind.SHARED)
    (later,) = desk.happens(MILD, at=3 * DAY, kind=AccountKind.SHARED)
    assert later.priority == 3


@pytest.mark.parametrize("said", [0, 86_400_000_000, START - DAY - 1])
def test_a_match_from_before_the_pc_was_enrolled_counts_as_new(desk, said):
    desk.enrolled_at = START - DAY
    (alert,) = desk.happens(at=said - START, received=0)
    assert not alert.late
    assert alert.first_at == START


def test_a_late_graver_event_opens_an_acknowledged_alert_again_and_says_its_age(desk):
    (alert,) = desk.happens(MILD, at=5 * MINUTE)
    desk.acknowledge(alert)
    (after,) = desk.happens(GRAVE, at=0, received=3 * HOUR)
    assert (after.alert, after.state, after.reopened) == (alert.alert, AlertState.OPEN, 1)
    assert after.reasons[0] == "It was typed 3 hours before it arrived here."
    assert after.due_at == START + 3 * HOUR + 5 * MINUTE


def test_after_a_false_alarm_a_graver_event_is_an_alert_of_its_own(desk):
    (alert,) = desk.happens(MILD)
    desk.call_false(alert)
    (after,) = desk.happens(GRAVE, at=MINUTE)
    assert after.alert != alert.alert
    assert (after.priority, after.state, after.events) == (1, AlertState.OPEN, 1)
    assert desk.list(states=[AlertState.FALSE_ALARM])[0].events == 1


def test_terms_of_a_false_alarm_corroborate_nothing(desk):
    for number in (1, 2):
        (alert,) = desk.happens(replace(MILD, term_id=f"mood-{number}"), at=number)
    desk.call_false(alert)
    (after,) = desk.happens(replace(MILD, term_id="mood-3"), at=3)
    assert after.priority == 3


@pytest.mark.parametrize("restart", [False, True])
def test_three_terms_corroborate_and_open_an_acknowledged_alert_again(desk, restart):
    for number in (1, 2):
        (alert,) = desk.happens(replace(MILD, term_id=f"mood-{number}"), at=number)
    desk.acknowledge(alert)
    if restart:
        desk.recorder = Recorder("oak")
    (after,) = desk.happens(replace(MILD, term_id="mood-3"), at=3)
    assert (after.priority, after.state, after.reopened) == (2, AlertState.OPEN, 1)


def test_a_repeat_whose_event_is_lost_stands_for_all_of_them(desk):
    event = new_event(desk)
    desk.take(
        desk.device.tombstone(event, TombstoneReason.DAMAGED, lane=Lane.TEXT),
        desk.device.repeat(event, repeats=5),
    )
    (alert,) = desk.list()
    assert alert.events == 5


def test_a_repeat_after_a_false_alarm_opens_nothing(desk):
    event = new_event(desk)
    (alert,) = desk.take(desk.device.event(event=event))
    desk.call_false(alert)
    (after,) = desk.take(desk.device.repeat(event, repeats=5))
    assert (after.state, after.due_at, after.events) == (AlertState.FALSE_ALARM, None, 6)


def test_a_key_that_comes_again_is_as_young_as_its_last_coming(desk):
    envelope = desk.device.event()
    record = desk.checked(envelope)
    for at in (START, START + HOUR):
        again = replace(record, received_at=at)
        desk.files.keys.commit([lambda conn, again=again: desk.recorder.keys([again], conn)])[
            0
        ].result()
    rows = desk.files.keys.commit(
        [lambda conn: conn.execute(select(schema.part_keys.c.received_at)).scalars().all()]
    )[0].result()
    assert rows == [START + HOUR]


arrivals = st.lists(
    st.tuples(
        st.sampled_from(["alex", "billie"]),
        st.integers(0, 40),  # minutes
        st.sampled_from([GRAVE, MILD, replace(MILD, severity=Severity.LOW, score=10)]),
        st.sampled_from(["", "acknowledge", "false", "restart"]),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(arrivals=arrivals)
def test_whatever_the_order_an_alert_spans_ten_minutes_and_counts_its_events(
    tmp_path_factory, arrivals
):
    desk = Desk(tmp_path_factory.mktemp("desk"))
    try:
        arrive(desk, arrivals)
        alerts, events = desk.do(
            lambda conn: (
                conn.execute(select(schema.alerts)).all(),
                conn.execute(select(schema.events)).all(),
            )
        )
    finally:
        desk.files.close()
    assert len(events) == len(arrivals)
    for alert in alerts:
        its = [event for event in events if event.alert == alert.alert]
        assert alert.events == len(its)
        assert alert.first_at == min(event.matched_at for event in its)
        assert alert.last_at == max(event.matched_at for event in its)
        assert alert.last_at - alert.first_at <= Rules().group_within
        assert {event.pseudonym for event in its} == {alert.pseudonym}
        assert alert.priority == min(event.priority for event in its if event.priority)
        assert (alert.due_at is None) == (alert.state != "open")
    assert len({alert.change for alert in alerts}) == len(alerts)


def arrive(desk, arrivals):
    for number, (account, minute, finding, then) in enumerate(arrivals):
        desk.happens(finding, account=account, at=minute * MINUTE, received=HOUR + number)
        listed = desk.list()
        if then == "restart":
            desk.recorder = Recorder("oak")
        elif listed and then == "acknowledge":
            desk.acknowledge(listed[-1])
        elif listed and then == "false":
            desk.call_false(listed[0])


def test_a_database_without_its_school_is_an_error_and_no_row(desk):
    envelope = desk.device.event()
    desk.recorder = Recorder("elm")
    with pytest.raises(LookupError, match="no school elm"):
        desk.take(envelope)
    desk.recorder = Recorder("oak")
    desk.take(envelope)
    assert len(desk.list()) == 1
