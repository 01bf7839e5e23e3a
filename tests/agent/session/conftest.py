"""A real screen per test module, in this process's environment."""

import queue
import time

import pytest

from demo.screen import needs, open_screen


@pytest.fixture(scope="module")
def screen():
    """An X server with openbox."""
    missing = needs()
    if missing:
        pytest.skip(missing)
    with open_screen() as opened:
        yield opened


@pytest.fixture
def on_screen(screen, monkeypatch):
    """The same, with DISPLAY pointing to it."""
    monkeypatch.setenv("DISPLAY", screen.display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return screen


class Events:
    """What a source put, as a test reads it."""

    def __init__(self):
        self.queue = queue.SimpleQueue()
        self.put = self.queue.put

    def collect(self, seconds=0.15):
        """All events until none comes for `seconds`."""
        found = []
        while True:
            try:
                found.append(self.queue.get(timeout=seconds))
            except queue.Empty:
                return found

    def wait_for(self, wanted, seconds=10):
        """The first event for which `wanted` is true, and those before it are dropped."""
        end = time.monotonic() + seconds
        seen = []
        while time.monotonic() < end:
            try:
                event = self.queue.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                break
            if wanted(event):
                return event
            seen.append(event)
        raise AssertionError(f"it did not come; these did: {seen}")


@pytest.fixture
def events():
    """A queue for a source."""
    return Events()
