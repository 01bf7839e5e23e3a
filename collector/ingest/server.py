"""The listener for agents: gRPC over mutual TLS 1.3, and nothing else on it."""

import asyncio
from typing import Any

import grpc
import structlog
from grpc import aio
from sqlalchemy import Connection, select

from collector.ingest.answers import Context
from collector.ingest.intake import Intake
from collector.ingest.parts import UplinkParts
from collector.ingest.peer import PeerRefused, peer_of
from collector.ingest.record import Recorder
from collector.ingest.stream import DeviceStream
from collector.store import schema
from wire.codec import pack_collector
from wire.event import Purpose, Refusal, SignedPolicy
from wire.v1 import uplink_pb2_grpc

_log = structlog.get_logger(__name__)
_STOP_SECONDS = 2.0


class Uplink(uplink_pb2_grpc.UplinkServicer):
    """Every open stream of one school's devices, and the listener they came through."""

    def __init__(self, parts: UplinkParts, recorder: Recorder | None = None) -> None:
        """Make an uplink that does not listen yet; `recorder` is for tests."""
        self._parts = parts
        self.intake = Intake(parts, recorder or Recorder(parts.school, parts.rules))
        self._streams: set[DeviceStream] = set()
        self._known_keys: frozenset[bytes] = frozenset()
        self._server: aio.Server | None = None
        self._working: asyncio.Task[None] | None = None
        self.port = 0
        """What it listens on, once it does."""

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    async def start(self, credentials: grpc.ServerCredentials, address: str) -> None:
        """Listen on `host:port`; port 0 takes any."""
        await self.refresh_keys()
        self._server = aio.server(
            options=(
                ("grpc.so_reuseport", 0),  # a forgotten server would take part of the traffic
                ("grpc.max_receive_message_length", self._parts.limits.message_bytes),
                ("grpc.keepalive_time_ms", 60_000),
                ("grpc.keepalive_timeout_ms", 20_000),
                ("grpc.http2.ping_timeout_ms", 20_000),  # else a ping is waited for a minute
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
                ("grpc.max_concurrent_streams", 4),  # on one connection; a device needs one
                ("grpc.max_metadata_size", 8192),
            ),
        )
        uplink_pb2_grpc.add_UplinkServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self.port = self._server.add_secure_port(address, credentials)
        await self._server.start()
        self._working = asyncio.get_running_loop().create_task(self.intake.run())

    async def stop(self) -> None:
        """Finish what is queued, end the streams and stop listening."""
        if self._server is not None:
            await self._server.stop(_STOP_SECONDS if self._streams else 0)
        if self._working is not None:
            self.intake.finish()
            await self._working

    async def refresh_keys(self) -> None:
        """Read again which keys evidence may be sealed to."""

        def query(conn: Connection) -> frozenset[bytes]:
            keys = schema.school_keys.c
            sealing = (int(Purpose.EVIDENCE), int(Purpose.REFERRAL))
            of_school = keys.school == self._parts.school
            found = conn.scalars(select(keys.key_id).where(of_school, keys.purpose.in_(sealing)))
            return frozenset(found)

        self._known_keys = await self._parts.store.read(query)
        for stream in self._streams:
            stream.known_keys = self._known_keys

    def offer(self, policy: SignedPolicy) -> None:
        """Send a policy that came into force to every open stream."""
        for stream in tuple(self._streams):
            stream.offer(policy)

    async def Session(self, request_iterator: Any, context: Context) -> None:  # noqa: ARG002, N802 - gRPC's names
        """Serve one device's call."""
        parts = self._parts
        try:
            peer = peer_of(
                context.auth_context(),
                school=parts.school,
                book=parts.devices,
                now=parts.clock.now(),
            )
        except PeerRefused as refused:
            parts.tally.refused[refused.reason.name] += 1
            _log.warning(
                "peer refused",
                device=refused.device,
                reason=refused.reason.name,
                why=refused.words,
            )
            await context.write(
                pack_collector(Refusal(reason=refused.reason, words=refused.words)),
            )
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, refused.words)
            return
        stream = DeviceStream(context, peer, parts, self.intake, self._known_keys)
        self._streams.add(stream)
        try:
            await stream.run()
        finally:
            self._streams.discard(stream)


async def serve_uplink(
    parts: UplinkParts,
    credentials: grpc.ServerCredentials,
    address: str,
) -> Uplink:
    """Listen for agents; the caller stops it.

    Args:
        parts: what the uplink needs of the rest of the collector.
        credentials: of `uplink_credentials`.
        address: `host:port`; port 0 takes any, and `Uplink.port` tells which.
    """
    uplink = Uplink(parts)
    await uplink.start(credentials, address)
    return uplink


def uplink_credentials(
    *,
    key_pem: bytes,
    chain_pem: bytes,
    trusted_pem: bytes,
) -> grpc.ServerCredentials:
    """Give the listener's credentials: a client certificate is always demanded.

    Args:
        key_pem: of the listener's certificate.
        chain_pem: that certificate, then its issuer's.
        trusted_pem: the agents' CA: what client certificates must lead to.
    """
    return grpc.ssl_server_credentials(
        [(key_pem, chain_pem)],
        root_certificates=trusted_pem,
        require_client_auth=True,
    )
