"""From the key that fires a match to the alert in a real browser, stage by stage.

200 events, each by one real key (XTEST) in a real window (xterm, 1920 x 1080), through
the real agent and the real collector to a row that appears or changes in Chromium. The
floor, in the same run, is the barest program that does the same (`benchmarks.floor`).

`visible` is when the change was painted, `in document` when the script had put it in;
both are given beside the floor's own. Stages come from the records themselves: the
agent's time of the match and the collector's time of arrival, on the same clock; the
agent's service says in its log when each event was durable in the spool.
"""

import contextlib
import itertools
import math
import random
import re
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import latency_floor
from benchmarks.browser import Seen, UnseenError, Watched, open_browser
from benchmarks.desk import Desk, sign_in
from benchmarks.keys import Keyboard
from benchmarks.phrases import Phrase, plan
from benchmarks.table import Figures, figure, show_spreads, spread
from demo.school import School
from demo.screen import Screen, open_screen
from keywords.pack import load_packs, shipped_packs
from wire.clock import SystemClock

EVENTS = 200
PICTURES_TRIED = 20
DURABLE = re.compile(r"durable (?P<took>\d+) us after its match")
AFTER_RETURN = 0.3
"""Seconds: for 250 ms after Enter the agent holds keys until it knows the field."""
WARM_UP = 3


@dataclass
class Samples:
    """µs of each event, and which key presses told nothing."""

    visible: list[int] = field(default_factory=list)
    in_document: list[int] = field(default_factory=list)
    pressed: list[int] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    picture: list[int] = field(default_factory=list)
    missed: int = 0


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure, print the stages, give the figures."""
    events = 20 if quick else EVENTS
    with open_screen() as screen, open_browser() as browser:
        windows = _windows(screen, events + WARM_UP)
        floor_document, floor_visible = latency_floor.measure(
            screen.display, browser, events=events
        )
        with School() as school:
            school.set_up()
            school.serve()
            pc = school.enrol("pc-1")
            settings = pc.folder / "agent.toml"
            settings.write_text('log_level = "debug"\n')
            environment = {**screen.environment, "REDSHANK_AGENT_CONFIG": str(settings)}
            with pc.running(environment), sign_in(browser, school) as desk:
                samples = _measure(screen, windows, desk, events)
            stages = _stages(school.data / "main.db", samples)
            stages["match to spool"] = _to_spool(pc.log())
    empty = [name for name, values in stages.items() if not values]
    if empty:
        raise RuntimeError(f"nothing was measured of {', '.join(empty)} ({samples.missed} missed)")
    ours = {name: spread(x / 1000 for x in values) for name, values in stages.items()}
    floors = {
        "floor: key to document": spread(x / 1000 for x in floor_document),
        "floor: key to visible": spread(x / 1000 for x in floor_visible),
    }
    show_spreads("stage", "ms", ours | floors)
    if samples.missed:
        print(f"{samples.missed} of {events} events were not seen within 10 s.\n")
    return {"figures": _figures(ours, floors, samples)}


def _windows(screen: Screen, events: int) -> list[str]:
    """As many windows as it takes: a term counts once in each within a minute."""
    with Keyboard(screen.display) as keyboard:
        in_one = len(list(plan(load_packs(shipped_packs("en")), ["one"], keyboard.can)))
    windows = []
    for number in range(math.ceil(events / in_one)):
        screen.run("xterm", "-T", f"bench-{number}", "-geometry", "100x30", "-e", "cat")
        windows.append(screen.wait_for_window(f"bench-{number}$", by="--name"))
    return windows


def _measure(screen: Screen, windows: list[str], desk: Desk, events: int) -> Samples:
    samples = Samples()
    chance = random.Random(3)
    watched = Watched(desk.page, "#rows")
    with Keyboard(screen.display) as keyboard:
        planned = plan(load_packs(shipped_packs("en")), windows, keyboard.can)
        here = ""
        for number, phrase in enumerate(itertools.islice(planned, events + WARM_UP)):
            if phrase.window != here:
                screen.xdotool("windowactivate", "--sync", phrase.window)
                here = phrase.window
            time.sleep(AFTER_RETURN + chance.uniform(0, 0.05))
            seen = _one(keyboard, watched, phrase, samples, counts=number >= WARM_UP)
            if seen and number >= WARM_UP and number % max(1, events // PICTURES_TRIED) == 0:
                _picture(desk, samples)
            if seen:
                # The picture changes the row once more; it must not be taken for the next event.
                with contextlib.suppress(UnseenError):
                    watched.after(seen.change, seconds=2)
            keyboard.press("\n")
    return samples


def _one(
    keyboard: Keyboard, watched: Watched, phrase: Phrase, samples: Samples, *, counts: bool
) -> Seen | None:
    keyboard.type(phrase.lead)
    before = watched.last()
    pressed = keyboard.press(phrase.fires)
    try:
        seen = watched.after(before)
    except UnseenError:
        samples.missed += 1
        return None
    if counts:
        samples.pressed.append(pressed)
        samples.seen.append(seen)
        samples.visible.append(seen.painted - pressed)
        samples.in_document.append(seen.in_document - pressed)
    return seen


def _picture(desk: Desk, samples: Samples) -> None:
    """How long until the newest event's picture can be read, from its key."""
    clock = SystemClock()
    alert = desk.newest_alert()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if desk.picture_of_newest(alert) is not None:
            samples.picture.append(clock.now() - samples.pressed[-1])
            return
        time.sleep(0.02)


