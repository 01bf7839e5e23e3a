"""From a draft to a signed record in its lane."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from wire import chain, codec, sign
from wire.clock import Clock
from wire.event import (
    AccountKind,
    Envelope,
    Finding,
    Header,
    Kind,
    Lane,
    LaneHead,
    Part,
    PictureState,
    Tombstone,
    TombstoneReason,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

EMPTY_DIGEST = bytes(32)
NO_EVENT = bytes(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record that has no number yet. What it says about a person is sealed already."""

    lane: Lane
    kind: Kind
    event: bytes
    matched_at: int
    account_kind: AccountKind = AccountKind.SHARED
    account_digest: bytes = EMPTY_DIGEST
    account: str = ""
    account_salt: bytes = b""
    clock_offset: int = 0
    policy_version: int = 0
    finding: Finding | None = None
    picture: PictureState | None = None
    part: Part | None = None
    repeats: int = 0
    tombstone: Tombstone | None = None
    sealed: bytes = b""

    @property
    def size(self) -> int:
        """Bytes that it will take in the spool, a little over-estimated."""
        return len(self.sealed) + 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A record as it is sent, and where its lane stands before and after it."""

    kind: Kind
    previous: bytes
    head: LaneHead
    envelope: Envelope


class Scribe(Protocol):
    """Gives records their place and their signature."""

    def write(self, draft: Draft, after: LaneHead) -> Written:
        """Sign the draft as the record that follows `after`."""
        ...

    def move(self, written: Written, after: LaneHead) -> Written:
        """Sign a record again in a new place: the same event and parts, a new header."""
        ...

    def shed(self, written: Written) -> Written:
        """Take a picture's number by a tombstone that says it was given up, chain kept."""
        ...

    def bury(self, reason: TombstoneReason, after: LaneHead, lost_hash: bytes) -> Written:
        """Take the number of a record of which nothing can be read any more."""
        ...


class DeviceScribe:
    """Signs with the device's key."""

    def __init__(
        self, key: "ec.EllipticCurvePrivateKey", *, school: str, device: str, clock: Clock
    ) -> None:
        self._key = key
        self._school = school
        self._device = device
        self._clock = clock

    def write(self, draft: Draft, after: LaneHead) -> Written:
        """Sign the draft as the record that follows `after`."""
        header = Header(
            school=self._school,
            device=self._device,
            position=chain.next_position(after),
            kind=draft.kind,
            event=draft.event,
            matched_at=draft.matched_at,
            clock_offset=draft.clock_offset,
            account_kind=draft.account_kind,
            account_digest=draft.account_digest,
            policy_version=draft.policy_version,
            finding=draft.finding,
            picture=draft.picture,
            part=draft.part,
            repeats=draft.repeats,
            tombstone=draft.tombstone,
        )
        beside = Envelope(
            header=b"",
            signature=b"",
            sealed=draft.sealed,
            account=draft.account,
            account_salt=draft.account_salt,
        )
        return self._sign(header, beside)

    def move(self, written: Written, after: LaneHead) -> Written:
        """Sign a record again in a new place: the same event and parts, a new header."""
        header = codec.decode_header(written.envelope.header)
        return self._sign(replace(header, position=chain.next_position(after)), written.envelope)

    def shed(self, written: Written) -> Written:
        """Take a picture's number by a tombstone that says it was given up, chain kept."""
        header = replace(
            codec.decode_header(written.envelope.header),
            kind=Kind.TOMBSTONE,
            part=None,
            tombstone=Tombstone(reason=TombstoneReason.SHED, lost_hash=written.head.hash),
        )
        return self._sign(header, replace(written.envelope, sealed=b""))

    def bury(self, reason: TombstoneReason, after: LaneHead, lost_hash: bytes) -> Written:
        """Take the number of a record of which nothing can be read any more."""
        return self.write(
            Draft(
                lane=after.lane,
                kind=Kind.TOMBSTONE,
                event=NO_EVENT,
                matched_at=max(self._clock.now(), 0),
                tombstone=Tombstone(reason=reason, lost_hash=lost_hash),
            ),
            after,
        )

    def _sign(self, header: Header, beside: Envelope) -> Written:
        raw = codec.encode_header(header)
        return Written(
            kind=header.kind,
            previous=header.position.previous,
            head=chain.head_after(header, raw),
            envelope=replace(beside, header=raw, signature=sign.sign_header(raw, self._key)),
        )
