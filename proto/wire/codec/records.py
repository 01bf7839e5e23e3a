"""Headers, and the pieces that other messages share with them.

What each kind of record carries (everything else must be absent):

    kind       lane     finding  picture  part     repeats  tombstone
    event      text     yes      yes      details  -        -
    repeat     text     yes      -        -        >= 1     -
    picture    picture  -        -        picture  -        -
    tombstone  either   -        -        -        -        yes

A tombstone for a record that could not be read names what is known: its event
may be sixteen zero bytes, its account digest 32 of them, its account shared.
"""

from wire.codec.checks import (
    CODE,
    EPOCH_SIZE,
    EVENT_SIZE,
    HASH_SIZE,
    KEY_ID_SIZE,
    LARGEST,
    PACK,
    TERM,
    CodecError,
    counted,
    few,
    identifier,
    matching,
    member,
    number_of,
    optional,
    parse,
    sized,
    table,
)
from wire.codec.tables import ACCOUNT_KINDS, KINDS, LANES
from wire.event import (
    ZERO_HASH,
    Finding,
    Header,
    Kind,
    Lane,
    Part,
    PartKind,
    PictureState,
    Position,
    Severity,
    Source,
    Tombstone,
    TombstoneReason,
)
from wire.v1 import uplink_pb2 as pb

SCHEMA = 1
MOST_HEADER = 4096
MOST_REASONS = 16
MOST_SCORE = 1000
MOST_SEALED = 8 << 20
SMALLEST_SEALED = 32 + 16 + 32  # encapsulated key, GCM's tag, the salt

_SOURCES = table(Source)
_SEVERITIES = table(Severity)
_PICTURES = table(PictureState)
_PARTS = table(PartKind)
_TOMBSTONES = table(TombstoneReason)
_NO_EVENT = bytes(EVENT_SIZE)


def encode_header(header: Header) -> bytes:
    """The bytes to sign. Raises CodecError."""
    _check_header(header)
    position = header.position
    message = pb.Header(
        schema=SCHEMA,
        school=header.school,
        device=header.device,
        lane=number_of(position.lane),
        epoch=position.epoch,
        sequence=position.sequence,
        previous=position.previous,
        kind=number_of(header.kind),
        event=header.event,
        matched_at=header.matched_at,
        clock_offset=header.clock_offset,
        account_kind=number_of(header.account_kind),
        account_digest=header.account_digest,
        finding=finding_to_pb(header.finding) if header.finding else None,
        picture=number_of(header.picture),
        part=_part_to_pb(header.part) if header.part else None,
        repeats=header.repeats,
        tombstone=_tombstone_to_pb(header.tombstone) if header.tombstone else None,
        policy_version=header.policy_version,
    )
    return message.SerializeToString(deterministic=True)


def decode_header(data: bytes) -> Header:
    """What a header's bytes say. Raises CodecError. Says nothing about who signed them."""
    if len(data) > MOST_HEADER:
        raise CodecError(f"a header has {len(data)} bytes, more than {MOST_HEADER}")
    message = parse(pb.Header(), data, "a header")
    if message.schema != SCHEMA:
        raise CodecError(f"header schema {message.schema} is not known")
    header = Header(
        school=message.school,
        device=message.device,
        position=Position(
            lane=member(LANES, message.lane, "lane"),
            epoch=message.epoch,
            sequence=message.sequence,
            previous=message.previous,
        ),
        kind=member(KINDS, message.kind, "kind"),
        event=message.event,
        matched_at=message.matched_at,
        clock_offset=message.clock_offset,
        account_kind=member(ACCOUNT_KINDS, message.account_kind, "account kind"),
        account_digest=message.account_digest,
        policy_version=message.policy_version,
        finding=finding_from_pb(message.finding) if message.HasField("finding") else None,
        picture=optional(_PICTURES, message.picture, "picture state"),
        part=_part_from_pb(message.part) if message.HasField("part") else None,
        repeats=message.repeats,
        tombstone=(
            _tombstone_from_pb(message.tombstone) if message.HasField("tombstone") else None
        ),
    )
    _check_header(header)
    return header


def _check_header(header: Header) -> None:
    position = header.position
    identifier(header.school, "school")
    identifier(header.device, "device")
    sized(position.epoch, EPOCH_SIZE, "epoch")
    counted(position.sequence, LARGEST, "sequence", least=1)
    sized(position.previous, HASH_SIZE, "previous")
    if position.sequence == 1 and position.previous != ZERO_HASH:
        raise CodecError("the first record of an epoch follows another")
    sized(header.event, EVENT_SIZE, "event")
    counted(header.matched_at, LARGEST, "matched_at")
    counted(header.clock_offset, LARGEST, "clock_offset", least=-LARGEST)
    sized(header.account_digest, HASH_SIZE, "account_digest")
    counted(header.policy_version, LARGEST, "policy_version")
    if header.event == _NO_EVENT and header.kind is not Kind.TOMBSTONE:
        raise CodecError("event is not said")
    if header.finding:
        check_finding(header.finding)
    if header.part:
        _check_part(header.part)
    if header.tombstone and header.tombstone.lost_hash:
        sized(header.tombstone.lost_hash, HASH_SIZE, "lost_hash")
    _check_shape(header)


