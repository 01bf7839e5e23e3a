import asyncio

from collector.alerts import AlertRow, AlertState
from collector.feed import Feed


def row(change):
    return AlertRow(
        school="oak",
        alert=change.to_bytes(16, "big"),
        pseudonym="p",
        account_kind=1,
        category="suicide",
        device="d",
        host="h",
        room="r",
        priority=1,
        score=0.5,
        severity=4,
        reasons=(),
        events=1,
        first_at=1,
        last_at=1,
        opened_at=1,
        due_at=None,
        late=False,
        state=AlertState.OPEN,
        acknowledged_by=None,
        acknowledged_at=None,
        reopened=0,
        drill=False,
        change=change,
    )


class Source:
    """The store's side of catching up: every change so far, a few at a time."""

    def __init__(self):
        self.rows = []
        self.asked = []

    async def __call__(self, since):
        self.asked.append(since)
        await asyncio.sleep(0)
        return [one for one in self.rows if one.change > since][:3]


async def take(subscription, last):
    lines = b""
    async with asyncio.timeout(2):
        async for change, piece in subscription:
            lines += piece
            if change >= last:
                return [int(line) for line in lines.split()]
    return None


def render(one):
    return b"%d\n" % one.change


async def test_each_line_is_encoded_once_for_all():
    rendered = []
    feed = Feed(lambda one: rendered.append(one.change) or render(one))
    listening = [feed.subscribe() for _ in range(50)]
    feed.publish([row(2), row(1)])
    for subscription in listening:
        assert await take(subscription, 2) == [1, 2]
    assert rendered == [1, 2]


async def test_a_listener_that_waits_is_woken():
    feed = Feed(render)
    subscription = feed.subscribe()
    waiting = asyncio.ensure_future(take(subscription, 1))
    await asyncio.sleep(0.01)
    feed.publish([row(1)])
    assert await waiting == [1]


async def test_what_came_before_is_caught_up_by_number():
    source = Source()
    source.rows = [row(n) for n in range(1, 11)]
    feed = Feed(render, source)
    assert await take(feed.subscribe(since=4), 10) == [5, 6, 7, 8, 9, 10]


async def test_a_slow_listener_loses_its_queue_and_nothing_else():
    source = Source()
    feed = Feed(render, source, most=5)
    slow = feed.subscribe()
    for n in range(1, 41):
        source.rows.append(row(n))
        feed.publish([row(n)])
    assert slow.overruns == 1
    assert len(slow._lines) <= 5
    assert await take(slow, 40) == list(range(1, 41))


async def test_nothing_falls_between_catching_up_and_the_queue():
    source = Source()
    source.rows = [row(n) for n in range(1, 8)]
    feed = Feed(render, source)
    subscription = feed.subscribe(since=0)
    waiting = asyncio.ensure_future(take(subscription, 9))
    await asyncio.sleep(0)
    for n in (8, 9):
        source.rows.append(row(n))
        feed.publish([row(n)])
    assert await waiting == list(range(1, 10))


async def test_closing_ends_every_listener():
    feed = Feed(render)
    with feed.subscribe() as subscription:
        waiting = asyncio.ensure_future(take(subscription, 1))
        await asyncio.sleep(0)
        feed.close()
        assert await waiting is None
    assert feed.listeners == 0


async def test_a_change_that_is_published_late_is_in_its_place():
    source = Source()
    feed = Feed(render, source)
    feed.publish([row(1)])
    subscription = feed.subscribe()
    source.rows = [row(n) for n in (1, 2, 3)]  # all three are durable
    feed.publish([row(3)])
    feed.publish([row(2)])
    assert await take(subscription, 3) == [2, 3]
    feed.publish([row(4)])
    assert await take(subscription, 4) == [4]
    assert source.asked[0] == 1


async def test_a_change_that_nobody_published_is_told_with_the_next():
    source = Source()
    feed = Feed(render, source)
    feed.publish([row(1)])
    subscription = feed.subscribe()
    feed.publish([row(2)])
    assert await take(subscription, 2) == [2]
    source.rows = [row(n) for n in (1, 2, 3, 4)]
    feed.publish([row(4)])
    assert await take(subscription, 4) == [3, 4]


async def test_the_first_change_after_a_start_skips_nothing():
    source = Source()
    feed = Feed(render, source)
    subscription = feed.subscribe()
    feed.publish([row(501)])
    assert await take(subscription, 501) == [501]
    assert source.asked == []
