"""The people's recent alerts in memory: which one an event joins.

An event joins the newest alert of its person and category if both then lie within
ten minutes of each other by the time of the match, and nobody called that alert
false; otherwise it makes one.

The memory is rebuilt from the store, person by person, and kept right by the
school's change counter: whatever another job changed has a higher number. Used in
the writer's thread alone; `forget` after a commit that failed.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row

from collector.alerts import AlertRow, AlertState
from collector.ingest.check import Checked
from collector.ingest.held import COLUMNS, Differing, Held, begin
from collector.priority import DAY, Corroboration, History, Rules, is_drill, judge
from keywords.priority import Priority
from wire.event import AccountKind, Finding

_MOST_PEOPLE = 20_000
_PEOPLE = f"SELECT {COLUMNS} FROM alerts WHERE school = ? AND last_at >= ? AND pseudonym IN (%s)"  # noqa: S608 - only names of columns
_CHANGED = f"SELECT {COLUMNS} FROM alerts WHERE school = ? AND change > ?"  # noqa: S608
_ONE = f"SELECT {COLUMNS} FROM alerts WHERE school = ? AND alert = ?"  # noqa: S608
_WRITE = f"INSERT OR REPLACE INTO alerts (school, {COLUMNS}) VALUES ({', '.join('?' * 23)})"  # noqa: S608
_EVENTS = "SELECT pack, term, source FROM events WHERE school = ? AND alert = ?"
_CHANGE = "SELECT change FROM schools WHERE school = ?"
_RAISE = "UPDATE schools SET change = ? WHERE school = ?"


@dataclass(slots=True)
class _Person:
    """One person's alerts whose last event lies after `since`."""

    since: int
    alerts: dict[bytes, Held] = field(default_factory=dict)


