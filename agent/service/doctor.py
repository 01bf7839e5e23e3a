"""Say in words what is wrong with this PC, and what to do.

`diagnose` is pure: it judges what was found out, from the nearest link to the farthest.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.service.cause import Cause
from agent.service.reach import Reach

_MINUTE = 60_000_000
_NEARLY_FULL = 0.9

BLIND = {
    "no_display": (
        "a session has no display to watch",
        "start the session process from within the desktop, with DISPLAY set",
    ),
    "wayland": (
        "a session runs under Wayland, which lets nothing watch it",
        "offer Xorg sessions at sign-in: until then this PC counts as blind",
    ),
    "no_permission": (
        "a session may not watch the keyboard",
        "let the session process read the display (xhost, Xauthority)",
    ),
    "hook_dead": (
        "a session's keyboard hook is dead",
        "sign out and in again; if it comes back, send the session's log",
    ),
    "session_missing": (
        "somebody is signed in, and no session process is connected",
        "check the autostart entry of redshank-agent run --session",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was found out."""

    enrolled: str = ""
    """Why this PC has no identity; empty: it has one."""
    barred: bool = False
    """Whether it has one, and this account may not read it."""
    service: str = ""
    """Why the service did not answer; empty: it did."""
    status: Mapping[str, Any] | None = None
    reach: Reach | None = None
    spool_limit: int = 0
    here: tuple[str, ...] = ()
    """What blinds the session in which the doctor runs, by the names of BLIND."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One thing that is wrong."""

    what: str
    do: str


def diagnose(facts: Facts) -> tuple[Complaint, ...]:
    """Everything that is wrong, the nearest first."""
    if facts.enrolled:
        return (
            Complaint(
                what=facts.enrolled,
                do="run the doctor as root"
                if facts.barred
                else "redshank-agent enrol --server https://SERVER:PORT --token TOKEN",
            ),
        )
    found = []
    if facts.service:
        found.append(
            Complaint(what=facts.service, do="start the service: systemctl start redshank-agent")
        )
    found += [Complaint(what=BLIND[name][0], do=BLIND[name][1]) for name in facts.here]
    found += _of_reach(facts.reach)
    if facts.status is not None:
        found += _of_status(facts.status, facts.spool_limit)
    return tuple(found)


def _of_reach(reach: Reach | None) -> list[Complaint]:
    if reach is None or reach.cause is Cause.FINE:
        return []
    do = {
        Cause.NO_NAME: "check the server's name, and this PC's DNS",
        Cause.UNREACHABLE: "check that the collector runs, and the firewall between",
        Cause.NOT_TLS: "check that the port is the collector's own, without a proxy between",
        Cause.OTHER_SERVER: "if the school's server was set up anew, enrol this PC again",
        Cause.SERVER_TIME: "set this PC's clock (NTP); if it is right, renew the server's certificate",
        Cause.SILENT: "check the network between, and whether the collector is overloaded",
        Cause.EXPIRED: "check this PC's clock; the certificate renews itself when it is right",
        Cause.REFUSED: "enrol this PC again with a new token",
    }[reach.cause]
    return [Complaint(what=reach.words, do=do)]


def _of_status(status: Mapping[str, Any], limit: int) -> list[Complaint]:
    found = []
    uplink = status["uplink"]
    if uplink["cause"] == "device denied":
        found.append(
            Complaint(
                what="the collector has revoked this PC", do="ask the technician; enrol again"
            )
        )
    elif uplink["cause"] == "device pending":
        found.append(
            Complaint(
                what="the collector waits for the technician to confirm this PC",
                do="confirm it on the desk, under Devices",
            )
        )
    elif uplink["phase"] != "flowing" and uplink["words"]:
        found.append(Complaint(what=uplink["words"], do="see the link above, or wait: it retries"))
    if abs(uplink["clock_offset_us"]) > _MINUTE:
        seconds = uplink["clock_offset_us"] / 1e6
        found.append(
            Complaint(
                what=f"this PC's clock is off by {-seconds:.0f} s against the collector's",
                do="set up time synchronisation (NTP)",
            )
        )
    if status["policy"]["problem"]:
        found.append(
            Complaint(what=status["policy"]["problem"], do="issue a new policy on the collector")
        )
    elif not status["policy"]["version"]:
        found.append(
            Complaint(what="this PC has no policy yet, and watches nothing", do="issue a policy")
        )
    found += _of_book(status["book"])
    if limit and status["spool"]["bytes"] > limit * _NEARLY_FULL:
        found.append(
            Complaint(
                what="the spool is full: pictures are given up, then records are refused",
                do="let this PC reach the collector",
            )
        )
    if status["spool"]["problem"]:
        found.append(
            Complaint(
                what=f"the disk refuses what this PC records: {status['spool']['problem']}",
                do="free the disk that holds the state directory, or replace it",
            )
        )
    found += [
        Complaint(what=note, do="nothing: it is told to the collector as well")
        for note in status["spool"]["notes"]
    ]
    names = {one["blind"] for one in status["sessions"] if one["blind"]}
    names |= {gap["reason"] for gap in status["gaps"] if not gap["ended_at"]}
    found += [
        Complaint(what=BLIND[name][0], do=BLIND[name][1]) for name in sorted(names & set(BLIND))
    ]
    if not status["sessions"]:
        found.append(
            Complaint(
                what="no session process is connected",
                do="sign in at the PC, or start redshank-agent run --session there",
            )
        )
    return found


def _of_book(book: Mapping[str, Any]) -> list[Complaint]:
    found = []
    if book["problem"]:
        found.append(
            Complaint(
                what=f"each session makes its packs ready for itself: {book['problem']}",
                do="let the service's account write the folder `books` of its settings",
            )
        )
    found += [
        Complaint(
            what=f"a session does not use the packs' book: {words}",
            do="leave the folder `books` to the service's account, all others may read it (755)",
        )
        for words in book["refused"]
    ]
    return found


def blinds_here(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What blinds the session in which this runs, as far as its environment says."""
    environ = os.environ if environ is None else environ
    if sys.platform != "linux" or "XDG_SESSION_TYPE" not in environ:
        return ()
    if environ["XDG_SESSION_TYPE"] == "wayland":
        return ("wayland",)
    if environ["XDG_SESSION_TYPE"] == "x11" and not environ.get("DISPLAY"):
        return ("no_display",)
    return ()
