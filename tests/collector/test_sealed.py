"""What staff write is sealed: it opens for an open vault alone, where it was put, and once erased never."""

import pytest
from sqlalchemy import delete, select, update

from collector.permissions import Role
from collector.sealed import LONGEST, Kind, SealedWordsError, about, keep
from collector.store.sweep import GRACE, sweep
from collector.store.tables.words import sealed_words, word_keys
from collector.vault import VaultLockedError
from tests.collector.world import SCHOOL, make_world

SAID = "She told me in the corridor that she is afraid to go home."
ALERT = "alert:0198c1f0-0000-7000-8000-000000000001"


class Writer:
    """A DSL's session at a desk, with its vault open or not."""

    def __init__(self, world, session):
        self.world, self.session, self.words = world, session, world.desk.words

    async def write(self, *texts, kind=Kind.NOTE):
        sealed = await self.words.seal(kind, ALERT, *texts, by=self.session.staff)
        await self.world.store.write(lambda conn: keep(conn, SCHOOL, sealed))
        return [one.id for one in sealed]

    async def read(self, ids):
        act = self.session.act("read_notes", ALERT)
        return await self.words.open(self.session, ids, act=act)


async def writer_of(world, browser):
    token = browser.client.cookies["__Host-redshank"]
    return Writer(world, await world.desk.signin.session(token))


async def test_it_opens_again_in_the_order_of_asking_and_the_log_says_so(tmp_path):
    async with make_world(tmp_path) as world, world.browser(Role.DSL, unlocked=True) as browser:
        writer = await writer_of(world, browser)
        ids = await writer.write(SAID, "żółć 🙂")
        assert await writer.read(ids) == dict(zip(ids, (SAID, "żółć 🙂"), strict=True))
        rows = await world.store.read(lambda conn: about(conn, SCHOOL, ALERT))
        assert [row.id for row in rows] == ids
        assert "read_notes" in {leaf.action for leaf in await world.leaves()}


async def test_nothing_of_it_lies_in_the_files(tmp_path):
    async with make_world(tmp_path) as world, world.browser(Role.DSL, unlocked=True) as browser:
        writer = await writer_of(world, browser)
        await writer.read(await writer.write(SAID))
        found = [
            path.name
            for path in world.store.directory.iterdir()
            if path.is_file() and b"afraid to go home" in path.read_bytes()
        ]
        assert found == []


async def test_a_locked_vault_opens_nothing_and_leaves_no_mark(tmp_path):
    async with make_world(tmp_path) as world, world.browser(Role.DSL) as browser:
        writer = await writer_of(world, browser)
        ids = await writer.write(SAID)
        with pytest.raises(VaultLockedError):
            await writer.read(ids)
        assert "read_notes" not in {leaf.action for leaf in await world.leaves()}


async def test_moved_words_do_not_pass_for_another_kind(tmp_path):
    async with make_world(tmp_path) as world, world.browser(Role.DSL, unlocked=True) as browser:
        writer = await writer_of(world, browser)
        ids = await writer.write(SAID)
        await world.store.write(
            lambda conn: conn.execute(update(sealed_words).values(kind=Kind.NAME)) and None
        )
        (shown,) = (await writer.read(ids)).values()
        assert "altered" in shown
        assert SAID not in shown


async def test_without_their_key_they_are_gone(tmp_path):
    async with make_world(tmp_path) as world, world.browser(Role.DSL, unlocked=True) as browser:
        writer = await writer_of(world, browser)
        ids = await writer.write(SAID, "kept")
        await world.store.write_keys(
            lambda conn: conn.execute(delete(word_keys).where(word_keys.c.words == ids[0])) and None
        )
        assert await writer.read(ids) == {ids[1]: "kept"}


async def test_the_sweeper_takes_keys_of_words_that_were_never_kept(tmp_path):
    async with make_world(tmp_path) as world, world.browser(Role.DSL, unlocked=True) as browser:
        writer = await writer_of(world, browser)
        ids = await writer.write("kept")
        await writer.words.seal(Kind.NOTE, ALERT, "lost", by=writer.session.staff)
        later = world.clock.now() + GRACE + 1
        assert (await sweep(world.store, SCHOOL, now=later)).keys == 1
        left = await world.store.read_keys(
            lambda conn: list(conn.scalars(select(word_keys.c.words)))
        )
        assert left == ids


@pytest.mark.parametrize("text", ["", "  \n", "x" * (LONGEST + 1)])
async def test_what_is_no_text_is_refused_and_leaves_nothing(tmp_path, text):
    async with make_world(tmp_path) as world, world.browser(Role.DSL) as browser:
        writer = await writer_of(world, browser)
        with pytest.raises(SealedWordsError):
            await writer.words.seal(Kind.NOTE, ALERT, "fine", text, by="somebody")
        assert (
            await world.store.read_keys(lambda conn: list(conn.scalars(select(word_keys.c.words))))
            == []
        )
