"""A limit on guesses: it turns away the attempt, never locks out the person."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from wire.clock import Clock

_KEYS_KEPT = 10_000


class TooManyAttemptsError(Exception):
    """Too many wrong guesses from there; `wait` seconds until the next may be made."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"too many attempts; try again in {wait} s")
        self.wait = wait


@dataclass(slots=True)
class Attempts:
    """Wrong guesses by key, in memory: at most `limit` in `window` seconds each."""

    clock: Clock
    limit: int
    window: float
    _failed: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)

    def check(self, key: str) -> None:
        """Let a guess through, or raise.

        Raises:
            TooManyAttemptsError: the key has had its guesses for now.
        """
        times = self._failed.get(key)
        if times is None:
            return
        now = self.clock.monotonic()
        while times and now - times[0] >= self.window:
            times.popleft()
        if not times:
            del self._failed[key]
        elif len(times) >= self.limit:
            raise TooManyAttemptsError(max(1, round(self.window - (now - times[0]))))

    def spend(self, key: str) -> None:
        """Count a guess before its answer is known, so that guesses made at once all count."""
        self._failed.setdefault(key, deque()).append(self.clock.monotonic())
        self._failed.move_to_end(key)
        while len(self._failed) > _KEYS_KEPT:
            self._failed.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Forget the key's wrong guesses: the right one was made."""
        self._failed.pop(key, None)
