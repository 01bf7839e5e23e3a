"""Real key events by XTEST, with the time of each press."""

import time
from types import TracebackType
from typing import Self

from Xlib import XK, X, display
from Xlib.ext import xtest

from wire.clock import SystemClock

NAMES = {" ": "space", "'": "apostrophe", ",": "comma", ".": "period", "-": "minus", "\n": "Return"}
NAMES |= {"!": "exclam", "?": "question", ";": "semicolon", ":": "colon", "/": "slash"}


class Keyboard:
    """The keyboard of one X display."""

    def __init__(self, name: str) -> None:
        self._display = display.Display(name)
        self._shift = self._display.keysym_to_keycode(XK.XK_Shift_L)
        self._control = self._display.keysym_to_keycode(XK.XK_Control_L)
        self._clock = SystemClock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._display.close()

    def can(self, text: str) -> bool:
        """Whether every character has a key of its own here."""
        return all(self._key(character)[0] for character in text)

    def type(self, text: str, *, pause: float = 0.008) -> None:
        """Press and release a key for each character."""
        for character in text:
            self.press(character)
            time.sleep(pause)

    def press(self, character: str) -> int:
        """Press and release one key; the time just before the press, µs since 1970."""
        code, shifted = self._key(character)
        if not code:
            raise ValueError("there is no key for this character")
        if shifted:
            xtest.fake_input(self._display, X.KeyPress, self._shift)
        before = self._clock.now()
        xtest.fake_input(self._display, X.KeyPress, code)
        self._display.flush()
        xtest.fake_input(self._display, X.KeyRelease, code)
        if shifted:
            xtest.fake_input(self._display, X.KeyRelease, self._shift)
        self._display.sync()
        return before

    def chord(self, character: str) -> None:
        """A key with Control held."""
        xtest.fake_input(self._display, X.KeyPress, self._control)
        self.press(character)
        xtest.fake_input(self._display, X.KeyRelease, self._control)
        self._display.sync()

    def _key(self, character: str) -> tuple[int, bool]:
        symbol = XK.string_to_keysym(NAMES.get(character, character))
        for code, index in self._display.keysym_to_keycodes(symbol):
            if index in {0, 1}:
                return code, index == 1
        return 0, False
