"""Codes, times and problems in plain words."""

from datetime import datetime

import pytest

from collector.web import words
from collector.web.devices import judge
from collector.web.guidance import by_category
from collector.web.queries import Health
from keywords.reasons import REASONS
from tests.collector.world import DAY, HOUR, MINUTE, SECOND
from wire.event import GapReason

NOW = int(datetime(2026, 11, 18, 14, 30).astimezone().timestamp()) * SECOND
WELL = Health(
    device="d",
    name="LAB1-02",
    room="Lab 1",
    state="active",
    last_seen_at=NOW,
    agent_version="0.1.0",
    policy_version=1,
    policy_problem="",
    clock_offset=0,
    spool_records=0,
    spool_bytes=0,
    quarantined=0,
    hook_alive=True,
    blind=None,
)


@pytest.mark.parametrize(
    ("back", "said"),
    [
        (0, "14:30"),
        (3 * HOUR, "11:30"),
        (DAY, "Tue 14:30"),
        (10 * DAY, "8 Nov 14:30"),
        (400 * DAY, "14 Oct 2025"),
    ],
)
def test_when(back, said):
    assert words.when(NOW - back, NOW).startswith(said)


@pytest.mark.parametrize(
    ("micros", "said"),
    [
        (40 * SECOND, "40 s"),
        (-12 * MINUTE, "12 min"),
        (2 * HOUR, "2 h"),
        (47 * HOUR, "47 h"),
        (3 * DAY, "3 days"),
    ],
)
def test_span(micros, said):
    assert words.span(micros) == said


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (192 * SECOND, "3:12"),
        (48 * MINUTE, "48 min"),
        (5 * HOUR, "5 h"),
        (0, "0:00"),
        (-SECOND, "overdue"),
    ],
)
def test_what_is_left(rest, said):
    assert words.left(NOW + rest, NOW) == said


def test_every_code_of_the_protocol_has_words():
    assert set(words.BLIND) == set(GapReason)
    assert all(words.reason(code) == plain for code, plain in REASONS.items())
    assert words.reason("a_newer_code") == "a newer code"
    assert words.blind(999)
    assert words.blind(None) == ""
    assert words.category("self_harm", {}) == "Self harm"


def test_a_pc_that_is_well_has_no_problem():
    device = judge(WELL, NOW)
    assert device.problems == ()
    assert not device.silent


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"state": "pending"}, "waits to be confirmed"),
        ({"last_seen_at": None}, "has not been heard of since it was enrolled"),
        ({"blind": GapReason.NO_DISPLAY}, "not watched: there is no screen that it can watch"),
        ({"hook_alive": False}, "not watched: the keyboard hook has died"),
        ({"policy_problem": "it is older"}, "policy refused: it is older"),
        ({"clock_offset": 3 * HOUR}, "its clock is 3 h behind"),
        ({"clock_offset": -3 * HOUR}, "its clock is 3 h ahead"),
        ({"quarantined": 2}, "2 damaged records set aside"),
    ],
)
def test_each_problem_is_said(values, said):
    fields = {name: getattr(WELL, name) for name in Health.__dataclass_fields__}
    assert judge(Health(**fields | values), NOW).problems == (said,)


def test_a_pc_that_is_off_is_silent_and_not_a_problem():
    fields = {name: getattr(WELL, name) for name in Health.__dataclass_fields__}
    off = judge(Health(**fields | {"last_seen_at": NOW - 91 * SECOND, "hook_alive": False}), NOW)
    assert off.silent
    assert off.problems == ()


def test_a_sentence_of_the_guidance_is_a_step_and_english_goes_first():
    class Pack:
        category, language, title = "suicide", "en", "Suicide"
        guidance = "Find them now. Call 999.\nWrite it down."

    class Polish(Pack):
        language, title, guidance = "pl", "Suicide (Polish)", "Find an interpreter."

    found = by_category([Polish(), Pack()])["suicide"]
    assert found.title == "Suicide"
    assert found.steps == ("Find them now.", "Call 999.", "Write it down.")
