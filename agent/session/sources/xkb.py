"""What a key types on X11, asked of libxkbcommon-x11.

A core key event says which keycode went down and, in its state, which modifiers
and which group were in force: that is all that is needed, however many layouts
there are. Dead keys and Compose go through the library's compose tables. The
keymap is read from the X server, so that it is what the applications have.

Needs libxkbcommon.so.0, libxkbcommon-x11.so.0 and libxcb.so.1, which every
X11 desktop has. Not safe for more than one thread.
"""

import ctypes
import os
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint8, c_uint16, c_uint32, c_void_p
from typing import NamedTuple

_CONTROL = 1 << 2  # the core state's bits, the same in every keymap
_ALT = 1 << 3
_SUPER = 1 << 6
_COMPOSING, _COMPOSED, _CANCELLED = 1, 2, 3
_LATIN_LETTERS = range(0x61, 0x7B)


class XkbError(Exception):
    """The keyboard's layout cannot be read from the X server."""


class Meaning(NamedTuple):
    """What one key press means under one state."""

    text: str
    """What it types; empty for a dead key, a modifier, a shortcut."""
    keysym: int
    control: bool
    letter: str
    """With Control held, the Latin letter under the key in the first layout that has one."""


_FUNCTIONS: dict[str, tuple[object, list[object]]] = {
    "xkb_context_new": (c_void_p, [c_int]),
    "xkb_context_unref": (None, [c_void_p]),
    "xkb_keymap_unref": (None, [c_void_p]),
    "xkb_keymap_num_layouts_for_key": (c_uint32, [c_void_p, c_uint32]),
    "xkb_keymap_key_get_syms_by_level": (
        c_int,
        [c_void_p, c_uint32, c_uint32, c_uint32, POINTER(POINTER(c_uint32))],
    ),
    "xkb_state_new": (c_void_p, [c_void_p]),
    "xkb_state_unref": (None, [c_void_p]),
    "xkb_state_update_mask": (c_int, [c_void_p, *[c_uint32] * 6]),
    "xkb_state_key_get_one_sym": (c_uint32, [c_void_p, c_uint32]),
    "xkb_state_key_get_utf8": (c_int, [c_void_p, c_uint32, c_char_p, c_size_t]),
    "xkb_state_key_get_consumed_mods": (c_uint32, [c_void_p, c_uint32]),
    "xkb_compose_table_new_from_locale": (c_void_p, [c_void_p, c_char_p, c_int]),
    "xkb_compose_table_unref": (None, [c_void_p]),
    "xkb_compose_state_new": (c_void_p, [c_void_p, c_int]),
    "xkb_compose_state_unref": (None, [c_void_p]),
    "xkb_compose_state_feed": (c_int, [c_void_p, c_uint32]),
    "xkb_compose_state_get_status": (c_int, [c_void_p]),
    "xkb_compose_state_get_utf8": (c_int, [c_void_p, c_char_p, c_size_t]),
    "xkb_compose_state_reset": (None, [c_void_p]),
}
_X11_FUNCTIONS: dict[str, tuple[object, list[object]]] = {
    "xkb_x11_setup_xkb_extension": (
        c_int,
        [
            c_void_p,
            c_uint16,
            c_uint16,
            c_int,
            POINTER(c_uint16),
            POINTER(c_uint16),
            POINTER(c_uint8),
            POINTER(c_uint8),
        ],
    ),
    "xkb_x11_get_core_keyboard_device_id": (c_int, [c_void_p]),
    "xkb_x11_keymap_new_from_device": (c_void_p, [c_void_p, c_void_p, c_int, c_int]),
}
_XCB_FUNCTIONS: dict[str, tuple[object, list[object]]] = {
    "xcb_connect": (c_void_p, [c_char_p, c_void_p]),
    "xcb_connection_has_error": (c_int, [c_void_p]),
    "xcb_disconnect": (None, [c_void_p]),
}


def _load(name: str, functions: dict[str, tuple[object, list[object]]]) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise XkbError(f"{name} is not installed") from error
    for function, (result, arguments) in functions.items():
        bound = getattr(library, function)
        bound.restype = result
        bound.argtypes = arguments
    return library


def _locale() -> bytes:
    """The locale whose compose table applies; every UTF-8 one shares the big table."""
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = os.environ.get(name)
        if value:
            return b"en_US.UTF-8" if value in ("C.UTF-8", "C", "POSIX") else value.encode()
    return b"en_US.UTF-8"


