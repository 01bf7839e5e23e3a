"""A real screen for tests: Xvfb on a free display, openbox, xdotool.

    with open_screen() as screen:
        screen.run("xterm", "-u8")
        screen.wait_for_window("xterm")
        screen.type("hello")
        screen.picture(path)

`screen.environment` is what a program needs to be on it; `screen.needs` says in
words which programs are missing.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("Xvfb", "openbox", "xdotool", "setxkbmap")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--password-store=basic",
)


def needs(*more: str) -> str:
    """Which programs are missing here, in words; empty where none is."""
    missing = [name for name in (*PROGRAMS, *more) if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


class ScreenError(Exception):
    """The screen, or a program on it, did not do as it should."""


@dataclass
class Screen:
    """One X server with what runs on it."""

    display: str
    environment: dict[str, str]
    folder: Path
    server: subprocess.Popen[bytes]
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *command: str, bus: bool = False, **environment: str) -> subprocess.Popen[bytes]:
        """Start a program on the screen; with `bus` under a session bus of its own."""
        full = ("dbus-run-session", "--", *command) if bus else command
        log = (self.folder / f"{Path(command[0]).name}.log").open("ab")
        process = subprocess.Popen(
            full,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        self.programs.append(process)
        return process

    def start_bus(self) -> None:
        """Give the screen a session bus, with accessibility, that all later programs share."""
        address = f"unix:path={self.folder}/bus"
        self.run("dbus-daemon", "--session", "--nofork", f"--address={address}")
        end = time.monotonic() + 10
        while not (self.folder / "bus").exists():
            if time.monotonic() > end:
                raise ScreenError(f"dbus-daemon did not start: {self.logs()}")
            time.sleep(0.02)
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = address

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a program and all that it started."""
        for ending in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, ending)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(3)
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process in self.programs:
            self.programs.remove(process)

    def xdotool(self, *words: str, timeout: float = 30) -> str:
        """Run xdotool and return what it says."""
        done = subprocess.run(
            ("xdotool", *words),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode:
            raise ScreenError(f"xdotool {' '.join(words[:3])}: {done.stderr.strip()}")
        return done.stdout.strip()

    def type(self, text: str, delay_ms: int = 12) -> None:
        """Press the keys that type `text`, as real key events (XTEST)."""
        self.xdotool("type", "--delay", str(delay_ms), "--", text, timeout=30 + len(text))

    def key(self, *names: str, delay_ms: int = 12) -> None:
        """Press keys by name ("ctrl+v", "Return") or by keycode ("38")."""
        self.xdotool("key", "--delay", str(delay_ms), *names)

    def hold(self, name: str) -> None:
        """Press a key and keep it down."""
        self.xdotool("keydown", name)

    def release(self, name: str) -> None:
        """Let a key go."""
        self.xdotool("keyup", name)

    def click(self, x: int, y: int) -> None:
        """Click with the left button."""
        self.xdotool("mousemove", str(x), str(y), "click", "1")

    def wait_for_window(self, name: str, *, by: str = "--class", seconds: float = 20) -> str:
        """Wait until a visible window with this class (or `--name`) is the active one."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(ScreenError):
                found = self.xdotool("search", "--onlyvisible", by, name).split()
                if found:
                    self.xdotool("windowactivate", "--sync", found[-1])
                    return found[-1]
            time.sleep(0.05)
        raise ScreenError(f"no window {name!r} within {seconds} s: {self.logs()}")

    def layout(self, *words: str) -> None:
        """Set the keyboard's layout with setxkbmap."""
        subprocess.run(
            ("setxkbmap", *words), env=self.environment, check=True, capture_output=True, timeout=10
        )

    def picture(self, path: Path) -> Path:
        """Save what the screen shows as a PNG."""
        import mss  # noqa: PLC0415 - only where a picture is made
        import mss.tools  # noqa: PLC0415

        with mss.MSS(display=self.display) as grabber:
            shot = grabber.grab(grabber.monitors[0])
            mss.tools.to_png(shot.rgb, shot.size, output=str(path))
        return path

    def end_server(self) -> None:
        """Take the screen away."""
        self.stop(self.server)

    def logs(self) -> str:
        """The last words of each program."""
        return " | ".join(
            f"{path.name}: {path.read_text(errors='replace')[-300:]}"
            for path in sorted(self.folder.glob("*.log"))
        )


def _start_server(arguments: Sequence[str], folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    reading, writing = os.pipe()
    log = (folder / "Xvfb.log").open("ab")
    server = subprocess.Popen(
        ("Xvfb", "-displayfd", str(writing), *arguments),
        pass_fds=(writing,),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    log.close()
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    if not number:
        server.wait(5)
        raise ScreenError(f"Xvfb: {(folder / 'Xvfb.log').read_text()[-500:]}")
    return server, f":{number}"


@contextlib.contextmanager
def open_screen(
    *, width: int = 1920, height: int = 1080, server: Sequence[str] = (), manager: bool = True
) -> Iterator[Screen]:
    """Start a screen and end it with all that ran on it.

    `server` takes further arguments for Xvfb; without `manager` there is no
    window manager.
    """
    folder = Path(tempfile.mkdtemp(prefix="screen-"))
    arguments = ("-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset", *server)
    process, display = _start_server(arguments, folder)
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")},
        "DISPLAY": display,
        "LANG": "C.UTF-8",
        "XDG_RUNTIME_DIR": str(folder),
        "NO_AT_BRIDGE": "0",
        "PYTHONPATH": os.pathsep.join(("proto", ".")),
    }
    folder.chmod(0o700)
    screen = Screen(display=display, environment=environment, folder=folder, server=process)
    try:
        if manager:
            screen.run("openbox")
            _wait_for_manager(screen)
        yield screen
    finally:
        for program in reversed(list(screen.programs)):
            screen.stop(program)
        screen.end_server()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_manager(screen: Screen) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(ScreenError):
            screen.xdotool("get_desktop")
            return
        time.sleep(0.02)
    raise ScreenError(f"openbox did not start: {screen.logs()}")
