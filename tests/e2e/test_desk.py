"""A DSL's first minutes at the desk, in a real browser, over a real store."""

import pytest
from sqlalchemy import update

from collector.permissions import Role
from collector.store import schema
from tests.collector.world import HOUR, PASSPHRASE, PASSWORD, make_world, picture_bytes
from tests.e2e.desk import BUILD, chromium, served
from wire.clock import SystemClock
from wire.event import AccountKind, GapReason, Severity

pytestmark = pytest.mark.browser

WATCH = """() => {
  window.rowCount = new Promise((done) => {
    new MutationObserver(() => done(document.querySelectorAll(".row").length)).observe(
      document.getElementById("rows"), { childList: true });
  });
}"""


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path / "data", clock=SystemClock()) as made:
        yield made


@pytest.fixture
async def page(world, tmp_path):
    async with (
        served(world.app, tmp_path) as address,
        chromium() as browser,
        await browser.new_context(
            ignore_https_errors=True, viewport={"width": 1280, "height": 860}, base_url=address
        ) as context,
    ):
        page = await context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on(
            "console",
            lambda message: page.problems.append(message.text) if message.type == "error" else None,
        )
        yield page


async def shoot(page, name):
    BUILD.mkdir(parents=True, exist_ok=True)
    # Playwright hides the caret by a style of its own, which our policy refuses.
    await page.screenshot(path=BUILD / name, caret="initial")


async def sign_in(page, login):
    await page.goto("/alerts")
    await page.fill("#login", login)
    await page.fill("#password", PASSWORD)
    await page.click("button.go")


async def seed(world):
    pc = await world.enrol("LAB2-14", room="Lab 2")
    library = await world.enrol("LIB-03", room="Library")
    await library.report(
        account="a3",
        name="Alex Example",
        login="aexample",
        category="bullying",
        severity=Severity.MEDIUM,
        score=700,
        reasons=("directed", "in_chat"),
        typed=("nobody wants you here ", "just go away", " and stay away"),
    )
    await library.report(
        account="lab", kind=AccountKind.SHARED, name="lab", login="lab", category="bullying"
    )
    await library.report(
        account="a4",
        name="Sam Specimen",
        login="ss",
        category="suicide",
        ago=2 * HOUR,
        severity=Severity.MEDIUM,
        score=600,
    )
    return pc


async def test_a_dsl_signs_in_unlocks_sees_reveals_and_acknowledges(world, page):
    await world.hire(Role.DSL, name="Pat Lead")
    pc = await seed(world)
    await sign_in(page, "dsl")
    await page.wait_for_selector("#live[data-state=on]")
    await shoot(page, "desk-locked.png")
    assert "name locked" in await page.inner_text("#rows")

    await page.click("text=Unlock")
    await page.fill("#passphrase", PASSPHRASE)
    await page.click("button.go")
    await page.wait_for_selector("#live[data-state=on]")
    assert "Alex Example" in await page.inner_text("#rows")

    await page.evaluate(WATCH)
    alert = await pc.report(
        severity=Severity.CRITICAL,
        score=970,
        reasons=("first_person", "intent", "imminent", "in_chat"),
        typed=("i cant do this any more. ", "plain mild words", " and im doing it tonight"),
        picture=picture_bytes("The page that stood open"),
        window_title="Chat - Firefox",
        place="chat",
    )
    assert await page.evaluate("window.rowCount") == 4
    row = page.locator(f"#alert-{alert.text}")
    await page.wait_for_function(
        "id => document.getElementById(id).innerText.includes('Jo Sample')",
        arg=f"alert-{alert.text}",
    )
    assert await page.locator(".row").first.get_attribute("id") == f"alert-{alert.text}"

    await row.locator("a").click()
    await page.wait_for_selector("article")
    assert page.url.endswith(f"/alerts/{alert.text}")
    assert await page.inner_text("mark") == "plain mild words"
    await shoot(page, "desk-light.png")
    await page.emulate_media(color_scheme="dark")
    await shoot(page, "desk-dark.png")
    await page.emulate_media(color_scheme="light")

    assert await page.locator(".shot img").count() == 0
    await page.fill("[data-reveal] input[name=reason]", "to see who else is there")
    await page.click("[data-reveal] button")
    await page.wait_for_selector(".shot img")
    width = await page.evaluate("document.querySelector('.shot img').naturalWidth")
    assert width == 960
    await shoot(page, "desk-revealed.png")
    (leaf,) = await world.leaves("view_picture")
    assert leaf.actor == world.people[Role.DSL].staff

    await page.click("text=Acknowledge: I am on it")
    await page.wait_for_selector(".clockline:has-text('taken on by Pat Lead')")
    await page.wait_for_selector(f"#alert-{alert.text}[data-state=acknowledged]")
    assert await page.locator("[data-stale]").is_hidden()

    await page.set_viewport_size({"width": 390, "height": 844})
    await page.reload()
    await shoot(page, "phone-alert.png")
    await page.click("text=← All alerts")
    await page.wait_for_selector("#rows")
    await shoot(page, "phone-list.png")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.problems == []