class Layout:
    """The keyboard of one X display.

    Raises:
        XkbError: a library, the display or its XKB extension is missing.
    """

    def __init__(self, display: str | None = None) -> None:
        self._xkb = _load("libxkbcommon.so.0", _FUNCTIONS)
        self._x11 = _load("libxkbcommon-x11.so.0", _X11_FUNCTIONS)
        self._xcb = _load("libxcb.so.1", _XCB_FUNCTIONS)
        self._keymap: int | None = None
        self._state: int | None = None
        self._compose: int | None = None
        self._table: int | None = None
        self._context: int | None = self._xkb.xkb_context_new(0)
        self._connection = self._xcb.xcb_connect(display.encode() if display else None, None)
        self._buffer = ctypes.create_string_buffer(64)
        if self._xcb.xcb_connection_has_error(self._connection):
            self.close()
            raise XkbError("the display cannot be reached")
        if not self._x11.xkb_x11_setup_xkb_extension(
            self._connection, 1, 0, 0, None, None, None, None
        ):
            self.close()
            raise XkbError("the display has no XKB extension")
        self._open_compose()
        self.reload()

    def _open_compose(self) -> None:
        for locale in (_locale(), b"en_US.UTF-8"):
            self._table = self._xkb.xkb_compose_table_new_from_locale(self._context, locale, 0)
            if self._table:
                self._compose = self._xkb.xkb_compose_state_new(self._table, 0)
                return

    def reload(self) -> None:
        """Read the keymap again: the layout was changed."""
        device = self._x11.xkb_x11_get_core_keyboard_device_id(self._connection)
        keymap = self._x11.xkb_x11_keymap_new_from_device(
            self._context, self._connection, device, 0
        )
        if not keymap:
            raise XkbError("the display gave no keymap")
        self._drop_keymap()
        self._keymap = keymap
        self._state = self._xkb.xkb_state_new(keymap)

    def _drop_keymap(self) -> None:
        if self._state:
            self._xkb.xkb_state_unref(self._state)
        if self._keymap:
            self._xkb.xkb_keymap_unref(self._keymap)
        self._state = self._keymap = None

    def forget_composition(self) -> None:
        """A dead key waits for its letter in one field: another was entered."""
        if self._compose:
            self._xkb.xkb_compose_state_reset(self._compose)

    def meaning(self, keycode: int, state: int) -> Meaning:
        """What a key press with this core event state types. Advances a composition."""
        xkb = self._xkb
        xkb.xkb_state_update_mask(self._state, state & 0xFF, 0, 0, 0, 0, (state >> 13) & 3)
        keysym = xkb.xkb_state_key_get_one_sym(self._state, keycode)
        held = state & ~xkb.xkb_state_key_get_consumed_mods(self._state, keycode)
        control = bool(held & _CONTROL)
        if control or held & (_ALT | _SUPER):
            return Meaning("", keysym, control, self._letter(keycode) if control else "")
        if self._compose:
            composed = self._composed(keysym)
            if composed is not None:
                return Meaning(composed, 0, control=False, letter="")
        size = xkb.xkb_state_key_get_utf8(self._state, keycode, self._buffer, 64)
        text = self._buffer.value.decode("utf-8", "replace") if size > 0 else ""
        return Meaning(text if text.isprintable() else "", keysym, control=False, letter="")

    def _composed(self, keysym: int) -> str | None:
        """The text of a finished composition, "" within one, None outside of any."""
        xkb = self._xkb
        xkb.xkb_compose_state_feed(self._compose, keysym)
        status = xkb.xkb_compose_state_get_status(self._compose)
        if status == _COMPOSED:
            xkb.xkb_compose_state_get_utf8(self._compose, self._buffer, 64)
            xkb.xkb_compose_state_reset(self._compose)
            return self._buffer.value.decode("utf-8", "replace")
        if status == _CANCELLED:
            xkb.xkb_compose_state_reset(self._compose)
            return ""
        return "" if status == _COMPOSING else None

    def _letter(self, keycode: int) -> str:
        symbols = POINTER(c_uint32)()
        for layout in range(self._xkb.xkb_keymap_num_layouts_for_key(self._keymap, keycode)):
            count = self._xkb.xkb_keymap_key_get_syms_by_level(
                self._keymap, keycode, layout, 0, byref(symbols)
            )
            if count == 1 and symbols[0] in _LATIN_LETTERS:
                return chr(symbols[0])
        return ""

    def close(self) -> None:
        """Give everything back; the object is of no use afterwards."""
        self._drop_keymap()
        if self._compose:
            self._xkb.xkb_compose_state_unref(self._compose)
        if self._table:
            self._xkb.xkb_compose_table_unref(self._table)
        if self._context:
            self._xkb.xkb_context_unref(self._context)
        if self._connection:
            self._xcb.xcb_disconnect(self._connection)
        self._compose = self._table = self._context = self._connection = None
