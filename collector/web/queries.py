"""What the pages read that no other room does: the past of a person, warnings, counts."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from collector.alerts import AlertState
from collector.store import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier alert of the same person."""

    alert: bytes
    category: str
    priority: int
    state: str
    last_at: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """What does not add up, with device and exact numbers."""

    warning: bytes
    device: str
    name: str
    room: str
    at: int
    kind: str
    words: str
    lane: int | None
    first: int | None
    last: int | None
    seen_by: str | None
    seen_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a PC is."""

    device: str
    name: str
    room: str
    state: str
    last_seen_at: int | None
    agent_version: str | None
    policy_version: int | None
    policy_problem: str | None
    clock_offset: int | None
    spool_records: int | None
    spool_bytes: int | None
    quarantined: int | None
    hook_alive: bool | None
    blind: int | None


def earlier(
    conn: Connection, school: str, pseudonym: str, alert: bytes, limit: int = 20
) -> list[Earlier]:
    """The person's other alerts, newest first."""
    table = schema.alerts.c
    rows = conn.execute(
        select(
            table.alert,
            table.category,
            table.priority,
            table.state,
            table.last_at,
            table.events,
        )
        .where(table.school == school, table.pseudonym == pseudonym, table.alert != alert)
        .order_by(table.last_at.desc())
        .limit(limit)
    )
    return [Earlier(**row._mapping) for row in rows]  # noqa: SLF001 (its documented name)


def listed(conn: Connection, school: str) -> int:
    """How many alerts belong on the list, shown or not."""
    table = schema.alerts.c
    query = select(func.count()).where(
        table.school == school, table.state.in_((AlertState.OPEN, AlertState.ACKNOWLEDGED))
    )
    return conn.execute(query).scalar_one()


def warnings(conn: Connection, school: str, limit: int = 100) -> list[Warned]:
    """The integrity warnings, those that nobody has seen to first."""
    warned, devices = schema.warnings, schema.devices
    rows = conn.execute(
        select(
            warned.c.warning,
            warned.c.device,
            func.coalesce(devices.c.name, warned.c.device).label("name"),
            func.coalesce(devices.c.room, "").label("room"),
            warned.c.at,
            warned.c.kind,
            warned.c.words,
            warned.c.lane,
            warned.c.first,
            warned.c.last,
            warned.c.seen_by,
            warned.c.seen_at,
        )
        .select_from(
            warned.outerjoin(
                devices,
                (devices.c.school == warned.c.school) & (devices.c.device == warned.c.device),
            )
        )
        .where(warned.c.school == school)
        .order_by(warned.c.seen_at.is_not(None), warned.c.at.desc())
        .limit(limit)
    )
    return [Warned(**row._mapping) for row in rows]  # noqa: SLF001


def see_warning(conn: Connection, school: str, warning: bytes, staff: str, now: int) -> bool:
    """Somebody sees to a warning; whether there was one that nobody had seen to."""
    table = schema.warnings
    return bool(
        conn.execute(
            update(table)
            .where(table.c.school == school, table.c.warning == warning, table.c.seen_at.is_(None))
            .values(seen_by=staff, seen_at=now)
        ).rowcount
    )


def health(conn: Connection, school: str) -> list[Health]:
    """Every PC that is not denied, by room and name."""
    table = schema.devices.c
    fields = [table[name] for name in Health.__dataclass_fields__]
    rows = conn.execute(
        select(*fields)
        .where(table.school == school, table.state != "denied")
        .order_by(table.room, table.name)
    )
    return [Health(**row._mapping) for row in rows]  # noqa: SLF001


def counts(conn: Connection, school: str, since: int) -> Mapping[tuple[str, int], int]:
    """How many alerts since a time, by category and priority; drills and false alarms left out."""
    table = schema.alerts.c
    rows = conn.execute(
        select(table.category, table.priority, func.count().label("alerts"))
        .where(
            table.school == school,
            table.last_at >= since,
            table.drill.is_(False),
            table.state != "false_alarm",
        )
        .group_by(table.category, table.priority)
    )
    return {(row.category, row.priority): row.alerts for row in rows}
