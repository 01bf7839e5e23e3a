"""What a local channel is on every platform."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from wire.local import MOST_FRAME, FromSession, ToSession

MAX_FRAME = 1 << 20
"""Bytes of a frame from a session, length prefix not counted. A longer one ends the connection."""

MAX_FRAME_DOWN = MOST_FRAME
"""Bytes of a frame from the service: the packs of a whole policy are in one."""

MOST_PICTURE = MAX_FRAME - (64 << 10)
"""Bytes of a picture that a frame can carry, with what stands around it."""


class LocalError(Exception):
    """The local socket cannot be used."""


class ChannelClosed(LocalError):
    """The other end has gone."""


class FrameRefused(LocalError):
    """What came is not a frame, or not a message: the connection is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who is at the other end, by the operating system's word."""

    user: str
    """The uid in decimal on Linux, the SID on Windows."""
    pid: int
    session: str
    """The operating system's session id, empty where it knows none."""


class Channel(Protocol):
    """The session's end."""

    @property
    def service(self) -> str:
        """The account that listens: the uid in decimal on Linux, empty where it is not known."""
        ...

    def send(self, message: FromSession) -> None:
        """Send one message. Any thread may call it.

        Raises:
            ChannelClosed: the service has gone.
        """
        ...

    def receive(self, timeout: float | None = None) -> ToSession | None:
        """Wait for a message; None after `timeout` seconds. One thread at a time.

        Raises:
            ChannelClosed: the service has gone.
            FrameRefused: what came is not a message.
        """
        ...

    def close(self) -> None:
        """End the connection; a waiting `receive` raises ChannelClosed."""
        ...


class PeerChannel(Protocol):
    """The service's end of one connection."""

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""
        ...

    def send(self, message: ToSession) -> None:
        """Send one message; a client that does not read for 5 s loses the connection.

        Raises:
            ChannelClosed: the client has gone.
        """
        ...

    def receive(self, timeout: float | None = None) -> FromSession | None:
        """Wait for a message; None after `timeout` seconds.

        Raises:
            ChannelClosed: the client has gone.
            FrameRefused: what came is not a message.
        """
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class Listener(Protocol):
    """Where sessions knock."""

    def serve(self, each: Callable[[PeerChannel], None]) -> None:
        """Call `each` with every new connection, in its own thread, until `close`."""
        ...

    def close(self) -> None:
        """Stop listening; connections that stand are left to their threads."""
        ...
