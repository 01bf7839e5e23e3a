"""The live stream of the list: every change, in order, to every open page.

An id is the number of a change; a browser that comes back says the last it had.
Each ten seconds without news a beat says that the line is alive. It ends with the
session.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse

from collector import alerts
from collector.feed import Subscription
from collector.signin import Session
from collector.web.guard import current, guarded_router
from collector.web.pages import desk_of
from collector.web.parts import Desk

router = guarded_router()
BEAT_SECONDS: Final = 10.0
_NUMBER: Final = re.compile(r"[0-9]{1,15}")
_BEGIN: Final = b"retry: 2000\n\nevent: beat\ndata: 1\n\n"
_BEAT: Final = b"event: beat\ndata: 1\n\n"
_ENDED: Final = b"event: ended\ndata: 1\n\n"


@router.get("/live", name="live")
async def live(
    request: Request,
    since: Annotated[int | None, Query(ge=0, le=10**15)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Everything that changed after `Last-Event-ID`, or `since`, and everything that will."""
    desk = desk_of(request)
    seen = int(last_event_id) if last_event_id and _NUMBER.fullmatch(last_event_id) else since
    if seen is None:
        seen = await desk.store.read(lambda conn: alerts.last_change(conn, desk.school))
    # A number that is not reached yet, as after a restore, would hide all that comes below it.
    stream = Stream(desk, current(request), min(seen, desk.parts.feed.change))
    return StreamingResponse(
        stream.lines(), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )


class Stream:
    """One browser's stream, for as long as its session lasts."""

    def __init__(self, desk: Desk, session: Session, since: int) -> None:
        self._desk = desk
        self._session = session
        self._since = since
        self._over = False
        self._lines: Subscription | None = None

    async def lines(self) -> AsyncIterator[bytes]:
        """The stream's bytes."""
        forget = self._desk.signin.on_end(self._session.id, self._end)
        clock = self._desk.parts.clock
        looked_at = clock.monotonic()
        try:
            self._lines = self._desk.parts.feed.subscribe(self._since)
            yield _BEGIN
            while not self._over:
                piece = await self._next()
                if piece is None:
                    break
                if clock.monotonic() - looked_at >= BEAT_SECONDS or piece is _BEAT:
                    looked_at = clock.monotonic()
                    # Where it has run out, `look` ends it, and calls `_end`.
                    await self._desk.signin.look(self._session.id)
                if not self._over:
                    yield piece
            if self._over:
                yield _ENDED
        finally:
            forget()
            if self._lines is not None:
                self._lines.close()

    async def _next(self) -> bytes | None:
        """The next lines, a beat where there are none, or None at the end."""
        lines = self._lines
        assert lines is not None
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                self._since, piece = await anext(lines)
        except TimeoutError:
            # A subscription that was cancelled may have lost what it was reading.
            lines.close()
            self._lines = self._desk.parts.feed.subscribe(self._since)
            return _BEAT
        except StopAsyncIteration:
            return None
        return piece

    def _end(self) -> None:
        self._over = True
        if self._lines is not None:
            self._lines.close()
