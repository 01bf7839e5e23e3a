"""The people's recent alerts in memory, and how an event joins or makes one.

An event joins the newest alert of its person and category if both then lie within
ten minutes of each other by the time of the match, and nobody called that alert
false; otherwise it makes one. A graver event sets the clock of an acknowledged
alert going again.

The memory is rebuilt from the store, person by person, and kept right by the
school's change counter: whatever another job changed has a higher number. Used in
the writer's thread alone; `forget` after a commit that failed.
"""

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row
from wire.event import Finding

from collector.alerts import AlertRow, AlertState
from collector.ingest.check import Checked
from collector.ingest.ids import new_id
from collector.priority import Corroboration, History, Rules, Verdict, due_at, is_drill, judge
from keywords.priority import Priority

_MOST_PEOPLE = 20_000
_REASONS = 12
_COLUMNS = (
    "alert, pseudonym, account_kind, category, device, room, priority, score, severity, reasons,"
    " events, first_at, last_at, opened_at, due_at, late, state, acknowledged_by,"
    " acknowledged_at, reopened, drill, change"
)
_PERSON = f"SELECT {_COLUMNS} FROM alerts WHERE school = ? AND pseudonym = ? AND last_at >= ?"  # noqa: S608 - only names of columns
_CHANGED = f"SELECT {_COLUMNS} FROM alerts WHERE school = ? AND change > ?"  # noqa: S608
_EVENTS = "SELECT term, pack, source FROM events WHERE school = ? AND alert = ?"
_CHANGE = "SELECT change FROM schools WHERE school = ?"
_RAISE = "UPDATE schools SET change = ? WHERE school = ?"
_WRITE = f"INSERT OR REPLACE INTO alerts (school, {_COLUMNS}) VALUES ({', '.join('?' * 23)})"  # noqa: S608
_ONE = f"SELECT {_COLUMNS} FROM alerts WHERE school = ? AND alert = ?"  # noqa: S608


@dataclass(slots=True, kw_only=True)
class _Alert:
    """One alert as this memory holds it: the columns, and what its events differ in."""

    alert: bytes
    pseudonym: str
    account_kind: int
    category: str
    device: str
    room: str
    priority: int
    score: float
    severity: int
    reasons: tuple[str, ...]
    events: int
    first_at: int
    last_at: int
    opened_at: int
    due_at: int | None
    late: bool
    state: str
    acknowledged_by: str | None
    acknowledged_at: int | None
    reopened: int
    drill: bool
    change: int
    host: str = ""
    terms: set[tuple[str, str]] = field(default_factory=set)
    sources: set[int] = field(default_factory=set)

    def values(self) -> tuple[Any, ...]:
        return (
            self.alert,
            self.pseudonym,
            self.account_kind,
            self.category,
            self.device,
            self.room,
            self.priority,
            self.score,
            self.severity,
            json.dumps(self.reasons, ensure_ascii=False),
            self.events,
            self.first_at,
            self.last_at,
            self.opened_at,
            self.due_at,
            self.late,
            self.state,
            self.acknowledged_by,
            self.acknowledged_at,
            self.reopened,
            self.drill,
            self.change,
        )


