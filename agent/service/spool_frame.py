"""What stands in the spool: frames that prove themselves, wherever they are found.

A frame is one blob of one row:

    offset  bytes  what
         0      8  magic
         8      1  sort: 1 record, 2 state
         9      1  lane of the record, 0 for state
        10     16  epoch, zeros for state
        26      8  sequence
        34      8  generation: rises with every commit of the file
        42     32  hash: where the lane stands after this record
        74     32  previous: where it stood before
       106      1  kind of the record, 0 for state
       107      4  length of the body
       111      n  body: an envelope, or the state's JSON
     111+n     16  first half of SHA-256 over all before it

An envelope is four lengths (2, 2, 2 and 1 bytes: header, signature, account, salt),
these four, and the sealed part to the end. All numbers are big-endian.

The checksum finds damage, not malice: whoever can write this file has the device's
key beside it. The magic and the length let `carve` find frames in a file whose own
structure is broken; the generation tells the newest of several copies.
"""

import hashlib
import json
import struct
from dataclasses import asdict, dataclass, field

from agent.service.record import Written
from wire.event import ZERO_HASH, Envelope, Gap, GapReason, Kind, Lane, LaneHead

MAGIC = b"\xd7RShK\x01\xfe\x93"
RECORD, STATE = 1, 2
_HEAD = struct.Struct(">8sBB16sQQ32s32sBI")
_ENVELOPE = struct.Struct(">HHHB")
_SUM = 16
OVERHEAD = _HEAD.size + _SUM
MAX_FRAME = 4 << 20


