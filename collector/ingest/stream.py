"""One device's open call: what it says is taken in order.

An idle stream costs one waiting read and nothing else.
"""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import grpc
import structlog
from grpc import aio

from collector.devices import DeviceState
from collector.errors import CollectorError, StoreError
from collector.ingest.answers import Answers, Context
from collector.ingest.check import Peer, Refused, check
from collector.ingest.greet import beat, greet, pseudonyms
from collector.ingest.intake import Intake
from collector.ingest.limits import Bucket
from collector.ingest.parts import UplinkParts
from collector.ingest.peer import STATE_WORDS
from collector.ingest.warnings import IntegrityWarning, write_warnings
from wire.codec import CodecError, unpack_agent
from wire.event import (
    AgentMessage,
    Envelope,
    Heartbeat,
    Hello,
    Lane,
    LaneHead,
    Receipt,
    Refusal,
    RefusalReason,
    Renewal,
    RenewalRequest,
    SignedPolicy,
    Welcome,
)

_log = structlog.get_logger(__name__)
_PICTURE_STEP = 16 * 1024
_SAID_AGAIN_AFTER = 5.0  # seconds between two words to a device that is too fast
_WORTH_A_WARNING = frozenset(
    {
        RefusalReason.WRONG_DEVICE,
        RefusalReason.WRONG_SCHOOL,
        RefusalReason.BAD_SIGNATURE,
        RefusalReason.BAD_DIGEST,
        RefusalReason.UNKNOWN_KEY,
    },
)