class AlertBook:
    """The recent alerts of one school's people."""

    def __init__(self, school: str, rules: Rules) -> None:
        """Know nobody yet; people are read as they first come up."""
        self._school = school
        self._rules = rules
        self._people: OrderedDict[str, dict[bytes, _Alert]] = OrderedDict()
        self._touched: dict[bytes, _Alert] = {}
        self._change: int | None = None

    def forget(self) -> None:
        """Drop what may not be durable; the store is asked again."""
        self._people.clear()
        self._touched.clear()
        self._change = None

    def refresh(self, conn: Connection) -> None:
        """Take over what other jobs changed since the last time. First in each transaction."""
        change = conn.exec_driver_sql(_CHANGE, (self._school,)).scalar()
        if change is None:
            raise LookupError(f"there is no school {self._school} in this database")
        if self._change is not None and change != self._change:
            for row in conn.exec_driver_sql(_CHANGED, (self._school, self._change)):
                person = self._people.get(row.pseudonym)
                if person is not None:
                    person[row.alert] = self._loaded(conn, row)
        self._change = change

    def add(
        self, conn: Connection, record: Checked, finding: Finding, matched_at: int, count: int = 1
    ) -> tuple[bytes | None, Priority | None]:
        """Put an event into an alert.

        Returns:
            The alert's id, or None if the event is too unlikely a concern to make one;
            and the priority of this event.
        """
        person = self._person(conn, record)
        found = self._joinable(person, finding, matched_at)
        term = (finding.pack, finding.term_id)
        terms, sources = (found.terms, found.sources) if found else (set(), set())
        terms.add(term)
        sources.add(int(finding.source))
        verdict = judge(
            finding,
            matched_at=matched_at,
            received_at=record.received_at,
            account_kind=record.header.account_kind,
            history=self._history(person, found, record),
            corroboration=Corroboration(terms=len(terms), sources=len(sources)),
            rules=self._rules,
        )
        if found is None and verdict.priority is None:
            return None, None
        if found is None:
            found = self._new(record, finding, matched_at, verdict)
            person[found.alert] = found
        else:
            self._join(found, record, finding, matched_at, verdict)
        found.events += count
        found.terms, found.sources = terms, sources
        self._touched[found.alert] = found
        return found.alert, verdict.priority

    def touch(
        self,
        conn: Connection,
        record: Checked,
        pseudonym: str,
        alert: bytes,
        *,
        more: int = 0,
        at: int = 0,
    ) -> None:
        """Note that something of an alert is new: its picture came, or it was repeated.

        Args:
            conn: of the job.
            record: what came.
            pseudonym: whose alert it is.
            alert: which.
            more: how many further matches it stands for.
            at: when the last of them was, µs.
        """
        found = self._people.get(pseudonym, {}).get(alert) or self._one(conn, alert)
        if found is not None:
            found.host = found.host or record.peer.host
            found.events += more
            found.last_at = max(found.last_at, at)
            self._touched[alert] = found

    def write(self, conn: Connection) -> list[AlertRow]:
        """Number and write what changed; give it for the feed, to be shown once it is durable."""
        if not self._touched:
            return []
        assert self._change is not None
        for alert in self._touched.values():
            self._change += 1
            alert.change = self._change
        rows = [(self._school, *alert.values()) for alert in self._touched.values()]
        conn.exec_driver_sql(_WRITE, rows)
        conn.exec_driver_sql(_RAISE, (self._change, self._school))
        shown = [self._row(alert) for alert in self._touched.values()]
        self._touched.clear()
        return shown

    def _person(self, conn: Connection, record: Checked) -> dict[bytes, _Alert]:
        pseudonym = record.pseudonym
        person = self._people.get(pseudonym)
        if person is None:
            since = record.received_at - self._rules.history_of
            rows = conn.exec_driver_sql(_PERSON, (self._school, pseudonym, since)).all()
            person = {row.alert: self._loaded(conn, row) for row in rows}
            self._people[pseudonym] = person
            if len(self._people) > _MOST_PEOPLE:
                self._people.popitem(last=False)
        else:
            self._people.move_to_end(pseudonym)
        return person

    def _one(self, conn: Connection, alert: bytes) -> _Alert | None:
        touched = self._touched.get(alert)
        if touched is not None:
            return touched
        row = conn.exec_driver_sql(_ONE, (self._school, alert)).first()
        return self._loaded(conn, row) if row is not None else None

    def _loaded(self, conn: Connection, row: Row[Any]) -> _Alert:
        loaded = _Alert(**dict(row._mapping) | {"reasons": tuple(json.loads(row.reasons))})  # noqa: SLF001 - the documented way
        if loaded.state != AlertState.FALSE_ALARM:
            for term, pack, source in conn.exec_driver_sql(_EVENTS, (self._school, row.alert)):
                loaded.terms.add((pack, term))
                loaded.sources.add(source)
        return loaded

    def _joinable(
        self, person: dict[bytes, _Alert], finding: Finding, matched_at: int
    ) -> _Alert | None:
        drill = is_drill(finding)
        within = self._rules.group_within
        for alert in reversed(person.values()):
            if (
                alert.category == finding.category
                and alert.drill == drill
                and alert.state != AlertState.FALSE_ALARM
                and max(alert.last_at, matched_at) - min(alert.first_at, matched_at) <= within
            ):
                return alert
        return None

    def _history(
        self, person: dict[bytes, _Alert], found: _Alert | None, record: Checked
    ) -> History:
        since = record.received_at - self._rules.history_of
        return History(
            serious=sum(
                1
                for alert in person.values()
                if alert is not found
                and not alert.drill
                and alert.state != AlertState.FALSE_ALARM
                and alert.priority <= Priority.P2
                and alert.last_at >= since
            ),
        )

    def _new(self, record: Checked, finding: Finding, matched_at: int, verdict: Verdict) -> _Alert:
        assert verdict.priority is not None
        now = record.received_at
        return _Alert(
            alert=new_id(now),
            pseudonym=record.pseudonym,
            account_kind=int(record.header.account_kind),
            category=finding.category,
            device=record.peer.device,
            room=record.peer.room,
            priority=int(verdict.priority),
            score=finding.score / 1000,
            severity=int(finding.severity),
            reasons=verdict.reasons[:_REASONS],
            events=0,
            first_at=matched_at,
            last_at=matched_at,
            opened_at=now,
            due_at=due_at(verdict.priority, now, self._rules),
            late=verdict.late,
            state=AlertState.OPEN.value,
            acknowledged_by=None,
            acknowledged_at=None,
            reopened=0,
            drill=verdict.drill,
            change=0,
            host=record.peer.host,
        )

    def _join(
        self,
        alert: _Alert,
        record: Checked,
        finding: Finding,
        matched_at: int,
        verdict: Verdict,
    ) -> None:
        now = record.received_at
        if matched_at >= alert.last_at:
            alert.device, alert.room = record.peer.device, record.peer.room
            alert.host = record.peer.host
        alert.first_at = min(alert.first_at, matched_at)
        alert.last_at = max(alert.last_at, matched_at)
        alert.score = max(alert.score, finding.score / 1000)
        alert.late = alert.late and verdict.late
        graver = verdict.priority is not None and (
            verdict.priority < alert.priority or finding.severity > alert.severity
        )
        alert.severity = max(alert.severity, int(finding.severity))
        if verdict.reasons != alert.reasons:
            known = verdict.reasons + alert.reasons if graver else alert.reasons + verdict.reasons
            alert.reasons = tuple(dict.fromkeys(known))[:_REASONS]
        if not graver:
            return
        assert verdict.priority is not None
        alert.priority = min(alert.priority, int(verdict.priority))
        due = due_at(Priority(alert.priority), now, self._rules)
        if alert.state == AlertState.ACKNOWLEDGED:
            alert.state = AlertState.OPEN.value
            alert.reopened += 1
            alert.due_at = due
        elif due is not None:
            alert.due_at = due if alert.due_at is None else min(alert.due_at, due)

    def _row(self, alert: _Alert) -> AlertRow:
        return AlertRow(
            school=self._school,
            alert=alert.alert,
            pseudonym=alert.pseudonym,
            account_kind=alert.account_kind,
            category=alert.category,
            device=alert.device,
            host=alert.host,
            room=alert.room,
            priority=alert.priority,
            score=alert.score,
            severity=alert.severity,
            reasons=alert.reasons,
            events=alert.events,
            first_at=alert.first_at,
            last_at=alert.last_at,
            opened_at=alert.opened_at,
            due_at=alert.due_at,
            late=bool(alert.late),
            state=AlertState(alert.state),
            acknowledged_by=alert.acknowledged_by,
            acknowledged_at=alert.acknowledged_at,
            reopened=alert.reopened,
            drill=bool(alert.drill),
            change=alert.change,
        )
