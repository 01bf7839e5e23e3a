"""One gRPC stream to the collector: the only place of the agent that knows gRPC.

Imported after `wire.tls.require_tls13`. The server must carry the name that was pinned at
enrolment and a certificate under the pinned root; the client shows its own.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grpc
from wire.codec import CodecError, pack_agent, unpack_collector
from wire.event import AgentMessage, CollectorMessage, Lane
from wire.v1 import uplink_pb2, uplink_pb2_grpc

_OPTIONS = (
    # A link that went dead without a word is noticed within 30 s; the collector
    # permits a ping each 20 s.
    ("grpc.keepalive_time_ms", 21_000),
    ("grpc.keepalive_timeout_ms", 8_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", 32 << 20),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 1000),
    ("grpc.primary_user_agent", "redshank-agent"),
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the stream is made with, PEM."""

    root: bytes
    chain: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The stream is over; `code` is gRPC's name for why."""

    code: str
    detail: str


class Line:
    """An open stream. What comes is given to `heard`, from a thread of its own."""

    def __init__(
        self,
        address: str,
        credentials: Credentials,
        heard: Callable[["Line", CollectorMessage | Ended], None],
    ) -> None:
        self._heard = heard
        self._out: queue.SimpleQueue[uplink_pb2.AgentMessage | None] = queue.SimpleQueue()
        secure = grpc.ssl_channel_credentials(
            root_certificates=credentials.root,
            private_key=credentials.key,
            certificate_chain=credentials.chain,
        )
        self._channel = grpc.secure_channel(address, secure, options=_OPTIONS)
        stub = uplink_pb2_grpc.UplinkStub(self._channel)  # type: ignore[no-untyped-call]
        self._call = stub.Session(self._outgoing())
        self._reader = threading.Thread(target=self._read, name="uplink-reader", daemon=True)
        self._reader.start()

    def send(self, message: AgentMessage, lane: Lane = Lane.TEXT) -> None:
        """Queue a message to go out. Raises CodecError."""
        self._out.put(pack_agent(message, lane))

    def close(self) -> None:
        """End the stream; nothing more is heard of it."""
        self._heard = _deaf
        self._out.put(None)
        self._call.cancel()
        self._channel.close()

    def _outgoing(self) -> Iterator[uplink_pb2.AgentMessage]:
        while (message := self._out.get()) is not None:
            yield message

    def _read(self) -> None:
        try:
            for message in self._call:
                self._heard(self, unpack_collector(message))
            ended = Ended("OK", "the collector ended the stream")
        except CodecError as error:
            ended = Ended("CODEC", f"the collector sent what is not of the protocol: {error}")
        except grpc.RpcError as error:
            code = error.code() if isinstance(error, grpc.Call) else None
            detail = error.details() if isinstance(error, grpc.Call) else ""
            ended = Ended(code.name if code is not None else "UNKNOWN", detail or "")
        except ValueError as error:
            ended = Ended("CANCELLED", str(error))
        self._heard(self, ended)


def _deaf(_line: Line, _message: CollectorMessage | Ended) -> None:
    return