class AlertBook:
    """The recent alerts of one school's people."""

    def __init__(self, school: str, rules: Rules) -> None:
        """Know nobody yet; people are read as they first come up."""
        self._school = school
        self._rules = rules
        self._people: OrderedDict[str, _Person] = OrderedDict()
        self._touched: dict[bytes, Held] = {}
        self._change: int | None = None

    def forget(self) -> None:
        """Drop what may not be durable; the store is asked again."""
        self._people.clear()
        self._touched.clear()
        self._change = None

    def refresh(self, conn: Connection, batch: Sequence[Checked]) -> None:
        """Take over what other jobs changed, and read the batch's people in one query.

        First in each transaction.
        """
        change = conn.exec_driver_sql(_CHANGE, (self._school,)).scalar()
        if change is None:
            raise LookupError(f"there is no school {self._school} in this database")
        if self._change is not None and change != self._change:
            for row in conn.exec_driver_sql(_CHANGED, (self._school, self._change)):
                person = self._people.get(row.pseudonym)
                if person is not None:
                    person.alerts[row.alert] = _held(row)
        self._change = change
        strangers = [
            record
            for record in batch
            if record.header.finding and record.pseudonym not in self._people
        ]
        if strangers:
            since = self._since(min(record.matched_at for record in strangers))
            self._read(conn, {record.pseudonym for record in strangers}, since)

    def add(
        self, conn: Connection, record: Checked, finding: Finding, count: int = 1
    ) -> tuple[bytes | None, Priority | None]:
        """Put an event into an alert.

        Returns:
            The alert's id, or None if the event is too unlikely a concern to make one;
            and the priority of this event.
        """
        person = self._person(conn, record)
        found = self._joinable(person, finding, record.matched_at)
        differing = Differing() if found is None else self._differing(conn, found)
        differing.add(finding.pack, finding.term_id, int(finding.source))
        verdict = judge(
            finding,
            matched_at=record.matched_at,
            received_at=record.received_at,
            account_kind=record.header.account_kind,
            history=self._history(person, found, record),
            corroboration=Corroboration(terms=len(differing.terms), sources=len(differing.sources)),
            rules=self._rules,
        )
        if found is not None:
            found.join(record, finding, verdict, self._rules)
        elif verdict.priority is None:
            return None, None
        else:
            found = begin(record, finding, verdict, self._rules)
            person.alerts[found.alert] = found
        found.differing = differing
        found.events += count
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
    ) -> None:
        """Note that something of an alert is new: its picture came, or it was repeated.

        Args:
            conn: of the job.
            record: what came.
            pseudonym: whose alert it is.
            alert: which.
            more: how many further matches it stands for, the last of them the record's.
        """
        person = self._people.get(pseudonym)
        found = person.alerts.get(alert) if person else None
        found = found or self._one(conn, alert)
        if found is not None:
            found.host = found.host or record.peer.host
            if more:
                found.events += more
                found.last_at = max(found.last_at, record.matched_at)
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
        shown = [alert.row(self._school) for alert in self._touched.values()]
        self._touched.clear()
        return shown

    def _since(self, matched_at: int) -> int:
        # A day more than is needed, so that the next, a little older, asks for nothing.
        return matched_at - self._rules.history_of - DAY

    def _person(self, conn: Connection, record: Checked) -> _Person:
        pseudonym = record.pseudonym
        person = self._people.get(pseudonym)
        if person is None or record.matched_at - self._rules.history_of < person.since:
            self._read(conn, (pseudonym,), self._since(record.matched_at))
            return self._people[pseudonym]
        self._people.move_to_end(pseudonym)
        return person

    def _read(self, conn: Connection, pseudonyms: Iterable[str], since: int) -> None:
        people = {pseudonym: _Person(since) for pseudonym in pseudonyms}
        marks = ", ".join("?" * len(people))
        for row in conn.exec_driver_sql(_PEOPLE % marks, (self._school, since, *people)):
            # What this batch already changed is not in the table yet.
            held = self._touched.get(row.alert) or _held(row)
            people[row.pseudonym].alerts[row.alert] = held
        for alert in self._touched.values():
            if alert.pseudonym in people:
                people[alert.pseudonym].alerts[alert.alert] = alert
        self._people.update(people)
        while len(self._people) > _MOST_PEOPLE:
            self._people.popitem(last=False)

    def _one(self, conn: Connection, alert: bytes) -> Held | None:
        touched = self._touched.get(alert)
        if touched is not None:
            return touched
        row = conn.exec_driver_sql(_ONE, (self._school, alert)).first()
        return _held(row) if row is not None else None

    def _differing(self, conn: Connection, alert: Held) -> Differing:
        if alert.differing is None:
            alert.differing = Differing()
            for pack, term, source in conn.exec_driver_sql(_EVENTS, (self._school, alert.alert)):
                alert.differing.add(pack, term, source)
        return alert.differing

    def _joinable(self, person: _Person, finding: Finding, matched_at: int) -> Held | None:
        drill = is_drill(finding)
        within = self._rules.group_within
        newest: Held | None = None
        for alert in person.alerts.values():
            if (
                alert.category == finding.category
                and alert.drill == drill
                and alert.state != AlertState.FALSE_ALARM
                and max(alert.last_at, matched_at) - min(alert.first_at, matched_at) <= within
                and (newest is None or alert.last_at > newest.last_at)
            ):
                newest = alert
        return newest

    def _history(self, person: _Person, found: Held | None, record: Checked) -> History:
        """Count what was before the match, whenever the match arrived."""
        if record.header.account_kind is not AccountKind.PERSON:
            return History()
        since, until = record.matched_at - self._rules.history_of, record.matched_at
        serious = 0
        for alert in person.alerts.values():
            if (
                alert is not found
                and alert.priority <= Priority.P2
                and not alert.drill
                and alert.state != AlertState.FALSE_ALARM
                and alert.first_at <= until
                and alert.last_at >= since
            ):
                serious += 1
        return History(serious=serious)


def _held(row: Row[Any]) -> Held:
    values = dict(row._mapping)  # noqa: SLF001 - the documented way to a row's names
    return Held(**values | {"reasons": tuple(json.loads(row.reasons))})
