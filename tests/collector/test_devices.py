import asyncio

import pytest

from collector.devices import Device, DeviceBook, DeviceState
from collector.errors import UnknownDevice
from collector.store import Store
from tests.collector.school import spki
from wire import certs


class Stream:
    def __init__(self):
        self.ended = []

    def cut(self, state):
        self.ended.append(state)

    def supersede(self):
        self.ended.append("superseded")


def device(name="d1", *, key=None, state=DeviceState.ACTIVE):
    return Device(
        device=name,
        name="PC-1",
        room="R1",
        state=state,
        public_key=spki(key or certs.new_key()),
        certificate=b"first",
        enrolled_at=5,
    )


@pytest.fixture
async def store(tmp_path):
    made = Store.open(tmp_path)
    yield made
    made.close()


@pytest.fixture
async def book(store):
    return DeviceBook(store, "oak")


async def reloaded(store):
    again = DeviceBook(store, "oak")
    await again.load()
    return again


async def test_every_change_outlives_a_restart(store, book):
    await book.add(device(state=DeviceState.PENDING))
    await book.confirm("d1")
    await book.renewed("d1", b"second")
    again = (await reloaded(store)).get("d1")
    assert again == book.get("d1")
    assert (again.state, again.certificate) == (DeviceState.ACTIVE, b"second")


async def test_denying_ends_each_open_stream_once_it_is_durable(store, book):
    await book.add(device())
    mine, ended, others = Stream(), Stream(), Stream()
    assert book.attach("d1", ended) == ()
    assert book.attach("d1", mine) == (ended,)
    book.attach("d2", others)
    book.detach("d1", ended)
    await book.deny("d1")
    assert (mine.ended, ended.ended, others.ended) == ([DeviceState.DENIED], [], [])
    assert (await reloaded(store)).get("d1").state is DeviceState.DENIED


@pytest.mark.parametrize("denied_first", [True, False])
async def test_a_renewal_beside_a_denial_undoes_neither(store, book, denied_first):
    await book.add(device())
    changes = [book.deny("d1"), book.renewed("d1", b"second")]
    await asyncio.gather(*(changes if denied_first else reversed(changes)))
    found = book.get("d1")
    assert (found.state, found.certificate) == (DeviceState.DENIED, b"second")
    assert found == (await reloaded(store)).get("d1")


async def test_a_book_knows_its_own_school_alone(store, book):
    await book.add(device())
    other = DeviceBook(store, "elm")
    await other.load()
    assert other.get("d1") is None
    assert other.all() == ()


async def test_a_device_that_enrols_again_signs_with_its_new_key(book):
    old, new = certs.new_key(), certs.new_key()
    await book.add(device(key=old))
    assert book.key("d1") == old.public_key()
    await book.add(device(key=new))
    assert book.key("d1") == new.public_key()
    assert len(book.all()) == 1


async def test_what_was_never_enrolled_cannot_be_changed(book):
    for change in (book.confirm, book.deny):
        with pytest.raises(UnknownDevice):
            await change("nobody")


async def test_who_is_online(book):
    stream = Stream()
    book.attach("d1", stream)
    assert book.online() == {"d1"}
    book.detach("d1", stream)
    assert book.online() == frozenset()
