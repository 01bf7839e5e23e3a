"""One gRPC stream to the collector: the only place of the agent that knows gRPC.

Imported after `wire.tls.require_tls13`. The server must carry the name that was pinned at
enrolment and a certificate under the pinned root; the client shows its own.

`grpc.aio` on a thread of its own, and not gRPC's blocking interface: that one wakes ten
times a second for as long as a stream is open.
"""

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from grpc import aio

from wire.codec import CodecError, pack_agent, unpack_collector
from wire.event import AgentMessage, CollectorMessage, Lane
from wire.v1 import uplink_pb2, uplink_pb2_grpc

_OPTIONS = (
    # A link that went dead without a word is noticed within 30 s; the collector
    # permits a ping each 20 s.
    ("grpc.keepalive_time_ms", 21_000),
    ("grpc.keepalive_timeout_ms", 8_000),
    # What bounds the answer to a ping in truth: a minute by default (gRPC 1.85).
    ("grpc.http2.ping_timeout_ms", 8_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", 32 << 20),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
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


Heard = Callable[["Line", CollectorMessage | Ended], None]


class _Call(Protocol):
    """What is used of gRPC's bidirectional call, which has no types of its own."""

    async def read(self) -> Any: ...

    async def write(self, request: uplink_pb2.AgentMessage) -> None: ...

    async def code(self) -> grpc.StatusCode: ...

    async def details(self) -> str | None: ...


class Line:
    """An open stream. What comes is given to `heard`, from gRPC's thread: it must not block."""

    def __init__(self, address: str, credentials: Credentials, heard: Heard) -> None:
        self._address = address
        self._credentials: Credentials | None = credentials
        self._heard = heard
        self._loop = _loop()
        self._out: asyncio.Queue[uplink_pb2.AgentMessage] = asyncio.Queue()
        self._task = asyncio.run_coroutine_threadsafe(self._talk(), self._loop)

    def send(self, message: AgentMessage, lane: Lane = Lane.TEXT) -> None:
        """Queue a message to go out. Raises CodecError."""
        self._loop.call_soon_threadsafe(self._out.put_nowait, pack_agent(message, lane))

    def close(self) -> None:
        """End the stream; nothing more is heard of it."""
        self._heard = _deaf
        self._task.cancel()

    async def _talk(self) -> None:
        assert self._credentials is not None, "a line talks once"
        secure = grpc.ssl_channel_credentials(
            root_certificates=self._credentials.root,
            private_key=self._credentials.key,
            certificate_chain=self._credentials.chain,
        )
        self._credentials = None
        async with aio.secure_channel(self._address, secure, options=_OPTIONS) as channel:
            stub = uplink_pb2_grpc.UplinkStub(channel)  # type: ignore[no-untyped-call]
            call = stub.Session()
            writing = asyncio.create_task(self._write(call))
            try:
                ended = await self._read(call)
            finally:
                writing.cancel()
                call.cancel()
                with contextlib.suppress(asyncio.CancelledError, aio.AioRpcError):
                    await writing
        self._heard(self, ended)

    async def _read(self, call: _Call) -> Ended:
        try:
            while True:
                message = await call.read()
                if message is aio.EOF:
                    code = await call.code()
                    return Ended(code.name, await call.details() or "the stream ended")
                self._heard(self, unpack_collector(message))
        except CodecError as error:
            return Ended("CODEC", f"the collector sent what is not of the protocol: {error}")
        except aio.AioRpcError as error:
            return Ended(error.code().name, error.details() or "")
        except asyncio.InvalidStateError as error:
            return Ended("CANCELLED", str(error))

    async def _write(self, call: _Call) -> None:
        # What cannot be written any more is the reader's to tell: it learns why.
        with contextlib.suppress(aio.AioRpcError, asyncio.InvalidStateError):
            while True:
                await call.write(await self._out.get())


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """The one event loop of the agent, on a thread that ends with the process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="grpc", daemon=True).start()
    return loop


def _deaf(_line: Line, _message: CollectorMessage | Ended) -> None:
    return
