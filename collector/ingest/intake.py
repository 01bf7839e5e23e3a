"""From the streams to the store and back: batches, receipts, the feed.

One task takes whatever queued during the last commit as one batch, has it made
durable, and only then answers: each stream one cumulative receipt per lane and its
refusals, the feed what changed. Nothing is answered before `_commit` returned.

When a commit fails nothing of its batch is answered: its streams end as unavailable,
and their devices send again what has no receipt. A batch with a record that the
store cannot take is tried again record by record, so that one does not stop others.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Protocol

import structlog

from collector.errors import StoreError
from collector.ingest.check import Checked
from collector.ingest.parts import UplinkParts
from collector.ingest.record import Recorded, Recorder, has_picture
from wire.event import Lane, LaneHead, Refusal, RefusalReason

_log = structlog.get_logger(__name__)


class Asker(Protocol):
    """Whoever waits for the answer to a record."""

    def receipted(self, heads: dict[Lane, LaneHead]) -> None:
        """Everything up to these heads is durable."""
        ...

    def refused(self, refusal: Refusal) -> None:
        """One record was not taken."""
        ...

    def unavailable(self) -> None:
        """The store did not take what was sent; nothing is known of it."""
        ...


class Intake:
    """The queue before the store."""

    def __init__(self, parts: UplinkParts, recorder: Recorder) -> None:
        """Make an empty intake; `run` works it off."""
        self._parts = parts
        self._limits = parts.limits
        self._recorder = recorder
        self._queue: deque[tuple[Asker, Checked]] = deque()
        self._bytes = 0
        self._came = self._done = 0
        self._did_some = asyncio.Event()
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._finishing = False

    @property
    def waiting(self) -> int:
        """How many records wait for a commit."""
        return len(self._queue)

    @property
    def coming(self) -> int:
        """How many records are not answered yet, those of the running commit included."""
        return self._came - self._done

    def put(self, asker: Asker, record: Checked) -> None:
        """Queue a record; its answer comes through the asker."""
        self._queue.append((asker, record))
        self._came += 1
        self._bytes += record.weight
        self._something.set()
        full = len(self._queue) >= self._limits.queued_records
        if full or self._bytes >= self._limits.queued_bytes:
            self._room.clear()

    @property
    def is_full(self) -> bool:
        """Whether `room` would wait."""
        return not self._room.is_set()

    async def room(self) -> None:
        """Wait until there is room for another record."""
        await self._room.wait()

    async def settled(self) -> None:
        """Wait until every record that came so far is answered, for what must come after it."""
        came = self._came
        while self._done < came:
            await self._did_some.wait()

    async def run(self) -> None:
        """Work the queue off until `finish`."""
        while True:
            batch = self._take()
            if batch:
                try:
                    await self._work(batch)
                except Exception as error:  # noqa: BLE001
                    # A bug in answering: their devices ask again; the next batch goes on.
                    _log.exception("batch was not answered", records=len(batch))
                    self._failed(batch, error)
                self._done = self._came - len(self._queue)
                self._did_some.set()
                self._did_some.clear()
            elif self._finishing:
                return
            else:
                self._something.clear()
                await self._something.wait()

    def finish(self) -> None:
        """Have `run` return once nothing is queued."""
        self._finishing = True
        self._something.set()

    def _take(self) -> list[tuple[Asker, Checked]]:
        batch: list[tuple[Asker, Checked]] = []
        size = 0
        while self._queue and len(batch) < self._limits.batch_records:
            if batch and size >= self._limits.batch_bytes:
                break
            asker, record = self._queue.popleft()
            size += record.weight
            batch.append((asker, record))
        self._bytes -= size
        roomy = len(self._queue) < self._limits.queued_records
        if roomy and self._bytes < self._limits.queued_bytes:
            self._room.set()
        return batch

    async def _work(self, batch: Sequence[tuple[Asker, Checked]]) -> None:
        try:
            recorded = await self._commit([record for _, record in batch])
        except StoreError as error:
            self._failed(batch, error)
        except Exception as error:  # noqa: BLE001 - a bug met one record: the others go on
            if len(batch) == 1:
                self._poisonous(batch[0], error)
                return
            for one in batch:
                await self._work([one])
        else:
            self._answer(batch, recorded)

    async def _commit(self, records: Sequence[Checked]) -> Recorded:
        """Make the records durable: what they speak of first, then themselves."""
        store, recorder = self._parts.store, self._recorder
        beside: list[Awaitable[None]] = []
        if any(record.header.part for record in records):
            beside.append(store.write_keys(partial(recorder.keys, records)))
        if any(has_picture(record) for record in records):
            beside.append(store.write_pictures(partial(recorder.pictures, records)))
        try:
            # Both end before an error is told, so that nothing writes on behind the next batch.
            for failed in await asyncio.gather(*beside, return_exceptions=True):
                if failed is not None:
                    raise failed  # noqa: TRY301 - the one below forgets for every cause
            return await store.write(partial(recorder.main, records))
        except BaseException:
            recorder.forget()
            raise

    def _answer(self, batch: Sequence[tuple[Asker, Checked]], recorded: Recorded) -> None:
        tally = self._parts.tally
        tally.stored += recorded.stored
        tally.again += recorded.again
        tally.warnings += recorded.warnings
        receipts: dict[Asker, dict[Lane, LaneHead]] = {}
        for (asker, _), answer in zip(batch, recorded.answers, strict=True):
            if isinstance(answer, Refusal):
                asker.refused(answer)
            else:
                receipts.setdefault(asker, {})[answer.lane] = answer
        for asker, heads in receipts.items():
            asker.receipted(heads)
        self._parts.feed.publish(recorded.alerts)

    def _failed(self, batch: Sequence[tuple[Asker, Checked]], error: Exception) -> None:
        self._parts.tally.failed_commits += 1
        _log.error("commit failed", records=len(batch), why=str(error))
        # What queued behind them may follow them in their lanes.
        for asker in dict.fromkeys(asker for asker, _ in (*batch, *self._queue)):
            asker.unavailable()
        self._queue.clear()
        self._bytes = 0
        self._room.set()

    def _poisonous(self, one: tuple[Asker, Checked], error: Exception) -> None:
        asker, record = one
        position = record.header.position
        _log.error(
            "record cannot be stored",
            device=record.header.device,
            event_id=record.header.event.hex(),
            why=type(error).__name__,
        )
        asker.refused(
            Refusal(
                reason=RefusalReason.MALFORMED,
                words="The collector could not store this record; its log says why.",
                lane=position.lane,
                sequence=position.sequence,
            ),
        )
