"""Every route for every role, from the permission table and the OpenAPI document."""

import asyncio
import json
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import select
from starlette.routing import Mount

from collector.permissions import REVEAL, TABLE, NoRowError, Role, allowed
from collector.store import schema
from collector.web import openapi
from collector.web.app import bare_app, check_rows
from tests.collector.world import OURS, PASSPHRASE, PASSWORD, make_world, picture_bytes
from wire import ids

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
DOCUMENT = json.loads(openapi.document())
OPERATIONS = [
    (operation["operationId"], method, path)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
# What would end the session of the asker comes last.
ORDER = {"lock": 1, "signin": 2, "signout": 3}
PLANTED = (b"plain mild words", b"Jo Sample", b"jsample", b"chat.example", b"WEBP", b"suicide")


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path) as made:
        yield made


@pytest.fixture
async def objects(world):
    """What stands for each parameter of a path."""
    pc = await world.enrol("LAB2-14")
    alert = await pc.report(picture=picture_bytes())
    event = await world.store.read(
        lambda conn: conn.execute(select(schema.events.c.event)).scalar()
    )
    return {
        "alert": alert.text,
        "event": ids.event_text(event),
        "warning": ids.event_text(ids.new_event(world.clock)),
        "pseudonym": alert.pseudonym,
    }


def test_the_document_is_the_committed_one():
    assert COMMITTED.read_text() == openapi.document(), (
        "the desk's routes changed: python -m collector.web.openapi > docs/openapi.json"
    )


def test_the_document_has_every_row_of_the_table_and_no_other():
    assert {name for name, _, _ in OPERATIONS} == set(TABLE) - {"static"}


@pytest.mark.parametrize(
    "route",
    [
        APIRoute("/new", lambda: None, name="new"),
        APIRoute("/alerts2", lambda: None, name="alerts"),
        Mount("/files", APIRouter(), name="static"),
    ],
)
def test_a_route_without_a_row_or_a_guard_is_not_built(route):
    app = bare_app()
    app.router.routes.append(route)
    with pytest.raises(NoRowError):
        check_rows(app)


def test_a_row_without_a_route_is_not_built():
    with pytest.raises(NoRowError, match="rows without a route"):
        check_rows(FastAPI(docs_url=None, redoc_url=None, openapi_url=None))


def test_an_unknown_route_is_asked_in_vain():
    with pytest.raises(NoRowError):
        allowed("no such route", Role.DSL)


def test_evidence_is_for_the_safeguarding_roles_alone():
    assert {Role.DSL, Role.DEPUTY, Role.COORDINATOR} == REVEAL
    for route in ("alerts", "alert", "live", "picture", "names", "unlock"):
        assert TABLE[route] == REVEAL


async def ask(world, browser, route, objects):
    operation, method, path = route
    path = path.format(**objects)
    if method == "get":
        if operation == "live":
            asyncio.get_running_loop().call_later(0.3, world.parts.feed.close)
        return await browser.get(path)
    if operation == "names":
        return await browser.client.post(
            path,
            json={"pseudonyms": [objects["pseudonym"]]},
            headers=OURS | {"x-csrf-token": browser.csrf},
        )
    form = {
        "unlock": {"passphrase": PASSPHRASE},
        "picture": {"reason": "to see who is there"},
        "false_alarm": {"reason": "a play"},
        "signin": {"login": "nobody at all", "password": PASSWORD},
    }
    return await browser.post(path, **form.get(operation, {}))


@pytest.mark.parametrize("role", sorted(Role))
async def test_every_route_for_the_role(world, objects, role):
    wrong = []
    safeguarding = role in REVEAL
    async with world.browser(role, unlocked=safeguarding) as browser:
        for operation, method, path in sorted(OPERATIONS, key=lambda one: ORDER.get(one[0], 0)):
            answer = await ask(world, browser, (operation, method, path), objects)
            may = allowed(operation, role)
            status = answer.status_code
            sent_away = status == 303 and answer.headers["location"].startswith("/signin?")
            refused = (status == 401 or sent_away) if role is Role.NOBODY else status == 403
            if operation == "signin":
                refused = False
            if may == refused or status >= 500 or status == 422:
                wrong.append((operation, method, status))
            if not safeguarding:
                leaked = [word for word in PLANTED if word in answer.content]
                # A governor's counts name the category; that is what they are for.
                if leaked and not (operation == "counts" and may and leaked == [b"suicide"]):
                    wrong.append((operation, leaked))
    assert wrong == []
    assert safeguarding == bool(await world.leaves("view_picture"))


@pytest.mark.parametrize("role", sorted(Role))
async def test_nothing_of_a_framework_is_served(world, role):
    async with world.browser(role) as browser:
        for path in ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"):
            assert (await browser.get(path)).status_code == 404


async def test_a_picture_is_served_of_its_own_alert_only(world, objects):
    pc = await world.enrol("LAB2-15")
    other = await pc.report(account="other", category="bullying")
    async with world.browser(Role.DSL, unlocked=True) as browser:
        path = f"/alerts/{other.text}/picture/{objects['event']}"
        answer = await browser.post(path, reason="to see it")
    assert answer.status_code == 404
    assert await world.leaves("view_picture") == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
    ],
)
async def test_a_form_from_elsewhere_is_not_taken(world, objects, headers):
    async with world.browser(Role.DSL) as browser:
        for operation, method, path in OPERATIONS:
            if method == "get":
                continue
            answer = await browser.client.post(
                path.format(**objects), data={"csrf": browser.csrf}, headers=headers
            )
            assert answer.status_code == 403, operation


@pytest.mark.parametrize("token", ["", "wrong", None, "é"])
async def test_a_form_without_the_sessions_token_is_not_taken(world, objects, token):
    async with world.browser(Role.DSL) as browser:
        for operation, method, path in OPERATIONS:
            if method == "get":
                continue
            form = {} if token is None else {"csrf": token}
            answer = await browser.client.post(path.format(**objects), data=form, headers=OURS)
            assert answer.status_code == 403, operation


async def test_an_older_browser_is_known_by_its_origin(world, objects):
    async with world.browser(Role.DSL) as browser:
        answer = await browser.client.post(
            f"/alerts/{objects['alert']}/acknowledge",
            data={"csrf": browser.csrf},
            headers={"origin": "https://desk.school"},
        )
    assert answer.status_code == 303


async def test_a_body_too_long_is_refused(world):
    async with world.browser(Role.DSL) as browser:
        answer = await browser.post("/vault/unlock", passphrase="x" * 70_000)
    assert answer.status_code == 413
