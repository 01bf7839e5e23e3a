"""Keeps the sources running: starts them, sees that they end, starts them again, says so.

Without a keyboard or without the windows the session is *blind*: then all is ended
and tried again after `AGAIN` seconds, for as long as the session lives. A source
that only adds knowledge (fields, locks) is started again by itself.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from agent.session.sources.events import BlindError, Ended, SourceEvent
from agent.session.sources.interface import Put, Source, Sources
from wire.clock import Clock
from wire.event import GapReason
from wire.local import Watch

AGAIN = (0.0, 1.0, 2.0, 5.0, 10.0)
HEALTHY_AFTER = 60.0
"""Seconds of watching after which the next attempt is made at once again."""

log = logging.getLogger(__name__)


class OpenSources(Protocol):
    """Makes the platform's sources; raises BlindError."""

    def __call__(self, clock: Clock, /) -> Sources:
        """Make them, without starting any."""
        ...


class Hook:
    """The sources, or why there are none."""

    def __init__(self, open_sources: OpenSources, clock: Clock, put: Put) -> None:
        self._open = open_sources
        self._clock = clock
        self._put = put
        self._generation = 0
        self._tries = 0
        self._armed_at = 0.0
        self.sources: Sources | None = None
        self.blind: GapReason | None = GapReason.HOOK_DEAD
        self.since = clock.now()
        self.due: float | None = clock.monotonic()
        """When `arm` is to be called; None while all is well."""

    def arm(self) -> bool:
        """Start everything. Returns whether the session's state changed."""
        before = self.blind
        self._end()
        self._generation += 1
        put = self._putter(self._generation)
        try:
            self.sources = self._open(self._clock)
            for source in self._in_order():
                source.start(put)
        except BlindError as error:
            log.warning("not watching: %s", error)
            self._end()
            self._become(error.reason)
            self._retry()
            return before != self.blind
        self._armed_at = self._clock.monotonic()
        self.due = None
        self._become(None)
        return before is not None

    def ended(self, event: Ended) -> bool:
        """A source stopped. Returns whether the session's state changed."""
        log.warning("%s ended: %s", event.source, event.words)
        return self._lost()

    def check(self) -> bool:
        """The watchdog: whether all that should run does. Returns whether that changed."""
        if self.sources is None:
            return False
        if not (self.sources.keyboard.alive() and self.sources.windows.alive()):
            log.warning("a source ended without a word")
            return self._lost()
        for source in (self.sources.fields, self.sources.locks):
            if source is not None and not source.alive():
                source.start(self._putter(self._generation))
        return False

    def watch(self, dropped: int) -> Watch:
        """The session's health as the service is told."""
        return Watch(
            hook_alive=self.blind is None, blind=self.blind, since=self.since, dropped=dropped
        )

    def close(self) -> None:
        """End all sources."""
        self._generation += 1
        self._end()

    def _lost(self) -> bool:
        if self._clock.monotonic() - self._armed_at > HEALTHY_AFTER:
            self._tries = 0
        self._end()
        changed = self.blind is None
        if changed:
            self._become(GapReason.HOOK_DEAD)
        self._retry()
        return changed

    def _become(self, blind: GapReason | None) -> None:
        if blind != self.blind:
            self.blind = blind
            self.since = self._clock.now()

    def _retry(self) -> None:
        wait = AGAIN[min(self._tries, len(AGAIN) - 1)]
        self._tries += 1
        self.due = self._clock.monotonic() + wait

    def _putter(self, generation: int) -> Put:
        def put(event: SourceEvent) -> None:
            if generation == self._generation:  # what was ended on purpose is not heard any more
                self._put(event)

        return put

    def _in_order(self) -> list[Source]:
        """The windows first, so that the first key has its window."""
        assert self.sources is not None
        rest = (self.sources.locks, self.sources.fields)
        extra = [source for source in rest if source is not None]
        return [self.sources.windows, *extra, self.sources.keyboard]

    def _end(self) -> None:
        sources, self.sources = self.sources, None
        if sources is None:
            return
        parts = (sources.keyboard, sources.windows, sources.fields, sources.locks)
        ends: list[Callable[[], None]] = [part.stop for part in parts if part is not None]
        for end in (*ends, sources.clipboard.close):
            try:
                end()
            except Exception:
                log.warning("a source did not end well", exc_info=True)
