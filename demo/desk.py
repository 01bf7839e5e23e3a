"""The desk, read in a real browser as a DSL would."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from demo.school import School

ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    found = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if found is None:
        raise FileNotFoundError("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        try:
            yield one
        finally:
            one.close()


class Desk:
    """One signed-in DSL's page."""

    def __init__(
        self, school: School, chromium: Browser, *, width: int = 1280, height: int = 860
    ) -> None:
        context = chromium.new_context(
            ignore_https_errors=True, viewport={"width": width, "height": height}
        )
        self._school = school
        self.page: Page = context.new_page()

    def sign_in(self) -> None:
        """Sign in, unlock the vault, and wait until the list is live."""
        page = self.page
        page.goto(f"{self._school.desk}/alerts")
        page.fill("#login", self._school.login)
        page.fill("#password", self._school.password)
        page.click("button.go")
        page.click("text=Unlock")
        page.fill("#passphrase", self._school.passphrase)
        page.click("button.go")
        page.goto(f"{self._school.desk}/alerts")
        page.wait_for_selector("#live[data-state=on]")

    def wait_for_alert(self, category: str, *, seconds: float = 20) -> str:
        """Wait until a row of this category is on the page; its text."""
        row = self.page.locator("li.row", has_text=category).first
        row.wait_for(timeout=seconds * 1000)
        with contextlib.suppress(Exception):  # a name comes a moment after its row
            self.page.wait_for_function(
                "() => !document.querySelector('li.row [data-who]')", timeout=3000
            )
        return " ".join(row.inner_text().split())

    def open(self, category: str) -> None:
        """Open the first alert of this category."""
        self.page.locator("li.row", has_text=category).first.locator("a").click()
        self.page.wait_for_selector("article")

    def show_picture(self, reason: str, *, seconds: float = 15) -> float:
        """Reveal the picture for a reason, waiting until it has arrived; how long that took."""
        began = time.monotonic()
        while self.page.locator("form[data-reveal]").count() == 0:
            if time.monotonic() - began > seconds:
                raise TimeoutError("the picture has not arrived")
            time.sleep(0.2)
            self.page.reload()
            self.page.wait_for_selector("article")
        waited = time.monotonic() - began
        form = self.page.locator("form[data-reveal]").first
        form.locator("input[name=reason]").fill(reason)
        form.locator("button").click()
        self.page.wait_for_selector(".shot img")
        return waited

    def save(self, path: Path) -> None:
        """Save a picture of the page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path, caret="initial")
