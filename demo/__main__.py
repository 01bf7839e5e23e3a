"""Play the scene: set up, enrol, type, see the alert; then stay until stopped.

Each stage is printed as it happens, with the seconds since the start.
"""

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from demo.desk import Desk, browser
from demo.pupil import WORDS, chatting
from demo.school import Pc, School, SchoolError
from demo.screen import Screen, ScreenError, needs, open_screen

PICTURES = Path(__file__).resolve().parent.parent / "build" / "demo"
CATEGORY = "Suicide"


class Teller:
    """Prints each stage with its time."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, words: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {words}", flush=True)


def main() -> int:
    """Run the demo."""
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the scene")
    parser.add_argument(
        "--virtual", action="store_true", help="a virtual screen even if there is a real one"
    )
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say = Teller()
    try:
        with School(say=say) as school:
            school.set_up()
            school.serve()
            pc = school.enrol("lab2-pc14", room="Lab 2")
            if os.environ.get("DISPLAY") and not chosen.virtual:
                _on_this_desktop(school, pc, say)
            else:
                _on_a_virtual_screen(school, pc, say, stay=not chosen.once)
    except KeyboardInterrupt:
        pass
    except (SchoolError, ScreenError, TimeoutError, FileNotFoundError) as error:
        print(f"The demo stopped: {error}", file=sys.stderr)
        return 1
    say("stopped; nothing was left behind but the pictures in build/demo")
    return 0


def _on_this_desktop(school: School, pc: Pc, say: Teller) -> None:
    with pc.running(os.environ):
        say("this desktop is watched now: type into any window, for example")
        say(f"    {WORDS.strip()}")
        invite(school, say)
        wait()


def _on_a_virtual_screen(school: School, pc: Pc, say: Teller, *, stay: bool) -> None:
    missing = needs("chromium", "dbus-daemon")
    if missing:
        raise ScreenError(missing)
    with _watched_screen(school, pc, say) as screen, browser() as chromium:
        desk = Desk(school, chromium)
        desk.sign_in()
        say("the DSL is signed in and has unlocked the vault")
        with chatting(screen):
            say("a pupil has a chat open, and types")
            screen.type(WORDS, delay_ms=60)
            pressed = time.monotonic()
            row = desk.wait_for_alert(CATEGORY)
            say(f"on the desk {time.monotonic() - pressed:.2f} s after the last key: {row}")
            desk.save(PICTURES / "list.png")
            desk.open(CATEGORY)
            waited = desk.show_picture("the DSL looks at what was on the screen")
            say(
                f"the sealed picture was there {waited:.1f} s later, and is revealed, with a reason"
            )
            desk.save(PICTURES / "desk.png")
            screen.picture(PICTURES / "pupil.png")
        say("pictures: build/demo/list.png, build/demo/desk.png, build/demo/pupil.png")
        if stay:
            invite(school, say)
            wait()


@contextlib.contextmanager
def _watched_screen(school: School, pc: Pc, say: Teller) -> Iterator[Screen]:
    with open_screen() as screen:
        screen.start_bus()
        say(f"a virtual screen is open ({screen.display})")
        with pc.running(_plain(screen.environment)):
            school.wait_until_online()
            yield screen


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    # The agent is installed: it must run without this folder on its path.
    return {name: value for name, value in environment.items() if name != "PYTHONPATH"}


def invite(school: School, say: Teller) -> None:
    """Say how to sign in."""
    say(f"the desk: {school.desk}  (its certificate is its own: the browser will ask)")
    say(f"sign in as {school.login} with {school.password}")
    say(f"the vault's passphrase: {school.passphrase}")
    say("Ctrl+C stops everything")


def wait() -> None:
    """Stay until somebody stops it."""
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
