"""The order of a lane: numbers without a hole, each header naming the one before.

    hash(record)      SHA-256 of its header's bytes as signed
    record.previous   the lane's hash before it; 32 zero bytes for number 1
    the lane's hash   hash(record); of a tombstone with a lost hash: that one

So a tombstone stands in for a record that was lost after its successor had been
signed, and the successor, which names the lost record's hash, still chains. A
tombstone without a lost hash stands where a successor was not yet signed, or was
itself replaced.

An epoch is 16 random bytes. A record of another epoch than the head's is judged
from that epoch's start; whether the epoch was seen before is for the caller to know.

    what comes                                          judged
    the next number, naming the head's hash             the lane moves on
    the head's own number with the head's own hash      the head stays (sent twice)
    a higher number                                     GapFound
    the next number, naming another hash                ForkFound
    the head's own or a lower number, anything else     ForkFound: look for it in the store first
"""

import hashlib
import secrets

from wire.event import ZERO_HASH, Header, Lane, LaneHead, Position

EPOCH_SIZE = 16


class ChainError(Exception):
    """A record does not follow its lane's head."""

    def __init__(self, words: str, expected: LaneHead) -> None:
        super().__init__(words)
        self.expected = expected
        """The head that the next record must follow: its number is one higher."""


class GapFound(ChainError):
    """Numbers are missing between the head and this record."""


class ForkFound(ChainError):
    """Another record has this number, or this record follows another past."""


def hash_header(header: bytes) -> bytes:
    """SHA-256 of the header's bytes as signed."""
    return hashlib.sha256(header).digest()


def fresh_epoch(lane: Lane) -> LaneHead:
    """The start of a new epoch, which nobody can have guessed."""
    return start(lane, secrets.token_bytes(EPOCH_SIZE))


def start(lane: Lane, epoch: bytes) -> LaneHead:
    """An epoch before its first record."""
    return LaneHead(lane=lane, epoch=epoch, sequence=0, hash=ZERO_HASH)


def next_position(head: LaneHead) -> Position:
    """The place of the record after the head."""
    return Position(
        lane=head.lane, epoch=head.epoch, sequence=head.sequence + 1, previous=head.hash
    )


def head_after(header: Header, header_bytes: bytes) -> LaneHead:
    """Where the lane stands once this record is in it."""
    lost = header.tombstone.lost_hash if header.tombstone else b""
    return LaneHead(
        lane=header.position.lane,
        epoch=header.position.epoch,
        sequence=header.position.sequence,
        hash=lost or hash_header(header_bytes),
    )


def follow(head: LaneHead, header: Header, header_bytes: bytes) -> LaneHead:
    """The head after this record. Raises GapFound or ForkFound with the head that was expected.

    Raises ValueError for a head of another lane.
    """
    position = header.position
    if position.lane is not head.lane:
        raise ValueError("the head is of another lane than the record")
    if position.epoch != head.epoch:
        head = start(position.lane, position.epoch)
    after = head_after(header, header_bytes)
    if position.sequence > head.sequence + 1:
        missing = position.sequence - head.sequence - 1
        raise GapFound(
            f"{missing} missing before number {position.sequence}: {head.sequence + 1} comes next",
            head,
        )
    if position.sequence == head.sequence + 1:
        if position.previous != head.hash:
            raise ForkFound(f"number {position.sequence} follows another past", head)
        return after
    if after == head:
        return head
    raise ForkFound(f"number {position.sequence} again, where {head.sequence + 1} comes next", head)
