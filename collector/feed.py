"""What changed, as it changes, to every open desk.

A **line** is one changed alert as a message of a stream, encoded once however
many are listening. A **subscription** holds the lines that one listener has not
taken yet, at most `most` of them: one that falls further behind loses its queue
and **catches up** from the store by the change's number, which no queue can get
wrong. So does everybody when a number is skipped: whoever made that change has not
published it yet, or never will, but what has a number is in the store. Lines that wait together are handed over together, as one piece of bytes
with the number of the last.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Self

from collector.alerts import AlertRow

CatchUp = Callable[[int], Awaitable[Sequence[AlertRow]]]
_MOST = 256


class Feed:
    """Hands each changed alert to every subscription, in the order of the change counter."""

    def __init__(
        self,
        render: Callable[[AlertRow], bytes],
        catch_up: CatchUp | None = None,
        *,
        most: int = _MOST,
    ) -> None:
        """Make a feed that nobody listens to yet.

        Args:
            render: one alert as bytes; called once for each change.
            catch_up: the alerts changed after a number, oldest change first, some at a time.
            most: how many lines a subscription may hold.
        """
        self._render = render
        self._catch_up = catch_up
        self._most = most
        self._subscriptions: set[Subscription] = set()
        self.change = 0
        """The highest number published so far."""

    @property
    def listeners(self) -> int:
        """How many are subscribed."""
        return len(self._subscriptions)

    def publish(self, rows: Sequence[AlertRow]) -> None:
        """Hand on what a commit changed. To be called in the event loop, after the commit."""
        for row in sorted(rows, key=_by_change):
            is_skipped = 0 < self.change < row.change - 1
            self.change = max(self.change, row.change)
            if not self._subscriptions:
                continue
            if is_skipped and self._catch_up is not None:
                for subscription in self._subscriptions:
                    subscription.fall_behind()
                continue
            line = self._render(row)
            for subscription in self._subscriptions:
                subscription.put(row.change, line)

    def subscribe(self, since: int | None = None) -> "Subscription":
        """Listen from now on, or from what came after `since` (a `Last-Event-ID`)."""
        return Subscription(self, since)

    def close(self) -> None:
        """End every subscription, so that a server can stop."""
        for subscription in tuple(self._subscriptions):
            subscription.close()


class Subscription(AsyncIterator[tuple[int, bytes]]):
    """One listener's lines: `async for change, lines in subscription`."""

    def __init__(self, feed: Feed, since: int | None) -> None:
        """Start to listen."""
        self._feed = feed
        self._lines: deque[tuple[int, bytes]] = deque()
        self._woken: asyncio.Future[None] | None = None
        self._ended = False
        self._last = feed.change if since is None else since
        self._covered = since or 0
        # Nothing is behind whoever did not ask for what was before.
        self._behind = since is not None
        self.overruns = 0
        """How often it fell behind and had to catch up."""
        feed._subscriptions.add(self)  # noqa: SLF001 - the two are one thing

    def put(self, change: int, line: bytes) -> None:
        """Queue a line, or note that the listener is too slow for its queue."""
        if self._behind:
            return
        if len(self._lines) >= self._feed._most:  # noqa: SLF001
            self.overruns += 1
            self.fall_behind()
        else:
            self._lines.append((change, line))
            self._wake()

    def fall_behind(self) -> None:
        """Drop what is queued, and take it from the store with whatever else is there."""
        self._lines.clear()
        self._behind = True
        self._wake()

    def close(self) -> None:
        """Stop listening; a waiting reader ends."""
        self._ended = True
        self._feed._subscriptions.discard(self)  # noqa: SLF001
        self._wake()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[int, bytes]:
        while not self._ended:
            if self._behind:
                piece = await self._caught_up()
            else:
                piece = self._waiting()
            if piece:
                return self._last, piece
            if not self._lines and not self._behind and not self._ended:
                await self._wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stop listening."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def _wait(self) -> None:
        self._woken = asyncio.get_running_loop().create_future()
        try:
            await self._woken
        finally:
            self._woken = None

    def _waiting(self) -> bytes:
        lines = []
        while self._lines:
            change, line = self._lines.popleft()
            # One that is published late is news all the same, unless the store gave it.
            if change > self._covered:
                self._last = max(self._last, change)
                lines.append(line)
        return b"".join(lines)

    async def _caught_up(self) -> bytes:
        catch_up = self._feed._catch_up  # noqa: SLF001
        if catch_up is None:
            self._behind = False
            return b""
        # From here on new lines queue again, so that none falls between the two.
        self._behind = False
        lines = []
        while rows := await catch_up(self._last):
            lines += [self._feed._render(row) for row in rows]  # noqa: SLF001
            self._covered = self._last = max(row.change for row in rows)
        return b"".join(lines)


def _by_change(row: AlertRow) -> int:
    return row.change
