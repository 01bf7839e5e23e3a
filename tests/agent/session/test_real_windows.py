"""The session process on a real screen: real keys in real windows, over a real local socket."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from demo.screen import CHROMIUM_FLAGS, ScreenError, needs, open_screen
from tests.agent.session.service import Service
from wire.event import EvidenceRules, GapReason, Source
from wire.local import Found, NoShot, SessionHello, Shot, Watch

pytestmark = pytest.mark.screen

PAGE = """<!doctype html><title>Sign in</title><input id=name autofocus>
<input type=password id=secret><textarea></textarea>"""


@pytest.fixture(scope="module")
def bus_screen():
    missing = needs("dbus-daemon", "zenity", "xterm", "xclip")
    if missing:
        pytest.skip(missing)
    with open_screen() as opened:
        opened.start_bus()
        yield opened


@contextlib.contextmanager
def watch(screen, folder, rules=None, **environment):
    """The session process as the service starts it."""
    service = Service(str(folder / "s.sock"), rules)
    process = screen.run(
        sys.executable, "-m", "agent.session", "--socket", service.path, "--verbose", **environment
    )
    try:
        yield service, process
    finally:
        os.kill(process.pid, signal.SIGTERM)
        code = process.wait(10)
        screen.stop(process)
        service.close()
        assert code == 0, screen.logs()


@pytest.fixture
def service(bus_screen, tmp_path):
    with watch(bus_screen, tmp_path) as (service, _):
        service.watched()
        time.sleep(1)  # the accessibility bus is started on demand
        yield service


@contextlib.contextmanager
def window(screen, *command, name, **environment):
    program = screen.run(*command, **environment)
    try:
        screen.wait_for_window(name)
        time.sleep(0.8)
        yield program
    finally:
        screen.stop(program)


def test_xterm(bus_screen, service):
    with window(bus_screen, "xterm", "-u8", "-T", "A terminal", name="xterm"):
        bus_screen.type("echo a blue heron ")
        (found,) = service.wait_for(Found)
        (shot,) = service.wait_for(Shot)
    assert (found.details.before, found.details.matched) == ("echo a ", "blue heron")
    assert found.details.window_title == "A terminal"
    assert found.details.application == "xterm"
    assert found.details.process_path.endswith("/xterm")
    image = Image.open(io.BytesIO(shot.webp))
    assert image.size == (shot.width, shot.height) == (484, 316)
    assert len(image.convert("L").getcolors()) > 10


def test_a_gtk_entry_and_a_paste(bus_screen, service):
    with window(bus_screen, "zenity", "--entry", name="zenity"):
        bus_screen.type("the zesty gull ")
        (typed,) = service.wait_for(Found)
        assert typed.details.application == "zenity"
        subprocess.run(
            ("xclip", "-selection", "clipboard", "-i"),
            env=bus_screen.environment,
            input=b"a blue heron ",
            check=True,
            timeout=10,
        )
        bus_screen.key("ctrl+v")
        found = service.wait_for(Found, count=2)
    assert found[1].details.pasted
    assert found[1].details.before == "the zesty gull a "


def test_a_password_is_in_nothing_that_is_sent(bus_screen, service):
    program = bus_screen.run("zenity", "--password")
    try:
        bus_screen.wait_for_window("zenity")  # and typed at once: the first keys count too
        bus_screen.type("blue heron blue heron ")
        time.sleep(1.2)
    finally:
        bus_screen.stop(program)
    with window(bus_screen, "zenity", "--entry", name="zenity"):
        bus_screen.type("the zesty gull ")
        service.wait_for(Found)
    assert b"heron" not in service.bytes()


@pytest.mark.browser
def test_chromium_typed_exactly_with_its_address_and_without_its_password(
    bus_screen, service, tmp_path
):
    page = tmp_path / "page.html"
    page.write_text(PAGE)
    with window(
        bus_screen,
        shutil.which("chromium") or "chromium-browser",
        *CHROMIUM_FLAGS,
        f"--user-data-dir={tmp_path}/profile",
        "--force-renderer-accessibility",
        page.as_uri(),
        name="chromium",
        GNOME_ACCESSIBILITY="1",
    ):
        _wait_for_title(bus_screen, "Sign in")
        time.sleep(2)
        bus_screen.type("a zesty gull flew")
        (found,) = service.wait_for(Found)
        bus_screen.key("Tab")
        bus_screen.type("blue heron ")
        time.sleep(0.5)
        bus_screen.type("blue heron ")
        bus_screen.key("Tab")
        time.sleep(0.5)
        bus_screen.type("redshank walks the tideline ")
        service.wait_for(Found, lambda one: one.finding.term_id == "walk")
    assert found.details.before == "a "
    assert found.details.address == page.as_uri()
    assert found.details.window_title.startswith("Sign in")
    assert b"heron" not in service.bytes()


def _wait_for_title(screen, title):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(ScreenError):
            if screen.xdotool("search", "--onlyvisible", "--name", title):
                return
        time.sleep(0.1)
    raise AssertionError(screen.logs())


def test_a_title_of_ten_thousand_characters(bus_screen, service):
    title = "blue heron <script>\u202ealert(1)\x1b[31m\u2066</script> " + "x" * 10_000
    with window(bus_screen, "xterm", "-u8", "-xrm", "xterm*allowTitleOps: true", name="xterm"):
        handle = bus_screen.xdotool("getactivewindow")
        bus_screen.xdotool("set_window", "--name", title, handle)
        (found,) = service.wait_for(Found)
        bus_screen.type("zesty gull ")
        service.wait_for(Found, lambda one: one.finding.source is Source.TYPED)
    assert found.finding.source is Source.TITLE
    assert found.details.window_title == title[:1000]


def test_two_monitors_are_taken_where_policy_says_so(tmp_path):
    with open_screen(server=("+extension", "RANDR")) as screen:
        for command in (
            ("--setmonitor", "left", "960/254x1080/285+0+0", "screen"),
            ("--setmonitor", "right", "960/254x1080/285+960+0", "none"),
        ):
            subprocess.run(("xrandr", *command), env=screen.environment, check=True, timeout=10)
        rules = EvidenceRules(all_monitors=("canary",))
        with watch(screen, tmp_path, rules) as (service, _):
            service.watched()
            with window(screen, "xterm", "-geometry", "80x24+1200+100", name="xterm"):
                screen.type("blue heron ")
                (shot,) = service.wait_for(Shot)
    assert (shot.of, shot.width, shot.height) == ("all monitors", 1920, 1080)


def test_a_window_partly_off_the_screen_is_taken_as_far_as_it_shows(bus_screen, service):
    with window(bus_screen, "xterm", "-geometry", "80x24", name="xterm"):
        handle = bus_screen.xdotool("getactivewindow")
        bus_screen.xdotool("windowmove", handle, "1700", "900")
        time.sleep(0.3)
        bus_screen.type("blue heron ")
        (shot,) = service.wait_for(Shot)
    assert shot.width < 484
    assert shot.height < 316


def test_without_a_display_it_is_blind_and_says_why(tmp_path):
    missing = needs()
    if missing:
        pytest.skip(missing)
    with open_screen() as screen:
        for environment, reason in (
            ({"DISPLAY": ""}, GapReason.NO_DISPLAY),
            ({"DISPLAY": ":9999"}, GapReason.NO_DISPLAY),
            ({"DISPLAY": "", "XDG_SESSION_TYPE": "wayland"}, GapReason.WAYLAND),
        ):
            folder = tmp_path / f"{reason.name}{len(environment['DISPLAY'])}"
            folder.mkdir()
            with watch(screen, folder, **environment) as (service, _):
                assert service.watched(alive=False).blind is reason


def test_when_the_display_goes_it_says_so_and_lives_on(tmp_path):
    with open_screen() as screen, watch(screen, tmp_path) as (service, _):
        service.watched()
        screen.end_server()
        service.wait_for(Watch, lambda one: one.blind is GapReason.HOOK_DEAD)
        service.wait_for(Watch, lambda one: one.blind is GapReason.NO_DISPLAY)


def test_a_plain_screen_lock_is_seen(bus_screen, service):
    """A window over the whole screen that no manager manages: its password is not ours."""
    locker = (
        "from Xlib import X, display\n"
        "import time\n"
        "d = display.Display(); s = d.screen()\n"
        "w = s.root.create_window(0, 0, s.width_in_pixels, s.height_in_pixels, 0, s.root_depth,"
        " override_redirect=1)\n"
        "w.map(); d.sync(); time.sleep(60)\n"
    )
    with window(bus_screen, "xterm", name="xterm"):
        process = bus_screen.run(sys.executable, "-c", locker)
        time.sleep(1)
        bus_screen.type("blue heron ")
        time.sleep(1)
        bus_screen.stop(process)
        time.sleep(0.5)
        bus_screen.type("zesty gull ")
        service.wait_for(Found)
    assert b"heron" not in service.bytes()


def test_idle_it_does_nothing_and_stays_small(bus_screen, tmp_path):
    with watch(bus_screen, tmp_path) as (service, process):
        service.watched()
        with window(bus_screen, "xterm", name="xterm"):
            bus_screen.type("blue heron ")
            service.wait_for(Shot)
            time.sleep(1)
            before = _ticks(process.pid)
            time.sleep(3)
            assert _ticks(process.pid) - before <= 1
            assert _pss_megabytes(process.pid) < 35
        assert not service.all(NoShot)


def _ticks(process):
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pss_megabytes(process):
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def test_nothing_heavy_is_imported_before_it_is_needed():
    code = (
        "import sys, agent.session.watcher, agent.session.sources.x11_keyboard\n"
        "print(sorted(set(sys.modules) & {'grpc','cryptography','sqlite3','PIL','mss','pynput',"
        "'Xlib','jeepney','numpy'}))"
    )
    # Coverage measures child processes too, and brings modules of its own.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        (sys.executable, "-c", code),
        env={**unmeasured, "PYTHONPATH": os.pathsep.join(("proto", "."))},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_second_session_of_the_same_service_waits_for_the_first_to_end(bus_screen, tmp_path):
    command = (sys.executable, "-m", "agent.session", "--socket", str(tmp_path / "s.sock"))
    with watch(bus_screen, tmp_path) as (service, _):
        service.watched()
        second = bus_screen.run(*command)
        with window(bus_screen, "xterm", name="xterm"):
            time.sleep(1.5)
            bus_screen.type("blue heron ")
            service.wait_for(Found)
            time.sleep(0.5)
        assert len(service.all(SessionHello)) == 1
        assert len(service.all(Found)) == 1
    with contextlib.closing(Service(str(tmp_path / "s.sock"))) as after:
        after.watched()  # the first has ended: it watches
        bus_screen.stop(second)
