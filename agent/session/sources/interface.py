"""What each kind of source can do. A fake in a test implements these, and nothing less."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.session.sources.events import Pasted, Rectangle, SourceEvent, Window

Put = Callable[[SourceEvent], None]
"""Puts an event on the session's queue; may be called from any thread, never blocks."""


class Source(Protocol):
    """Something that runs by itself and puts events."""

    def start(self, put: Put) -> None:
        """Begin. Raises `BlindError` where the platform does not allow it."""
        ...

    def alive(self) -> bool:
        """Whether it still works, as far as it can tell."""
        ...

    def stop(self) -> None:
        """End; safe to call twice, and after a failed start."""
        ...


class Keyboard(Source, Protocol):
    """Puts `Press` and `Click`. Its hook only enqueues."""


class Windows(Source, Protocol):
    """Puts `WindowChanged`, the first at once."""

    def rectangle(self, window: Window) -> Rectangle | None:
        """Where a window stands now; None when it is gone."""
        ...

    def stacked(self, lowest: Window | None = None) -> list[tuple[Window, Rectangle]]:
        """The visible windows, lowest first; from `lowest` on, if it is one of them."""
        ...


class Clipboard(Protocol):
    """Read once, when something is pasted."""

    def read(self) -> Pasted:
        """The clipboard's text, within 0.25 s; honours 'do not keep' flags."""
        ...

    def close(self) -> None:
        """Give back what was opened."""
        ...


class Fields(Source, Protocol):
    """Puts `FocusMoving`, `Focus` and `Address`."""

    def why_unknown(self) -> str:
        """Why no field is known at present; empty where they are."""
        ...

    def refresh(self, process: int) -> None:
        """The window of `process` changed its title: find its page's address again."""
        ...


class Locks(Source, Protocol):
    """Puts `Lock`."""


@dataclass(frozen=True, slots=True)
class Sources:
    """One platform's sources. Those that it lacks are None."""

    keyboard: Keyboard
    windows: Windows
    clipboard: Clipboard
    fields: Fields | None = None
    locks: Locks | None = None
