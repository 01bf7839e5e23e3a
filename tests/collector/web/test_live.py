"""The live stream: a line for each change, in order, until the session ends."""

import asyncio
import re

import pytest

from collector.permissions import Role
from collector.web import live
from collector.web.lines import render_line
from collector.web.templating import order
from tests.collector.world import HOUR, make_world
from wire.event import Severity


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path) as made:
        yield made


@pytest.fixture
async def session(world):
    async with world.browser(Role.DSL) as browser:
        yield browser.session


async def pieces(stream, count):
    lines = stream.lines()
    found = [await anext(lines) for _ in range(count)]
    await lines.aclose()
    return b"".join(found)


def ids_of(raw):
    return [int(number) for number in re.findall(rb"^id: (\d+)$", raw, re.MULTILINE)]


async def test_a_line_is_one_message_without_a_name(world):
    pc = await world.enrol("LAB2\n-14", room="a\r\ndata: x")
    alert = await pc.report()
    line = render_line(alert)
    assert line.endswith(b"\n\n")
    assert line.count(b"\n") == 4
    assert line.startswith(f'id: {alert.change}\nevent: alert\ndata: <li id="alert-'.encode())
    assert b"\r" not in line
    for secret in (b"Jo Sample", b"plain mild words", b"jsample"):
        assert secret not in line


async def test_the_rows_order_is_the_lists_order(world):
    pc = await world.enrol("LAB2-14")
    await pc.report(account="1", category="bullying", score=300, severity=Severity.LOW)
    await pc.report(account="2", ago=2 * HOUR)
    await pc.report(account="3", category="canary", severity=Severity.LOW)
    world.clock.advance(5)
    taken = await pc.report(account="4")
    await pc.report(account="5", severity=Severity.CRITICAL, score=990)
    async with world.browser(Role.DSL) as browser:
        await browser.post(f"/alerts/{taken.text}/acknowledge")
    rows = await world.alerts()
    assert len(rows) == 5
    assert [row.alert for row in sorted(rows, key=order)] == [row.alert for row in rows]


async def test_it_catches_up_from_the_number_given_and_then_goes_on(world, session):
    pc = await world.enrol("LAB2-14")
    first = await pc.report(account="1")
    await pc.report(account="2")
    stream = live.Stream(world.desk, session, first.change)
    lines = stream.lines()
    assert b"beat" in await anext(lines)
    missed = ids_of(await anext(lines))
    assert min(missed) > first.change
    waiting = asyncio.ensure_future(anext(lines))
    await asyncio.sleep(0)
    await pc.report(account="3")
    later = ids_of(await waiting)
    assert min(later) > max(missed)
    await lines.aclose()
    assert world.parts.feed.listeners == 0


async def test_a_quiet_line_beats_and_loses_nothing(world, session, monkeypatch):
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.05)
    pc = await world.enrol("LAB2-14")
    stream = live.Stream(world.desk, session, 0)
    lines = stream.lines()
    assert b"beat" in await anext(lines)
    assert await anext(lines) == live._BEAT
    await pc.report()
    assert ids_of(await anext(lines)) == [1]
    assert await anext(lines) == live._BEAT
    await lines.aclose()


async def test_signing_out_ends_it_with_a_word(world, session):
    stream = live.Stream(world.desk, session, 0)
    lines = stream.lines()
    await anext(lines)
    waiting = asyncio.ensure_future(anext(lines))
    await asyncio.sleep(0)
    await world.desk.signin.sign_out(session)
    assert await waiting == live._ENDED
    with pytest.raises(StopAsyncIteration):
        await anext(lines)


async def test_a_session_that_ran_out_ends_it(world, session, monkeypatch):
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.05)
    stream = live.Stream(world.desk, session, 0)
    lines = stream.lines()
    await anext(lines)
    world.clock.advance(31 * 60)
    assert await anext(lines) == live._ENDED


async def test_the_end_of_the_feed_is_not_the_end_of_the_session(world, session):
    stream = live.Stream(world.desk, session, 0)
    lines = stream.lines()
    await anext(lines)
    asyncio.get_running_loop().call_soon(world.parts.feed.close)
    with pytest.raises(StopAsyncIteration):
        await anext(lines)


@pytest.mark.parametrize("last", ["-1", "x", "9" * 40, "1.5"])
async def test_a_last_event_id_that_is_none_is_not_followed(world, last):
    pc = await world.enrol("LAB2-14")
    await pc.report()
    async with world.browser(Role.DSL) as browser:
        asyncio.get_running_loop().call_later(0.3, world.parts.feed.close)
        answer = await browser.get("/live", **{"last-event-id": last})
    assert answer.status_code == 200
    assert ids_of(answer.content) == []


async def test_a_number_from_before_a_restore_hides_nothing_new(world):
    pc = await world.enrol("LAB2-14")
    await pc.report(account="1")
    loop = asyncio.get_running_loop()
    async with world.browser(Role.DSL) as browser:
        asking = asyncio.create_task(browser.get("/live?since=500"))
        await asyncio.sleep(0.2)
        alert = await pc.report(account="2")
        loop.call_later(0.2, world.parts.feed.close)
        assert alert.change in ids_of((await asking).content)


async def test_last_event_id_goes_before_since(world):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report()
    async with world.browser(Role.DSL) as browser:
        asyncio.get_running_loop().call_later(0.3, world.parts.feed.close)
        answer = await browser.get(f"/live?since={alert.change}", **{"last-event-id": "0"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert ids_of(answer.content) == [alert.change]


async def test_a_page_that_only_listens_keeps_nobody_signed_in(world):
    async with world.browser(Role.DSL) as browser:
        for _ in range(2):
            world.clock.advance(14 * 60)
            asyncio.get_running_loop().call_later(0.2, world.parts.feed.close)
            assert (await browser.get("/live")).status_code == 200
        world.clock.advance(2 * 60)
        assert (await browser.get("/live", accept="text/event-stream")).status_code == 401
