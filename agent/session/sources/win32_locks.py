"""When the screen is locked on Windows: the input moves to a desktop that we may not open."""

# ruff: noqa: E402 - the platform is asked first, so that mypy reads this for Windows alone
import sys

assert sys.platform == "win32"

import ctypes

from agent.session.sources.events import Lock
from agent.session.sources.interface import Put
from agent.session.sources.win32_events import DESKTOP_SWITCH, WinEvents
from wire.clock import Clock

_READ_OBJECTS = 0x0001


class Win32Locks:
    """Watches for a change of desktop: lock, unlock, the consent dialogue."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: WinEvents | None = None
        self._put: Put | None = None

    def start(self, put: Put) -> None:
        """Begin. Raises BlindError."""
        self.stop()
        self._put = put
        self._events = WinEvents("locks", (DESKTOP_SWITCH,), self._heard)
        self._events.start()

    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._events is not None and self._events.alive()

    def stop(self) -> None:
        """End the thread."""
        events, self._events = self._events, None
        if events is not None:
            events.stop()

    def _heard(self, _event: int, _handle: int, _obj: int, _child: int) -> None:
        if self._put is not None:
            self._put(Lock(self._clock.monotonic(), locked=_locked()))


def _locked() -> bool:
    user32 = ctypes.windll.user32
    desktop = user32.OpenInputDesktop(0, False, _READ_OBJECTS)  # noqa: FBT003 - Windows' own
    if not desktop:
        return True
    user32.CloseDesktop(desktop)
    return False
