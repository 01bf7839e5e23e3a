"""One change of the list, as a message of the live stream (text/event-stream).

    id: the change's number
    event: alert
    data: the row's HTML, in one line

A line carries no name and no typed word: it is the same for everyone, and is
encoded once.
"""

from functools import cache

from collector.alerts import AlertRow
from collector.web import guidance
from collector.web.templating import Templates


def render_line(row: AlertRow) -> bytes:
    """The alert's row as one message: its id is the change's number."""
    html = _templates().row(row, row.last_at).replace("\n", " ").replace("\r", " ")
    return f"id: {row.change}\nevent: alert\ndata: {html}\n\n".encode()


@cache
def _templates() -> Templates:
    return Templates({code: found.title for code, found in guidance.shipped().items()})
