"""A thread that waits for the accessibility events that Windows gives to every program."""

# ruff: noqa: E402 - the platform is asked first, so that mypy reads this for Windows alone
import sys

assert sys.platform == "win32"

import ctypes
import threading
from collections.abc import Callable, Sequence
from ctypes import wintypes

from agent.session.sources.events import BlindError
from wire.event import GapReason

FOREGROUND = 0x0003
DESKTOP_SWITCH = 0x0020
OBJECT_FOCUS = 0x8005
NAME_CHANGE = 0x800C

_OUT_OF_CONTEXT = 0
_WM_QUIT = 0x0012
_STARTED_WITHIN = 5.0

_Callback = ctypes.WINFUNCTYPE(
    None,
    wintypes.HANDLE,
    wintypes.DWORD,
    wintypes.HWND,
    wintypes.LONG,
    wintypes.LONG,
    wintypes.DWORD,
    wintypes.DWORD,
)

Heard = Callable[[int, int, int, int], None]
"""Event, window, object and child."""


class WinEvents:
    """Calls `heard` in its own thread for each of `events`, until `stop`."""

    def __init__(self, name: str, events: Sequence[int], heard: Heard) -> None:
        self._events = events
        self._heard = heard
        self._ready = threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin. Raises BlindError where Windows refuses."""
        self._thread.start()
        self._ready.wait(_STARTED_WITHIN)
        if self._failed or not self._ready.is_set():
            raise BlindError(GapReason.NO_PERMISSION, "Windows gives no events to this session")

    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the thread."""
        if self._thread.ident is not None and self._thread.is_alive():
            ctypes.windll.user32.PostThreadMessageW(self._thread.ident, _WM_QUIT, 0, 0)
            if self._thread is not threading.current_thread():
                self._thread.join(2)

    def _run(self) -> None:
        user32 = ctypes.windll.user32

        def called(
            _hook: int, event: int, window: int, obj: int, child: int, _thread: int, _time: int
        ) -> None:
            self._heard(event, window or 0, obj, child)

        callback = _Callback(called)
        hooks = [
            user32.SetWinEventHook(event, event, None, callback, 0, 0, _OUT_OF_CONTEXT)
            for event in self._events
        ]
        self._failed = not all(hooks)
        message = wintypes.MSG()
        user32.PeekMessageW(ctypes.byref(message), None, 0, 0, 0)  # makes the thread's queue
        self._ready.set()
        if not self._failed:
            while user32.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
                user32.DispatchMessageW(ctypes.byref(message))
        for hook in hooks:
            if hook:
                user32.UnhookWinEvent(hook)
