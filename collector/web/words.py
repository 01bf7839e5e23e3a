"""What codes and numbers are called on the desk: plain British English."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from keywords.reasons import REASONS
from wire.event import GapReason, Severity, Source

_SECOND: Final = 1_000_000

PRIORITIES: Final[Mapping[int, str]] = MappingProxyType(
    {1: "now", 2: "this hour", 3: "today", 4: "this week"}
)
SEVERITIES: Final[Mapping[int, str]] = MappingProxyType(
    {
        Severity.LOW: "low",
        Severity.MEDIUM: "medium",
        Severity.HIGH: "high",
        Severity.CRITICAL: "critical",
    }
)
SOURCES: Final[Mapping[int, str]] = MappingProxyType(
    {
        Source.TYPED: "typed",
        Source.TITLE: "in a window's title",
        Source.FILE_NAME: "in a file's name",
        Source.ADDRESS: "in a web address",
        Source.REPORT: "reported by the pupil",
        Source.CANARY: "a drill",
    }
)
STATES: Final[Mapping[str, str]] = MappingProxyType(
    {"open": "open", "acknowledged": "acknowledged", "false_alarm": "false alarm"}
)
PICTURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "follows": "The picture is on its way.",
        "here": "Hidden until you need it.",
        "by_policy": "No picture is taken for this category or place. That is the school's rule.",
        "failed": "The picture could not be taken.",
        "shed": "The picture was given up: the PC's store was full, and text comes first.",
        "damaged": "The picture was damaged on the PC and set aside there.",
        "missing": "The picture is missing: the PC no longer had it.",
    }
)
BLIND: Final[Mapping[int, str]] = MappingProxyType(
    {
        GapReason.AGENT_STOPPED: "the agent had stopped",
        GapReason.HOOK_DEAD: "the keyboard hook has died",
        GapReason.NO_DISPLAY: "there is no screen that it can watch",
        GapReason.WAYLAND: "the desktop is Wayland, which it cannot watch",
        GapReason.NO_PERMISSION: "the system gives it no permission",
        GapReason.SPOOL_FULL: "its store is full",
        GapReason.CLOCK_JUMPED: "its clock jumped",
        GapReason.SESSION_MISSING: "somebody is signed in, and no watcher runs for them",
        GapReason.RATE_LIMITED: "it sent too much at once",
    }
)


def reason(code: str) -> str:
    """A reason's code in words."""
    return REASONS.get(code) or code.replace("_", " ")


def blind(code: int | None) -> str:
    """Why a PC is not watched; empty where it is."""
    return "" if not code else BLIND.get(code, "for a reason that this version does not know")


def category(code: str, titles: Mapping[str, str]) -> str:
    """A category in words."""
    return titles.get(code) or code.replace("_", " ").capitalize()


def moment(at: int) -> datetime:
    """A time in the server's own zone."""
    return datetime.fromtimestamp(at / _SECOND, UTC).astimezone()


def when(at: int, now: int) -> str:
    """A time of the day, with the day where it is not today."""
    then, today = moment(at), moment(now).date()
    clock = then.strftime("%H:%M")
    if then.date() == today:
        return clock
    days = (today - then.date()).days
    week = 7
    if 0 < days < week:
        return then.strftime("%a %H:%M")
    if then.year == today.year:
        return f"{then.day} {then.strftime('%b %H:%M')}"
    return f"{then.day} {then.strftime('%b %Y %H:%M')}"


def stamp(at: int) -> str:
    """A time for machines: ISO 8601 in UTC."""
    return datetime.fromtimestamp(at / _SECOND, UTC).isoformat(timespec="seconds")


def span(microseconds: int) -> str:
    """A length of time, roughly: '40 s', '12 min', '3 h', '2 days'."""
    seconds = abs(microseconds) // _SECOND
    minute, hour, day = 60, 3600, 86400
    if seconds < minute:
        return f"{seconds} s"
    if seconds < hour:
        return f"{seconds // minute} min"
    if seconds < 2 * day:
        return f"{seconds // hour} h"
    return f"{seconds // day} days"


def left(due_at: int, now: int) -> str:
    """What is left of a clock: '3:12', '48 min', '5 h', or 'overdue'."""
    seconds = (due_at - now) // _SECOND
    if seconds < 0:
        return "overdue"
    minute, hour = 60, 3600
    if seconds < 10 * minute:
        return f"{seconds // minute}:{seconds % minute:02d}"
    if seconds < 2 * hour:
        return f"{seconds // minute} min"
    return f"{seconds // hour} h"
