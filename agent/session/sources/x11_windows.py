"""The active window on X11, told by the window manager's properties as they change.

Without a window manager the input focus is asked when a top-level window appears
or goes. The title is _NET_WM_NAME, else WM_NAME; the process is _NET_WM_PID, else
what X-Resource says (some toolkits set no property).
"""

import contextlib
import logging
import select
import threading
from collections.abc import Iterator
from typing import Any

from agent.session.sources.events import (
    BlindError,
    Ended,
    Lock,
    Rectangle,
    Window,
    WindowChanged,
)
from agent.session.sources.interface import Put
from agent.session.sources.program import program
from agent.session.sources.x11 import connect
from wire.clock import Clock
from wire.event import GapReason

MOST_TITLE = 4096
"""Units of four bytes of a title that are read: 16 kB."""
TITLE_EVERY = 0.1
"""Seconds between two looks at a title that changes: a page may change it without end."""
_LOCAL_PID = 2  # X-Resource's LocalClientPIDMask

log = logging.getLogger(__name__)


class _Desk:
    """One connection to the display, with the questions that are asked on it."""

    def __init__(self) -> None:
        from Xlib import X, Xatom  # noqa: PLC0415 - with a display

        self.x = X
        self.display = connect()
        self.root = self.display.screen().root
        atom = self.display.intern_atom
        self.active = atom("_NET_ACTIVE_WINDOW")
        self.stacking = atom("_NET_CLIENT_LIST_STACKING")
        self.manager = atom("_NET_SUPPORTING_WM_CHECK")
        self.net_name = atom("_NET_WM_NAME")
        self.utf8 = atom("UTF8_STRING")
        self.pid = atom("_NET_WM_PID")
        self.state = atom("_NET_WM_STATE")
        self.hidden = atom("_NET_WM_STATE_HIDDEN")
        self.name = Xatom.WM_NAME
        self.any = X.AnyPropertyType

    def read(self, window: Any, atom: int, units: int = MOST_TITLE) -> Any:
        """A property's value, None where there is none or the window is gone."""
        from Xlib import error  # noqa: PLC0415 - with a display

        try:
            found = window.get_property(atom, self.any, 0, units)
        except error.XError:
            return None
        return None if found is None else found.value

    def title(self, window: Any) -> str:
        """The window's title as its application set it."""
        value = self.read(window, self.net_name)
        if value is None or value in (b"", ""):
            value = self.read(window, self.name)
        if isinstance(value, str):
            return value
        if not value:
            return ""
        raw = bytes(value)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as cut:
            if len(raw) == 4 * MOST_TITLE and cut.start >= len(raw) - 4:
                return raw[: cut.start].decode("utf-8")
            return raw.decode("latin-1")

    def process(self, window: Any) -> int:
        """The process that made the window; 0 where nobody tells."""
        value = self.read(window, self.pid, 1)
        if value:
            return int(value[0])
        from Xlib import error  # noqa: PLC0415 - with a display

        try:
            answer = self.display.res_query_client_ids([{"client": window.id, "mask": _LOCAL_PID}])
            for entry in answer.ids:
                if entry.value:
                    return int(entry.value[0])
        except (error.XError, AttributeError):
            return 0
        return 0

    def describe(self, handle: int) -> Window:
        """All that is known of a window."""
        window = self.display.create_resource_object("window", handle)
        process = self.process(window)
        name, path = program(process, handle)
        return Window(handle, self.title(window), name, path, process)

    def active_handle(self) -> int:
        """The active window, 0 for none. Some managers leave the id of one that is gone."""
        if self.read(self.root, self.manager, 1):
            value = self.read(self.root, self.active, 1)
            handle = int(value[0]) if value else 0
        else:
            focus = self.display.get_input_focus().focus
            handle = int(getattr(focus, "id", 0)) if focus not in (0, 1) else 0
        return handle if handle and self.rectangle(handle) else 0

    def rectangle(self, handle: int) -> Rectangle | None:
        """Where a window stands on the root, without its frame."""
        from Xlib import error  # noqa: PLC0415 - with a display

        window = self.display.create_resource_object("window", handle)
        try:
            size = window.get_geometry()
            place = self.root.translate_coords(window, 0, 0)
        except error.XError:
            return None
        return Rectangle(place.x, place.y, size.width, size.height)


@contextlib.contextmanager
def _answered() -> Iterator[None]:
    """Say a display's end in our own words."""
    from Xlib import error  # noqa: PLC0415 - with a display

    try:
        yield
    except (error.ConnectionClosedError, OSError) as ended:
        raise BlindError(GapReason.NO_DISPLAY, "the display ended") from ended


