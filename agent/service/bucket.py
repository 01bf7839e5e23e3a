"""How fast one account may speak."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A token bucket's measure."""

    per_second: float
    burst: float


class Bucket:
    """A token bucket: it fills at a rate, up to a burst."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._level = rate.burst
        self._at = now

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take `cost`; give 0 if it was there, else the seconds until it will be."""
        passed = max(0.0, now - self._at)
        self._level = min(self._rate.burst, self._level + passed * self._rate.per_second)
        self._at = now
        if self._level >= cost:
            self._level -= cost
            return 0.0
        return (cost - self._level) / self._rate.per_second
