"""Key presses and clicks on X11: pynput's RECORD listener, with libxkbcommon's layouts.

pynput alone takes few layouts rightly, so its translation is replaced; its
thread, its record context and its start and end are kept. The hook makes one
frozen event and enqueues it: nothing else happens there.
"""

import contextlib
import importlib
import socket
from typing import Any

from agent.session.sources.events import BlindError, Click, Ended, Key, Press
from agent.session.sources.interface import Put
from agent.session.sources.xkb import Layout, XkbError
from wire.clock import Clock
from wire.event import GapReason

_KEYS = {
    0xFF08: Key.BACKSPACE,
    0xFF09: Key.TAB,
    0xFE20: Key.TAB,  # with Shift
    0xFF0D: Key.ENTER,
    0xFF8D: Key.ENTER,  # of the number pad, as those from 0xFF95 on
    0xFF1B: Key.ESCAPE,
    0xFF50: Key.HOME,
    0xFF51: Key.LEFT,
    0xFF52: Key.UP,
    0xFF53: Key.RIGHT,
    0xFF54: Key.DOWN,
    0xFF55: Key.PAGE_UP,
    0xFF56: Key.PAGE_DOWN,
    0xFF57: Key.END,
    0xFF63: Key.INSERT,
    0xFF95: Key.HOME,
    0xFF96: Key.LEFT,
    0xFF97: Key.UP,
    0xFF98: Key.RIGHT,
    0xFF99: Key.DOWN,
    0xFF9A: Key.PAGE_UP,
    0xFF9B: Key.PAGE_DOWN,
    0xFF9C: Key.END,
    0xFF9E: Key.INSERT,
    0xFF9F: Key.DELETE,
    0xFFFF: Key.DELETE,
}
_KEY_PRESS, _BUTTON_PRESS, _PROPERTY_NOTIFY, _MAPPING_NOTIFY = 2, 4, 28, 34
_PROPERTY_CHANGES = 1 << 22
"""The core protocol's numbers."""
_SHIFT = 1
_WHEEL = range(4, 8)


class X11Keyboard:
    """The keyboard and mouse buttons of the X display named in the environment."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listener: Any = None

    def start(self, put: Put) -> None:
        """Begin to listen. Raises `BlindError` where the display forbids it."""
        self.stop()
        try:
            listener = _make_listener(self._clock, put)
        except XkbError as error:
            raise BlindError(GapReason.HOOK_DEAD, str(error)) from error
        listener.start()
        self._listener = listener
        listener.wait()
        if not listener.is_alive():
            raise BlindError(GapReason.HOOK_DEAD, "the keyboard could not be listened to")

    def alive(self) -> bool:
        """Whether the listener's thread runs."""
        return self._listener is not None and self._listener.is_alive()

    def stop(self) -> None:
        """End the listener and wait for its thread, at most 2 s."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.hang_up()
        listener.join(2)


class _Presses:
    """What pynput's listener does here in place of its own translation."""

    _EVENTS = (_KEY_PRESS, _BUTTON_PRESS)

    def __init__(self, clock: Clock, put: Put) -> None:
        super().__init__()
        self._clock = clock
        self._put = put
        self._layout = Layout()
        self._rules = 0

    def _run(self) -> None:
        words = "the listener ended"
        try:
            super()._run()  # type: ignore[misc]  # pynput's, behind this class
        except Exception as error:  # noqa: BLE001 - the thread ends here, and is reported
            words = f"{type(error).__name__}: {error}"
        finally:
            self._layout.close()
            for name in ("_display_record", "_display_stop"):
                with contextlib.suppress(Exception):  # one may be closed, or never opened
                    getattr(self, name).close()
            self._put(Ended(self._clock.monotonic(), "keyboard", words))

    def hang_up(self) -> None:
        """End the thread that waits on the display: pynput's own way can wait for a further key."""
        self._running = False
        display = getattr(self, "_display_record", None)
        if display is not None:
            with contextlib.suppress(OSError):
                display.display.socket.shutdown(socket.SHUT_RDWR)

    def _initialize(self, display: Any) -> None:
        # Changes of the layout are seen on this connection, before the next key.
        self._rules = display.intern_atom("_XKB_RULES_NAMES")
        display.screen().root.change_attributes(event_mask=_PROPERTY_CHANGES)
        display.sync()

    def _layout_changed(self, display: Any) -> bool:
        changed = False
        while display.pending_events():
            event = display.next_event()
            changed |= event.type == _MAPPING_NOTIFY or (
                event.type == _PROPERTY_NOTIFY and event.atom == self._rules
            )
        return changed

    def _handle_message(self, display: Any, event: Any, injected: Any) -> None:  # noqa: ARG002
        at = self._clock.monotonic()
        if event.type == _BUTTON_PRESS:
            if event.detail not in _WHEEL:
                self._layout.forget_composition()
                self._put(Click(at))
        elif event.type == _KEY_PRESS:
            if self._layout_changed(display):
                self._layout.reload()
            press = read_press(self._layout, at, event.detail, event.state)
            if press is not None:
                self._put(press)


def _make_listener(clock: Clock, put: Put) -> Any:
    """Put `_Presses` before pynput's listener, which can be imported only with a display."""
    try:
        pynput_xorg = importlib.import_module("pynput.keyboard._xorg")
    except ImportError as error:
        raise BlindError(GapReason.NO_DISPLAY, f"no display: {error}") from error
    return type("Listener", (_Presses, pynput_xorg.Listener), {})(clock, put)


def read_press(layout: Layout, at: float, keycode: int, state: int) -> Press | None:
    """The press that a key event stands for; None for a modifier or an unfinished composition."""
    text, keysym, control, letter = layout.meaning(keycode, state)
    key = _KEYS.get(keysym)
    if key is not None:
        return Press(at, "", key, "", bool(state & _SHIFT), control)
    if text:
        return Press(at, text)
    if letter:
        return Press(at, "", None, letter, bool(state & _SHIFT), control)
    return None
