"""Alerts as the desk reads and acknowledges them.

An **alert** is the events of one person about one category within ten minutes.
Every change of one raises the school's change counter in the same transaction and
takes the new number, so that the order of the numbers is the order of the commits.
All functions here take the connection of `store.read` or `store.write`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, case, select, update

from collector.errors import CollectorError
from collector.store import schema


class AlertState(StrEnum):
    """Whether somebody has taken an alert on."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    FALSE_ALARM = "false_alarm"


class NoSuchAlert(CollectorError):
    """This school has no alert of that id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """What the list shows of an alert. No name and no typed word."""

    school: str
    alert: bytes
    """UUIDv7."""
    pseudonym: str
    account_kind: int
    category: str
    device: str
    """Of its newest event, as are host and room."""
    host: str
    room: str
    priority: int
    """1 now, 2 this hour, 3 today, 4 weekly."""
    score: float
    """0 to 1, the highest of its events."""
    severity: int
    reasons: tuple[str, ...]
    """In plain words, the weightiest first."""
    events: int
    """How many matches it stands for, repeats included."""
    first_at: int
    last_at: int
    opened_at: int
    due_at: int | None
    late: bool
    """It arrived too long after its match to be news."""
    state: AlertState
    acknowledged_by: str | None
    acknowledged_at: int | None
    reopened: int
    """How often something graver came after an acknowledgement."""
    drill: bool
    change: int

    @property
    def text(self) -> str:
        """The alert's id as it stands in addresses and logs."""
        return str(UUID(bytes=self.alert))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """What a device said, signed, about one match. No name and no typed word."""

    event: bytes
    device: str
    matched_at: int
    """By the agent's clock, corrected by `clock_offset`."""
    clock_offset: int
    """Collector minus agent, µs."""
    received_at: int
    source: int
    category: str
    severity: int
    score: int
    """Thousandths."""
    reasons: tuple[str, ...]
    """Codes of `keywords.reasons`."""
    pack: str
    pack_version: int
    term: str
    repeats: int
    picture: str
    """follows, here, by_policy, failed, shed, damaged, missing"""
    priority: int | None


LISTED: int = 200
"""How many alerts the list shows at most, the worst."""


def worst_first(
    conn: Connection,
    school: str,
    *,
    limit: int = LISTED,
    states: Sequence[AlertState] = (AlertState.OPEN, AlertState.ACKNOWLEDGED),
) -> list[AlertRow]:
    """Give the alerts as the list shows them: open, grave and new ones on top, drills last."""
    alerts = schema.alerts.c
    query = (
        _alerts()
        .where(alerts.school == school, alerts.state.in_(states))
        .order_by(
            alerts.drill,
            case((alerts.state == AlertState.OPEN, 0), else_=1),
            alerts.priority,
            alerts.late,
            alerts.last_at.desc(),
            alerts.alert,
        )
        .limit(limit)
    )
    return [_alert(row) for row in conn.execute(query)]


def get(conn: Connection, school: str, alert: bytes) -> AlertRow | None:
    """Give one alert, or None if this school has none of that id."""
    alerts = schema.alerts.c
    row = conn.execute(_alerts().where(alerts.school == school, alerts.alert == alert)).first()
    return _alert(row) if row is not None else None


def changed_since(
    conn: Connection, school: str, change: int, *, limit: int = 500
) -> list[AlertRow]:
    """Give the alerts changed after a number, in the order of their changes."""
    alerts = schema.alerts.c
    query = (
        _alerts()
        .where(alerts.school == school, alerts.change > change)
        .order_by(alerts.change)
        .limit(limit)
    )
    return [_alert(row) for row in conn.execute(query)]


def last_change(conn: Connection, school: str) -> int:
    """Give the number of the school's latest change; 0 before the first."""
    schools = schema.schools.c
    return conn.scalar(select(schools.change).where(schools.school == school)) or 0


def events_of(conn: Connection, school: str, alert: bytes, *, limit: int = 500) -> list[EventRow]:
    """Give an alert's events, the newest first."""
    events = schema.events
    query = (
        select(events)
        .where(events.c.school == school, events.c.alert == alert)
        .order_by(events.c.matched_at.desc(), events.c.event)
        .limit(limit)
    )
    return [_event(row) for row in conn.execute(query)]


def event(conn: Connection, school: str, event_id: bytes) -> EventRow | None:
    """Give one event, or None if this school has none of that id."""
    events = schema.events
    query = select(events).where(events.c.school == school, events.c.event == event_id)
    row = conn.execute(query).first()
    return _event(row) if row is not None else None


def raise_change(conn: Connection, school: str, by: int = 1) -> int:
    """Raise the school's change counter and give its new value; for a job that writes."""
    schools = schema.schools
    row = conn.execute(
        update(schools)
        .where(schools.c.school == school)
        .values(change=schools.c.change + by)
        .returning(schools.c.change),
    ).one()
    return int(row.change)


def acknowledge(conn: Connection, *, school: str, alert: bytes, staff: str, now: int) -> AlertRow:
    """Note who has taken the alert on; its clock stops. A second one changes nothing.

    Raises:
        NoSuchAlert: this school has none of that id.
    """
    found = _must(conn, school, alert)
    if found.state is not AlertState.OPEN:
        return found
    return _change(
        conn,
        found,
        state=AlertState.ACKNOWLEDGED,
        acknowledged_by=staff,
        acknowledged_at=now,
        due_at=None,
    )


def call_false(conn: Connection, *, school: str, alert: bytes, staff: str, now: int) -> AlertRow:
    """Note that the alert was a false alarm; it never weighs on a later priority.

    The one who says so is named from then on; the audit log knows who took it on before.

    Raises:
        NoSuchAlert: this school has none of that id.
    """
    found = _must(conn, school, alert)
    if found.state is AlertState.FALSE_ALARM:
        return found
    return _change(
        conn,
        found,
        state=AlertState.FALSE_ALARM,
        acknowledged_by=staff,
        acknowledged_at=now,
        due_at=None,
    )


def _must(conn: Connection, school: str, alert: bytes) -> AlertRow:
    found = get(conn, school, alert)
    if found is None:
        raise NoSuchAlert(f"there is no alert {alert.hex()} in this school")
    return found


def _change(conn: Connection, found: AlertRow, **values: Any) -> AlertRow:
    alerts = schema.alerts
    change = raise_change(conn, found.school)
    conn.execute(
        update(alerts)
        .where(alerts.c.school == found.school, alerts.c.alert == found.alert)
        .values(change=change, **values),
    )
    return _must(conn, found.school, found.alert)


def _alerts() -> Select[Any]:
    alerts, devices = schema.alerts, schema.devices
    known = (devices.c.school == alerts.c.school) & (devices.c.device == alerts.c.device)
    return select(alerts, devices.c.name.label("host")).select_from(
        alerts.outerjoin(devices, known),
    )


def _alert(row: Row[Any]) -> AlertRow:
    values = dict(row._mapping)  # noqa: SLF001 - the documented way to a row's names
    return AlertRow(
        **values
        | {
            "host": values["host"] or "",
            "reasons": tuple(json.loads(values["reasons"])),
            "state": AlertState(values["state"]),
        },
    )


def _event(row: Row[Any]) -> EventRow:
    values = dict(row._mapping)  # noqa: SLF001
    for not_shown in ("school", "alert", "pseudonym"):
        del values[not_shown]
    return EventRow(**values | {"reasons": tuple(json.loads(values["reasons"]))})
