"""The one way to evidence: what must hold before a byte of it is opened."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from collector.permissions import REVEAL, Role
from collector.reveal import (
    DamagedEvidenceError,
    NotHereError,
    NotPermittedError,
    ReasonMissingError,
)
from collector.store import schema
from collector.vault import VaultLockedError
from tests.collector.world import make_world, picture_bytes
from wire import ids


class FailingStore:
    """The real store, of which commits or reads can be made to fail and are noted."""

    def __init__(self, store):
        self._store = store
        self.fail = False
        self.calls = []

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def write(self, job):
        self.calls.append("write")
        if self.fail:
            raise OSError("the commit did not become durable")
        value = await self._store.write(job)
        self.calls.append("durable")
        return value

    async def read_keys(self, query):
        self.calls.append("read key")
        return await self._store.read_keys(query)

    async def read_pictures(self, query):
        self.calls.append("read picture")
        return await self._store.read_pictures(query)


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path, wrap_store=FailingStore) as made:
        yield made


@pytest.fixture
async def case(world):
    """An alert with a picture, and a DSL whose vault is open."""
    pc = await world.enrol("LAB2-14")
    alert = await pc.report(picture=picture_bytes())
    await world.hire(Role.DSL)
    async with world.browser(Role.DSL, unlocked=True) as browser:
        rows = await world.store.read(lambda conn: conn.execute(select(schema.events)).all())
        world.desk.parts.store.calls.clear()
        yield alert, rows[0].event, browser.session


def reveal(world):
    return world.desk.reveal


async def test_the_leaf_is_durable_before_anything_is_read(world, case):
    alert, event, session = case
    opened = await reveal(world).details(session, alert.alert, [event])
    assert opened[0].details.matched == "plain mild words"
    assert world.desk.parts.store.calls == ["write", "durable", "read key"]
    world.desk.parts.store.calls.clear()
    shown = await reveal(world).picture(session, event, "to see who is there")
    assert shown.webp == picture_bytes()
    assert world.desk.parts.store.calls == ["write", "durable", "read key", "read picture"]
    actions = [leaf.action for leaf in await world.leaves()]
    assert actions[-2:] == ["view_details", "view_picture"]


async def test_a_commit_that_fails_opens_nothing(world, case):
    alert, event, session = case
    store = world.desk.parts.store
    store.fail = True
    with pytest.raises(OSError):
        await reveal(world).details(session, alert.alert, [event])
    with pytest.raises(OSError):
        await reveal(world).picture(session, event, "to see who is there")
    with pytest.raises(OSError):
        await reveal(world).names(session, [alert.pseudonym])
    assert store.calls == ["write"] * 3


async def test_a_commit_that_fails_sends_0_bytes_of_evidence(world, case):
    alert, event, _ = case
    async with world.browser(Role.DSL, unlocked=True) as browser:
        world.desk.parts.store.fail = True
        answers = []
        for ask in (
            lambda: browser.get(f"/alerts/{alert.text}"),
            lambda: browser.get("/alerts"),
            lambda: browser.post(
                f"/alerts/{alert.text}/picture/{ids.event_text(event)}", reason="to see it"
            ),
        ):
            try:
                answers.append((await ask()).content)
            except OSError:
                answers.append(b"")
        world.desk.parts.store.fail = False
    assert answers == [b"", b"", b""]


@pytest.mark.parametrize("role", sorted(set(Role) - REVEAL))
async def test_other_roles_are_refused_whatever_the_route(world, case, role):
    alert, event, session = case
    other = replace(session, person=replace(session.person, role=role))
    for ask in (
        reveal(world).details(other, alert.alert, [event]),
        reveal(world).picture(other, event, "to see it"),
        reveal(world).names(other, [alert.pseudonym]),
    ):
        with pytest.raises(NotPermittedError):
            await ask
    assert world.desk.parts.store.calls == []


async def test_a_locked_vault_is_refused_without_a_leaf(world, case):
    alert, event, session = case
    world.parts.vault.lock(session.id)
    for ask in (
        reveal(world).details(session, alert.alert, [event]),
        reveal(world).picture(session, event, "to see it"),
        reveal(world).names(session, [alert.pseudonym]),
    ):
        with pytest.raises(VaultLockedError):
            await ask
    assert world.desk.parts.store.calls == []


@pytest.mark.parametrize("reason", ["", "  ", " a ", "x" * 501])
async def test_a_picture_needs_a_reason(world, case, reason):
    _, event, session = case
    with pytest.raises(ReasonMissingError):
        await reveal(world).picture(session, event, reason)
    assert world.desk.parts.store.calls == []


async def test_a_destroyed_key_is_told_as_erased(world, case):
    _, event, session = case
    await world.store.write_keys(lambda conn: conn.execute(delete(schema.part_keys)) and None)
    with pytest.raises(NotHereError, match="erased"):
        await reveal(world).picture(session, event, "to see it")


async def test_a_picture_that_is_not_there_is_told(world, case):
    _, event, session = case
    await world.store.write_pictures(
        lambda conn: conn.execute(delete(schema.picture_parts)) and None
    )
    with pytest.raises(NotHereError):
        await reveal(world).picture(session, event, "to see it")
    with pytest.raises(NotHereError):
        await reveal(world).picture(session, bytes(16), "to see it")


async def test_altered_ciphertext_header_or_signature_is_damaged_evidence(world, case):
    alert, event, session = case

    async def flipped(table, column, write, read):
        before = await read(lambda conn: conn.execute(select(table.c[column])).scalars().first())
        await write(
            lambda conn: (
                conn.execute(update(table).values({column: before[:-1] + b"\x00"})) and None
            )
        )
        return before

    store = world.store
    for table, column, write, read in (
        (schema.picture_parts, "ciphertext", store.write_pictures, store.read_pictures),
        (schema.part_keys, "enc", store.write_keys, store.read_keys),
    ):
        before = await flipped(table, column, write, read)
        with pytest.raises(DamagedEvidenceError):
            await reveal(world).picture(session, event, "to see it")
        del before
    (opened,) = await reveal(world).details(session, alert.alert, [event])
    assert opened.details is None
    assert "not what the device signed" in opened.problem


async def test_another_devices_record_of_the_same_event_changes_nothing(world, case):
    alert, event, session = case
    liar = await world.enrol("LAB2-15")
    await world.store.write(
        lambda conn: conn.execute(update(schema.records).values(device=liar.device)) and None
    )
    (opened,) = await reveal(world).details(session, alert.alert, [event])
    assert opened.details is None


async def test_names_go_under_one_leaf_and_leave_out_what_does_not_open(world, case):
    alert, _, session = case
    pc = await world.enrol("LAB2-16")
    other = await pc.report(account="other", name="", login="alex")
    wanted = [alert.pseudonym, other.pseudonym, "no such person"]
    assert await reveal(world).names(session, wanted) == {
        alert.pseudonym: "Jo Sample",
        other.pseudonym: "alex",
    }
    (leaf,) = await world.leaves("view_names")
    assert leaf.detail == "people=3"
    assert await reveal(world).names(session, []) == {}
    assert len(await world.leaves("view_names")) == 1
