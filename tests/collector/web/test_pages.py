"""The desk by real requests: what a person sees, and what is not shown."""

import asyncio
import re

import pytest
from sqlalchemy import insert

from collector import alerts
from collector.errors import CommitFailed
from collector.permissions import Role
from collector.store import schema
from tests.collector.world import HOUR, PASSPHRASE, SCHOOL, make_world, picture_bytes
from wire import ids
from wire.event import AccountKind, PictureState


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path) as made:
        yield made


async def test_the_list_shows_the_worst_first_and_no_name_while_it_is_locked(world):
    pc = await world.enrol("LAB2-14")
    await pc.report(account="b", name="Alex Example", category="bullying", score=300)
    worst = await pc.report()
    async with world.browser(Role.DSL) as browser:
        page = (await browser.get("/alerts")).text
    rows = re.findall(r'<li id="alert-([0-9a-f-]+)"', page)
    assert len(rows) == 2
    assert rows[0] == worst.text
    assert "Jo Sample" not in page
    assert "name locked" in page
    assert "plain mild words" not in page


async def test_names_stand_on_the_list_once_the_vault_is_open_under_one_leaf(world):
    pc = await world.enrol("LAB2-14")
    await pc.report()
    await pc.report(account="b", name="Alex Example", category="bullying")
    async with world.browser(Role.DSL, unlocked=True) as browser:
        page = (await browser.get("/alerts")).text
    assert "Jo Sample" in page
    assert "Alex Example" in page
    assert len(await world.leaves("view_names")) == 1


async def test_an_alert_shows_what_was_typed_with_the_match_marked(world):
    pc = await world.enrol("LAB2-14", room="Lab 2")
    alert = await pc.report()
    async with world.browser(Role.DSL, unlocked=True) as browser:
        page = (await browser.get(f"/alerts/{alert.text}")).text
    assert "cant do this any more <mark>plain mild words</mark> and so on" in page
    assert "Jo Sample" in page
    assert "https://chat.example/room" in page
    assert "Lab 2" in page
    (leaf,) = await world.leaves("view_details")
    assert leaf.object == f"alert:{alert.text}"


async def test_a_locked_alert_says_so_and_leaves_no_leaf(world):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report()
    async with world.browser(Role.DSL) as browser:
        page = (await browser.get(f"/alerts/{alert.text}")).text
    assert "Locked: unlock to see who" in page
    assert "plain mild words" not in page
    assert await world.leaves("view_details") == []


async def test_an_address_that_is_not_known_says_why(world):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report(address="", address_unknown_because="the browser does not tell it")
    async with world.browser(Role.DSL, unlocked=True) as browser:
        page = (await browser.get(f"/alerts/{alert.text}")).text
    assert re.search(r"not known, because\s+<bdi>the browser does not tell it", page)


async def test_a_late_event_says_its_age(world):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report(ago=2 * HOUR)
    async with world.browser(Role.DSL) as browser:
        page = (await browser.get(f"/alerts/{alert.text}")).text
    assert "Arrived late: it happened 2 h ago" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (PictureState.FAILED, "The picture could not be taken."),
        (PictureState.BY_POLICY, "No picture is taken for this category or place."),
        (PictureState.FOLLOWS, "The picture is on its way."),
    ],
)
async def test_why_there_is_no_picture_is_said(world, state, words):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report(shows=state)
    async with world.browser(Role.DSL, unlocked=True) as browser:
        assert words in (await browser.get(f"/alerts/{alert.text}")).text


async def test_acknowledging_names_the_owner_and_stops_the_clock(world):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report()
    await world.hire(Role.DSL, name="Pat Lead")
    async with world.browser(Role.DSL) as browser:
        assert "Acknowledge<span" in (await browser.get(f"/alerts/{alert.text}")).text
        answer = await browser.post(f"/alerts/{alert.text}/acknowledge")
        assert answer.headers["location"] == f"/alerts/{alert.text}"
        page = (await browser.get(f"/alerts/{alert.text}")).text
    assert re.search(r"taken on by <bdi>Pat Lead", page)
    assert "Acknowledge<span" not in page
    assert [leaf.object for leaf in await world.leaves("acknowledge")] == [f"alert:{alert.text}"]


