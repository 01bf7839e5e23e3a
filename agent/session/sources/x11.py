"""X11's sources, and why there may be none: no display, Wayland, no permission."""

import os
from typing import Any

from agent.session.sources.events import BlindError
from agent.session.sources.interface import Sources
from wire.clock import Clock
from wire.event import GapReason


def connect() -> Any:
    """Open the display that the environment names, for one thread.

    Raises:
        BlindError: there is none, or it refuses.
    """
    from Xlib import error  # noqa: PLC0415 - late, as all of X
    from Xlib.display import Display  # noqa: PLC0415

    if not os.environ.get("DISPLAY"):
        if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
            raise BlindError(GapReason.WAYLAND, "Wayland gives no way to watch")
        raise BlindError(GapReason.NO_DISPLAY, "no display")
    try:
        return Display()
    except error.DisplayConnectionError as refused:
        if "uthoriz" in str(refused) or "o protocol specified" in str(refused):
            raise BlindError(GapReason.NO_PERMISSION, "the display refuses us") from refused
        raise BlindError(GapReason.NO_DISPLAY, "the display cannot be reached") from refused
    except (error.DisplayError, OSError) as absent:
        raise BlindError(GapReason.NO_DISPLAY, "the display cannot be reached") from absent


def open_sources(clock: Clock) -> Sources:
    """Make, but do not start, the sources of the display in the environment.

    Raises:
        BlindError: there is no display, it refuses, or Wayland is in its place.
    """
    display = connect()
    try:
        if display.query_extension("XWAYLAND") is not None:
            # Native Wayland windows never reach this server: half a view is none.
            raise BlindError(GapReason.WAYLAND, "Wayland gives no way to watch its windows")
        if display.query_extension("RECORD") is None:
            raise BlindError(GapReason.NO_PERMISSION, "the display has no RECORD extension")
    finally:
        display.close()
    return _sources(clock)


def _sources(clock: Clock) -> Sources:
    from agent.session.sources.atspi import AtSpiFields  # noqa: PLC0415 - only with a display
    from agent.session.sources.linux_locks import LinuxLocks  # noqa: PLC0415
    from agent.session.sources.x11_clipboard import X11Clipboard  # noqa: PLC0415
    from agent.session.sources.x11_keyboard import X11Keyboard  # noqa: PLC0415
    from agent.session.sources.x11_windows import X11Windows  # noqa: PLC0415

    return Sources(
        keyboard=X11Keyboard(clock),
        windows=X11Windows(clock),
        clipboard=X11Clipboard(),
        fields=AtSpiFields(clock),
        locks=LinuxLocks(clock),
    )