def _to_spool(log: str) -> list[int]:
    """How long each match could be lost, µs: the service says it when the event is durable."""
    return [int(found["took"]) for found in DURABLE.finditer(log)][WARM_UP:]


def _records(main: Path) -> list[tuple[int, int]]:
    """When each event matched, by the agent's clock, and when the collector had it."""
    with sqlite3.connect(f"file:{main}?mode=ro", uri=True) as db:
        query = "SELECT matched_at - clock_offset, received_at FROM events ORDER BY 1"
        return [(int(matched), int(received)) for matched, received in db.execute(query)]


def _stages(main: Path, samples: Samples) -> dict[str, list[int]]:
    """Where the time goes, from the records of each event."""
    rows = _records(main)
    matched: list[int] = []
    arrived: list[int] = []
    shown: list[int] = []
    for pressed, seen in zip(samples.pressed, samples.seen, strict=True):
        found = [row for row in rows if pressed <= row[0] <= seen.in_document]
        if len(found) == 1:
            matched.append(found[0][0] - pressed)
            arrived.append(found[0][1] - found[0][0])
            shown.append(seen.in_document - found[0][1])
    return {
        "key to match": matched,
        "match to collector": arrived,
        "collector to document": shown,
        "key to document": samples.in_document,
        "key to visible": samples.visible,
        "key to picture": samples.picture,
    }


def _figures(ours: dict[str, Any], floors: dict[str, Any], samples: Samples) -> Figures:
    visible, document = ours["key to visible"], ours["key to document"]
    floor_visible, floor_document = (
        floors["floor: key to visible"],
        floors["floor: key to document"],
    )
    return {
        "visible_p50": figure(visible.p50, "ms", floor=floor_visible.p50),
        "visible_p99": figure(visible.p99, "ms", floor=floor_visible.p99),
        "in_document_p50": figure(document.p50, "ms", floor=floor_document.p50),
        "in_document_p99": figure(document.p99, "ms", floor=floor_document.p99),
        "match_p50": figure(ours["key to match"].p50, "ms"),
        "spool_p50": figure(ours["match to spool"].p50, "ms"),
        "spool_p99": figure(ours["match to spool"].p99, "ms"),
        "collector_p50": figure(ours["match to collector"].p50, "ms"),
        "browser_p50": figure(ours["collector to document"].p50, "ms"),
        "picture_p50": figure(ours["key to picture"].p50, "ms"),
        "picture_p99": figure(ours["key to picture"].p99, "ms"),
        "seen": figure(len(samples.visible), "events"),
        "missed": figure(samples.missed, "events"),
    }
