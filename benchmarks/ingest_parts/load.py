"""The load: streams of ready-made envelopes, listening browsers, idle PCs.

Everything is sealed, signed and encoded before the clock starts, so that this
process has next to nothing to do while the server is measured.
"""

import asyncio
import json
import secrets
import ssl
import sys
import time
from pathlib import Path

from wire.tls import require_tls13

require_tls13()

import grpc  # noqa: E402
from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: E402
from grpc import aio  # noqa: E402

from benchmarks.ingest_parts import school  # noqa: E402
from wire.account import account_digest  # noqa: E402
from wire.chain import fresh_epoch, head_after, next_position  # noqa: E402
from wire.clock import SystemClock  # noqa: E402
from wire.codec import encode_header, pack_agent  # noqa: E402
from wire.event import (  # noqa: E402
    AccountKind,
    Envelope,
    Finding,
    Header,
    Hello,
    Kind,
    Lane,
    PartKind,
    PictureState,
    Severity,
    Source,
)
from wire.ids import new_event  # noqa: E402
from wire.seal import SealContext, key_id, seal  # noqa: E402
from wire.sign import sign_header  # noqa: E402
from wire.v1 import uplink_pb2 as pb  # noqa: E402

CLOCK = SystemClock()
FINDING = Finding(
    source=Source.TYPED,
    category="bullying",
    severity=Severity.HIGH,
    score=700,
    reasons=("directed",),
    term_id="threat-1",
    pack="en/bullying",
    pack_version=1,
)
_SIZE = 1000  # bytes of one message of the text lane


class Sender:
    """One device with its ready-made messages."""

    def __init__(self, known: dict, index: int, count: int, picture: int) -> None:
        """Make `count` events, each with a picture of so many bytes if that is not 0."""
        self.known = known
        self.enrolled = known["devices"][index]
        self.key = load_pem_private_key(self.enrolled["key"].encode(), None)
        self.evidence = bytes.fromhex(known["evidence"])
        self.heads = {lane: fresh_epoch(lane) for lane in Lane}
        hello = Hello(agent_version="0", policy_version=0, sent_at=CLOCK.now())
        self.hello = pack_agent(hello).SerializeToString()
        self.messages: list[bytes] = []
        self.padding = 0
        self.padding = _SIZE - len(self.event(0)[1])
        self.heads = {lane: fresh_epoch(lane) for lane in Lane}
        blob = secrets.token_bytes(picture)
        for number in range(count):
            event, message = self.event(number, picture=bool(picture))
            self.messages.append(message)
            if picture:
                self.messages.append(self.record(Kind.PICTURE, Lane.PICTURE, event, blob, number))
        self.last = {lane: head.sequence for lane, head in self.heads.items()}
        self.received = dict.fromkeys(Lane, 0)

    def event(self, number: int, *, picture: bool = False) -> tuple[bytes, bytes]:
        """One event's id and message."""
        event = new_event(CLOCK)
        state = PictureState.FOLLOWS if picture else PictureState.BY_POLICY
        said = {"finding": FINDING, "picture": state}
        return event, self.record(Kind.EVENT, Lane.TEXT, event, bytes(self.padding), number, **said)

    def record(  # noqa: ANN201
        self,
        kind: Kind,
        lane: Lane,
        event: bytes,
        plain: bytes,
        number: int,
        **said,  # noqa: ANN003
    ):
        """One record, sealed, signed and encoded."""
        device = self.enrolled["device"]
        part_kind = PartKind.PICTURE if kind is Kind.PICTURE else PartKind.DETAILS
        context = SealContext(
            school=school.SCHOOL,
            device=device,
            event=event,
            kind=part_kind,
            key_id=key_id(self.evidence),
        )
        made = seal(plain, public_key=self.evidence, context=context)
        # Some pupils sign in at each PC during the run.
        account, salt = f"S-1-5-21-{device}-{number // 50}", secrets.token_bytes(32)
        header = Header(
            school=school.SCHOOL,
            device=device,
            position=next_position(self.heads[lane]),
            kind=kind,
            event=event,
            matched_at=CLOCK.now(),
            clock_offset=1,
            account_kind=AccountKind.PERSON,
            account_digest=account_digest(account, salt),
            policy_version=1,
            part=made.part,
            **said,
        )
        encoded = encode_header(header)
        self.heads[lane] = head_after(header, encoded)
        envelope = Envelope(
            header=encoded,
            signature=sign_header(encoded, self.key),
            sealed=made.sealed,
            account=account,
            account_salt=salt,
        )
        return pack_agent(envelope, lane).SerializeToString()

    def channel(self, port: int) -> aio.Channel:
        """A connection of its own."""
        credentials = grpc.ssl_channel_credentials(
            self.known["root"].encode(),
            self.enrolled["key"].encode(),
            (self.enrolled["certificate"] + self.known["issuer"]).encode(),
        )
        options = (("grpc.use_local_subchannel_pool", 1),)
        return aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options)


