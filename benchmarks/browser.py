"""A real Chromium that notes when a page changed and when the change was painted.

Times are microseconds since 1970, as `wire.clock` gives them. The browser's own idea of
that time is some milliseconds off, so it is compared with ours first, by the quickest
of many round trips; what is left of the error is half of that round trip.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from wire.clock import SystemClock

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
# A change is in the document when the observer is called. It is painted when the task
# after the next animation frame runs: then the frame has been handed to the compositor.
SCRIPT = """
(selector) => {
  const now = () => performance.timeOrigin + performance.now();
  const seen = [];
  const waiting = new Map();
  const say = (change) => {
    seen.push(change);
    waiting.get(seen.length - 1)?.(change);
  };
  new MutationObserver((records) => {
    const inDocument = now();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => say({inDocument, painted: now()});
      channel.port2.postMessage(null);
    });
  }).observe(document.querySelector(selector),
             {childList: true, subtree: true, attributes: true, characterData: true});
  window.redshankSeen = seen;
  window.redshankNext = (number, patience) => new Promise((resolve) => {
    if (seen.length > number) return resolve(seen[number]);
    waiting.set(number, resolve);
    setTimeout(() => resolve(null), patience);
  });
}
"""


class UnseenError(Exception):
    """The page did not change in time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """When a change reached the page, µs since 1970."""

    in_document: int
    painted: int


class Watched:
    """A page whose changes under `selector` are timed."""

    def __init__(self, page: Page, selector: str) -> None:
        page.wait_for_selector(selector, state="attached")
        self._page = page
        self.error_us, self._ahead_us = _compare_clocks(page)
        page.evaluate(SCRIPT, selector)

    def count(self) -> int:
        """How many changes there have been."""
        return int(self._page.evaluate("() => window.redshankSeen.length"))

    def settle(self, quiet_ms: int = 60) -> int:
        """Wait until nothing changes for a while; how many changes there have been."""
        before = -1
        while (now := self.count()) != before:
            before = now
            self._page.wait_for_timeout(quiet_ms)
        return now

    def change(self, number: int, *, seconds: float = 10) -> Seen:
        """The change with this number, from 0; waits for it.

        Raises:
            UnseenError: it did not come in time.
        """
        found: dict[str, Any] | None = self._page.evaluate(
            "([number, patience]) => window.redshankNext(number, patience)",
            [number, seconds * 1000],
        )
        if found is None:
            raise UnseenError(f"the page did not change within {seconds} s")
        in_document, painted = (
            round(found[name] * 1000) - self._ahead_us for name in ("inDocument", "painted")
        )
        return Seen(in_document, painted)


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def _compare_clocks(page: Page, rounds: int = 50) -> tuple[int, int]:
    """The remaining error, and how far the browser's clock is ahead of ours, both in µs."""
    clock = SystemClock()
    best = (1 << 62, 0)
    for _ in range(rounds):
        before = clock.now()
        theirs = round(page.evaluate("() => performance.timeOrigin + performance.now()") * 1000)
        after = clock.now()
        best = min(best, ((after - before) // 2, theirs - (before + after) // 2))
    return best
