"""The clipboard on Windows, with the flags by which a password manager says not to keep it."""

# ruff: noqa: E402 - the platform is asked first, so that mypy reads this for Windows alone
import sys

assert sys.platform == "win32"

import ctypes
import time

from agent.session.sources.events import Pasted

NOT_TO_KEEP = "copied from a password manager that says not to keep it"
BUSY = "the clipboard was in use"
NO_TEXT = "the clipboard held no text"

_UNICODE_TEXT = 13
_TRIES = 5
_BETWEEN = 0.02
_EXCLUDED = ("ExcludeClipboardContentFromMonitorProcessing", "Clipboard Viewer Ignore")
_HISTORY = "CanIncludeInClipboardHistory"


class Win32Clipboard:
    """Reads the clipboard."""

    def read(self) -> Pasted:
        """The clipboard's text, or why there is none."""
        user32 = ctypes.windll.user32
        for attempt in range(_TRIES):
            if user32.OpenClipboard(None):
                break
            if attempt == _TRIES - 1:
                return Pasted(withheld_because=BUSY)
            time.sleep(_BETWEEN)
        try:
            return _read()
        finally:
            user32.CloseClipboard()

    def close(self) -> None:
        """Nothing is kept open."""


def _read() -> Pasted:
    user32 = ctypes.windll.user32
    for name in _EXCLUDED:
        if user32.IsClipboardFormatAvailable(user32.RegisterClipboardFormatW(name)):
            return Pasted(withheld_because=NOT_TO_KEEP)
    history = user32.RegisterClipboardFormatW(_HISTORY)
    if user32.IsClipboardFormatAvailable(history):
        allowed = _bytes(history, 4)
        if allowed is not None and not any(allowed):
            return Pasted(withheld_because=NOT_TO_KEEP)
    text = _text()
    return Pasted(withheld_because=NO_TEXT) if text is None else Pasted(text=text)


def _locked(form: int) -> tuple[int, int]:
    """The global memory of a format and where it lies; zeros where there is none."""
    user32, kernel32 = ctypes.windll.user32, ctypes.windll.kernel32
    user32.GetClipboardData.restype = ctypes.c_void_p
    kernel32.GlobalLock.restype = ctypes.c_void_p
    kernel32.GlobalLock.argtypes = kernel32.GlobalUnlock.argtypes = [ctypes.c_void_p]
    memory = user32.GetClipboardData(form)
    return (memory or 0, kernel32.GlobalLock(memory) or 0) if memory else (0, 0)


def _bytes(form: int, size: int) -> bytes | None:
    memory, place = _locked(form)
    if not place:
        return None
    try:
        return ctypes.string_at(place, size)
    finally:
        ctypes.windll.kernel32.GlobalUnlock(memory)


def _text() -> str | None:
    memory, place = _locked(_UNICODE_TEXT)
    if not place:
        return None
    try:
        return ctypes.wstring_at(place)
    finally:
        ctypes.windll.kernel32.GlobalUnlock(memory)
