"""The session's connection to the service: made again when it is lost, and nothing forgotten.

One thread reads and puts what comes on the session's queue; all sending is done by
the session's own thread. What was found is kept in the outbox until it is durable.
"""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from agent.local import Channel, LocalError
from agent.session.outbox import Keepable, Outbox
from wire.clock import Clock
from wire.local import FromSession, Rejected, SessionHello, Taken, ToSession

AGAIN = (0.2, 0.5, 1.0, 2.0, 5.0)
VERSION = "0.1.0"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Came:
    """The service said something."""

    message: ToSession
    service: str = ""
    """The account that said it, as the system names it."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A connection ended."""

    channel: Channel


class Link:
    """The way to the service."""

    def __init__(
        self,
        connect: Callable[[], Channel],
        clock: Clock,
        put: Callable[[Came | Lost], None],
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._put = put
        self._channel: Channel | None = None
        self._tries = 0
        self._resend: dict[bytes, float] = {}
        self.outbox = Outbox()
        self._due: float | None = clock.monotonic()
        self._lost_at = clock.monotonic()

    @property
    def up(self) -> bool:
        """Whether a connection stands."""
        return self._channel is not None

    @property
    def due(self) -> float | None:
        """When `tick` has something to do."""
        if self._channel is None:
            return self._due
        return min(self._resend.values(), default=None)

    def away(self, now: float) -> float:
        """Seconds since there was a connection; 0 while there is one."""
        return now - self._lost_at if self._channel is None else 0.0

    def tick(self, now: float) -> bool:
        """Connect or send again what is due. Returns whether a connection was made."""
        if self._channel is None:
            return self._due is not None and self._due <= now and self._open()
        for event in [event for event, at in self._resend.items() if at <= now]:
            del self._resend[event]
            for message in self.outbox.of(event):
                self.send(message)
        return False

    def say(self, message: Keepable) -> None:
        """Send a finding, and keep it until it is durable."""
        self.send(self.outbox.keep(message))

    def send(self, message: FromSession) -> None:
        """Send a message; without a connection it is gone, unless the outbox has it."""
        channel = self._channel
        if channel is None:
            return
        try:
            channel.send(message)
        except LocalError as error:
            self.lost(channel, str(error))

    def came(self, message: ToSession) -> None:
        """Take the service's word about a finding."""
        if isinstance(message, Taken):
            self.outbox.taken(message.event, message.kind)
            self._resend.pop(message.event, None)
        elif isinstance(message, Rejected):
            if message.retry_after_ms:
                later = self._clock.monotonic() + message.retry_after_ms / 1000
                self._resend[message.event] = later
            else:
                log.warning("the service refused a finding: %s", message.words)
                self.outbox.refused(message.event)

    def lost(self, channel: Channel, words: str = "it was closed") -> None:
        """A connection ended: try again soon."""
        if channel is not self._channel:
            return
        log.warning("the service is not reachable: %s", words)
        self._channel, self._lost_at = None, self._clock.monotonic()
        channel.close()
        self._retry()

    def close(self) -> None:
        """End the connection."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _open(self) -> bool:
        try:
            channel = self._connect()
        except LocalError as error:
            if not self._tries:
                log.warning("the service is not reachable: %s", error)
            self._retry()
            return False
        self._channel, self._tries, self._due = channel, 0, None
        threading.Thread(target=self._read, args=(channel,), name="link", daemon=True).start()
        self.send(SessionHello(version=VERSION, pid=os.getpid()))
        self._resend.clear()
        for message in self.outbox.waiting():
            self.send(message)
        return self.up

    def _retry(self) -> None:
        self._due = self._clock.monotonic() + AGAIN[min(self._tries, len(AGAIN) - 1)]
        self._tries += 1

    def _read(self, channel: Channel) -> None:
        while True:
            try:
                message = channel.receive(None)
            except LocalError:
                self._put(Lost(channel))
                return
            if message is not None:
                self._put(Came(message, channel.service))
