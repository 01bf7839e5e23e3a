"""One change of the list, as a message of the live stream (text/event-stream).

A line carries no name and no typed word: it is the same for everyone, and is
encoded once.
"""

from typing import Protocol


class ListedAlert(Protocol):
    """What the list shows of an alert; `collector.alerts.AlertRow` has it."""

    @property
    def alert(self) -> bytes:
        """Its id, a UUIDv7."""
        ...

    @property
    def change(self) -> int:
        """The number of its last change."""
        ...


def render_line(row: ListedAlert) -> bytes:
    """The alert's row as one message: its id is the change's number."""
    return f"id: {row.change}\nevent: alert\ndata: {row.alert.hex()}\n\n".encode()
