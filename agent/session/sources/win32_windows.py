"""The active window on Windows, told by foreground and name-change events."""

# ruff: noqa: E402 - the platform is asked first, so that mypy reads this for Windows alone
import sys

assert sys.platform == "win32"

import ctypes
from ctypes import wintypes

from agent.session.sources.events import Rectangle, Window, WindowChanged
from agent.session.sources.interface import Put
from agent.session.sources.win32_events import FOREGROUND, NAME_CHANGE, WinEvents
from wire.clock import Clock

_MOST_TITLE = 4096
_MOST_PATH = 32768
_QUERY_LIMITED = 0x1000
_FRAME_BOUNDS = 9
_OBJECT_WINDOW = 0

_Each = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)


class Win32Windows:
    """Watches the foreground window."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: WinEvents | None = None
        self._put: Put | None = None
        self._told: Window | None = None

    def start(self, put: Put) -> None:
        """Tell the foreground window and each change. Raises BlindError."""
        self.stop()
        self._put, self._told = put, None
        self._events = WinEvents("windows", (FOREGROUND, NAME_CHANGE), self._heard)
        self._events.start()
        self._tell(ctypes.windll.user32.GetForegroundWindow() or 0)

    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._events is not None and self._events.alive()

    def stop(self) -> None:
        """End the thread."""
        events, self._events = self._events, None
        if events is not None:
            events.stop()

    def rectangle(self, window: Window) -> Rectangle | None:
        """Where the window stands, with its frame."""
        return _rectangle(window.handle)

    def stacked(self, lowest: Window | None = None) -> list[tuple[Window, Rectangle]]:
        """The visible windows, lowest first; from `lowest` on, if it is one of them."""
        user32 = ctypes.windll.user32
        found: list[tuple[Window, Rectangle]] = []

        def each(handle: int, _: int) -> bool:
            if user32.IsWindowVisible(handle) and not user32.IsIconic(handle):
                rectangle = _rectangle(handle)
                if rectangle is not None and rectangle.width and rectangle.height:
                    found.append((_describe(handle), rectangle))
            return lowest is None or handle != lowest.handle

        user32.EnumWindows(_Each(each), 0)
        return found[::-1]

    def _heard(self, event: int, handle: int, obj: int, child: int) -> None:
        if event == FOREGROUND or (
            obj == _OBJECT_WINDOW
            and not child
            and self._told is not None
            and handle == self._told.handle
        ):
            self._tell(handle)

    def _tell(self, handle: int) -> None:
        window = _describe(handle) if handle else Window(0)
        if window != self._told and self._put is not None:
            self._told = window
            self._put(WindowChanged(self._clock.monotonic(), window))


def _title(handle: int) -> str:
    buffer = ctypes.create_unicode_buffer(_MOST_TITLE)
    ctypes.windll.user32.GetWindowTextW(handle, buffer, _MOST_TITLE)
    return buffer.value


def _rectangle(handle: int) -> Rectangle | None:
    place = wintypes.RECT()
    refused = ctypes.windll.dwmapi.DwmGetWindowAttribute(
        handle, _FRAME_BOUNDS, ctypes.byref(place), ctypes.sizeof(place)
    )
    if refused and not ctypes.windll.user32.GetWindowRect(handle, ctypes.byref(place)):
        return None
    return Rectangle(place.left, place.top, place.right - place.left, place.bottom - place.top)


def _describe(handle: int) -> Window:
    process = wintypes.DWORD()
    ctypes.windll.user32.GetWindowThreadProcessId(handle, ctypes.byref(process))
    path = _path(process.value)
    return Window(handle, _title(handle), path.rpartition("\\")[2], path, process.value)


def _path(process: int) -> str:
    """The program's path. psutil's name fails where only this question is allowed."""
    kernel32 = ctypes.windll.kernel32
    opened = kernel32.OpenProcess(_QUERY_LIMITED, False, process)  # noqa: FBT003 - Windows' own
    if not opened:
        return ""
    try:
        size = wintypes.DWORD(_MOST_PATH)
        buffer = ctypes.create_unicode_buffer(_MOST_PATH)
        if not kernel32.QueryFullProcessImageNameW(opened, 0, buffer, ctypes.byref(size)):
            return ""
        return buffer.value
    finally:
        kernel32.CloseHandle(opened)