async def open_stream(sender: Sender, port: int, *, floor: bool) -> tuple:
    """An open stream past its hello."""
    channel = sender.channel(port)
    call = channel.stream_stream("/redshank.v1.Uplink/Session")()
    if floor:
        await call.wait_for_connection()
    else:
        await call.write(sender.hello)
        await call.read()
    return channel, call


async def send(sender: Sender, call: object, pace: float = 0.0) -> None:
    """Send all messages; with a pace, so many seconds apart."""
    due = time.monotonic()
    for message in sender.messages:
        if pace:
            due += pace
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await call.write(message)


async def receive(sender: Sender, call: object, *, floor: bool) -> None:
    """Read receipts until everything is receipted."""
    wanted = sum(sender.last.values())
    while True:
        body = await call.read()
        if body is aio.EOF:
            raise RuntimeError(f"the stream ended: {await call.details()}")
        if floor:
            if int.from_bytes(body, "big") >= wanted:
                return
            continue
        message = pb.CollectorMessage.FromString(body)
        if message.WhichOneof("body") == "refusal":
            raise RuntimeError(message.refusal.words)
        head = message.receipt.head
        if head.sequence:
            sender.received[Lane(head.lane)] = head.sequence
            if sender.received == sender.last:
                return


async def saturate(known: dict, port: int, asked: dict) -> dict:
    """As fast as it goes: how many events a second were receipted."""
    senders = [
        Sender(known, index, asked["each"], asked["picture"]) for index in range(asked["streams"])
    ]
    opened = [await open_stream(sender, port, floor=asked["floor"]) for sender in senders]
    print("ready", flush=True)
    started = time.monotonic()
    await asyncio.gather(
        *(send(sender, call) for sender, (_, call) in zip(senders, opened, strict=True)),
        *(
            receive(sender, call, floor=asked["floor"])
            for sender, (_, call) in zip(senders, opened, strict=True)
        ),
    )
    seconds = time.monotonic() - started
    for channel, _ in opened:
        await channel.close()
    count = asked["each"] * asked["streams"]
    return {"events": count, "seconds": seconds, "rate": count / seconds}


async def listen(port: int, root: str, delays: list[float], ready: asyncio.Event) -> None:
    """One browser's stream: how long each line took from its commit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=root)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="localhost"
    )
    writer.write(b"GET /feed HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    ready.set()
    try:
        while line := await reader.readline():
            if line.startswith(b"data: "):
                delays.append((time.monotonic_ns() - int(line[6:])) / 1e6)
    finally:
        writer.close()


async def watch(known: dict, port: int, asked: dict) -> dict:
    """Browsers listening at a steady rate: the spread of the way from commit to browser."""
    delays: list[float] = []
    readies = [asyncio.Event() for _ in range(asked["browsers"])]
    browsers = [
        asyncio.ensure_future(listen(asked["lines"], known["root"], delays, ready))
        for ready in readies
    ]
    await asyncio.gather(*(ready.wait() for ready in readies))
    senders = [Sender(known, index, asked["each"], 0) for index in range(asked["streams"])]
    opened = [await open_stream(sender, port, floor=asked["floor"]) for sender in senders]
    print("ready", flush=True)
    pace = asked["streams"] / asked["rate"]

    async def staggered(index: int, sender: Sender, call: object) -> None:
        await asyncio.sleep(index / asked["rate"])
        await send(sender, call, pace)

    await asyncio.gather(
        *(
            staggered(index, sender, call)
            for index, (sender, (_, call)) in enumerate(zip(senders, opened, strict=True))
        ),
        *(
            receive(sender, call, floor=asked["floor"])
            for sender, (_, call) in zip(senders, opened, strict=True)
        ),
    )
    await asyncio.sleep(0.5)
    for browser in browsers:
        browser.cancel()
    await asyncio.gather(*browsers, return_exceptions=True)
    for channel, _ in opened:
        await channel.close()
    return {"delays": delays, "expected": asked["each"] * asked["streams"] * asked["browsers"]}


async def idle(known: dict, port: int, asked: dict) -> dict:
    """PCs that say nothing, until standard input says so."""
    senders = [Sender(known, index, 0, 0) for index in range(asked["streams"])]
    opened = [await open_stream(sender, port, floor=asked["floor"]) for sender in senders]
    await asyncio.sleep(1)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    for channel, _ in opened:
        await channel.close()
    return {}


async def main() -> None:
    """Do what is asked on the command line, as JSON."""
    asked = json.loads(sys.argv[2])
    known = school.read(Path(sys.argv[1]))
    doing = {"saturate": saturate, "watch": watch, "idle": idle}[asked["do"]]
    print(json.dumps(await doing(known, asked["port"], asked)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