async def test_a_false_alarm_leaves_the_list_and_its_reason_is_sealed(world):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report()
    async with world.browser(Role.DSL) as browser:
        await browser.post(
            f"/alerts/{alert.text}/false-alarm", reason="a line from the school play"
        )
        assert alert.text not in (await browser.get("/alerts")).text
    (leaf,) = await world.leaves("false_alarm")
    assert leaf.words != bytes(32)
    raw = (world.store.directory / "main.db").read_bytes()
    wal = world.store.directory / "main.db-wal"
    assert b"school play" not in raw + (wal.read_bytes() if wal.exists() else b"")


async def test_htmx_gets_the_pane_alone(world):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report()
    async with world.browser(Role.DSL) as browser:
        pane = (await browser.get(f"/alerts/{alert.text}", **{"hx-request": "true"})).text
    assert "<article" in pane
    assert "<html" not in pane


async def test_earlier_alerts_of_the_person_are_shown_and_none_of_a_shared_account(world):
    pc = await world.enrol("LAB2-14")
    before = await pc.report(category="bullying", ago=0)
    world.clock.advance(40 * 60)
    alert = await pc.report()
    shared = await pc.report(account="guest", kind=AccountKind.SHARED, name="guest")
    async with world.browser(Role.DSL) as browser:
        page = (await browser.get(f"/alerts/{alert.text}")).text
        other = (await browser.get(f"/alerts/{shared.text}")).text
    assert f'href="/alerts/{before.text}"' in page.split("Before")[1]
    assert (
        "A shared account: nobody&#39;s own" in other or "A shared account: nobody's own" in other
    )


HOSTILE = [
    "<script>document.title='x'</script>",
    "<img src=x onerror=alert(1)>",
    "\u202egnp.exe\u202c",
    "a\u2028b\u0007c\x00d",
    "{{ 7*7 }}",
    "&lt;b&gt;",
    "\x1b[31mred",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_captured_text_is_inert(world, text):
    pc = await world.enrol("LAB2-14")
    long = (text * 10_000)[:4_000].encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    alert = await pc.report(
        typed=(text, text, text),
        window_title=long.replace("\x00", ""),
        name=text.replace("\x00", ""),
    )
    async with world.browser(Role.DSL, unlocked=True) as browser:
        page = (await browser.get(f"/alerts/{alert.text}")).text
    assert "<script>document" not in page
    assert "<img src=x" not in page
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\u2028\u2029\x00-\x08\x0b-\x1f\x7f]", page)


async def test_a_repeat_and_a_graver_event_are_told(world):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report()
    world.clock.advance(60)
    again = await pc.report()
    assert again.text == alert.text
    async with world.browser(Role.DSL) as browser:
        page = (await browser.get(f"/alerts/{alert.text}")).text
    assert "All 2 events" in page


async def test_the_empty_list_says_so(world):
    async with world.browser(Role.DSL) as browser:
        assert "No alert is open." in (await browser.get("/alerts")).text


async def test_an_unknown_alert_is_not_here(world):
    async with world.browser(Role.DSL) as browser:
        for path in ("/alerts/00000000-0000-0000-0000-000000000001", "/alerts/nonsense"):
            answer = await browser.get(path)
            assert answer.status_code == 404
            assert "There is nothing at this address." in answer.text


async def test_every_answer_forbids_caches_and_carries_the_headers(world):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report(picture=picture_bytes())
    async with world.browser(Role.DSL, unlocked=True) as browser:
        for path in ("/alerts", f"/alerts/{alert.text}", "/devices", "/vault", "/nothing"):
            answer = await browser.get(path)
            assert answer.headers["cache-control"] == "no-store"
            assert "script-src 'self'" in answer.headers["content-security-policy"]
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert answer.headers["strict-transport-security"].startswith("max-age=")
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|style=", answer.text)
        assert (await browser.get("/static/desk.css")).headers.get("cache-control") != "no-store"