class X11Windows:
    """Watches the display in the environment, in a thread of its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._watched: _Desk | None = None
        self._asked: _Desk | None = None

    def start(self, put: Put) -> None:
        """Tell the active window and each change. Raises `BlindError` without a display."""
        self.stop()
        desk = _Desk()
        self._watched = desk
        self._thread = threading.Thread(
            target=self._watch, args=(desk, put), name="windows", daemon=True
        )
        self._thread.start()

    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Close the connections; the thread ends on that."""
        import socket  # noqa: PLC0415 - only to end

        thread, self._thread = self._thread, None
        desks = [desk for desk in (self._watched, self._asked) if desk is not None]
        self._watched = self._asked = None
        for desk in desks:
            with contextlib.suppress(OSError):
                # Wakes the thread that waits on it; closing alone would not.
                desk.display.display.socket.shutdown(socket.SHUT_RDWR)
        if thread is not None:
            thread.join(2)
        for desk in desks:
            desk.display.display.socket.close()

    def rectangle(self, window: Window) -> Rectangle | None:
        """Where the window stands. For the session's own thread. Raises `BlindError`."""
        with _answered():
            return self._ask().rectangle(window.handle)

    def stacked(self, lowest: Window | None = None) -> list[tuple[Window, Rectangle]]:
        """The windows that the manager shows, lowest first. For the session's own thread.

        Raises `BlindError` when the display has ended.
        """
        with _answered():
            return self._stacked(self._ask(), lowest)

    def _stacked(self, desk: _Desk, lowest: Window | None) -> list[tuple[Window, Rectangle]]:
        handles = [int(handle) for handle in desk.read(desk.root, desk.stacking) or ()]
        if lowest is not None and lowest.handle in handles:
            del handles[: handles.index(lowest.handle)]
        shown = []
        for handle in handles:
            window = desk.display.create_resource_object("window", handle)
            if desk.hidden in (desk.read(window, desk.state) or ()):
                continue
            rectangle = desk.rectangle(handle)
            if rectangle is not None:
                shown.append((desk.describe(handle), rectangle))
        return shown

    def _ask(self) -> _Desk:
        if self._asked is None:
            self._asked = _Desk()
        return self._asked

    def _watch(self, desk: _Desk, put: Put) -> None:
        words = "the display ended"
        try:
            self._follow(desk, put)
        except Exception as error:  # noqa: BLE001 - the thread ends here, and is reported
            words = f"{type(error).__name__}: {error}"
        if self._watched is desk:
            put(Ended(self._clock.monotonic(), "windows", words))

    def _follow(self, desk: _Desk, put: Put) -> None:
        x = desk.x
        desk.root.change_attributes(event_mask=x.PropertyChangeMask | x.SubstructureNotifyMask)
        current = self._tell(desk, put, None)
        told_at = self._clock.monotonic()
        due: float | None = None
        covering: set[int] = set()
        while True:
            event = self._next(desk, due)
            if event is None:
                current = self._tell(desk, put, current)
                told_at, due = self._clock.monotonic(), None
                continue
            if event.type in (x.MapNotify, x.UnmapNotify, x.DestroyNotify):
                self._screen_covered(desk, put, event, covering)
            if event.type == x.DestroyNotify and event.window.id == current.handle:
                # Not every manager says that now no window is active.
                current = Window(0)
                put(WindowChanged(self._clock.monotonic(), current))
            if event.type == x.PropertyNotify:
                if event.window.id == desk.root.id:
                    if event.atom in (desk.active, desk.manager):
                        current = self._tell(desk, put, current)
                elif event.window.id == current.handle and event.atom in (desk.net_name, desk.name):
                    due = due or max(self._clock.monotonic(), told_at + TITLE_EVERY)
            elif event.type in (x.MapNotify, x.UnmapNotify, x.DestroyNotify) and not desk.read(
                desk.root, desk.manager, 1
            ):
                current = self._tell(desk, put, current)

    def _next(self, desk: _Desk, due: float | None) -> Any:
        """The next event; None once `due` has come."""
        while not desk.display.pending_events():
            left = None if due is None else due - self._clock.monotonic()
            if left is not None and left <= 0:
                return None
            select.select([desk.display.fileno()], [], [], left)
        if due is not None and due <= self._clock.monotonic():
            return None
        return desk.display.next_event()

    def _screen_covered(self, desk: _Desk, put: Put, event: Any, covering: set[int]) -> None:
        """A window that no manager manages over the whole screen is a screen lock's.

        Plain lockers tell nobody else, and the password typed there reaches every hook.
        """
        was = bool(covering)
        if event.type != desk.x.MapNotify:
            covering.discard(event.window.id)
        elif event.override:
            place, screen = desk.rectangle(event.window.id), desk.rectangle(desk.root.id)
            if place and screen and place.width >= screen.width and place.height >= screen.height:
                covering.add(event.window.id)
        if bool(covering) != was:
            put(Lock(self._clock.monotonic(), bool(covering), by="a window over the whole screen"))

    def _tell(self, desk: _Desk, put: Put, before: Window | None) -> Window:
        handle = desk.active_handle()
        if handle and (before is None or handle != before.handle):
            window = desk.display.create_resource_object("window", handle)
            # Asked for first, read then: no change of the title falls in between.
            window.change_attributes(
                event_mask=desk.x.PropertyChangeMask | desk.x.StructureNotifyMask
            )
        now = desk.describe(handle) if handle else Window(0)
        if now != before:
            put(WindowChanged(self._clock.monotonic(), now))
        return now
