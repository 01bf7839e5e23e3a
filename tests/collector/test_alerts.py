"""How events become alerts, and what people do with them, on a real store without a network."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from collector.alerts import (
    AlertState,
    NoSuchAlert,
    acknowledge,
    changed_since,
    events_of,
    get,
    last_change,
    worst_first,
)
from collector.ingest.record import Recorder
from collector.priority import DAY, MINUTE
from collector.store import schema
from tests.collector.desk import START, Desk
from tests.collector.device import GRAVE, MILD
from wire.event import AccountKind, Severity, Source

P1_WITHIN = 5 * MINUTE


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.files.close()


def test_events_of_one_person_and_category_within_ten_minutes_are_one_alert(desk):
    for at in (0, 4 * MINUTE, 10 * MINUTE):
        desk.happens(at=at)
    (alert,) = desk.list()
    assert (alert.events, alert.first_at, alert.last_at) == (3, START, START + 10 * MINUTE)
    assert len(desk.do(lambda conn: events_of(conn, "oak", alert.alert))) == 3


@pytest.mark.parametrize(
    "other",
    [
        {"at": 10 * MINUTE + 1},
        {"at": 1, "account": "billie"},
        {"at": 1, "finding": replace(GRAVE, category="bullying")},
        {"at": 1, "finding": replace(GRAVE, source=Source.CANARY)},
    ],
    ids=["later", "another person", "another category", "a drill"],
)
def test_anything_else_is_another_alert(desk, other):
    desk.happens()
    desk.happens(**other)
    assert len(desk.list()) == 2


def test_events_that_arrive_out_of_order_are_grouped_by_the_time_of_their_match(desk):
    desk.happens(at=20 * MINUTE)
    desk.happens(at=0, received=21 * MINUTE)
    desk.happens(at=12 * MINUTE, received=22 * MINUTE)
    assert sorted(alert.events for alert in desk.list()) == [1, 2]


def test_two_sign_ins_of_a_shared_account_are_two_people(desk):
    for sign_in in ("guest@pc-1#7", "guest@pc-1#8"):
        desk.happens(account=sign_in, kind=AccountKind.SHARED)
    assert len(desk.list()) == 2


def test_a_restart_goes_on_with_the_same_alert(desk):
    desk.happens()
    desk.recorder = Recorder("oak")
    desk.happens(at=MINUTE)
    (alert,) = desk.list()
    assert alert.events == 2


def test_each_change_has_its_number_and_the_feed_gets_the_same_row(desk):
    (first,) = desk.happens()
    (second,) = desk.happens(at=1)
    assert (first.change, second.change) == (1, 2)
    assert desk.do(lambda conn: last_change(conn, "oak")) == 2
    (listed,) = desk.list()
    assert listed == replace(second, host="")
    (changed,) = desk.do(lambda conn: changed_since(conn, "oak", 1))
    assert changed == listed


def test_the_clock_of_an_alert_stops_when_somebody_takes_it_on(desk):
    (alert,) = desk.happens()
    assert alert.due_at == START + P1_WITHIN
    taken = desk.acknowledge(alert)
    assert (taken.state, taken.acknowledged_by, taken.due_at) == (
        AlertState.ACKNOWLEDGED,
        "dsl",
        None,
    )
    assert desk.acknowledge(alert) == taken


def test_more_of_the_same_leaves_an_acknowledged_alert_alone(desk):
    (alert,) = desk.happens()
    desk.acknowledge(alert)
    (after,) = desk.happens(at=MINUTE)
    assert (after.state, after.due_at, after.events) == (AlertState.ACKNOWLEDGED, None, 2)
    assert after.acknowledged_by == "dsl"


def test_a_graver_event_reopens_the_clock(desk):
    (alert,) = desk.happens(MILD)
    desk.acknowledge(alert)
    (after,) = desk.happens(GRAVE, at=MINUTE)
    assert (after.state, after.reopened, after.priority) == (AlertState.OPEN, 1, 1)
    assert after.due_at == START + MINUTE + P1_WITHIN


def test_a_milder_event_lowers_nothing(desk):
    desk.happens(GRAVE)
    (after,) = desk.happens(MILD, at=MINUTE)
    assert (after.priority, after.severity) == (1, Severity.CRITICAL)


def test_a_false_alarm_is_closed_and_takes_no_more_events(desk):
    (alert,) = desk.happens()
    assert desk.call_false(alert).state is AlertState.FALSE_ALARM
    desk.happens(at=1)
    (left,) = desk.list()
    assert left.alert != alert.alert
    assert desk.do(lambda conn: get(conn, "oak", alert.alert)).events == 1


@pytest.mark.parametrize("false", [False, True])
def test_earlier_alerts_raise_a_later_one_and_false_alarms_never(desk, false):
    for days in (1, 2):
        (earlier,) = desk.happens(GRAVE, at=days * DAY)
        if false:
            desk.call_false(earlier)
    (later,) = desk.happens(MILD, at=3 * DAY)
    assert later.priority == (3 if false else 2)
    assert any("2 serious alerts" in reason for reason in later.reasons) is not false


def test_drills_raise_nothing_and_stand_last(desk):
    canary = replace(GRAVE, source=Source.CANARY)
    for days in (1, 2, 3):
        desk.happens(canary, at=days * DAY)
    (later,) = desk.happens(MILD, at=4 * DAY)
    assert later.priority == 3
    listed = desk.list()
    assert [alert.drill for alert in listed] == [False, True, True, True]
    assert all(alert.priority == 4 and alert.due_at is None for alert in listed[1:])


def test_a_late_event_shows_its_age_and_is_no_news(desk):
    (alert,) = desk.happens(received=130 * MINUTE)
    assert alert.late
    assert alert.priority == 1
    assert alert.reasons[0] == "It was typed 2 hours before it arrived here."


def test_a_match_ahead_of_its_arrival_counts_as_now(desk):
    (alert,) = desk.happens(at=9 * DAY, received=0)
    assert alert.last_at == START


def test_worst_first(desk):
    desk.happens(MILD, account="a")
    desk.happens(GRAVE, account="b", at=1)
    (taken,) = desk.happens(GRAVE, account="c", at=2)
    desk.acknowledge(taken)
    desk.happens(GRAVE, account="d", at=3)
    order = [(alert.state.value, alert.priority, alert.last_at - START) for alert in desk.list()]
    assert order == [("open", 1, 3), ("open", 1, 1), ("open", 3, 0), ("acknowledged", 1, 2)]
    assert len(desk.list(limit=2)) == 2


def test_what_another_job_changed_is_seen_by_the_next_event(desk):
    (alert,) = desk.happens()
    desk.do(lambda conn: conn.execute(update(schema.alerts).values(state="x")) and None)
    desk.do(lambda conn: conn.execute(update(schema.alerts).values(state="open")) and None)
    desk.call_false(alert)
    (after,) = desk.happens(at=1)
    assert after.alert != alert.alert


def test_an_event_that_is_no_concern_makes_no_alert_and_is_kept(desk):
    unlikely = replace(MILD, severity=Severity.LOW, score=10)
    assert desk.happens(unlikely) == ()
    assert desk.list() == []
    (event,) = desk.do(lambda conn: conn.execute(select(schema.events)).all())
    assert (event.alert, event.priority) == (None, None)


def test_an_alert_that_is_not_there(desk):
    assert desk.do(lambda conn: get(conn, "oak", b"x" * 16)) is None
    with pytest.raises(NoSuchAlert):
        desk.do(lambda conn: acknowledge(conn, school="oak", alert=b"x" * 16, staff="dsl", now=1))


def test_an_alert_of_another_school_is_not_there(desk):
    (alert,) = desk.happens()
    assert desk.do(lambda conn: get(conn, "elm", alert.alert)) is None
    assert desk.do(lambda conn: worst_first(conn, "elm")) == []
