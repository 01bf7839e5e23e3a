"""What the sources put on the queue. All are frozen; `at` is `Clock.monotonic()`."""

from dataclasses import dataclass
from enum import Enum, auto

from wire.event import GapReason


class Key(Enum):
    """A key that edits or moves rather than types."""

    BACKSPACE = auto()
    DELETE = auto()
    LEFT = auto()
    RIGHT = auto()
    UP = auto()
    DOWN = auto()
    HOME = auto()
    END = auto()
    PAGE_UP = auto()
    PAGE_DOWN = auto()
    ENTER = auto()
    TAB = auto()
    INSERT = auto()
    ESCAPE = auto()


@dataclass(frozen=True, slots=True)
class Press:
    """A key went down (or repeated).

    `text` is what it types in the layout in force, empty for a shortcut, a dead
    key or an editing key. `shortcut` is the Latin letter under the key where
    Control was held, so that Ctrl+V is known in every layout.
    """

    at: float
    text: str = ""
    key: Key | None = None
    shortcut: str = ""
    shift: bool = False
    control: bool = False


@dataclass(frozen=True, slots=True)
class Click:
    """A mouse button went down: the caret may be anywhere now."""

    at: float


@dataclass(frozen=True, slots=True)
class Window:
    """One window as its platform describes it; `handle` 0 means that none is active."""

    handle: int
    title: str = ""
    application: str = ""
    """The program's name, as `mousepad` or `chrome.exe`."""
    process_path: str = ""
    process: int = 0

    @property
    def identity(self) -> tuple[int, int]:
        """What no other window shares: handles come back, but not from the same process."""
        return self.handle, self.process


@dataclass(frozen=True, slots=True)
class WindowChanged:
    """Another window became active, or the active one has another title."""

    at: float
    window: Window


@dataclass(frozen=True, slots=True)
class FocusMoving:
    """The focus of `process` moved; what it moved to is being asked."""

    at: float
    process: int


@dataclass(frozen=True, slots=True)
class Focus:
    """What the focus of `process` moved to.

    `secure` is None where the platform does not know. `field` tells one field
    from another within a run of the application.
    """

    at: float
    process: int
    field: str
    secure: bool | None


@dataclass(frozen=True, slots=True)
class Address:
    """The address of the page that `process` shows, or why it is not known."""

    at: float
    process: int
    address: str = ""
    unknown_because: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """The screen was locked or unlocked."""

    at: float
    locked: bool
    by: str = "session"
    """What says so; the screen is free when nothing says that it is locked."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A source stopped working and has to be started again."""

    at: float
    source: str
    words: str


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of the screen in pixels, from the top left of all monitors."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Pasted:
    """What the clipboard gave: its text, or why there is none."""

    text: str = ""
    withheld_because: str = ""


SourceEvent = Press | Click | WindowChanged | FocusMoving | Focus | Address | Lock | Ended


class BlindError(Exception):
    """This session cannot be watched: `reason` travels, the words are for the log."""

    def __init__(self, reason: GapReason, words: str) -> None:
        super().__init__(words)
        self.reason = reason