async def test_the_vault_locks_after_fifteen_idle_minutes(world):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report()
    async with world.browser(Role.DSL, unlocked=True) as browser:
        world.clock.advance(14 * 60)
        assert "plain mild words" in (await browser.get(f"/alerts/{alert.text}")).text
        world.clock.advance(15 * 60 + 1)
        page = (await browser.get(f"/alerts/{alert.text}")).text
    assert "plain mild words" not in page
    assert "Vault locked" in page


async def test_a_wrong_passphrase_is_told_and_limited(world):
    async with world.browser(Role.DSL) as browser:
        for _ in range(5):
            answer = await browser.post("/vault/unlock", passphrase="not this one")
            assert answer.status_code == 403
            assert "does not open the vault" in answer.text
        assert (await browser.post("/vault/unlock", passphrase=PASSPHRASE)).status_code == 429
        world.clock.advance(5 * 60)
        assert (await browser.post("/vault/unlock", passphrase=PASSPHRASE)).status_code == 303
    assert len(await world.leaves("unlock_refused")) == 6


async def test_the_technician_sees_pcs_and_warnings_and_no_evidence(world):
    pc = await world.enrol("LAB2-14", room="Lab 2")
    alert = await pc.report()
    warning = ids.new_event(world.clock)
    await world.store.write(
        lambda conn: (
            conn.execute(
                insert(schema.warnings).values(
                    school=SCHOOL,
                    warning=warning,
                    device=pc.device,
                    at=world.clock.now(),
                    kind="gap",
                    words="records 4 to 7 of the text lane are missing",
                    lane=1,
                    first=4,
                    last=7,
                )
            )
            and None
        )
    )
    async with world.browser(Role.TECHNICIAN) as browser:
        page = (await browser.get("/devices")).text
        assert "LAB2-14" in page
        assert "numbers 4 to 7" in page
        answer = await browser.get(f"/alerts/{alert.text}")
        assert answer.status_code == 403
        assert "suicide" not in answer.text.lower()
        seen = await browser.post(f"/warnings/{ids.event_text(warning)}/seen")
        assert seen.status_code == 303
        assert "Seen to by" in (await browser.get("/devices")).text
        again = await browser.post(f"/warnings/{ids.event_text(warning)}/seen")
        assert again.status_code == 404
    async with world.browser(Role.DSL) as browser:
        assert "numbers 4 to 7" in (await browser.get("/devices")).text


async def test_small_counts_are_hidden_from_the_governor(world):
    pc = await world.enrol("LAB2-14")
    await pc.report()
    for number in range(6):
        await pc.report(account=f"x{number}", category="bullying")
    async with world.browser(Role.GOVERNOR) as browser:
        page = (await browser.get("/counts")).text
    assert "fewer than 5" in page
    assert ">6<" in page
    assert "All" not in page
    assert "Jo Sample" not in page


NO_PICTURE = {
    "not a picture": b"<html>not a picture</html>" * 9,
    "too many pixels": picture_bytes(size=(4000, 4001)),
}


@pytest.mark.parametrize("what", NO_PICTURE)
async def test_what_was_sealed_as_a_picture_and_is_none_is_not_sent(world, what):
    pc = await world.enrol("LAB2-14")
    alert = await pc.report(picture=NO_PICTURE[what])
    rows = await world.store.read(lambda conn: alerts.events_of(conn, SCHOOL, alert.alert))
    async with world.browser(Role.DSL, unlocked=True) as browser:
        path = f"/alerts/{alert.text}/picture/{ids.event_text(rows[0].event)}"
        answer = await browser.post(path, reason="to see it")
    assert answer.status_code == 409
    assert NO_PICTURE[what][:20] not in answer.content


