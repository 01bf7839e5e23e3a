"""The base priority of a grade, with reasons: pure. The collector adds history and policy."""

from enum import IntEnum

from keywords.grade import Grade
from keywords.pack import Severity


class Priority(IntEnum):
    """How soon the DSL should look."""

    P1 = 1
    """Now."""
    P2 = 2
    """This hour."""
    P3 = 3
    """Today."""
    P4 = 4
    """In the weekly digest."""


LIFE = frozenset({"suicide", "self_harm", "distress", "grooming", "violence", "weapons"})
"""Categories in which a life or a child's safety may be in danger now."""
NOW = frozenset({"first_person", "imminent", "underway", "victim", "threat", "goodbye"})
"""One of these must hold for P1: words alone never page anyone."""
DOUBTED = "reads_as_ordinary"
"""The ranker's word that the sentence is more likely a harmless one. Then nothing is urgent by its
words alone: danger to life is looked at within the hour, what is grave today, the rest weekly."""
CANARY = "canary"

P1_FROM = 0.87
P2_FROM = 0.66
P3_FROM = 0.42
P4_FROM = 0.12


def base(grade: Grade, category: str) -> tuple[Priority | None, tuple[str, ...]]:
    """The priority that a grade has by itself, and why; none if a concern is unlikely."""
    severity, score = grade.severity, grade.score
    if category == CANARY:
        return Priority.P4, ("canary",)
    critical = severity is Severity.CRITICAL and score >= P1_FROM
    doubted = DOUBTED in grade.reasons
    if critical and category in LIFE and not NOW.isdisjoint(grade.reasons):
        return (Priority.P2, ("grave",)) if doubted else (Priority.P1, ("danger_to_life",))
    if severity >= Severity.HIGH and score >= P2_FROM and not doubted:
        return Priority.P2, ("grave",)
    if severity >= (Severity.HIGH if doubted else Severity.MEDIUM) and score >= P3_FROM:
        return Priority.P3, ("serious" if severity is Severity.MEDIUM else "not_sure",)
    if score >= P4_FROM:
        return Priority.P4, ("weekly_digest",)
    return None, ("too_unsure",)
