"""The one place where a wall clock is read, so that tests can set it."""

import time
from typing import Protocol


class Clock(Protocol):
    """What time it is, and how much has passed."""

    def now(self) -> int:
        """Microseconds since 1970 in UTC; may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds from some start; never goes back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Microseconds since 1970 in UTC."""
        return time.time_ns() // 1000  # noqa: TID251

    def monotonic(self) -> float:
        """Seconds from some start."""
        return time.monotonic()