async def test_sign_in_says_when_it_was_tried_too_often(world):
    await world.hire(Role.DSL, login="pat")
    async with world.browser() as browser:
        for _ in range(5):
            answer = await browser.sign_in("pat", "wrong password")
            assert answer.status_code == 401
            assert "That login and password do not fit." in answer.text
        answer = await browser.sign_in("pat")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_signing_out_locks_the_vault(world):
    async with world.browser(Role.DSL, unlocked=True) as browser:
        assert world.parts.vault.is_open(browser.session.id)
        assert (await browser.post("/signout")).headers["location"] == "/signin"
        assert not world.parts.vault.is_open(browser.session.id)
        assert (await browser.get("/alerts")).headers["location"] == "/signin?then=/alerts"


async def test_a_deputy_without_a_key_is_told(world):
    await world.hire(Role.DEPUTY, key=False)
    async with world.browser(Role.DEPUTY) as browser:
        answer = await browser.post("/vault/unlock", passphrase=PASSPHRASE)
    assert answer.status_code == 403
    assert "No key is kept for you here." in answer.text


async def test_a_store_that_fails_is_told_in_words_and_shows_nothing(tmp_path):
    full = [False]

    class Full:
        def __init__(self, store):
            self._store = store

        def __getattr__(self, name):
            return getattr(self._store, name)

        async def write(self, job):
            if full[0]:
                raise CommitFailed("database or disk is full")
            return await self._store.write(job)

    async with make_world(tmp_path, wrap_store=Full) as world:
        pc = await world.enrol("LAB2-14")
        alert = await pc.report()
        async with world.browser(Role.DSL, unlocked=True) as browser:
            full[0] = True
            for answer in (
                await browser.get(f"/alerts/{alert.text}"),
                await browser.post(f"/alerts/{alert.text}/acknowledge"),
            ):
                assert answer.status_code == 503
                assert "Tell the technician." in answer.text
                assert "no-store" in answer.headers["cache-control"]
                assert "Jo Sample" not in answer.text
                assert "plain mild words" not in answer.text


async def test_no_redirect_names_another_host(world):
    async with world.browser(Role.DSL) as browser:
        for path in ("/alerts/", "/static"):
            answer = await browser.get(path, host="elsewhere.example")
            assert answer.status_code == 404
            assert "elsewhere" not in answer.headers.get("location", "")


async def test_a_list_that_is_cut_says_so(world, monkeypatch):
    pc = await world.enrol("LAB2-14")
    for number in range(3):
        await pc.report(account=str(number))
    async with world.browser(Role.DSL) as browser:
        assert "not. Deal with" not in (await browser.get("/alerts")).text
        monkeypatch.setitem(alerts.worst_first.__kwdefaults__, "limit", 2)
        page = (await browser.get("/alerts")).text
    assert "The worst 2 are shown; 1 more is not." in page


async def test_an_address_that_is_none_is_told_in_words(world):
    async with world.browser() as browser:
        answer = await browser.get("/nothing/here")
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.text


async def test_of_two_leads_the_first_takes_it_on_and_whoever_calls_it_false_is_named(world):
    alert = await (await world.enrol("LAB2-14")).report()
    await world.hire(Role.DSL, name="Dee Lead")
    await world.hire(Role.DEPUTY, name="Sam Second")
    path = f"/alerts/{alert.text}"
    async with world.browser(Role.DSL) as first, world.browser(Role.DEPUTY) as second:
        await asyncio.gather(*(one.post(f"{path}/acknowledge") for one in (first, second)))
        (leaf,) = await world.leaves("acknowledge")
        taken = {person.staff: person.name for person in world.people.values()}[leaf.actor]
        assert f"taken on by <bdi>{taken}</bdi>" in (await second.get(path)).text
        assert (await second.post(f"{path}/false-alarm", reason=" ")).status_code == 422
        assert (await second.post(f"{path}/false-alarm", reason="a play")).status_code == 303
        assert (await first.post(f"{path}/false-alarm", reason="a play")).status_code == 303
        assert "false alarm by <bdi>Sam Second</bdi>" in (await first.get(path)).text
    (leaf,) = await world.leaves("false_alarm")
    assert leaf.actor == world.people[Role.DEPUTY].staff
