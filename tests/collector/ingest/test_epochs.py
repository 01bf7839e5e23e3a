"""Lanes that begin anew, go back, or change hands while records are on their way."""

import asyncio
import contextlib

import pytest

from collector.store import schema
from tests.collector.school import until
from wire.chain import fresh_epoch
from wire.event import Lane


async def beaten(line, device, number):
    await line.say(device.heartbeat(number))
    while line.beat != number:
        await line.hear()


@pytest.mark.parametrize("through", ["hello", "heartbeat"])
async def test_records_go_on_in_an_epoch_that_was_opened_beside_them(rig, through):
    device = await rig.enrol()
    async with rig.line(device) as line:
        await line.send(device.event())  # from here on the lanes are remembered
        await line.until_receipted(device.heads[Lane.TEXT])
        device.heads[Lane.TEXT] = fresh_epoch(Lane.TEXT)
        first = device.event()
        if through == "heartbeat":
            await beaten(line, device, 1)
            await line.send(first, device.event())
            await line.until_receipted(device.heads[Lane.TEXT])
            assert line.refusals == []
    if through == "hello":
        async with rig.line(device) as line:
            await line.send(first, device.event())
            await line.until_receipted(device.heads[Lane.TEXT])
            assert line.refusals == []
    assert await rig.warnings() == ["new_epoch"]
    assert len(await rig.rows(schema.records)) == 3


async def test_a_pc_set_back_to_an_epoch_that_it_left_is_named_and_can_go_on(rig):
    device = await rig.enrol()
    async with rig.line(device) as line:
        await line.send(device.event(), device.event())
        image = device.heads[Lane.TEXT]
        await line.until_receipted(image)
        device.heads[Lane.TEXT] = fresh_epoch(Lane.TEXT)
        between = [device.event() for _ in range(3)]
        await line.send(*between)
        await line.until_receipted(device.heads[Lane.TEXT])
        left = device.heads[Lane.TEXT].epoch
    device.heads[Lane.TEXT] = image
    async with rig.line(device, greet=False) as line:
        welcome = await line.greet(device)
        assert welcome.stored == (image,)
        await line.send(device.event())
        await line.until_receipted(device.heads[Lane.TEXT])
    began, back = await rig.rows(schema.warnings)
    assert began.kind == "new_epoch"
    assert (back.kind, back.epoch, back.first, back.last) == ("rolled_back", left, 1, 3)
    assert "1 to 3 (3 records)" in back.words
    heads = {row.epoch: row for row in await rig.rows(schema.lanes)}
    assert [heads[epoch].open for epoch in (image.epoch, left)] == [True, False]
    assert heads[image.epoch].sequence == 3


async def test_of_every_lane_the_welcome_names_one_head(rig):
    device = await rig.enrol()
    heads = []
    async with rig.line(device) as line:
        for _ in range(3):
            device.heads[Lane.TEXT] = fresh_epoch(Lane.TEXT)
            await line.send(device.event())
            heads.append(device.heads[Lane.TEXT])
            await line.until_receipted(heads[-1])
    for head in reversed(heads):
        async with rig.line(device, greet=False) as line:
            welcome = await line.greet(device, written=(head,))
            assert welcome.stored == (head,)


async def test_numbers_of_a_left_epoch_count_what_came_in_the_same_batch(rig):
    device = await rig.enrol()
    async with rig.line(device) as line:
        async with rig.held():
            await line.send(device.event())  # is in the commit that is held
            await until(lambda: rig.uplink.intake.waiting == 0)
            await line.send(*[device.event() for _ in range(5)])
            device.heads[Lane.TEXT] = fresh_epoch(Lane.TEXT)
            await line.send(device.event())
            await until(lambda: rig.uplink.intake.waiting == 6)
        await line.until_receipted(device.heads[Lane.TEXT])
    (warning,) = await rig.rows(schema.warnings)
    assert (warning.first, warning.last) == (6, 6)
    assert "all 6 known records came" in warning.words


@pytest.mark.parametrize("through", ["hello", "heartbeat"])
async def test_what_is_still_on_its_way_is_not_called_lost(rig, through):
    device = await rig.enrol()
    async with contextlib.AsyncExitStack() as lines:
        line = await lines.enter_async_context(rig.line(device))
        async with rig.held():
            await line.send(*[device.event() for _ in range(4)])
            await until(lambda: rig.uplink.intake.coming == 4)
            old = device.heads[Lane.TEXT]
            device.heads[Lane.TEXT] = fresh_epoch(Lane.TEXT)
            device.event()
            if through == "heartbeat":
                await line.say(device.heartbeat(1))
            else:
                newer = await lines.enter_async_context(rig.line(device, greet=False))
                await newer.say(device.hello())
            await asyncio.sleep(0.2)  # had it not waited, it would have been written first
        if through == "heartbeat":
            await line.until(lambda: line.beat == 1)
        else:
            await newer.until(lambda: newer.others)
    (warning,) = await rig.rows(schema.warnings)
    assert (warning.epoch, warning.first, warning.last) == (old.epoch, 4, 4)
    assert "all 4 known records came" in warning.words