class FrameDamaged(Exception):
    """These bytes are not what was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One row of the spool."""

    sort: int
    lane: int = 0
    epoch: bytes = bytes(16)
    sequence: int
    generation: int
    hash: bytes = ZERO_HASH
    previous: bytes = ZERO_HASH
    kind: int = 0
    body: bytes

    @property
    def head(self) -> LaneHead:
        """Where the lane stands after this record."""
        return LaneHead(
            lane=Lane(self.lane), epoch=self.epoch, sequence=self.sequence, hash=self.hash
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """One lane: what is written, and up to where there is a receipt."""

    written: LaneHead
    receipted: LaneHead


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the spool knows besides its records; two copies are kept in each commit."""

    lanes: dict[Lane, LaneState]
    heartbeat: int = 0
    gaps: tuple[tuple[int, Gap], ...] = ()
    """Each with the number of the first heartbeat that told of it as it now is, or 0."""
    alive_at: int = 0
    """µs since 1970: when the service last ran, for the gap after a stop."""
    quarantined: int = 0
    notes: tuple[str, ...] = field(default=())
    """Integrity warnings in words, the last few, for `status`."""


def encode(frame: Frame) -> bytes:
    """Lay a frame out."""
    raw = (
        _HEAD.pack(
            MAGIC,
            frame.sort,
            frame.lane,
            frame.epoch,
            frame.sequence,
            frame.generation,
            frame.hash,
            frame.previous,
            frame.kind,
            len(frame.body),
        )
        + frame.body
    )
    return raw + hashlib.sha256(raw).digest()[:_SUM]


def length_at(raw: bytes) -> int:
    """How long the frame is that begins with these bytes (at least a head's worth).

    Raises:
        FrameDamaged: they do not begin one.
    """
    if len(raw) < _HEAD.size or raw[:8] != MAGIC:
        raise FrameDamaged("no frame begins here")
    size: int = _HEAD.unpack_from(raw)[9]
    if size > MAX_FRAME:
        raise FrameDamaged("a length that no frame has")
    return size + OVERHEAD


def decode(raw: bytes) -> Frame:
    """Read a frame back.

    Raises:
        FrameDamaged: a byte is not as it was written.
    """
    if length_at(raw) != len(raw):
        raise FrameDamaged("cut, or longer than it says")
    if hashlib.sha256(raw[:-_SUM]).digest()[:_SUM] != raw[-_SUM:]:
        raise FrameDamaged("the checksum does not fit")
    _, sort, lane, epoch, sequence, generation, hashed, previous, kind, _ = _HEAD.unpack_from(raw)
    return Frame(
        sort=sort,
        lane=lane,
        epoch=epoch,
        sequence=sequence,
        generation=generation,
        hash=hashed,
        previous=previous,
        kind=kind,
        body=raw[_HEAD.size : -_SUM],
    )


def record_frame(written: Written, generation: int) -> Frame:
    """Frame a record."""
    envelope, head = written.envelope, written.head
    account = envelope.account.encode()
    lengths = _ENVELOPE.pack(
        len(envelope.header), len(envelope.signature), len(account), len(envelope.account_salt)
    )
    return Frame(
        sort=RECORD,
        lane=head.lane,
        epoch=head.epoch,
        sequence=head.sequence,
        generation=generation,
        hash=head.hash,
        previous=written.previous,
        kind=written.kind,
        body=b"".join(
            (
                lengths,
                envelope.header,
                envelope.signature,
                account,
                envelope.account_salt,
                envelope.sealed,
            )
        ),
    )


def record_of(frame: Frame) -> Written:
    """Read a record back.

    Raises:
        FrameDamaged: the frame holds none.
    """
    if frame.sort != RECORD:
        raise FrameDamaged("not a record")
    try:
        ends = []
        end = _ENVELOPE.size
        for length in _ENVELOPE.unpack_from(frame.body):
            end += length
            ends.append(end)
        header, signature, account, salt = ends
        body = frame.body
        return Written(
            kind=Kind(frame.kind),
            previous=frame.previous,
            head=frame.head,
            envelope=Envelope(
                header=body[_ENVELOPE.size : header],
                signature=body[header:signature],
                account=body[signature:account].decode(),
                account_salt=body[account:salt],
                sealed=body[salt:],
            ),
        )
    except (struct.error, ValueError) as error:
        raise FrameDamaged("a record that cannot be read") from error


def state_frame(state: State, generation: int) -> Frame:
    """Frame the state."""
    said = {
        "lanes": {
            str(int(lane)): {
                "epoch": now.written.epoch.hex(),
                "written": [now.written.sequence, now.written.hash.hex()],
                "receipted": [now.receipted.sequence, now.receipted.hash.hex()],
            }
            for lane, now in state.lanes.items()
        },
        "heartbeat": state.heartbeat,
        "gaps": [[number, asdict(gap)] for number, gap in state.gaps],
        "alive_at": state.alive_at,
        "quarantined": state.quarantined,
        "notes": list(state.notes),
    }
    body = json.dumps(said, separators=(",", ":")).encode()
    return Frame(sort=STATE, sequence=0, generation=generation, body=body)


def state_of(frame: Frame) -> State:
    """Read the state back.

    Raises:
        FrameDamaged: the frame holds none.
    """
    if frame.sort != STATE:
        raise FrameDamaged("not a state")
    try:
        said = json.loads(frame.body)
        return State(
            lanes={
                Lane(int(lane)): _lane_state(Lane(int(lane)), now)
                for lane, now in said["lanes"].items()
            },
            heartbeat=said["heartbeat"],
            gaps=tuple(
                (number, Gap(**{**gap, "reason": GapReason(gap["reason"])}))
                for number, gap in said["gaps"]
            ),
            alive_at=said["alive_at"],
            quarantined=said["quarantined"],
            notes=tuple(said["notes"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FrameDamaged("a state that cannot be read") from error


def _lane_state(lane: Lane, said: dict[str, object]) -> LaneState:
    epoch = bytes.fromhex(str(said["epoch"]))

    def head(name: str) -> LaneHead:
        pair = said[name]
        assert isinstance(pair, list)
        return LaneHead(lane=lane, epoch=epoch, sequence=int(pair[0]), hash=bytes.fromhex(pair[1]))

    return LaneState(written=head("written"), receipted=head("receipted"))
