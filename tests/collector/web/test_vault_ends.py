"""An opened vault ends with the session that it was opened for, whoever ends it."""

import asyncio

import pytest

from collector import staff
from collector.errors import CommitFailed
from collector.permissions import Role
from collector.web.app import sweep
from tests.collector.world import HOUR, PASSPHRASE, PASSWORD, SCHOOL, SECOND, make_world


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path) as made:
        yield made


def is_open(world, browser):
    return bool(world.parts.vault._opened.get(browser.session.id))


async def test_signing_out_while_the_key_is_derived_leaves_nothing_open(world):
    async with world.browser(Role.DSL) as browser:
        unlocking = asyncio.create_task(browser.post("/vault/unlock", passphrase=PASSPHRASE))
        await asyncio.sleep(0.02)
        assert (await browser.post("/signout")).status_code == 303
        answer = await unlocking
        assert answer.headers.get("location") != "/alerts"
        assert not is_open(world, browser)


@pytest.mark.parametrize("seconds", [30 * 60, 12 * HOUR // SECOND])
async def test_a_session_that_ran_out_takes_its_vault_along(world, seconds):
    async with world.browser(Role.DSL, unlocked=True) as browser:
        world.clock.at += seconds * SECOND  # the vault's own clock has not run
        assert is_open(world, browser)
        assert (await browser.get("/alerts")).status_code == 303
        assert not is_open(world, browser)


async def test_a_vault_is_locked_without_a_request_when_its_person_has_left(world):
    async with world.browser(Role.DSL, unlocked=True) as browser:
        await sweep(world.desk)
        assert is_open(world, browser)
        person = world.people[Role.DSL]
        await world.store.write(
            lambda conn: staff.leave(conn, SCHOOL, person.staff, world.clock.now())
        )
        await sweep(world.desk)
        assert not is_open(world, browser)


async def test_signing_in_anew_locks_what_the_browser_held_open(world):
    async with world.browser(Role.DSL, unlocked=True) as browser:
        login = world.people[Role.DSL].login
        answer = await browser.post("/signin", login=login, password=PASSWORD)
        assert answer.status_code == 303
        assert not is_open(world, browser)


async def test_where_a_session_cannot_be_looked_at_its_vault_is_locked(world):
    async with world.browser(Role.DSL, unlocked=True) as browser:
        real = world.desk.signin._store

        class Failing:
            async def read(self, _query):
                raise CommitFailed("the disk has gone")

        world.desk.signin._store = Failing()
        await sweep(world.desk)
        world.desk.signin._store = real
        assert not is_open(world, browser)
