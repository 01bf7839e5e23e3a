"""The main job whole: a key in a real window becomes an alert in a real browser."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from demo.desk import Desk, browser
from demo.pupil import WORDS, chatting
from demo.school import School
from demo.screen import open_screen

pytestmark = [pytest.mark.screen, pytest.mark.browser, pytest.mark.timeout(180)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def scene():
    """A served school, a watched screen, a signed-in DSL."""
    with School() as school:
        school.set_up()
        school.serve()
        pc = school.enrol()
        with open_screen() as screen, browser() as chromium:
            screen.start_bus()
            with pc.running(screen.environment):
                school.wait_until_online()
                desk = Desk(school, chromium)
                desk.sign_in()
                yield school, pc, screen, desk


def test_a_key_in_a_window_becomes_a_ranked_alert_with_its_sealed_picture(scene):
    school, pc, screen, desk = scene
    problems = []
    desk.page.on("pageerror", lambda error: problems.append(str(error)))
    with chatting(screen):
        screen.type(WORDS, delay_ms=40)
        row = desk.wait_for_alert("Suicide")
        assert row.startswith("P1")
        desk.open("Suicide")
        assert desk.page.inner_text("mark") in WORDS
        assert desk.page.inner_text(".said").strip() == WORDS.strip()
        text = desk.page.inner_text("article")
        assert "Year 9 study chat" in text
        assert "http://localhost:" in text
        assert desk.page.locator(".shot img").count() == 0
        desk.show_picture("to see what else is on the screen")
        size = desk.page.evaluate(
            "(({naturalWidth, naturalHeight}) => [naturalWidth, naturalHeight])"
            "(document.querySelector('.shot img'))"
        )
        assert size[0] > 1000
        assert size[1] > 600
        desk.page.click("text=Acknowledge: I am on it")
        desk.page.wait_for_selector(".clockline:has-text('taken on by Sam Okafor')")
    assert problems == []
    for log in (school.collector_log(), pc.log()):
        assert "kill" not in log
        assert "myself" not in log


def test_what_is_no_concern_never_leaves_the_pc(scene):
    school, pc, screen, _desk = scene
    before = pc.status()
    with chatting(screen):
        screen.type("the volcano homework is due on friday and i like crisps ", delay_ms=20)
        screen.key("Return")
    pc.command("canary")  # a record behind it has been receipted
    after = pc.status()
    assert _written(after) - _written(before) == 1
    for file in [*school.data.rglob("*"), *pc.state.rglob("*")]:
        if file.is_file():
            assert b"volcano" not in file.read_bytes()


def _written(status):
    return sum(lane["written"]["sequence"] for lane in status["lanes"].values())


@pytest.fixture
def short_folder():
    """A browser's sockets have no room for pytest's long paths."""
    with tempfile.TemporaryDirectory(prefix="t-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def test_the_demo_plays_its_scene_and_leaves_nothing_behind(short_folder):
    environment = {**os.environ, "TMPDIR": str(short_folder)}
    environment.pop("DISPLAY", None)
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--once"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "on the desk" in done.stdout
    assert "P1" in done.stdout
    assert "is revealed" in done.stdout
    for name in ("list.png", "desk.png", "pupil.png"):
        assert (ROOT / "build" / "demo" / name).stat().st_size > 10_000
    assert list(short_folder.iterdir()) == []
