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
# Both pages number their changes: `data-change` of the container's children. So a clock
# that ticks in a row is not taken for an alert.
SCRIPT = """
(selector) => {
  const now = () => performance.timeOrigin + performance.now();
  const holder = document.querySelector(selector);
  const newest = () => Math.max(0, ...[...holder.children].map((row) => Number(row.dataset.change)));
  const seen = new Map(), waiting = [];
  let last = newest();
  const answer = () => {
    for (const one of waiting.splice(0)) {
      const found = [...seen.entries()].filter(([change]) => change > one.after);
      if (found.length) one.resolve({change: found[0][0], ...found[0][1]});
      else waiting.push(one);
    }
  };
  new MutationObserver(() => {
    const change = newest(), inDocument = now();
    if (change <= last) return;
    last = change;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        seen.set(change, {inDocument, painted: now()});
        answer();
      };
      channel.port2.postMessage(null);
    });
  }).observe(holder, {childList: true, subtree: true, attributes: true});
  window.benchLast = () => last;
  window.benchNext = (after, patience) => new Promise((resolve) => {
    waiting.push({after, resolve});
    setTimeout(() => resolve(null), patience);
    answer();
  });
}
"""


class UnseenError(Exception):
    """The page did not change in time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A change by its number, and when it reached the page, µs since 1970."""

    change: int
    in_document: int
    painted: int


class Watched:
    """A page whose changes under `selector` are timed."""

    def __init__(self, page: Page, selector: str) -> None:
        page.wait_for_selector(selector, state="attached")
        self._page = page
        self.error_us, self._ahead_us = _compare_clocks(page)
        page.evaluate(SCRIPT, selector)

    def last(self) -> int:
        """The newest change that the page shows; 0 if none."""
        return int(self._page.evaluate("() => window.benchLast()"))

    def after(self, change: int, *, seconds: float = 10) -> Seen:
        """The first change with a higher number; waits for it.

        Raises:
            UnseenError: it did not come in time.
        """
        found: dict[str, Any] | None = self._page.evaluate(
            "([after, patience]) => window.benchNext(after, patience)", [change, seconds * 1000]
        )
        if found is None:
            raise UnseenError(f"the page did not change within {seconds} s")
        in_document, painted = (
            round(found[name] * 1000) - self._ahead_us for name in ("inDocument", "painted")
        )
        return Seen(int(found["change"]), in_document, painted)


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
