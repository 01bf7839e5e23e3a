"""The staff: who may be added, and how a password is kept."""

import pytest

from collector import staff
from collector.permissions import Role
from collector.staff import StaffError
from tests.collector.world import PASSWORD, SCHOOL, make_world, password_hash


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path) as made:
        yield made


def test_a_password_is_kept_as_argon2id_alone():
    kept = password_hash()
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 257])
def test_a_password_too_short_or_too_long_is_refused(password):
    with pytest.raises(StaffError, match="12 to 256"):
        staff.hash_password(password)


def test_a_password_is_the_same_however_its_accents_were_typed():
    kept = staff.hash_password("caf\u00e9 au lait chaud")
    account = staff.Account(staff.Person(staff="1", login="a", name="A", role=Role.DSL), kept)
    assert staff.verify(account, "cafe\u0301 au lait chaud")
    assert not staff.verify(account, "cafe au lait chaud")


def test_a_damaged_hash_opens_for_nobody():
    person = staff.Person(staff="1", login="a", name="A", role=Role.DSL)
    assert not staff.verify(staff.Account(person, "nonsense"), PASSWORD)


@pytest.mark.parametrize(
    "wrong",
    [
        {"login": ""},
        {"login": "x" * 121},
        {"login": "a\nb"},
        {"name": " "},
        {"name": "n" * 201},
        {"role": Role.NOBODY},
        {"login": " PAT "},
    ],
)
async def test_who_cannot_be_added(world, wrong):
    good = {"login": "sam", "name": "Sam", "role": Role.DEPUTY}
    await world.hire(Role.DSL, login="pat")

    def job(conn):
        staff.add(conn, SCHOOL, password_hash=password_hash(), now=0, **good | wrong)

    with pytest.raises(StaffError):
        await world.store.write(job)


async def test_names_outlast_who_left(world):
    person = await world.hire(Role.DSL, login="pat", name="Pat Lead")
    await world.hire(Role.GOVERNOR, login="gov", name="Gov")
    await world.store.write(lambda conn: staff.leave(conn, SCHOOL, person.staff, 1))
    everyone = await world.store.read(lambda conn: staff.everyone(conn, SCHOOL))
    assert [one.login for one in everyone] == ["gov"]
    names = await world.store.read(lambda conn: staff.names(conn, SCHOOL))
    assert names[person.staff] == "Pat Lead"
