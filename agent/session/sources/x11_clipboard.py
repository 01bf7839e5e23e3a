"""The clipboard on X11, asked of its owner as any application would, without a subprocess."""

import select
import time
from typing import Any

from agent.session.sources.events import BlindError, Pasted
from agent.session.sources.x11 import connect

MOST_READ = 64 << 10
"""Bytes of the clipboard that are read: several times what is kept of a paste."""
WITHIN = 0.25
"""Seconds for the owner to answer; the application that pastes waits for it as well."""

NOT_TO_KEEP = "copied from a password manager that says not to keep it"
SLOW = "the clipboard's owner did not answer in time"
LARGE = "the clipboard held more than is read at once"
NO_TEXT = "the clipboard held no text"


class X11Clipboard:
    """Reads the CLIPBOARD selection. For one thread."""

    def __init__(self) -> None:
        self._display: Any = None
        self._window: Any = None

    def read(self) -> Pasted:
        """The clipboard's text, or why there is none."""
        from Xlib import error  # noqa: PLC0415 - with a display

        try:
            return self._read()
        except BlindError as blind:
            return Pasted(withheld_because=str(blind))
        except (error.XError, error.ConnectionClosedError, OSError):
            self.close()
            return Pasted(withheld_because="the display ended")

    def _read(self) -> Pasted:
        if self._display is None:
            self._open()
        until = time.monotonic() + WITHIN
        targets = self._ask("TARGETS", until)
        if targets is None:
            return Pasted(withheld_because=SLOW)
        names = list(targets)
        hint = self._display.intern_atom("x-kde-passwordManagerHint")
        if hint in names:
            told = self._ask("x-kde-passwordManagerHint", until)
            if told is None or bytes(told).strip() == b"secret":
                return Pasted(withheld_because=NOT_TO_KEEP)
        utf8 = self._display.intern_atom("UTF8_STRING")
        if names and utf8 not in names:
            return Pasted(withheld_because=NO_TEXT)
        value = self._ask("UTF8_STRING", until)
        if value is None:
            return Pasted(withheld_because=SLOW)
        if not isinstance(value, (bytes, str)):
            return Pasted(withheld_because=LARGE)
        raw = value.encode("utf-8") if isinstance(value, str) else value
        return Pasted(text=raw.decode("utf-8", "replace"))

    def _open(self) -> None:
        self._display = connect()
        screen = self._display.screen()
        self._window = screen.root.create_window(0, 0, 1, 1, 0, screen.root_depth)

    def _ask(self, target: str, until: float) -> Any:
        """The selection in one target's form; None if its owner says nothing in time."""
        from Xlib import X  # noqa: PLC0415 - with a display

        display = self._display
        form = display.intern_atom(target)
        place = display.intern_atom("REDSHANK_PASTE")
        self._window.delete_property(place)
        self._window.convert_selection(display.intern_atom("CLIPBOARD"), form, place, X.CurrentTime)
        display.flush()
        while True:
            left = until - time.monotonic()
            # Looked at between events too: an owner may send any number that say nothing.
            while left > 0 and display.pending_events():
                event = display.next_event()
                if event.type == X.SelectionNotify and event.target == form:
                    return self._take(event.property, place)
                left = until - time.monotonic()
            if left <= 0:
                return None
            select.select([display.fileno()], [], [], left)

    def _take(self, given: int, place: int) -> Any:
        from Xlib import X  # noqa: PLC0415 - with a display

        if given == X.NONE:
            return b""
        found = self._window.get_property(place, X.AnyPropertyType, 0, MOST_READ // 4)
        if found is None:
            return b""
        self._window.delete_property(place)
        if found.property_type == self._display.intern_atom("INCR"):
            return [0]  # not text: a transfer in pieces begins, and is not followed
        return found.value

    def close(self) -> None:
        """Close the connection; the next read opens another."""
        display, self._display = self._display, None
        if display is not None:
            display.close()
