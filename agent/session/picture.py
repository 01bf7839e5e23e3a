"""Pictures of the screen: grabbed at once in this process, encoded in a short-lived one.

A grab is some milliseconds and a few megabytes, which are given back at once; the
encoding is a process of its own, so that its memory goes with it, and begins
`ALARM_FIRST` later, so that the alarm has the processor. One encodes at a time,
`MOST_WAITING` more wait as pixels, further ones are told as not made. mss is
imported at the first picture.
"""

import contextlib
import logging
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.session.encode import ANSWER, REQUEST, is_webp
from agent.session.memory import give_back
from agent.session.sources.events import Rectangle
from wire.local import NoShot, Shot

WIDEST = 1920
MOST_SECONDS = 5.0
MOST_WAITING = 2
WINDOW, ALL_MONITORS = "window", "all monitors"
TOO_MANY = "too many at once"
ALARM_FIRST = 0.06
"""Seconds between the grab and the encoding: the event is on the desk by then."""
_MOST_WORDS = 4000
_NICE = shutil.which("nice") if sys.platform != "win32" else None
ENCODER = (*((_NICE, "-n", "10") if _NICE else ()), sys.executable, "-m", "agent.session.encode")

log = logging.getLogger(__name__)


class PictureError(Exception):
    """No picture could be made; the words say why."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """A grabbed part of the screen, four bytes a pixel (BGRX)."""

    width: int
    height: int
    data: bytes | bytearray


class Grabber(Protocol):
    """What takes pixels from the screen."""

    def __call__(self, rectangle: Rectangle | None, /) -> Pixels:
        """The part of the screen, or all monitors where None. Raises PictureError."""
        ...


def grab(rectangle: Rectangle | None) -> Pixels:
    """Take pixels from the screen, by mss. Raises PictureError."""
    import mss  # noqa: PLC0415 - only where a picture is made
    from mss.exception import ScreenShotError  # noqa: PLC0415

    try:
        with mss.MSS() as grabber:
            whole = grabber.monitors[0]
            area = whole if rectangle is None else _within(rectangle, whole)
            shot = grabber.grab(area)
            return Pixels(shot.width, shot.height, shot.raw)
    except (ScreenShotError, OSError, ValueError, AttributeError) as error:
        raise PictureError(f"the screen could not be grabbed: {error}") from error


def _within(rectangle: Rectangle, whole: dict[str, int]) -> dict[str, int]:
    left = max(rectangle.left, whole["left"])
    top = max(rectangle.top, whole["top"])
    right = min(rectangle.left + rectangle.width, whole["left"] + whole["width"])
    bottom = min(rectangle.top + rectangle.height, whole["top"] + whole["height"])
    if right <= left or bottom <= top:
        raise PictureError("the window is not on the screen")
    return {"left": left, "top": top, "width": right - left, "height": bottom - top}


@dataclass(frozen=True, slots=True)
class _Job:
    event: bytes
    pixels: Pixels
    taken_at: int
    of: str
    most_bytes: int


class Camera:
    """Takes pictures and gives each as `Shot`, or `NoShot` with why, to `done` (any thread)."""

    def __init__(
        self,
        done: Callable[[Shot | NoShot], None],
        *,
        grabber: Grabber = grab,
        encoder: tuple[str, ...] = ENCODER,
    ) -> None:
        self._done = done
        self._grab = grabber
        self._encoder = encoder
        self._jobs: deque[_Job] = deque()
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None

    def take(
        self, event: bytes, rectangle: Rectangle | None, *, taken_at: int, most_bytes: int
    ) -> None:
        """Grab now, encode later. Nothing is raised: what fails becomes a `NoShot`."""
        with self._lock:
            full = len(self._jobs) >= MOST_WAITING
        if full:
            self._done(NoShot(event=event, why=TOO_MANY))
            return
        try:
            pixels = self._grab(rectangle)
        except PictureError as error:
            self._done(NoShot(event=event, why=str(error)))
            return
        of = ALL_MONITORS if rectangle is None else WINDOW
        with self._lock:
            self._jobs.append(_Job(event, pixels, taken_at, of, most_bytes))
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="pictures", daemon=True)
                self._worker.start()

    def _work(self) -> None:
        time.sleep(ALARM_FIRST)
        while True:
            with self._lock:
                if not self._jobs:
                    self._worker = None
                    break
                job = self._jobs.popleft()
            self._done(self._encode(job))
            del job
        give_back()

    def _encode(self, job: _Job) -> Shot | NoShot:
        try:
            width, height, webp = encode_apart(job.pixels, job.most_bytes, self._encoder)
        except PictureError as error:
            log.warning("no picture: %s", error)
            return NoShot(event=job.event, why=str(error)[:500])
        return Shot(
            event=job.event,
            webp=webp,
            width=width,
            height=height,
            taken_at=job.taken_at,
            of=job.of,
        )

    def finish(self, seconds: float) -> None:
        """Wait for what is under way."""
        worker = self._worker
        if worker is not None:
            worker.join(seconds)


def encode_apart(
    pixels: Pixels, most_bytes: int, encoder: tuple[str, ...] = ENCODER
) -> tuple[int, int, bytes]:
    """Width, height and WebP, made in another process within `MOST_SECONDS`.

    Raises:
        PictureError: it failed, or took too long.
    """
    flags = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) | getattr(
        subprocess, "CREATE_NO_WINDOW", 0
    )
    request = REQUEST.pack(pixels.width, pixels.height, WIDEST, most_bytes)
    late = threading.Event()
    try:
        with subprocess.Popen(  # noqa: S603 - our own module
            encoder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            creationflags=flags,
        ) as process:

            def end() -> None:
                late.set()
                process.kill()

            watchdog = threading.Timer(MOST_SECONDS, end)
            watchdog.daemon = True
            watchdog.start()
            try:
                answer, words = _talk(process, request, pixels.data, ANSWER.size + most_bytes)
                process.wait()
            finally:
                watchdog.cancel()
    except OSError as error:
        raise PictureError(f"the encoder did not start: {error}") from error
    if late.is_set():
        raise PictureError(f"encoding took more than {MOST_SECONDS:.0f} s")
    if process.returncode or not is_webp(answer[ANSWER.size :]):
        last = words.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise PictureError(f"the encoder failed: {last[:200]}")
    width, height = ANSWER.unpack_from(answer)
    return width, height, answer[ANSWER.size :]


def _talk(
    process: "subprocess.Popen[bytes]", request: bytes, data: bytes | bytearray, most: int
) -> tuple[bytes, bytes]:
    """Give the pixels without copying them, and take the answer, not more than was asked for."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    # An encoder that ends early says why in its words.
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(request)
        process.stdin.write(data)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    answer = process.stdout.read(most + 1)
    if len(answer) > most:
        process.kill()
        raise PictureError("the encoder gave more than was asked for")
    return answer, process.stderr.read(_MOST_WORDS)
