"""A device that speaks the real protocol over a real connection, as well or as badly as asked.

It keeps its lanes as an agent does: a spool of envelopes in order, an epoch, a hash
chain, the heads that it holds receipts for. It is no mock: certificates, signatures,
seals and streams are the real ones.
"""

import asyncio
import uuid
from dataclasses import dataclass, field, replace

from wire.tls import require_tls13

require_tls13()

import grpc  # noqa: E402
from grpc import aio  # noqa: E402

from wire import certs  # noqa: E402
from wire.account import account_digest, new_salt  # noqa: E402
from wire.chain import fresh_epoch, hash_header, head_after, next_position  # noqa: E402
from wire.clock import SystemClock  # noqa: E402
from wire.codec import encode_header, pack_agent, unpack_collector  # noqa: E402
from wire.event import (  # noqa: E402
    AccountKind,
    Envelope,
    Finding,
    Header,
    Heartbeat,
    Hello,
    Kind,
    Lane,
    LaneHead,
    Part,
    PartKind,
    PictureState,
    Receipt,
    Refusal,
    Severity,
    Source,
    Tombstone,
    TombstoneReason,
    Welcome,
)
from wire.ids import new_event  # noqa: E402
from wire.seal import SealContext, key_id, seal  # noqa: E402
from wire.sign import sign_header  # noqa: E402
from wire.v1 import uplink_pb2 as pb  # noqa: E402
from wire.v1 import uplink_pb2_grpc  # noqa: E402

GRAVE = Finding(
    source=Source.TYPED,
    category="suicide",
    severity=Severity.CRITICAL,
    score=950,
    reasons=("first_person", "intent"),
    term_id="plan-1",
    pack="en/suicide",
    pack_version=1,
)
MILD = replace(GRAVE, severity=Severity.MEDIUM, score=500, reasons=("ambiguous",), term_id="mood-1")
CLOCK = SystemClock()


@dataclass
class Device:
    """One PC: its identity, its lanes and its spool."""

    school: str
    evidence_key: bytes
    device: str = field(default_factory=lambda: str(uuid.uuid4()))
    key: object = field(default_factory=certs.new_key)
    clock: object = CLOCK
    account: str = "S-1-5-21-1"
    heads: dict[Lane, LaneHead] = field(
        default_factory=lambda: {lane: fresh_epoch(lane) for lane in Lane}
    )
    spool: list[tuple[LaneHead, Envelope]] = field(default_factory=list)
    offset: int = 0
    signs_as: object = None

    def event(
        self,
        finding=GRAVE,
        *,
        account=None,
        kind=AccountKind.PERSON,
        at=None,
        picture=PictureState.BY_POLICY,
        plain=b"details",
        event=None,
    ):
        event = event or new_event(self.clock)
        return self.write(
            Kind.EVENT,
            event,
            account=account,
            account_kind=kind,
            matched_at=at,
            finding=finding,
            picture=picture,
            plain=plain,
        )

    def picture(self, event, plain=b"webp"):
        return self.write(Kind.PICTURE, event, lane=Lane.PICTURE, plain=plain)

    def repeat(self, event, finding=GRAVE, repeats=3):
        return self.write(Kind.REPEAT, event, finding=finding, repeats=repeats)

    def tombstone(self, event, reason=TombstoneReason.SHED, lane=Lane.PICTURE, lost_hash=b""):
        return self.write(
            Kind.TOMBSTONE,
            event,
            lane=lane,
            tombstone=Tombstone(reason=reason, lost_hash=lost_hash),
        )

    def write(
        self,
        kind,
        event,
        *,
        lane=Lane.TEXT,
        account=None,
        account_kind=AccountKind.PERSON,
        matched_at=None,
        plain=None,
        **said,
    ):
        account = account or self.account
        salt = new_salt()
        part, sealed = None, b""
        if plain is not None:
            part_kind = PartKind.PICTURE if kind is Kind.PICTURE else PartKind.DETAILS
            made = self.sealed(part_kind, event, plain)
            part, sealed = made.part, made.sealed
        header = Header(
            school=self.school,
            device=self.device,
            position=next_position(self.heads[lane]),
            kind=kind,
            event=event,
            matched_at=self.clock.now() if matched_at is None else matched_at,
            clock_offset=self.offset,
            account_kind=account_kind,
            account_digest=account_digest(account, salt),
            policy_version=1,
            part=part,
            **said,
        )
        return self.spooled(header, sealed, account, salt)

    def sealed(self, kind, event, plain):
        context = SealContext(
            school=self.school,
            device=self.device,
            event=event,
            kind=kind,
            key_id=key_id(self.evidence_key),
        )
        return seal(plain, public_key=self.evidence_key, context=context)

    def spooled(self, header, sealed=b"", account="", salt=b""):
        envelope = self.envelope(header, sealed, account, salt)
        lane = header.position.lane
        self.heads[lane] = head_after(header, envelope.header)
        self.spool.append((self.heads[lane], envelope))
        return envelope

    def envelope(self, header, sealed=b"", account="", salt=b""):
        encoded = encode_header(header)
        return Envelope(
            header=encoded,
            signature=sign_header(encoded, self.signs_as or self.key),
            sealed=sealed,
            account=account,
            account_salt=salt,
        )

    def written(self):
        return tuple(head for head in self.heads.values() if head.sequence)

    def hello(self, **changed):
        said = {
            "agent_version": "0.1.0",
            "policy_version": 0,
            "sent_at": self.clock.now(),
            "written": self.written(),
        }
        return Hello(**said | changed)

    def heartbeat(self, number=1, **changed):
        said = {"number": number, "sent_at": self.clock.now(), "written": self.written()}
        return Heartbeat(**said | changed)


