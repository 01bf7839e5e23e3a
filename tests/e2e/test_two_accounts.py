"""Service and session as they are installed: the service is root's, the session the pupil's own."""

import contextlib
import json
import signal
import sqlite3
import stat
import sys
import time
from pathlib import Path

import psutil
import pytest

from collector.pseudonym import pseudonym_of
from demo.desk import Desk, browser
from demo.school import Program, School, SchoolError, watching
from demo.screen import open_screen
from wire.event import GapReason

pytestmark = [pytest.mark.root, pytest.mark.screen, pytest.mark.timeout(180)]
PUPIL = 61_003
PHRASE = "nobody likes you at this school "
COMMAND = str(Path(sys.executable).with_name("redshank-agent"))


def as_pupil():
    """What goes before a command of the pupil's."""
    words = ["setpriv", f"--reuid={PUPIL}", f"--regid={PUPIL}", "--clear-groups"]
    places = [place for path in (sys.executable, COMMAND) for place in Path(path).resolve().parents]
    if not all(place.stat().st_mode & stat.S_IXOTH for place in places):
        # Python may be installed where a pupil may not look: he may read, and stays who he is.
        words += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return words


@pytest.fixture(scope="module")
def school():
    with School() as made:
        made.set_up()
        made.serve()
        yield made


@pytest.fixture
def screen():
    # Without access control, as the pupil's own display would let him in.
    with open_screen(server=("-ac",)) as made:
        made.run("xterm", "-u8")
        made.wait_for_window("xterm")
        yield made


@contextlib.contextmanager
def program(command, log, environment):
    made = Program(command, log, environment)
    try:
        yield made
    finally:
        made.stop()


def until(ask, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(SchoolError, ValueError):
            found = ask()
            if found:
                return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")


def named(folder):
    """What goes before the service's command: an account list in which the pupil has a name."""
    accounts = folder / "passwd"
    entry = f"pupil-{PUPIL}:x:{PUPIL}:{PUPIL}:Jo Sample,,,:/nonexistent:/usr/sbin/nologin\n"
    accounts.write_text(Path("/etc/passwd").read_text() + entry)
    mount = f'mount --bind {accounts} /etc/passwd && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh"]


@pytest.mark.browser
def test_what_a_pupil_types_arrives_under_the_pupils_own_account(school, screen):
    pc = school.enrol("pc-two")
    environment = {**screen.environment, **pc.environment}
    environment.pop("PYTHONPATH")
    service = [*named(pc.folder), COMMAND, "run", "--service"]
    session = [*as_pupil(), COMMAND, "run", "--session"]
    with (
        program(service, pc.folder / "agent.log", pc.environment) as root,
        program(session, pc.folder / "session.log", environment) as pupil,
        browser() as chromium,
    ):
        status = until(lambda: watching(pc.status()) and pc.status())
        assert psutil.Process(root.pid).uids().real == 0
        assert psutil.Process(pupil.pid).uids().real == PUPIL
        desk = Desk(school, chromium)
        desk.sign_in()
        screen.type(PHRASE, delay_ms=30)
        row = desk.wait_for_alert("Bullying")
        assert "Jo Sample" in row
        desk.open("Bullying")
        # A pause between two keys may end the match before the sentence is typed out.
        said = desk.page.inner_text(".said").strip()
        assert "nobody likes you" in said
        assert PHRASE.startswith(said)
        desk.show_picture("to see what else is on the screen")
    (kept,) = school.data.rglob("pseudonym.key")
    key = bytes.fromhex(kept.read_text())
    account = f"linux:{status['device']}:{PUPIL}"
    (stored,) = rows(school, "SELECT DISTINCT pseudonym FROM events WHERE device = ?", pc)
    assert stored == (pseudonym_of(account, school="marsh-lane", key=key),)


def rows(school, statement, pc):
    """What the collector has stored of a PC."""
    device = json.loads((pc.state / "identity.json").read_text())["device"]
    with contextlib.closing(
        sqlite3.connect(f"file:{school.data}/main.db?mode=ro", uri=True)
    ) as store:
        return store.execute(statement, (device,)).fetchall()


def sessions_of(pc):
    found = []
    for child in psutil.Process(pc.agent_pid).children():
        with contextlib.suppress(psutil.Error):  # the one that was killed is there for a moment
            if "--session" in child.cmdline():
                found.append(child)
    return found


def test_a_session_that_is_killed_is_started_again_and_the_gap_is_told(school, screen):
    pc = school.enrol("pc-killed")
    with pc.running(screen.environment):
        (before,) = sessions_of(pc)
        killed_at = time.time()  # noqa: TID251
        before.send_signal(signal.SIGKILL)
        until(lambda: [one for one in sessions_of(pc) if one.pid != before.pid])
        until(lambda: watching(pc.status()))
        back_at = time.time()  # noqa: TID251
        found = until(
            lambda: rows(
                school, "SELECT reason, started_at, ended_at FROM gaps WHERE device = ?", pc
            ),
            60,
        )
    (gap,) = [gap for gap in found if gap[0] == GapReason.SESSION_MISSING]
    assert killed_at - 1 < gap[1] / 1e6 < gap[2] / 1e6 < back_at + 1