class DeviceStream:
    """One call of one device, from its hello to its end."""

    def __init__(
        self,
        context: Context,
        peer: Peer,
        parts: UplinkParts,
        intake: Intake,
        known_keys: frozenset[bytes],
    ) -> None:
        """Take over a call whose peer is known."""
        self._context = context
        self._peer = peer
        self._parts = parts
        self._intake = intake
        self.known_keys = known_keys
        limits = parts.limits
        self._bucket = Bucket(limits.records_per_second, limits.burst, parts.clock.monotonic())
        self._answers = Answers(context, parts.tally, limits.unread_answers)
        self._warned: set[RefusalReason] = set()
        self._say_slower_at = 0.0

    @property
    def device(self) -> str:
        """Whose stream it is."""
        return self._peer.device

    async def run(self) -> None:
        """Serve the call until either end ends it."""
        devices = self._parts.devices
        for older in devices.attach(self.device, self):
            older.supersede()
        try:
            if await self._greeted():
                await self._serve()
        except aio.BaseError:
            pass  # it was cut from another task, or the line is gone
        finally:
            devices.detach(self.device, self)
            self._answers.drop()
        await self._answers.ended()

    def receipted(self, heads: dict[Lane, LaneHead]) -> None:
        """Tell the device what is durable."""
        self._answers.receipt(heads)

    def refused(self, refusal: Refusal) -> None:
        """Tell the device what was not taken, and why."""
        self._answers.refuse(refusal)

    def unavailable(self) -> None:
        """End the call: what it sent is not durable, and what follows would not chain."""
        self._answers.unavailable()

    def cut(self, state: DeviceState) -> None:
        """End the call, since the device may not speak any more."""
        reason, words = STATE_WORDS[state]
        self._answers.end(Refusal(reason=reason, words=words), grpc.StatusCode.PERMISSION_DENIED)

    def supersede(self) -> None:
        """End the call, since the same device opened a newer one."""
        words = "Another stream of this PC took over."
        refusal = Refusal(reason=RefusalReason.SUPERSEDED, words=words)
        self._answers.end(refusal, grpc.StatusCode.ABORTED)

    def offer(self, policy: SignedPolicy) -> None:
        """Send a policy that came into force."""
        self._answers.tell(policy)

    async def _greeted(self) -> bool:
        limits = self._parts.limits
        try:
            hello = await asyncio.wait_for(self._read(), limits.hello_seconds)
        except TimeoutError:
            hello = None
        except CodecError as error:
            self._malformed(error)
            return False
        if not isinstance(hello, Hello):
            words = "A stream begins with a hello."
            refusal = Refusal(reason=RefusalReason.NOT_HELLO, words=words)
            self._answers.end(refusal, grpc.StatusCode.FAILED_PRECONDITION)
            return False
        # What an older stream of this device brought counts before what it says now.
        await self._intake.settled()
        now = self._parts.clock.now()
        self._peer = replace(self._peer, clock_offset=now - hello.sent_at)
        job = partial(greet, school=self._parts.school, device=self.device, hello=hello, now=now)
        try:
            stored = await self._parts.store.write(job)
        except StoreError:
            self.unavailable()
            return False
        version = self._parts.policy_version()
        self._answers.tell(
            Welcome(
                received_at=now,
                stored=stored,
                policy_version=version,
                collector_version=self._parts.version,
            ),
        )
        policy = self._parts.policy()
        if policy is not None and hello.policy_version != version:
            self._answers.tell(policy)
        return True

    async def _serve(self) -> None:
        while not self._answers.are_over:
            if self._intake.is_full:
                await self._intake.room()
            try:
                message = await self._read()
            except CodecError as error:
                self._malformed(error)
                return
            # What is read after the last word would follow on something that was not taken.
            if message is None or self._answers.are_over or not self._may_speak():
                return
            await self._take(message)

    async def _take(self, message: AgentMessage) -> None:
        clock = self._parts.clock
        if isinstance(message, Envelope):
            wait = self._bucket.take(1 + len(message.sealed) // _PICTURE_STEP, clock.monotonic())
            if wait:
                await self._slow_down(wait)
                if self._answers.are_over or not self._may_speak():
                    return
            await self._envelope(message)
        elif isinstance(message, Heartbeat):
            await self._slow_down(self._bucket.take(1, clock.monotonic()))
            await self._heartbeat(message)
        elif isinstance(message, RenewalRequest):
            await self._slow_down(self._bucket.take(50, clock.monotonic()))
            await self._renew(message)
        else:
            words = "A stream has one hello."
            refusal = Refusal(reason=RefusalReason.MALFORMED, words=words)
            self._answers.end(refusal, grpc.StatusCode.FAILED_PRECONDITION)

    async def _envelope(self, envelope: Envelope) -> None:
        parts = self._parts
        try:
            record = check(
                envelope,
                self._peer,
                known_keys=self.known_keys,
                pseudonym_key=parts.pseudonym_key,
                limits=parts.limits,
                now=parts.clock.now(),
            )
        except Refused as refused:
            self.refused(refused.refusal)
            await self._warn(refused.refusal, envelope.header)
            return
        self._intake.put(self, record)

    async def _heartbeat(self, heartbeat: Heartbeat) -> None:
        parts = self._parts
        await self._intake.settled()  # the records before it come before it
        if self._answers.are_over:
            return
        job = partial(
            beat,
            school=parts.school,
            device=self.device,
            heartbeat=heartbeat,
            signed_in=pseudonyms(heartbeat.sessions, school=parts.school, key=parts.pseudonym_key),
            now=parts.clock.now(),
        )
        try:
            await parts.store.write(job)
        except StoreError:
            self.unavailable()
            return
        parts.tally.heartbeats += 1
        self._answers.tell(Receipt(heartbeat=heartbeat.number))

    async def _renew(self, request: RenewalRequest) -> None:
        device = self._parts.devices.get(self.device)
        assert device is not None
        try:
            chain = self._parts.renew(device, request.csr)
            await self._parts.devices.renewed(self.device, chain[0])
        except CollectorError as error:
            self.refused(Refusal(reason=RefusalReason.MALFORMED, words=f"{error}"))
            return
        self._answers.tell(Renewal(chain=chain))

    async def _slow_down(self, seconds: float) -> None:
        """Leave the stream unread until its debt is paid; HTTP/2 holds the device back."""
        if not seconds:
            return
        now = self._parts.clock.monotonic()
        if now >= self._say_slower_at:
            self._say_slower_at = now + _SAID_AGAIN_AFTER
            _log.warning("device is held back", device=self.device)
            self.refused(
                Refusal(
                    reason=RefusalReason.RATE,
                    words="Too fast: what was sent is taken, but more slowly.",
                    retry_after_ms=int(seconds * 1000) + 1,
                ),
            )
        await asyncio.sleep(seconds)

    async def _warn(self, refusal: Refusal, header: bytes) -> None:
        """Write down, once per stream and reason, that a device sent what it should not."""
        reason = refusal.reason
        if reason not in _WORTH_A_WARNING or reason in self._warned:
            return
        self._warned.add(reason)
        warning = IntegrityWarning(
            device=self.device,
            kind=reason.name.lower(),
            words=f"{refusal.words} Further ones of this stream are counted, not listed.",
            lane=refusal.lane,
            first=refusal.sequence or None,
            last=refusal.sequence or None,
            header=header,
        )
        now = self._parts.clock.now()
        self._parts.tally.warnings += 1

        def job(conn: Any) -> None:
            write_warnings(conn, self._parts.school, [warning], now)

        try:
            await self._parts.store.write(job)
        except StoreError:
            self.unavailable()

    async def _read(self) -> AgentMessage | None:
        message = await self._context.read()
        if message is aio.EOF:
            return None
        return unpack_agent(message)

    def _may_speak(self) -> bool:
        device = self._parts.devices.get(self.device)
        state = DeviceState.DENIED if device is None else device.state
        if state is DeviceState.ACTIVE:
            return True
        self.cut(state)
        return False

    def _malformed(self, error: CodecError) -> None:
        self._parts.tally.refused[RefusalReason.MALFORMED.name] += 1
        refusal = Refusal(reason=RefusalReason.MALFORMED, words=f"{error}")
        self._answers.end(refusal, grpc.StatusCode.INVALID_ARGUMENT)
