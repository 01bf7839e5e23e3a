"""Key presses and clicks on Windows: pynput's hooks, with ToUnicodeEx asked without harm.

pynput's own translation loses caps lock, and asking ToUnicode plainly eats the
user's dead keys: here it is asked with the flag that leaves the keyboard's state
alone (Windows 10 1607 and later), for the layout of the foreground window, and
dead keys are put together by ourselves. The hook only does that and enqueues.
"""

# ruff: noqa: E402 - the platform is asked first, so that mypy reads this for Windows alone
import sys

assert sys.platform == "win32"

import ctypes
from ctypes import wintypes
from typing import Any

from agent.session.sources.dead_keys import compose
from agent.session.sources.events import BlindError, Click, Key, Press
from agent.session.sources.interface import Put
from wire.clock import Clock
from wire.event import GapReason

_DOWN = (0x0100, 0x0104)
_UP = (0x0101, 0x0105)
_SHIFT, _CONTROL, _ALT, _CAPITAL, _NUMLOCK = 0x10, 0x11, 0x12, 0x14, 0x90
_LEFT_WIN, _RIGHT_WIN, _PACKET = 0x5B, 0x5C, 0xE7
_MODIFIERS = frozenset({0x10, 0x11, 0x12, 0x14, 0x90, 0x91, 0x5B, 0x5C, *range(0xA0, 0xA6)})
_KEEP_STATE = 4
_PRESSED, _TOGGLED = 0x80, 0x01
_HELD = 0x8000
_LETTERS = range(0x41, 0x5B)
_KEYS = {
    0x08: Key.BACKSPACE,
    0x09: Key.TAB,
    0x0D: Key.ENTER,
    0x1B: Key.ESCAPE,
    0x21: Key.PAGE_UP,
    0x22: Key.PAGE_DOWN,
    0x23: Key.END,
    0x24: Key.HOME,
    0x25: Key.LEFT,
    0x26: Key.UP,
    0x27: Key.RIGHT,
    0x28: Key.DOWN,
    0x2D: Key.INSERT,
    0x2E: Key.DELETE,
}


class Win32Keyboard:
    """The low-level keyboard and mouse hooks of this desktop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._put: Put | None = None
        self._listeners: list[Any] = []
        self._dead = ""
        self._surrogate = ""
        self._locks: dict[int, bool] = {}
        self._down: set[int] = set()

    def start(self, put: Put) -> None:
        """Begin to listen. Raises BlindError."""
        self.stop()
        from pynput import keyboard, mouse  # noqa: PLC0415 - loaded where it is used

        self._put = put
        user32 = ctypes.windll.user32
        self._locks = {
            key: bool(user32.GetKeyState(key) & _TOGGLED) for key in (_CAPITAL, _NUMLOCK)
        }
        self._down.clear()
        self._listeners = [
            keyboard.Listener(win32_event_filter=self._heard),
            mouse.Listener(on_click=self._clicked),
        ]
        for listener in self._listeners:
            listener.start()
            listener.wait()
        if not self.alive():
            raise BlindError(GapReason.HOOK_DEAD, "the keyboard hook was not given")

    def alive(self) -> bool:
        """Whether both hooks' threads run."""
        return bool(self._listeners) and all(one.is_alive() for one in self._listeners)

    def stop(self) -> None:
        """End the hooks."""
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.stop()
            listener.join(2)

    def _clicked(self, _x: int, _y: int, _button: Any, pressed: bool) -> None:
        if pressed and self._put is not None:
            self._dead = ""
            self._put(Click(self._clock.monotonic()))

    def _heard(self, message: int, data: Any) -> bool:
        """In the hook: False keeps pynput's own translation from running."""
        key = int(data.vkCode)
        if message in _UP:
            self._down.discard(key)
        elif message in _DOWN:
            if key in self._locks and key not in self._down:
                self._locks[key] = not self._locks[key]
            self._down.add(key)
            press = self._press(key, int(data.scanCode))
            if press is not None and self._put is not None:
                self._put(press)
        return False

    def _press(self, key: int, scan: int) -> Press | None:
        at = self._clock.monotonic()
        if key == _PACKET:
            return self._packet(at, chr(scan))
        if key in _MODIFIERS:
            return None
        held = ctypes.windll.user32.GetAsyncKeyState
        shift, control, alt = (bool(held(one) & _HELD) for one in (_SHIFT, _CONTROL, _ALT))
        if key in _KEYS:
            self._dead = ""
            return Press(at, "", _KEYS[key], "", shift, control)
        if control and not alt:
            letter = chr(key).lower() if key in _LETTERS else ""
            return Press(at, "", None, letter, shift, control)
        if (alt and not control) or held(_LEFT_WIN) & _HELD or held(_RIGHT_WIN) & _HELD:
            return None
        text = self._text(key, scan, shift=shift, altgr=control and alt)
        return Press(at, text) if text else None

    def _packet(self, at: float, unit: str) -> Press | None:
        """A character that some program injected, in one or two UTF-16 units."""
        both = self._surrogate + unit
        self._surrogate = unit if "\ud800" <= unit <= "\udbff" else ""
        if self._surrogate:
            return None
        text = both.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return Press(at, text)

    def _text(self, key: int, scan: int, *, shift: bool, altgr: bool) -> str:
        user32 = ctypes.windll.user32
        state = (ctypes.c_ubyte * 256)()
        for one, on in ((_SHIFT, shift), (_CONTROL, altgr), (_ALT, altgr)):
            state[one] = _PRESSED if on else 0
        for one, on in self._locks.items():
            state[one] = _TOGGLED if on else 0
        thread = user32.GetWindowThreadProcessId(user32.GetForegroundWindow(), None)
        user32.GetKeyboardLayout.restype = ctypes.c_void_p
        layout = ctypes.c_void_p(user32.GetKeyboardLayout(wintypes.DWORD(thread)))
        buffer = ctypes.create_unicode_buffer(9)
        count = user32.ToUnicodeEx(key, scan, state, buffer, 8, _KEEP_STATE, layout)
        if count < 0:
            waiting, self._dead = self._dead, buffer[0]
            return waiting
        text = "".join(buffer[:count])
        if not text or not text.isprintable():
            return ""
        dead, self._dead = self._dead, ""
        return compose(dead, text) if dead else text
