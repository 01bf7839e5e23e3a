"""How urgent an alert is, and why, in words that a DSL reads.

A pure function: grade, the person's history, what corroborates it, the time of the
match and the school's rules go in; a verdict with its reasons comes out. The grade
alone gives the base (`keywords.priority`); the rest moves it by one step at most,
and never down: what lowers a priority is the grade's own doubt.

Rules that hold whatever the input:
- A canary is a drill: the last priority, and out of the statistics.
- A false alarm never raises a later priority (it is no part of a `History`).
- A late event keeps its priority, says its age, and is no news.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from keywords.grade import Grade
from keywords.pack import Severity
from keywords.priority import Priority, base
from keywords.reasons import words
from wire.event import AccountKind, Finding, Source

MINUTE = 60 * 1_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
CANARY = "canary"


def _due() -> dict[Priority, int | None]:
    return {
        Priority.P1: 5 * MINUTE,
        Priority.P2: HOUR,
        Priority.P3: 8 * HOUR,  # the end of the school day, until there is a timetable
        Priority.P4: None,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a school may set. Times in microseconds."""

    group_within: int = 10 * MINUTE
    """The events of one person and category in this span of time are one alert."""
    late_after: int = 15 * MINUTE
    history_of: int = 30 * DAY
    earlier_alerts: int = 2
    """So many earlier serious alerts raise a priority by one step."""
    corroborating_terms: int = 3
    """So many different terms within one alert raise its priority by one step."""
    due: dict[Priority, int | None] = field(default_factory=_due)
    """How long an alert may wait for somebody to take it on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A person's earlier alerts: no drills, no false alarms, none of a shared account."""

    serious: int = 0
    """Of the last 30 days, with priority 1 or 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corroboration:
    """What one alert's events have in common and where they differ."""

    terms: int = 1
    """Different terms."""
    sources: int = 1
    """Different sources: typed, window title, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A priority with its reasons, the weightiest first."""

    priority: Priority | None
    """None: so unlikely a concern that it makes no alert of its own."""
    reasons: tuple[str, ...]
    late: bool = False
    drill: bool = False


def is_drill(finding: Finding) -> bool:
    """Whether the finding is the phrase that proves a PC's chain."""
    return finding.source is Source.CANARY or finding.category == CANARY


def judge(
    finding: Finding,
    *,
    matched_at: int,
    received_at: int,
    account_kind: AccountKind,
    history: History,
    corroboration: Corroboration,
    rules: Rules,
) -> Verdict:
    """Give the priority of an event among the others of its alert.

    Args:
        finding: what the device signed.
        matched_at: when it was typed, by the corrected clock, µs.
        received_at: when it came in, µs.
        account_kind: a shared account has no history.
        history: the person's earlier alerts.
        corroboration: of the alert that the event joins, itself included.
        rules: the school's.
    """
    drill = is_drill(finding)
    late_by = received_at - matched_at
    late = late_by > rules.late_after
    said, because = _alone(finding.severity, finding.score, finding.reasons, finding.category)
    if drill:
        why = "A drill: the canary phrase shows that this PC's whole chain works."
        return Verdict(priority=Priority.P4, reasons=(why,), late=late, drill=True)
    reasons = list(because)
    raised = [] if said is None else _raised(account_kind, history, corroboration, rules)
    if said is not None and raised and said > Priority.P1:
        said = Priority(said - 1)
        reasons = [*raised, *reasons]
    if late:
        reasons.insert(0, f"It was typed {age(late_by)} before it arrived here.")
    return Verdict(priority=said, reasons=tuple(reasons), late=late)


def due_at(priority: Priority, now: int, rules: Rules) -> int | None:
    """When somebody must have taken the alert on; None where no clock runs."""
    within = rules.due[priority]
    return None if within is None else now + within


def age(micros: int) -> str:
    """Say a span of time as people do: '20 minutes', '3 hours', '2 days'."""
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if micros >= unit:
            count = micros // unit
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"


@lru_cache(4096)
def _alone(
    severity: int,
    thousandths: int,
    codes: tuple[str, ...],
    category: str,
) -> tuple[Priority | None, tuple[str, ...]]:
    """Give the base of a grade with its reasons in words. Few grades make most events."""
    grade = Grade(severity=Severity(severity), score=thousandths / 1000, reasons=codes)
    said, because = base(grade, category)
    return said, tuple(words(code) for code in dict.fromkeys((*because, *codes)))


def _raised(
    account_kind: AccountKind,
    history: History,
    corroboration: Corroboration,
    rules: Rules,
) -> list[str]:
    reasons = []
    if account_kind is AccountKind.PERSON and history.serious >= rules.earlier_alerts:
        reasons.append(
            f"This person had {history.serious} serious alerts within {age(rules.history_of)}.",
        )
    if corroboration.terms >= rules.corroborating_terms:
        reasons.append(
            f"{corroboration.terms} different terms were found within "
            f"{age(rules.group_within)} of each other.",
        )
    return reasons
