"""Which field has the focus on Windows: the password style of classic edit fields.

What draws its own fields (browsers among them) has no such style: there it is not
known. Addresses of pages are not told either.
"""

# ruff: noqa: E402 - the platform is asked first, so that mypy reads this for Windows alone
import sys

assert sys.platform == "win32"

import ctypes
from ctypes import wintypes

from agent.session.sources.events import Focus
from agent.session.sources.interface import Put
from agent.session.sources.win32_events import OBJECT_FOCUS, WinEvents
from wire.clock import Clock

_GWL_STYLE = -16
_ES_PASSWORD = 0x20
_MOST_CLASS = 128


class Win32Fields:
    """Watches the focus."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: WinEvents | None = None
        self._put: Put | None = None

    def start(self, put: Put) -> None:
        """Begin. Raises BlindError."""
        self.stop()
        self._put = put
        self._events = WinEvents("fields", (OBJECT_FOCUS,), self._heard)
        self._events.start()

    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._events is not None and self._events.alive()

    def why_unknown(self) -> str:
        """Why no field is known at present."""
        return "" if self.alive() else "Windows gives no focus events"

    def refresh(self, process: int) -> None:
        """No addresses are told here."""

    def stop(self) -> None:
        """End the thread."""
        events, self._events = self._events, None
        if events is not None:
            events.stop()

    def _heard(self, _event: int, handle: int, obj: int, child: int) -> None:
        process = wintypes.DWORD()
        ctypes.windll.user32.GetWindowThreadProcessId(handle, ctypes.byref(process))
        if self._put is not None:
            field = f"{handle}/{obj}/{child}"
            at = self._clock.monotonic()
            self._put(Focus(at, process.value, field, secure(handle)))


def secure(handle: int) -> bool | None:
    """Whether a field is for passwords; None where its class does not say."""
    user32 = ctypes.windll.user32
    name = ctypes.create_unicode_buffer(_MOST_CLASS)
    user32.GetClassNameW(handle, name, _MOST_CLASS)
    if "edit" not in name.value.lower():
        return None
    return bool(user32.GetWindowLongW(handle, _GWL_STYLE) & _ES_PASSWORD)
