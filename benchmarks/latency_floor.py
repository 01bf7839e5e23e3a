"""How fast the chain could be: a key -> RECORD -> mTLS gRPC -> durable commit -> SSE -> browser."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.browser import Watched
from benchmarks.floor import certificates
from benchmarks.keys import Keyboard


@contextlib.contextmanager
def running(display: str) -> Iterator[int]:
    """Both floor programs; gives the port of the page."""
    folder = Path(tempfile.mkdtemp(prefix="floor-"))
    certificates.make(folder)
    environment = {**os.environ, "DISPLAY": display}
    programs: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        programs.append(process)
        return process

    try:
        server = start("benchmarks.floor.server", str(folder))
        assert server.stdout is not None
        uplink, page = (int(server.stdout.readline().split()[1]) for _ in range(2))
        agent = start("benchmarks.floor.agent", str(folder), str(uplink))
        assert agent.stdout is not None
        if agent.stdout.readline().strip() != "ready":
            raise RuntimeError("the floor's agent did not start")
        time.sleep(0.3)  # RECORD is on only once the server has taken the request
        yield page
    finally:
        for process in programs:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


def measure(display: str, browser: Browser, *, events: int) -> tuple[list[int], list[int]]:
    """For each event, µs from the key to the document, and to the painted page."""
    in_document: list[int] = []
    painted: list[int] = []
    chance = random.Random(2)
    with running(display) as port, Keyboard(display) as keyboard:
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.goto(f"https://localhost:{port}/")
        watched = Watched(page, "#alerts")
        time.sleep(0.3)
        for number in range(events + 5):
            before = watched.last()
            pressed = keyboard.press(" ")
            seen = watched.after(before)
            if number >= 5:  # the first ones warm up caches and connections
                in_document.append(seen.in_document - pressed)
                painted.append(seen.painted - pressed)
            time.sleep(chance.uniform(0.05, 0.12))
        context.close()
    return in_document, painted
