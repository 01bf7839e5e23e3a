"""Receipts and refusals."""

from wire.codec.checks import (
    LARGEST,
    CodecError,
    counted,
    member,
    number_of,
    optional,
    short,
    table,
)
from wire.codec.heads import check_head, head_from_pb, head_to_pb
from wire.codec.tables import LANES
from wire.event import Receipt, Refusal, RefusalReason
from wire.v1 import uplink_pb2 as pb

MOST_WORDS = 2000
_UINT32 = (1 << 32) - 1
_REFUSALS = table(RefusalReason)


def receipt_to_pb(receipt: Receipt) -> pb.Receipt:
    """A receipt as protobuf, checked."""
    _check_receipt(receipt)
    return pb.Receipt(
        head=head_to_pb(receipt.head) if receipt.head else None, heartbeat=receipt.heartbeat
    )


def receipt_from_pb(message: pb.Receipt) -> Receipt:
    """A receipt, checked."""
    receipt = Receipt(
        head=head_from_pb(message.head) if message.HasField("head") else None,
        heartbeat=message.heartbeat,
    )
    _check_receipt(receipt)
    return receipt


def _check_receipt(receipt: Receipt) -> None:
    counted(receipt.heartbeat, LARGEST, "heartbeat")
    if receipt.head:
        check_head(receipt.head)
    elif not receipt.heartbeat:
        raise CodecError("a receipt speaks of nothing")


def refusal_to_pb(refusal: Refusal) -> pb.Refusal:
    """A refusal as protobuf, checked."""
    _check_refusal(refusal)
    return pb.Refusal(
        reason=number_of(refusal.reason),
        words=refusal.words,
        expected=head_to_pb(refusal.expected) if refusal.expected else None,
        retry_after_ms=refusal.retry_after_ms,
        lane=number_of(refusal.lane),
        sequence=refusal.sequence,
    )


def refusal_from_pb(message: pb.Refusal) -> Refusal:
    """A refusal, checked."""
    refusal = Refusal(
        reason=member(_REFUSALS, message.reason, "refusal reason"),
        words=message.words,
        expected=head_from_pb(message.expected) if message.HasField("expected") else None,
        retry_after_ms=message.retry_after_ms,
        lane=optional(LANES, message.lane, "lane"),
        sequence=message.sequence,
    )
    _check_refusal(refusal)
    return refusal


def _check_refusal(refusal: Refusal) -> None:
    short(refusal.words, MOST_WORDS, "words")
    if refusal.expected:
        check_head(refusal.expected)
    counted(refusal.retry_after_ms, _UINT32, "retry_after_ms")
    counted(refusal.sequence, LARGEST, "sequence")
