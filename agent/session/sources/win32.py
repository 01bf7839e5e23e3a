"""Windows' sources. Type-checked for Windows; see the documents for what was tried there."""

# ruff: noqa: E402 - the platform is asked first, so that mypy reads this for Windows alone
import sys

assert sys.platform == "win32"

from agent.session.sources.interface import Sources
from agent.session.sources.win32_clipboard import Win32Clipboard
from agent.session.sources.win32_fields import Win32Fields
from agent.session.sources.win32_keyboard import Win32Keyboard
from agent.session.sources.win32_locks import Win32Locks
from agent.session.sources.win32_windows import Win32Windows
from wire.clock import Clock


def open_sources(clock: Clock) -> Sources:
    """Make, but do not start, the sources of this desktop."""
    return Sources(
        keyboard=Win32Keyboard(clock),
        windows=Win32Windows(clock),
        clipboard=Win32Clipboard(),
        fields=Win32Fields(clock),
        locks=Win32Locks(clock),
    )
