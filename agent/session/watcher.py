"""The session's loop: one queue, one thread that takes from it, and the wiring of all parts.

It sleeps until an event comes or something is due, and so costs nothing while
nothing happens but one wake-up each `WATCH_EVERY` seconds.
"""

import logging
import os
import queue
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FrameType

from agent.local import MOST_PICTURE, Channel, connect
from agent.session import memory
from agent.session.alone import wait_until_alone
from agent.session.hook import Hook, OpenSources
from agent.session.link import Came, Link, Lost
from agent.session.picture import Camera, Grabber, PictureError, grab
from agent.session.scribe import Scribe
from agent.session.sources.chosen import open_sources
from agent.session.sources.events import BlindError, Ended, Pasted, Rectangle, SourceEvent, Window
from wire.clock import Clock, SystemClock
from wire.event import EvidenceRules
from wire.local import Again, Found, NoShot, Settings, Shot

WATCH_EVERY = 10.0
OVERLAPPED = "a window that is never captured overlapped it"
GONE = "the window was gone"
ORPHANED_AFTER = 60.0
"""Seconds without a service after which a session whose parent has ended does so too."""
LAST_PICTURES = 2.0
"""Seconds that the end of the session waits for pictures under way."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stop:
    """The session ends."""


Event = SourceEvent | Came | Lost | Shot | NoShot | Stop


class Watcher:
    """One session's parts, wired."""

    def __init__(
        self,
        connect: Callable[[], Channel],
        *,
        clock: Clock,
        sources: OpenSources = open_sources,
        grabber: Grabber = grab,
    ) -> None:
        self._clock = clock
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._rules = EvidenceRules()
        self._link = Link(connect, clock, self._queue.put)
        self._hook = Hook(sources, clock, self._queue.put)
        self._camera = Camera(self._queue.put, grabber=grabber)
        self._scribe = Scribe(clock, self)
        self._watch_at = clock.monotonic()
        self._parent = os.getppid()

    def stop(self) -> None:
        """End `run`; from any thread, and from a signal handler."""
        self._queue.put(Stop())

    def run(self) -> int:
        """Watch until `stop`. Returns the process's exit code."""
        try:
            while True:
                try:
                    event = self._queue.get(timeout=self._patience())
                except queue.Empty:
                    pass
                else:
                    if isinstance(event, Stop):
                        return 0
                    self._take(event)
                self._tick()
        finally:
            self._close()

    def _patience(self) -> float:
        times = (self._watch_at, self._hook.due, self._link.due, self._scribe.due)
        first = min(time for time in times if time is not None)
        return max(0.0, first - self._clock.monotonic())

    def _take(self, event: Event) -> None:
        match event:
            case Came(message, service):
                if isinstance(message, Settings):
                    self._use(message, service)
                else:
                    self._link.came(message)
            case Lost(channel):
                self._link.lost(channel)
            case Shot() | NoShot():
                self._link.say(event)
            case Ended():
                if self._hook.ended(event):
                    self._tell_health()
            case _:
                self._scribe.handle(event)

    def _use(self, settings: Settings, service: str) -> None:
        self._rules = settings.evidence
        before = self._scribe.book_refused
        self._scribe.use(settings, service)
        if self._scribe.book_refused or before:
            self._tell_health()

    def _tick(self) -> None:
        now = self._clock.monotonic()
        due = self._scribe.due
        if due is not None and due <= now:
            self._scribe.tick(now)
        if self._hook.due is not None and self._hook.due <= now and self._hook.arm():
            self._tell_health()
        if self._link.due is not None and self._link.due <= now and self._link.tick(now):
            self._tell_health()
        if self._watch_at <= now:
            if self._hook.check():
                self._tell_health()
            self._tell_health()
            if self._link.away(now) > ORPHANED_AFTER and os.getppid() != self._parent:
                log.warning("whoever started this is gone, and so is the service: it ends")
                self.stop()

    def _tell_health(self) -> None:
        """Say how the watching stands, and how much was given up since the session began."""
        self._watch_at = self._clock.monotonic() + WATCH_EVERY
        if self._link.up:
            health = self._hook.watch(self._link.outbox.dropped)
            self._link.send(replace(health, book_refused=self._scribe.book_refused))

    def _close(self) -> None:
        self._hook.close()
        self._scribe.wipe()
        self._camera.finish(LAST_PICTURES)
        while not self._queue.empty():
            event = self._queue.get()
            if isinstance(event, (Shot, NoShot)):
                self._link.say(event)
        self._link.close()

    def say(self, message: Found | Again) -> None:
        """Tell the service what was found."""
        self._link.say(message)

    def paste(self) -> Pasted:
        """Read the clipboard."""
        if self._hook.sources is None:
            return Pasted(withheld_because="the clipboard is not there")
        return self._hook.sources.clipboard.read()

    def fields_known(self) -> bool:
        """Whether focus events can be waited for."""
        sources = self._hook.sources
        return (
            sources is not None
            and sources.fields is not None
            and not (sources.fields.why_unknown())
        )

    def ask_address(self, process: int) -> None:
        """Have the address of this process's page told again."""
        sources = self._hook.sources
        if sources is not None and sources.fields is not None:
            sources.fields.refresh(process)

    def picture(self, event: bytes, window: Window, *, all_monitors: bool) -> None:
        """Take the picture of an event that was said, of the window or of all monitors."""
        try:
            rectangle = self._frame(window, all_monitors=all_monitors)
        except PictureError as error:
            self._link.say(NoShot(event=event, why=str(error)))
            return
        self._camera.take(
            event,
            rectangle,
            taken_at=self._clock.now(),
            most_bytes=min(self._rules.picture_max_bytes, MOST_PICTURE),
        )

    def _frame(self, window: Window, *, all_monitors: bool) -> Rectangle | None:
        """What part of the screen to take, None for all of it. Raises PictureError.

        Nothing that is never captured may be on it: then of all monitors only the
        window is taken, and of the window nothing where the other may stand above it.
        """
        sources = self._hook.sources
        if sources is None:
            raise PictureError("the screen is not there")
        try:
            stacked = sources.windows.stacked(None if all_monitors else window)
            rectangle = sources.windows.rectangle(window)
        except (BlindError, OSError) as error:
            raise PictureError(str(error)) from error
        handles = [other.handle for other, _ in stacked]
        own = handles.index(window.handle) if window.handle in handles else 0
        hidden = [
            (place, number)
            for number, (other, place) in enumerate(stacked)
            if not self._scribe.may_show(other)
        ]
        if all_monitors and not hidden:
            return None
        if rectangle is None:
            raise PictureError(GONE)
        # Its own title as well: a page may have come since that is never captured.
        if any(number >= own and _overlap(rectangle, place) for place, number in hidden):
            raise PictureError(OVERLAPPED)
        return rectangle


def _overlap(one: Rectangle, two: Rectangle) -> bool:
    return (
        one.left < two.left + two.width
        and two.left < one.left + one.width
        and one.top < two.top + two.height
        and two.top < one.top + one.height
    )


def run(
    connect: Callable[[], Channel],
    *,
    clock: Clock,
    sources: OpenSources = open_sources,
) -> int:
    """Watch this session until a signal ends it. `connect` may raise LocalError: it is retried."""
    memory.prepare()
    watcher = Watcher(connect, clock=clock, sources=sources)

    def end(_number: int, _frame: FrameType | None) -> None:
        watcher.stop()

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is not None:
                signal.signal(number, end)
    return watcher.run()


def main(socket_path: str) -> int:
    """The session process's body: watch, and tell the service at `socket_path`."""
    lock = wait_until_alone(socket_path)
    code = run(lambda: connect(socket_path), clock=SystemClock())
    del lock  # kept until here
    return code
