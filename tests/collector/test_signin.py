"""Signing in, sessions and their end."""

import pytest
from sqlalchemy import select, update

from collector import staff
from collector.attempts import Attempts, TooManyAttemptsError
from collector.permissions import Role
from collector.signin import SignInRefusedError, digest
from collector.store import schema
from tests.collector.world import PASSWORD, SCHOOL, SetClock, make_world

HERE = "192.0.2.7"


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path) as made:
        await made.hire(Role.DSL, login="pat")
        yield made


@pytest.fixture
def signin(world):
    return world.desk.signin


async def test_the_right_password_gives_a_session(signin):
    token, session = await signin.sign_in(" Pat ", PASSWORD, HERE)
    assert (await signin.session(token)) == session
    assert session.role is Role.DSL


async def test_only_the_tokens_digest_is_stored(world, signin):
    token, session = await signin.sign_in("pat", PASSWORD, HERE)
    row = await world.store.read(lambda conn: conn.execute(select(schema.sessions)).one())
    assert row.token_digest == digest(token) == session.id
    assert token not in str(row)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("pat", "wrong"),
        ("pat", ""),
        ("nobody", PASSWORD),
        ("", ""),
        ("pat\x00", PASSWORD),
        ("pat", PASSWORD + "x" * 500),
    ],
)
async def test_anything_else_is_refused_and_recorded(world, signin, login, password):
    with pytest.raises(SignInRefusedError):
        await signin.sign_in(login, password, HERE)
    (leaf,) = await world.leaves("sign_in_refused")
    assert leaf.object == (
        "staff:unknown" if login != "pat" else f"staff:{world.people[Role.DSL].staff}"
    )


async def test_an_unknown_login_costs_as_much_as_a_known_one(world, monkeypatch):
    work = []
    real = staff._HASHER.verify
    monkeypatch.setattr(
        staff,
        "_HASHER",
        type("Noted", (), {"verify": lambda _, *given: work.append(given[0]) or real(*given)})(),
    )
    for login in ("pat", "nobody"):
        with pytest.raises(SignInRefusedError):
            await world.desk.signin.sign_in(login, "wrong password", HERE)
    assert len(work) == 2
    assert work[0].rsplit("$", 2)[0] == work[1].rsplit("$", 2)[0]


async def test_the_attempt_is_locked_out_and_not_the_person(world, signin):
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            await signin.sign_in("pat", "wrong", "203.0.113.9")
    with pytest.raises(TooManyAttemptsError) as caught:
        await signin.sign_in("PAT", PASSWORD, "203.0.113.9")
    assert 0 < caught.value.wait <= 300
    await signin.sign_in("pat", PASSWORD, HERE)
    world.clock.advance(300)
    await signin.sign_in("pat", PASSWORD, "203.0.113.9")


async def test_one_address_cannot_try_many_logins(signin):
    for number in range(30):
        with pytest.raises(SignInRefusedError):
            await signin.sign_in(f"guess{number}", "wrong", HERE)
    with pytest.raises(TooManyAttemptsError):
        await signin.sign_in("another", "wrong", HERE)


async def test_a_session_ends_when_idle(world, signin):
    token, _ = await signin.sign_in("pat", PASSWORD, HERE)
    for _ in range(3):
        world.clock.advance(29 * 60)
        assert await signin.session(token)
    world.clock.advance(30 * 60)
    assert await signin.session(token) is None
    assert await world.store.read(lambda conn: conn.execute(select(schema.sessions)).all()) == []


async def test_looking_does_not_keep_a_session_alive(world, signin):
    token, session = await signin.sign_in("pat", PASSWORD, HERE)
    for _ in range(2):
        world.clock.advance(14 * 60)
        assert await signin.look(session.id)
    world.clock.advance(2 * 60)
    assert await signin.look(session.id) is None
    assert await signin.session(token) is None


async def test_a_session_ends_after_twelve_hours_however_busy(world, signin):
    token, _ = await signin.sign_in("pat", PASSWORD, HERE)
    for _ in range(25):
        world.clock.advance(28 * 60)
        assert await signin.session(token)
    world.clock.advance(20 * 60)
    assert await signin.session(token) is None


async def test_signing_out_ends_it_and_tells_who_waits(world, signin):
    token, session = await signin.sign_in("pat", PASSWORD, HERE)
    told = []
    forget = signin.on_end(session.id, lambda: told.append("first"))
    signin.on_end(session.id, lambda: told.append("second"))
    forget()
    await signin.sign_out(session)
    assert told == ["second"]
    assert await signin.session(token) is None
    assert [leaf.action for leaf in await world.leaves()] == ["sign_in", "sign_out"]


async def test_signing_in_again_ends_the_session_before(signin):
    first, _ = await signin.sign_in("pat", PASSWORD, HERE)
    second, _ = await signin.sign_in("pat", PASSWORD, HERE, replaces=first)
    assert first != second
    assert await signin.session(first) is None
    assert await signin.session(second)


@pytest.mark.parametrize("token", ["", "x", "é" * 40, "\ud800"])
async def test_a_token_that_never_was_is_nobodys(signin, token):
    assert await signin.session(token) is None


async def test_who_left_has_no_session_no_key_and_no_way_in(world, signin):
    token, session = await signin.sign_in("pat", PASSWORD, HERE)
    await world.store.write(
        lambda conn: staff.leave(conn, SCHOOL, session.staff, world.clock.now())
    )
    assert await signin.session(token) is None
    assert await world.store.read(lambda conn: conn.execute(select(schema.wraps)).all()) == []
    with pytest.raises(SignInRefusedError):
        await signin.sign_in("pat", PASSWORD, HERE)


async def test_a_role_taken_away_counts_at_once(world, signin):
    token, _ = await signin.sign_in("pat", PASSWORD, HERE)
    await world.store.write(
        lambda conn: conn.execute(update(schema.staff).values(role="governor")) and None
    )
    assert (await signin.session(token)).role is Role.GOVERNOR


async def test_the_cookie_is_host_only_secure_and_strict(world):
    async with world.browser() as browser:
        answer = await browser.sign_in("pat")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-redshank=")
    for flag in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert flag in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    "then",
    [
        "//elsewhere.example",
        "https://elsewhere.example",
        "/\\elsewhere",
        "javascript:1",
        "/a\nb",
        "",
    ],
)
async def test_nobody_is_sent_elsewhere_after_signing_in(world, then):
    async with world.browser() as browser:
        answer = await browser.client.post(
            "/signin",
            data={"login": "pat", "password": PASSWORD, "then": then},
            headers={"sec-fetch-site": "same-origin"},
        )
    assert answer.headers["location"] == "/"


async def test_a_page_asked_for_without_a_session_comes_after_signing_in(world):
    async with world.browser() as browser:
        answer = await browser.get("/devices")
        assert answer.headers["location"] == "/signin?then=/devices"
        assert 'value="/devices"' in (await browser.get("/signin?then=/devices")).text


def test_attempts_are_kept_for_so_many_keys_and_no_more():
    attempts = Attempts(SetClock(), limit=1, window=60)
    for number in range(10_050):
        attempts.spend(str(number))
    assert len(attempts._failed) == 10_000
    with pytest.raises(TooManyAttemptsError):
        attempts.check("10049")
    attempts.forgive("10049")
    attempts.check("10049")
