"""Hold an envelope against the device that sent it, before anything is stored.

Pure: the bytes, the peer and the known keys go in; a checked record or a refusal
comes out. Nothing here depends on the lane's state.
"""

from collections.abc import Container
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from collector.ingest.limits import Limits
from collector.pseudonym import pseudonym_of
from wire.account import is_account
from wire.codec import CodecError, decode_header
from wire.event import Envelope, Header, Kind, Part, PartKind, Refusal, RefusalReason
from wire.seal import SealError, check_sealed, split
from wire.sign import SignatureRefused, verify_header


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A device as its certificate and the book of devices know it."""

    school: str
    device: str
    host: str
    room: str
    key: EllipticCurvePublicKey
    clock_offset: int = 0
    """Collector minus agent, µs, as its hello showed; for records made before it knew."""
    enrolled_at: int = 0
    """µs. Of a PC that is enrolled anew, of its new name: it can have signed nothing before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A record that is what its device signed, and whole."""

    peer: Peer
    header: Header
    header_bytes: bytes
    signature: bytes
    enc: bytes
    """The encapsulated key, for `keys.db` alone; empty where there is no part."""
    ciphertext: bytes
    digest: bytes
    """The first 16 bytes of the part's sealed digest; empty where there is no part."""
    pseudonym: str
    """Empty where the record speaks of no account."""
    received_at: int
    clock_offset: int
    """Collector minus agent, µs."""
    matched_at: int
    """By the collector's clock."""

    @property
    def weight(self) -> int:
        """How many bytes it takes in a queue."""
        return len(self.ciphertext) + len(self.header_bytes) + 500


class Refused(Exception):
    """The envelope is not taken; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal


def check(
    envelope: Envelope,
    peer: Peer,
    *,
    known_keys: Container[bytes],
    pseudonym_key: bytes,
    limits: Limits,
    now: int,
) -> Checked:
    """Give the record of an envelope.

    Args:
        envelope: as it came.
        peer: who the certificate says is speaking.
        known_keys: the ids of the school's evidence and referral keys.
        pseudonym_key: what makes a pseudonym of the account, which goes no further.
        limits: of sizes.
        now: µs.

    Raises:
        Refused: with a reason and words for the device's log.
    """
    try:
        header = decode_header(envelope.header)
    except CodecError as error:
        raise Refused(Refusal(reason=RefusalReason.MALFORMED, words=f"{error}")) from None
    _claims(header, peer)
    try:
        verify_header(envelope.header, envelope.signature, peer.key)
    except SignatureRefused as error:
        raise _refused(header, RefusalReason.BAD_SIGNATURE, f"{error}") from None
    enc, ciphertext = _sealed(header, envelope.sealed, known_keys, limits)
    offset = header.clock_offset or peer.clock_offset
    return Checked(
        peer=peer,
        header=header,
        header_bytes=envelope.header,
        signature=envelope.signature,
        enc=enc,
        ciphertext=ciphertext,
        digest=header.part.sealed_digest[:16] if header.part else b"",
        pseudonym=_pseudonym(header, envelope, pseudonym_key),
        received_at=now,
        clock_offset=offset,
        matched_at=_matched_at(header.matched_at + offset, peer, now),
    )


def _matched_at(said: int, peer: Peer, now: int) -> int:
    """Hold a match's time against what it cannot be.

    It cannot lie ahead of its arrival. Nor before the PC was enrolled: a clock that
    said so was wrong by an unknown time (a dead battery), and the match counts as new,
    since taking it for an old one would let nobody know.
    """
    return said if peer.enrolled_at <= said <= now else now


def _claims(header: Header, peer: Peer) -> None:
    if header.school != peer.school:
        words = "The record names another school than the certificate."
        raise _refused(header, RefusalReason.WRONG_SCHOOL, words)
    if header.device != peer.device:
        words = "The record names another device than the certificate."
        raise _refused(header, RefusalReason.WRONG_DEVICE, words)


def _sealed(
    header: Header,
    sealed: bytes,
    known_keys: Container[bytes],
    limits: Limits,
) -> tuple[bytes, bytes]:
    part = header.part
    if part is None:
        if sealed:
            words = "Sealed bytes came with a record that speaks of none."
            raise _refused(header, RefusalReason.MALFORMED, words)
        return b"", b""
    most = limits.picture_bytes if part.kind is PartKind.PICTURE else limits.details_bytes
    if len(sealed) > most:
        words = f"The sealed part has {len(sealed)} bytes; {most} are taken."
        raise _refused(header, RefusalReason.TOO_LARGE, words)
    if part.key_id not in known_keys:
        words = "The part is sealed to a key that this school does not have."
        raise _refused(header, RefusalReason.UNKNOWN_KEY, words)
    return _whole(header, part, sealed)


def _whole(header: Header, part: Part, sealed: bytes) -> tuple[bytes, bytes]:
    try:
        check_sealed(sealed, part)
        return split(sealed)
    except SealError as error:
        raise _refused(header, RefusalReason.BAD_DIGEST, f"{error}") from None


def _pseudonym(header: Header, envelope: Envelope, key: bytes) -> str:
    if not envelope.account:
        if header.kind in (Kind.EVENT, Kind.REPEAT):
            words = "The record does not say whose account it was."
            raise _refused(header, RefusalReason.MALFORMED, words)
        return ""
    if not is_account(envelope.account, envelope.account_salt, header.account_digest):
        words = "The account beside the record is not the one that the device signed for."
        raise _refused(header, RefusalReason.BAD_DIGEST, words)
    return pseudonym_of(envelope.account, school=header.school, key=key)


def _refused(header: Header, reason: RefusalReason, words: str) -> Refused:
    return Refused(
        Refusal(
            reason=reason,
            words=words,
            lane=header.position.lane,
            sequence=header.position.sequence,
        ),
    )
