"""Which keys may be looked at: none in a secure field, and none before that is known. Pure.

Keys pressed within `HOLD` of a Tab, an Enter, a click or a change of window wait,
since the first of a password can be faster than the news that the focus is in a
password field. Each further such key prolongs the wait, up to `LONGEST_HOLD`. If
a secure field had the focus at any time while they waited, or has it at the end,
all that waited is dropped: a program that types name, Tab, password and Enter at
once must not leave the password behind.

An application has one focus, so its last word holds for all its windows, and
holds again when one of them becomes active.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

HOLD = 0.25
"""Seconds that a key waits for the focus event."""
LONGEST_HOLD = 1.0
"""Seconds after which waiting keys are decided on, whatever follows."""
LONGEST_ASKING = 2.0
"""Seconds to wait for an application that said its focus moved, but not where to."""
_MOST_PROCESSES = 256

Item = TypeVar("Item")


class Gate(Generic[Item]):
    """Holds keys back, and drops those of secure fields. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._secure: dict[int, bool] = {}
        self._process = 0
        self._waiting: list[Item] = []
        self._until = 0.0
        self._latest = 0.0
        self._asking_until = 0.0
        self._tainted = False

    @property
    def secure(self) -> bool:
        """Whether the active window's focus is known to be in a secure field."""
        return self._secure.get(self._process, False)

    @property
    def due(self) -> float | None:
        """When to call `release`; None while nothing waits."""
        return max(self._until, self._asking_until) if self._waiting else None

    def hold(self, at: float) -> None:
        """The focus may move now: keys wait from here on."""
        if at >= self._until and not self._waiting:
            self._latest = at + LONGEST_HOLD
            self._tainted = False
        self._until = min(at + HOLD, self._latest)

    def window(self, process: int) -> None:
        """A window of this process became active."""
        self._process = process

    def moving(self, at: float, process: int) -> None:
        """The focus moved; what it moved to is being asked."""
        if self._concerns(process):
            self._asking_until = at + LONGEST_ASKING

    def focus(self, process: int, *, secure: bool) -> None:
        """The focus of a process is in such a field."""
        if len(self._secure) >= _MOST_PROCESSES:
            self._secure = {self._process: self.secure}
        self._secure[process or self._process] = secure
        # Of any process: what waits may have been typed before the window changed.
        self._tainted |= secure
        if self._concerns(process):
            self._asking_until = 0.0
            self._secure[self._process] = secure

    def admit(self, at: float, item: Item, *, moves: bool) -> bool:
        """Whether a key may be looked at now; else it waits, or is dropped.

        `moves` says that it may send the focus to another field.
        """
        waits = bool(self._waiting) or at < self._until or at < self._asking_until
        allowed = not waits and not self.secure
        if waits:
            self._waiting.append(item)
        if moves:
            self.hold(at)
        return allowed

    def release(self, now: float) -> Sequence[Item]:
        """The keys whose wait is over, without those for a secure field."""
        due = self.due
        if due is None or now < due:
            return ()
        waiting, self._waiting = self._waiting, []
        tainted, self._tainted = self._tainted or self.secure, False
        self._until = self._asking_until = 0.0
        return () if tainted else waiting

    def forget(self) -> None:
        """Drop all that waits."""
        self._waiting = []

    def _concerns(self, process: int) -> bool:
        """Whether a process's word may be about the active window; so it is where unsure."""
        return process == self._process or not process or not self._process