class Line:
    """One stream of one device to a collector."""

    def __init__(self, port, credentials, *, options=()):
        self.channel = aio.secure_channel(
            f"127.0.0.1:{port}",
            credentials,
            options=(("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0), *options),
        )
        self.call = uplink_pb2_grpc.UplinkStub(self.channel).Session()
        self.receipts: dict[Lane, LaneHead] = {}
        self.beat = 0
        self.refusals: list[Refusal] = []
        self.others: list[object] = []

    async def say(self, message, lane=Lane.TEXT):
        await self.call.write(pack_agent(message, lane))

    async def say_bytes(self, message: pb.AgentMessage):
        await self.call.write(message)

    async def hear(self, within=5.0):
        """The next message, or None at the stream's end."""
        said = await asyncio.wait_for(self.call.read(), within)
        if said is aio.EOF:
            return None
        message = unpack_collector(said)
        if isinstance(message, Receipt):
            if message.head:
                self.receipts[message.head.lane] = message.head
            self.beat = max(self.beat, message.heartbeat)
        elif isinstance(message, Refusal):
            self.refusals.append(message)
        else:
            self.others.append(message)
        return message

    async def greet(self, device, **changed) -> Welcome:
        await self.say(device.hello(**changed))
        while not isinstance(message := await self.hear(), Welcome):
            assert message is not None, await self.ending()
        return message

    async def send(self, *envelopes):
        for envelope in envelopes:
            message = pb.Header.FromString(envelope.header)
            await self.say(envelope, Lane(message.lane or 1))

    async def until_receipted(self, head, within=10.0):
        async with asyncio.timeout(within):
            while self.receipts.get(head.lane) != head:
                message = await self.hear(within)
                assert message is not None, await self.ending()

    async def until_refused(self, within=5.0) -> Refusal:
        before = len(self.refusals)
        async with asyncio.timeout(within):
            while len(self.refusals) == before:
                message = await self.hear(within)
                assert message is not None, await self.ending()
        return self.refusals[-1]

    async def until_cut(self, within=5.0):
        """Read to the end; the status with which the collector ended it."""
        async with asyncio.timeout(within):
            try:
                while await self.hear(within) is not None:
                    pass
            except grpc.aio.AioRpcError as error:
                return error.code()
            return await self.call.code()

    async def until(self, holds, within=10.0):
        """Read on until something holds that no single message says."""
        async with asyncio.timeout(within):
            while not holds():
                await self.hear(within)

    async def ending(self):
        return await self.call.code(), await self.call.details()

    async def close(self):
        self.call.cancel()
        await self.channel.close()


__all__ = ["CLOCK", "GRAVE", "MILD", "Device", "Line", "Part", "hash_header"]
