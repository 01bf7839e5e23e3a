"""Repeats of one term in one window within a minute become one count. Pure."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from wire.event import Finding, Source

WITHIN = 60.0
"""Seconds after a finding in which its repeats are only counted."""
_MOST_OPEN = 500


class Subject(NamedTuple):
    """What is folded together."""

    window: tuple[int, int]
    source: Source
    pack: str
    term: str


@dataclass(frozen=True, slots=True)
class Repeats:
    """One event's repeats: how many further ones, and when the last was."""

    event: bytes
    finding: Finding
    count: int
    last_at: int
    """Microseconds since 1970."""
    until: float


class Fold:
    """The findings of the last minute."""

    def __init__(self) -> None:
        self._open: dict[Subject, Repeats] = {}

    @property
    def due(self) -> float | None:
        """When the oldest minute ends (monotonic seconds), None without any."""
        first = next(iter(self._open.values()), None)
        return None if first is None else first.until

    def repeated(self, subject: Subject, finding: Finding, at: int) -> bool:
        """Count a finding if it is a repeat; False where it must be told by itself.

        A graver one than the first is never only counted.
        """
        known = self._open.get(subject)
        if known is None or finding.severity > known.finding.severity:
            return False
        self._open[subject] = replace(known, count=known.count + 1, last_at=at)
        return True

    def open(self, subject: Subject, event: bytes, finding: Finding, now: float) -> list[Repeats]:
        """A finding was told: count its repeats from now on. Returns what that ended."""
        ended = self._open.pop(subject, None)
        self._open[subject] = Repeats(event, finding, 0, 0, now + WITHIN)
        told = [] if ended is None or not ended.count else [ended]
        if len(self._open) > _MOST_OPEN:
            oldest = self._open.pop(next(iter(self._open)))
            told += [oldest] if oldest.count else []
        return told

    def ended(self, now: float) -> list[Repeats]:
        """The events whose minute is over and that were repeated."""
        over = [subject for subject, known in self._open.items() if known.until <= now]
        popped = [self._open.pop(subject) for subject in over]
        return [known for known in popped if known.count]

    def flush(self) -> list[Repeats]:
        """All that were repeated, at the end or at a lock."""
        return self.ended(float("inf"))
