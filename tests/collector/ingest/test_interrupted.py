"""Streams, commits and processes that end in the middle: nothing lost, nothing twice."""

import asyncio
import contextlib
import random

import grpc
import pytest

from collector.errors import CommitFailed
from collector.ingest.record import Recorder
from collector.store import schema
from collector.store.sweep import GRACE, sweep
from tests.collector.device import CLOCK
from wire.event import Lane, PictureState, RefusalReason
from wire.ids import new_event


class Failing(Recorder):
    """Fails in the job of one file, so many times."""

    def __init__(self, file):
        super().__init__("oak")
        self.file = file
        self.fails = 0

    def _maybe(self, file):
        if file == self.file and self.fails:
            self.fails -= 1
            raise CommitFailed(f"{file} has no room")

    def keys(self, batch, conn):
        super().keys(batch, conn)
        self._maybe("keys")

    def pictures(self, batch, conn):
        super().pictures(batch, conn)
        self._maybe("pictures")

    def main(self, batch, conn):
        recorded = super().main(batch, conn)
        self._maybe("main")
        return recorded


@pytest.mark.parametrize("file", ["keys", "pictures", "main"])
async def test_whichever_file_fails_nothing_is_receipted_and_all_comes_again(rigs, file):
    recorder = Failing(file)
    rig = await rigs(recorder=recorder)
    device = await rig.enrol()
    events = [new_event(CLOCK) for _ in range(4)]
    for event in events:
        device.event(event=event, picture=PictureState.FOLLOWS)
        device.picture(event)
    everything = [envelope for _, envelope in device.spool]
    for _ in range(2):
        recorder.fails = 1
        async with rig.line(device) as line:
            with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                await line.send(*everything)
            # A client in the middle of a write may see the cut line before the status.
            assert (await line.until_cut()).name in {"UNAVAILABLE", "INTERNAL"}
        assert recorder.fails == 0
        stored = {row.lane: row.sequence for row in await rig.rows(schema.lanes) if row.open}
        for lane, head in line.receipts.items():
            assert head.sequence <= stored[lane]
    async with rig.line(device) as line:
        await line.send(*everything)
        for lane in Lane:
            await line.until_receipted(device.heads[lane])
        assert line.refusals == []
    assert {row.picture for row in await rig.rows(schema.events)} == {"here"}
    (alert,) = await rig.rows(schema.alerts)
    assert (alert.events, await rig.warnings()) == (4, [])
    swept = await sweep(rig.store, "oak", now=CLOCK.now() + 2 * GRACE)
    assert (swept.keys, swept.pictures) == (0, 0)


async def test_a_device_that_reconnects_in_the_middle_of_batches_loses_and_doubles_nothing(rig):
    device = await rig.enrol()
    records = [device.event() for _ in range(300)]
    order = random.Random(7)  # where the line breaks, the same each time
    stored = 0
    while stored < len(records):
        async with rig.line(device, greet=False) as line:
            welcome = await line.greet(device)
            stored = next((head.sequence for head in welcome.stored), 0)
            breaks_at = min(len(records), stored + order.randint(1, 90))
            try:
                await line.send(*records[stored:breaks_at])
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                continue
            if breaks_at == len(records):
                await line.until_receipted(device.heads[Lane.TEXT])
                break
    rows = await rig.rows(schema.records)
    assert sorted(row.sequence for row in rows) == list(range(1, 301))
    (alert,) = await rig.rows(schema.alerts)
    assert (alert.events, await rig.warnings()) == (300, [])


async def test_streams_that_supersede_each_other_mix_no_lane(rig):
    device = await rig.enrol()
    records = [device.event() for _ in range(120)]

    async def try_once():
        async with rig.line(device, greet=False) as line:
            try:
                await line.greet(device)
                await line.send(*records)
                await line.until_receipted(device.heads[Lane.TEXT], 5)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError, AssertionError):
                return {refusal.reason for refusal in line.refusals}
        return set()

    heard = set().union(*await asyncio.gather(*(try_once() for _ in range(8))))
    assert heard <= {RefusalReason.SUPERSEDED}
    async with rig.line(device) as line:
        await line.send(*records)
        await line.until_receipted(device.heads[Lane.TEXT])
    rows = await rig.rows(schema.records)
    assert sorted(row.sequence for row in rows) == list(range(1, 121))
    (alert,) = await rig.rows(schema.alerts)
    assert (alert.events, await rig.warnings()) == (120, [])
