"""The two ends of a channel, over whatever carries whole frames."""

from typing import Protocol

from agent.local.interface import FrameRefused, Peer
from wire import local


class Stream(Protocol):
    """What a platform brings: whole frames both ways over one connection."""

    def send(self, body: bytes) -> None:
        """Send one frame; ChannelClosed if the other end does not take it."""
        ...

    def receive(self, timeout: float | None) -> bytes | None:
        """Wait for a frame; None after `timeout` seconds."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class SessionEnd:
    """The session's end."""

    def __init__(self, stream: Stream, service: str = "") -> None:
        self._stream = stream
        self._service = service

    @property
    def service(self) -> str:
        """The account that listens."""
        return self._service

    def send(self, message: local.FromSession) -> None:
        """Send one message."""
        self._stream.send(local.encode_from_session(message))

    def receive(self, timeout: float | None = None) -> local.ToSession | None:
        """Wait for a message."""
        body = self._stream.receive(timeout)
        if body is None:
            return None
        try:
            return local.decode_to_session(body)
        except ValueError as error:
            raise FrameRefused(f"the service sent what is not a message: {error}") from error

    def close(self) -> None:
        """End the connection."""
        self._stream.close()


class ServiceEnd:
    """The service's end of one connection."""

    def __init__(self, stream: Stream, peer: Peer) -> None:
        self._stream = stream
        self._peer = peer

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""
        return self._peer

    def send(self, message: local.ToSession) -> None:
        """Send one message."""
        self._stream.send(local.encode_to_session(message))

    def receive(self, timeout: float | None = None) -> local.FromSession | None:
        """Wait for a message."""
        body = self._stream.receive(timeout)
        if body is None:
            return None
        try:
            return local.decode_from_session(body)
        except ValueError as error:
            raise FrameRefused(f"a session sent what is not a message: {error}") from error

    def close(self) -> None:
        """End the connection."""
        self._stream.close()
