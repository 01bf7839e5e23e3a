"""One alert as ingest holds it in memory, and how an event begins or joins it.

Pure: no table and no clock. A graver event sets the clock of an acknowledged alert
going again; nothing lowers what an alert already is.
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from collector.alerts import AlertRow, AlertState
from collector.ingest.check import Checked
from collector.ingest.ids import new_id
from collector.priority import Rules, Verdict, due_at
from keywords.priority import Priority
from wire.event import Finding

COLUMNS = (
    "alert, pseudonym, account_kind, category, device, room, priority, score, severity, reasons,"
    " events, first_at, last_at, opened_at, due_at, late, state, acknowledged_by,"
    " acknowledged_at, reopened, drill, change"
)
_REASONS = 12


@dataclass(slots=True)
class Differing:
    """What the events of one alert differ in: what corroborates it."""

    terms: set[tuple[str, str]] = field(default_factory=set)
    """Pack and term."""
    sources: set[int] = field(default_factory=set)

    def add(self, pack: str, term: str, source: int) -> None:
        """Count one event in."""
        self.terms.add((pack, term))
        self.sources.add(source)


@dataclass(slots=True, kw_only=True)
class Held:
    """The columns of an alert, in their order, and what its events differ in."""

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
    differing: Differing | None = None
    """None: not read yet. Few alerts that are read are joined."""

    def values(self) -> tuple[Any, ...]:
        """Give a value for each of `COLUMNS`."""
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
            _as_json(self.reasons),
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

    def row(self, school: str) -> AlertRow:
        """Give what the list shows."""
        return AlertRow(
            school=school,
            alert=self.alert,
            pseudonym=self.pseudonym,
            account_kind=self.account_kind,
            category=self.category,
            device=self.device,
            host=self.host,
            room=self.room,
            priority=self.priority,
            score=self.score,
            severity=self.severity,
            reasons=self.reasons,
            events=self.events,
            first_at=self.first_at,
            last_at=self.last_at,
            opened_at=self.opened_at,
            due_at=self.due_at,
            late=bool(self.late),
            state=AlertState(self.state),
            acknowledged_by=self.acknowledged_by,
            acknowledged_at=self.acknowledged_at,
            reopened=self.reopened,
            drill=bool(self.drill),
            change=self.change,
        )

    def join(self, record: Checked, finding: Finding, verdict: Verdict, rules: Rules) -> None:
        """Take one more event in."""
        at = record.matched_at
        if at >= self.last_at:
            self.device, self.room = record.peer.device, record.peer.room
            self.host = record.peer.host
        self.first_at = min(self.first_at, at)
        self.last_at = max(self.last_at, at)
        self.score = max(self.score, finding.score / 1000)
        self.late = self.late and verdict.late
        graver = verdict.priority is not None and (
            verdict.priority < self.priority or finding.severity > self.severity
        )
        self.severity = max(self.severity, int(finding.severity))
        if verdict.reasons != self.reasons:
            known = verdict.reasons + self.reasons if graver else self.reasons + verdict.reasons
            self.reasons = tuple(dict.fromkeys(known))[:_REASONS]
        if graver:
            assert verdict.priority is not None
            self._grow(verdict.priority, record.received_at, rules)

    def _grow(self, priority: Priority, now: int, rules: Rules) -> None:
        self.priority = min(self.priority, int(priority))
        due = due_at(Priority(self.priority), now, rules)
        if self.state == AlertState.ACKNOWLEDGED:
            self.state = AlertState.OPEN.value
            self.reopened += 1
            self.due_at = due
        elif due is not None:
            self.due_at = due if self.due_at is None else min(self.due_at, due)


def begin(record: Checked, finding: Finding, verdict: Verdict, rules: Rules) -> Held:
    """Make an alert of an event that joins none; `events` is still 0."""
    assert verdict.priority is not None
    now = record.received_at
    return Held(
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
        first_at=record.matched_at,
        last_at=record.matched_at,
        opened_at=now,
        due_at=due_at(verdict.priority, now, rules),
        late=verdict.late,
        state=AlertState.OPEN.value,
        acknowledged_by=None,
        acknowledged_at=None,
        reopened=0,
        drill=verdict.drill,
        change=0,
        host=record.peer.host,
        differing=Differing(),
    )


@lru_cache(1024)
def _as_json(reasons: tuple[str, ...]) -> str:
    return json.dumps(reasons, ensure_ascii=False)
