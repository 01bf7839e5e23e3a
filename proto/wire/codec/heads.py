"""Where lanes stand."""

from collections.abc import Sequence

from wire.codec.checks import (
    EPOCH_SIZE,
    HASH_SIZE,
    LARGEST,
    CodecError,
    counted,
    few,
    member,
    number_of,
    sized,
)
from wire.codec.tables import LANES
from wire.event import ZERO_HASH, Lane, LaneHead
from wire.v1 import uplink_pb2 as pb


def check_head(head: LaneHead) -> None:
    """Raise CodecError unless the lane's head keeps the format."""
    sized(head.epoch, EPOCH_SIZE, "a lane's epoch")
    counted(head.sequence, LARGEST, "a lane's sequence")
    sized(head.hash, HASH_SIZE, "a lane's hash")
    if head.sequence == 0 and head.hash != ZERO_HASH:
        raise CodecError("a lane without records has a hash")


def head_to_pb(head: LaneHead) -> pb.LaneHead:
    """A head that was checked, as protobuf."""
    return pb.LaneHead(
        lane=number_of(head.lane), epoch=head.epoch, sequence=head.sequence, hash=head.hash
    )


def head_from_pb(message: pb.LaneHead) -> LaneHead:
    """A lane's head, checked."""
    head = LaneHead(
        lane=member(LANES, message.lane, "lane"),
        epoch=message.epoch,
        sequence=message.sequence,
        hash=message.hash,
    )
    check_head(head)
    return head


def check_heads(heads: Sequence[LaneHead], what: str) -> None:
    """Raise CodecError unless each lane stands there once at most."""
    few(heads, len(Lane), what)
    if len({head.lane for head in heads}) != len(heads):
        raise CodecError(f"{what} names a lane twice")
    for head in heads:
        check_head(head)


def heads_from_pb(messages: Sequence[pb.LaneHead], what: str) -> tuple[LaneHead, ...]:
    """The heads of lanes, checked."""
    few(messages, len(Lane), what)
    heads = tuple(head_from_pb(message) for message in messages)
    check_heads(heads, what)
    return heads