_SHAPES: dict[Kind, tuple[bool, bool, PartKind | None, bool, bool]] = {
    Kind.EVENT: (True, True, PartKind.DETAILS, False, False),
    Kind.REPEAT: (True, False, None, True, False),
    Kind.PICTURE: (False, False, PartKind.PICTURE, False, False),
    Kind.TOMBSTONE: (False, False, None, False, True),
}
"""Per kind: finding, picture state, part, repeats, tombstone."""


def _check_shape(header: Header) -> None:
    shape = (
        header.finding is not None,
        header.picture is not None,
        header.part.kind if header.part else None,
        header.repeats > 0,
        header.tombstone is not None,
    )
    if shape != _SHAPES[header.kind]:
        names = ("finding", "picture state", "part", "repeats", "tombstone")
        wrong = next(
            name
            for name, is_so, must in zip(names, shape, _SHAPES[header.kind], strict=True)
            if is_so != must
        )
        raise CodecError(f"a record of kind {header.kind.name.lower()} has the wrong {wrong}")
    counted(header.repeats, (1 << 32) - 1, "repeats")
    if header.kind is not Kind.TOMBSTONE:
        lane = Lane.PICTURE if header.kind is Kind.PICTURE else Lane.TEXT
        if header.position.lane is not lane:
            raise CodecError(f"a record of kind {header.kind.name.lower()} is in the wrong lane")


def check_finding(finding: Finding) -> None:
    """Raise CodecError unless the finding keeps the format."""
    matching(finding.category, CODE, "category")
    counted(finding.score, MOST_SCORE, "score")
    few(finding.reasons, MOST_REASONS, "reasons")
    for reason in finding.reasons:
        matching(reason, CODE, "reason")
    matching(finding.term_id, TERM, "term_id")
    matching(finding.pack, PACK, "pack")
    counted(finding.pack_version, (1 << 32) - 1, "pack_version", least=1)


def finding_to_pb(finding: Finding) -> pb.Finding:
    """A finding that was checked, as protobuf."""
    return pb.Finding(
        source=number_of(finding.source),
        category=finding.category,
        severity=number_of(finding.severity),
        score=finding.score,
        reasons=finding.reasons,
        term_id=finding.term_id,
        pack=finding.pack,
        pack_version=finding.pack_version,
    )


def finding_from_pb(message: pb.Finding) -> Finding:
    """A finding, not yet checked but for its enumerations."""
    return Finding(
        source=member(_SOURCES, message.source, "source"),
        category=message.category,
        severity=member(_SEVERITIES, message.severity, "severity"),
        score=message.score,
        reasons=tuple(message.reasons),
        term_id=message.term_id,
        pack=message.pack,
        pack_version=message.pack_version,
    )


def picture_state(number: int) -> PictureState:
    """The picture state that must be said."""
    return member(_PICTURES, number, "picture state")


def _check_part(part: Part) -> None:
    sized(part.key_id, KEY_ID_SIZE, "key_id")
    sized(part.sealed_digest, HASH_SIZE, "sealed_digest")
    sized(part.plain_digest, HASH_SIZE, "plain_digest")
    counted(part.size, MOST_SEALED, "a part's size", least=SMALLEST_SEALED)


def _part_to_pb(part: Part) -> pb.Part:
    return pb.Part(
        kind=number_of(part.kind),
        key_id=part.key_id,
        sealed_digest=part.sealed_digest,
        plain_digest=part.plain_digest,
        size=part.size,
    )


def _part_from_pb(message: pb.Part) -> Part:
    return Part(
        kind=member(_PARTS, message.kind, "part kind"),
        key_id=message.key_id,
        sealed_digest=message.sealed_digest,
        plain_digest=message.plain_digest,
        size=message.size,
    )


def _tombstone_to_pb(tombstone: Tombstone) -> pb.Tombstone:
    return pb.Tombstone(reason=number_of(tombstone.reason), lost_hash=tombstone.lost_hash)


def _tombstone_from_pb(message: pb.Tombstone) -> Tombstone:
    return Tombstone(
        reason=member(_TOMBSTONES, message.reason, "tombstone reason"),
        lost_hash=message.lost_hash,
    )
