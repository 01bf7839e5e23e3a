"""The desk in a real browser: signed in, the vault open, the list in view."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Browser, Page

from demo.school import School


@dataclass(frozen=True, slots=True)
class Desk:
    """A signed-in page that shows the list."""

    page: Page

    def newest_alert(self) -> str:
        """The id of the alert that changed last, as its address has it."""
        return str(
            self.page.evaluate(
                """() => [...document.querySelectorAll("#rows > li")]
                    .sort((a, b) => b.dataset.change - a.dataset.change)[0].id.slice(6)"""
            )
        )

    def picture_of_newest(self, alert: str) -> bytes | None:
        """The picture of the alert's newest event, revealed; None while it is not there yet."""
        found: list[int] | None = self.page.evaluate(REVEAL, alert)
        return None if found is None else bytes(found)


# As the page's own script does it: the form beside the newest event, sent with its reason.
REVEAL = """
async (alert) => {
  const text = await (await fetch(`/alerts/${alert}`, {headers: {"HX-Request": "true"}})).text();
  const pane = new DOMParser().parseFromString(text, "text/html");
  const shot = pane.querySelector("[data-shot]");
  const form = shot && shot.querySelector("form[data-reveal]");
  if (!form) return null;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("reason", "a measurement of the time it takes");
  const answer = await fetch(form.getAttribute("action"), {method: "POST", body: fields});
  if (!answer.ok) return null;
  const image = await createImageBitmap(await answer.clone().blob());
  if (!image.width) return null;
  return [...new Uint8Array(await answer.arrayBuffer())].slice(0, 16);
}
"""


@contextlib.contextmanager
def sign_in(browser: Browser, school: School, *, unlock: bool = True) -> Iterator[Desk]:
    """Sign in as the DSL and open the list."""
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto(f"{school.desk}/signin")
    page.fill("#login", school.login)
    page.fill("#password", school.password)
    page.click("form[action='/signin'] button")
    page.wait_for_url("**/alerts")
    if unlock:
        page.goto(f"{school.desk}/vault?then=/alerts")
        page.fill("#passphrase", school.passphrase)
        page.click("form[action='/vault/unlock'] button")
        page.wait_for_url("**/alerts")
    page.wait_for_selector('#live[data-state="on"]')
    try:
        yield Desk(page)
    finally:
        context.close()
