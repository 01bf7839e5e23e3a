"""What the agent costs a PC: memory of both processes, and their share of one core.

The real agent, enrolled at a real collector, on a real screen: idle, while somebody
types ten keys a second, and a minute after a picture. PSS shares what processes have in
common, RSS counts it twice. Beside it the same libraries, only imported (floor), and
what a user would run instead (peer), where it can be had (`footprint_peers`).
"""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import footprint_peers
from benchmarks.keys import Keyboard
from benchmarks.table import Figures, Spread, figure, show_spreads, spread
from demo.school import School
from demo.screen import Screen, open_screen

KEYS_A_SECOND = 10
SERVICE = "import grpc, sqlite3, psutil, cryptography.x509, cryptography.hazmat.primitives.hpke"
SESSION = "import pynput.keyboard, Xlib.display, psutil, jeepney, google.protobuf.message"


@dataclass(frozen=True, slots=True)
class Cost:
    """What some processes together took over a while."""

    pss: Spread
    rss: Spread
    cpu: float
    """Per cent of one core."""


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure, print, give the figures."""
    idle, typing, after = (20, 10, 10) if quick else (300, 60, 60)
    with open_screen() as screen:
        floor = _floor(screen)
        peer = _peer(screen, 10 if quick else 60)
        ours = _ours(screen, idle=idle, typing=typing, after=after)
    rows = {f"{name}: PSS": cost.pss for name, cost in ours.items()}
    rows |= {f"{name}: RSS": cost.rss for name, cost in ours.items()}
    rows |= {"floor, the same imports: PSS": floor.pss, "floor, the same imports: RSS": floor.rss}
    if peer is not None:
        rows |= {"peer: PSS": peer.pss, "peer: RSS": peer.rss}
    show_spreads("both processes", "MB", rows)
    return {"figures": _figures(ours, floor, peer)}


def _ours(screen: Screen, *, idle: float, typing: float, after: float) -> dict[str, Cost]:
    screen.run("xterm", "-T", "typing", "-e", "cat")
    screen.wait_for_window("typing", by="--name")
    with School() as school:
        school.set_up()
        school.serve()
        pc = school.enrol("pc-1")
        with pc.running(screen.environment):
            time.sleep(10)  # what starting took is over
            processes = family(pc.agent_pid)
            costs = {"idle": measure(processes, idle)}
            writer = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.typist", screen.display, str(KEYS_A_SECOND)]
            )
            try:
                costs["typing"] = measure(processes, typing)
            finally:
                writer.kill()
                writer.wait()
            _match(screen)
            began = time.monotonic()
            _wait_for_picture(school)
            time.sleep(max(0.0, after - (time.monotonic() - began)))
            costs["after a picture"] = measure(family(pc.agent_pid), 10)
            if school.ask("devices", "list")[0]["online"] is not True:
                raise RuntimeError("the agent was not connected at the end")
    return costs


def _match(screen: Screen) -> None:
    """The canary: a match with everything that follows from it, its picture too."""
    with Keyboard(screen.display) as keyboard:
        keyboard.press("\n")
        time.sleep(0.5)
        keyboard.type("redshank canary drill ")


def _wait_for_picture(school: School) -> None:
    """Only what a picture really left behind is to be measured."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with sqlite3.connect(f"file:{school.data / 'main.db'}?mode=ro", uri=True) as db:
            states = [state for (state,) in db.execute("SELECT picture FROM events")]
        if "here" in states:
            return
        time.sleep(0.2)
    raise RuntimeError(f"no picture reached the collector; the events' pictures: {states}")


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


def measure(processes: Sequence[psutil.Process], seconds: float) -> Cost:
    """Memory of all of them together, sampled each second, and CPU over the whole time."""
    pss: list[float] = []
    rss: list[float] = []
    began, worked = time.monotonic(), _worked(processes)
    while True:
        samples = [memory(process.pid) for process in processes]
        pss.append(sum(sample[0] for sample in samples))
        rss.append(sum(sample[1] for sample in samples))
        if time.monotonic() - began >= seconds:
            break
        time.sleep(min(1.0, seconds))
    took = time.monotonic() - began
    cpu = 100 * (_worked(processes) - worked) / took
    return Cost(spread(pss), spread(rss), cpu)


def memory(pid: int) -> tuple[float, float]:
    """PSS and RSS in MB (10^6 bytes), as the kernel sums them up."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in {"Pss", "Rss"}:
            found[name] = int(rest.split()[0]) * 1024 / 1e6
    return found["Pss"], found["Rss"]


def _worked(processes: Sequence[psutil.Process]) -> float:
    """Seconds of CPU so far."""
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)


def _floor(screen: Screen) -> Cost:
    """Two bare Pythons that have imported what ours import, and sleep."""
    environment = {**os.environ, **screen.environment}
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", f"{words}\nimport time; time.sleep(600)"], env=environment
        )
        for words in (SERVICE, SESSION)
    ]
    try:
        time.sleep(3)
        if any(program.poll() is not None for program in programs):
            raise RuntimeError("the floor's imports failed")
        return measure([psutil.Process(program.pid) for program in programs], 5)
    finally:
        for program in programs:
            program.kill()
            program.wait()


def _peer(screen: Screen, seconds: float) -> Cost | None:
    with footprint_peers.running(screen) as peer:
        if peer is None:
            return None
        print(f"The peer is {peer.name}.\n")
        return measure(peer.processes, seconds)


def _figures(ours: dict[str, Cost], floor: Cost, peer: Cost | None) -> Figures:
    figures: Figures = {}
    for name, cost in ours.items():
        key = name.replace(" a ", "_").replace(" ", "_")
        figures[f"pss_{key}"] = figure(
            cost.pss.p50, "MB", floor=floor.pss.p50, peer=peer.pss.p50 if peer else None
        )
        figures[f"rss_{key}"] = figure(
            cost.rss.p50, "MB", floor=floor.rss.p50, peer=peer.rss.p50 if peer else None
        )
        figures[f"cpu_{key}"] = figure(cost.cpu, "% of a core", peer=peer.cpu if peer else None)
    return figures
