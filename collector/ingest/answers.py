"""What one device is told over its open call: coalesced, and with a last word.

A task to write with exists only while there is something to write. Receipts that
wait are merged, since a later one says all that an earlier one did; so are gaps of
one lane. The **last word** is said once: whatever comes after it is not.
"""

import asyncio
from typing import Any, TypeAlias

import grpc
from grpc import aio

from collector.ingest.parts import Tally
from wire.codec import pack_collector
from wire.event import CollectorMessage, Lane, LaneHead, Receipt, Refusal, RefusalReason

Context: TypeAlias = "aio.ServicerContext[Any, Any]"

_TOLD_WITHIN = 0.3  # seconds that a last word may take before the stream is cut


class Answers:
    """The way down of one call."""

    __slots__ = ("_context", "_ending", "_messages", "_most", "_receipts", "_tally", "_writing")

    def __init__(self, context: Context, tally: Tally, most: int) -> None:
        """Have nothing to say yet; beyond `most` unread answers the call is ended."""
        self._context = context
        self._tally = tally
        self._most = most
        self._receipts: dict[Lane, LaneHead] = {}
        self._messages: list[CollectorMessage] = []
        self._writing: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def are_over(self) -> bool:
        """Whether the last word is said or on its way."""
        return self._ending is not None

    def receipt(self, heads: dict[Lane, LaneHead]) -> None:
        """Tell what is durable."""
        self._receipts.update(heads)
        self._wake()

    def refuse(self, refusal: Refusal) -> None:
        """Tell what was not taken, and why."""
        self._tally.refused[refusal.reason.name] += 1
        if refusal.reason is RefusalReason.GAP:
            # Everything in flight behind a missing record is refused alike: once says it,
            # as long as that was not said yet.
            self._messages = [one for one in self._messages if not _is_same_gap(one, refusal)]
        self.tell(refusal)

    def tell(self, message: CollectorMessage) -> None:
        """Say anything else."""
        if len(self._messages) >= self._most:
            self.unavailable()
            return
        self._messages.append(message)
        self._wake()

    def unavailable(self) -> None:
        """End the call: what it sent is not durable, and what follows would not chain."""
        words = "The collector could not store what was sent. Send it again."
        refusal = Refusal(reason=RefusalReason.UNAVAILABLE, words=words, retry_after_ms=2000)
        self.end(refusal, grpc.StatusCode.UNAVAILABLE)

    def end(self, refusal: Refusal, status: grpc.StatusCode) -> None:
        """Say the last word, and cut the call whether it is heard or not."""
        if self._ending is None:
            self._tally.refused[refusal.reason.name] += 1
            self._ending = asyncio.get_running_loop().create_task(self._last(refusal, status))

    def drop(self) -> None:
        """Write no more, since the call is over; but a last word that began is said."""
        if self._ending is None and self._writing is not None:
            self._writing.cancel()

    async def ended(self) -> None:
        """Wait for the last word, if there is one.

        Raises:
            AbortError: there was; it tells gRPC that the call did not end well.
        """
        if self._ending is not None:
            await self._ending

    def _wake(self) -> None:
        if self._writing is None and self._ending is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._receipts or self._messages:
                messages, self._messages = self._messages, []
                receipts, self._receipts = self._receipts, {}
                for message in messages:
                    await self._context.write(pack_collector(message))
                for head in receipts.values():
                    await self._context.write(pack_collector(Receipt(head=head)))
        except aio.BaseError:
            pass  # the line is gone; what was not said is said again after the next hello
        finally:
            self._writing = None

    async def _last(self, refusal: Refusal, status: grpc.StatusCode) -> None:
        try:
            async with asyncio.timeout(_TOLD_WITHIN):
                if self._writing is not None:
                    await asyncio.wait([self._writing])
                await self._context.write(pack_collector(refusal))
        except (TimeoutError, aio.BaseError):
            pass  # a device that does not listen is cut all the same
        await self._context.abort(status, refusal.words)


def _is_same_gap(message: CollectorMessage, refusal: Refusal) -> bool:
    return (
        isinstance(message, Refusal)
        and message.reason is RefusalReason.GAP
        and message.expected == refusal.expected
    )
