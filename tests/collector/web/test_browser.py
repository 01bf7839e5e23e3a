"""The desk in real Chromium: what only a browser does."""

import contextlib
import shutil

import pytest
from playwright.async_api import async_playwright

from collector import secrets
from collector.desk_certificate import in_utc, self_signed
from collector.listeners import HttpListener
from collector.permissions import Role
from tests.collector.world import PASSPHRASE, PASSWORD, make_world, picture_bytes
from wire import certs
from wire.clock import SystemClock
from wire.tls import server_context

pytestmark = pytest.mark.browser
LONG = "Dr Wilhelmina Featherstonehaugh-Cholmondeley of the Upper School"

CONTRAST = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (text) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = text;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const weak = [];
  for (const element of document.querySelectorAll("body *")) {
    const box = element.getBoundingClientRect();
    const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!words || !box.width || !box.height) continue;
    let behind = element;
    while (behind && rgb(getComputedStyle(behind).backgroundColor)[3] < 250) behind = behind.parentElement;
    const shades = [getComputedStyle(element).color, getComputedStyle(behind || document.body).backgroundColor];
    const [low, high] = shades.map(rgb).map(light).sort((a, b) => a - b);
    if ((high + 0.05) / (low + 0.05) < 4.5) weak.push(element.textContent.trim());
  }
  return weak;
}"""
"""WCAG 2.2, 1.4.3: the words whose contrast is below 4.5."""

SMALL = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), summary")]
  .map((element) => [element, element.getBoundingClientRect(), getComputedStyle(element)])
  .filter(([, box, style]) => box.width && box.height && box.right > 0 && style.display !== "inline")
  .filter(([, box]) => box.width < 24 || box.height < 24)
  .map(([element]) => element.textContent.trim())"""
"""WCAG 2.2, 2.5.8: what is too small to be hit."""


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path / "world", clock=SystemClock()) as made:
        await made.hire(Role.DSL, name=LONG)
        yield made


@pytest.fixture
async def base(world, tmp_path):
    key, certificate = self_signed("localhost", now=in_utc(world.clock.now()))
    files = tmp_path / "desk.pem", tmp_path / "desk.key"
    files[0].write_text(certs.pem(certificate))
    files[1].write_bytes(secrets.as_pem(key))
    context = server_context(*map(str, files))
    listener = HttpListener("desk_listen", "127.0.0.1:0", world.app, context=context)
    await listener.start()
    yield f"https://localhost:{listener.address[1]}"
    world.parts.feed.close()
    await listener.stop()


@contextlib.asynccontextmanager
async def browser(base, **how):
    async with async_playwright() as player:
        chromium = await player.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        context = await chromium.new_context(ignore_https_errors=True, **how)
        page = await context.new_page()
        await page.goto(f"{base}/signin")
        await page.fill("#login", "dsl")
        await page.fill("#password", PASSWORD)
        await page.click("button.go")
        await page.wait_for_url("**/alerts")
        yield page
        await chromium.close()


async def unlock(page, base):
    await page.goto(f"{base}/vault")
    await page.fill("#passphrase", PASSPHRASE)
    await page.click("main button.go")
    await page.wait_for_url("**/alerts")


@pytest.mark.parametrize("how", ["Lock", "Sign out"])
async def test_what_is_open_on_one_page_goes_when_another_locks_it(world, base, how):
    alert = await (await world.enrol("LAB2-14")).report()
    async with browser(base) as first:
        await unlock(first, base)
        await first.goto(f"{base}/alerts/{alert.text}")
        await first.wait_for_selector("mark")
        second = await first.context.new_page()
        await second.goto(f"{base}/devices")
        await second.get_by_role("button", name=how).click()
        await first.wait_for_selector("mark", state="detached", timeout=5_000)
        assert "Jo Sample" not in await first.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_every_page_can_be_read_and_used(world, base, width, scheme):
    pc = await world.enrol("SIXTH-FORM-COMMON-ROOM-PC-0017", room="Sixth form common room")
    alert = await pc.report(picture=picture_bytes())
    await pc.report(account="b", name="Ab\u0301" * 60, category="bullying", window_title="T" * 400)
    size = {"width": width, "height": 844}
    async with browser(base, viewport=size, color_scheme=scheme) as page:
        for opened in (False, True):
            if opened:
                await unlock(page, base)
            for path in ("/alerts", f"/alerts/{alert.text}", "/devices", "/counts", "/vault", "/x"):
                await page.goto(base + path)
                assert await page.evaluate(CONTRAST) == [], path
                assert await page.evaluate(SMALL) == [], path
                wider = "document.documentElement.scrollWidth - innerWidth"
                assert await page.evaluate(wider) == 0, path
                head = await page.locator("header.top").bounding_box()
                assert head["height"] < (70 if width == 1280 else 120), path
        await page.goto(f"{base}/alerts")
        await page.wait_for_selector("#live[data-state=on]")
        await page.evaluate(
            """() => {
                const pill = document.getElementById("live");
                pill.dataset.state = "off";
                pill.lastElementChild.textContent = "connection lost, trying again";
            }"""
        )
        head = await page.locator("header.top").bounding_box()
        assert head["height"] < (70 if width == 1280 else 120)