async def test_a_stream_that_breaks_says_so_and_catches_up(world, page):
    await world.hire(Role.DSL)
    pc = await seed(world)
    await sign_in(page, "dsl")
    await page.wait_for_selector("#live[data-state=on]")
    await page.context.set_offline(True)
    world.parts.feed.close()
    await page.wait_for_selector("#live[data-state=off]", timeout=30_000)
    assert "connection lost, trying again" in await page.inner_text("#live")
    alert = await pc.report()
    await page.context.set_offline(False)
    await page.wait_for_selector(f"#alert-{alert.text}", timeout=30_000, state="attached")
    await page.wait_for_selector("#live[data-state=on]")


async def test_each_further_event_shows_on_its_row_at_once(world, page):
    await world.hire(Role.DSL)
    pc = await seed(world)
    alert = await pc.report(account="a3", category="bullying", score=400)
    await sign_in(page, "dsl")
    await page.wait_for_selector("#live[data-state=on]")
    rows = await page.locator(".row").count()
    for matches in (3, 4):
        # The same words and a newer time: the row moves up, past its own older form.
        newer = await pc.report(account="a3", category="bullying", score=400)
        assert newer.alert == alert.alert
        await page.wait_for_selector(f"#alert-{alert.text}[data-change='{newer.change}']")
        assert f"{matches} matches" in await page.inner_text(f"#alert-{alert.text}")
        assert await page.locator(".row").count() == rows
    assert page.problems == []


async def test_nothing_moves_while_somebody_reads(world, page):
    await world.hire(Role.DSL)
    pc = await seed(world)
    await sign_in(page, "dsl")
    await page.wait_for_selector("#live[data-state=on]")
    await page.locator(".row a").first.focus()
    before = await page.locator(".row").first.get_attribute("id")
    alert = await pc.report(severity=Severity.CRITICAL, score=970, reasons=("plan", "imminent"))
    await page.wait_for_selector("#held:visible")
    assert await page.inner_text("#held") == "1 alert is new or changed: show it"
    assert await page.locator(".row").first.get_attribute("id") == before
    assert await page.locator(f"#alert-{alert.text}").count() == 0
    await shoot(page, "desk-held.png")
    await page.click("#held")
    assert await page.locator(".row").first.get_attribute("id") == f"alert-{alert.text}"
    assert await page.locator("#held").is_hidden()


async def test_signing_out_elsewhere_ends_the_stream(world, page):
    await world.hire(Role.DSL)
    await sign_in(page, "dsl")
    await page.wait_for_selector("#live[data-state=on]")
    cookies = await page.context.cookies()
    token = next(item["value"] for item in cookies if item["name"] == "__Host-redshank")
    await world.desk.signin.sign_out(await world.desk.signin.session(token))
    await page.wait_for_url("**/signin**")
    assert world.parts.feed.listeners == 0


async def test_it_works_without_javascript(world, tmp_path):
    await world.hire(Role.DSL, name="Pat Lead")
    pc = await seed(world)
    alert = await pc.report(picture=picture_bytes())
    async with (
        served(world.app, tmp_path) as address,
        chromium() as browser,
        await browser.new_context(
            ignore_https_errors=True, java_script_enabled=False, base_url=address
        ) as context,
    ):
        page = await context.new_page()
        await sign_in(page, "dsl")
        await page.click("text=Unlock")
        await page.fill("#passphrase", PASSPHRASE)
        await page.click("button.go")
        await page.click(f"#alert-{alert.text} a")
        assert await page.inner_text("mark") == "plain mild words"
        await page.fill("[data-reveal] input[name=reason]", "to see who else is there")
        async with context.expect_page() as opened, context.expect_event("response") as answered:
            await page.click("[data-reveal] button")
        await opened.value
        assert (await answered.value).headers["content-type"] == "image/webp"
        await page.click("text=Acknowledge: I am on it")
        assert "taken on by" in await page.inner_text(".clockline")
        assert "Pat Lead" in await page.inner_text(".clockline")


async def test_the_technician_reads_the_health_of_the_pcs(world, page):
    await world.hire(Role.TECHNICIAN, name="Terry Tech")
    blind = await world.enrol("LAB1-02", room="Lab 1")
    fine = await world.enrol("LAB1-03", room="Lab 1")
    await world.enrol("LAB1-04", room="Lab 1")
    devices = schema.devices

    def job(conn):
        for pc, values in (
            (
                blind,
                {
                    "blind": int(GapReason.WAYLAND),
                    "hook_alive": False,
                    "spool_records": 12,
                    "spool_bytes": 40_000,
                    "clock_offset": 5_000_000,
                },
            ),
            (fine, {"hook_alive": True, "spool_records": 0, "clock_offset": 20_000}),
        ):
            conn.execute(
                update(devices)
                .where(devices.c.device == pc.device)
                .values(
                    last_seen_at=world.clock.now(),
                    agent_version="0.1.0",
                    policy_version=3,
                    **values,
                )
            )

    await world.store.write(job)
    await sign_in(page, "technician")
    await page.goto("/devices")
    text = await page.inner_text("main")
    assert "not watched: the desktop is Wayland" in text
    assert "its clock is 5 s behind" in text
    assert await page.locator("tbody tr").first.get_attribute("class") == "trouble"
    await shoot(page, "devices.png")
    await page.set_viewport_size({"width": 390, "height": 844})
    await shoot(page, "devices-phone.png")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
