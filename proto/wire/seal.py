"""Seal one part of the evidence to the school's key, and open it again.

HPKE (RFC 9180) in base mode, single shot: DHKEM(X25519, HKDF-SHA256),
HKDF-SHA256, AES-256-GCM.

Layout, all lengths in bytes:

    sealed   = enc (32) ‖ ciphertext
    inside   = salt (32, random per part) ‖ plain text;  the tag (16) ends the ciphertext
    info     = "redshank/v1/part" ‖ 0 ‖ n(school) ‖ school ‖ n(device) ‖ device
               ‖ event (16) ‖ kind (1) ‖ key id (16);  n() is one byte of length
    key id   = first 16 of SHA-256("redshank/v1/key-id" ‖ 0 ‖ public key (32))
    Part     = kind, key id, SHA-256(sealed), SHA-256(inside), length of sealed

Invariants:
- `info` binds a part to its school, device, event, kind and key: moved anywhere
  else it does not open. The single-shot API has no separate associated data.
- `enc` is the part's own key, in effect: without it the ciphertext is lost for
  ever, whoever holds the private key. `split` and `join` let it be kept apart.
- The salt keeps a digest that outlives an erased part from being guessed at.

Failure rules: nothing is returned unless length, digest of the sealed bytes, the
seal and digest of the plain text hold, in this order, and each failure has its
own class. HPKE does not say who sealed: that is the header's signature.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from wire.event import Part, PartKind
from wire.ids import EVENT_SIZE

KEY_ID_SIZE = 16
ENC_SIZE = 32
TAG_SIZE = 16
SALT_SIZE = 32
OVERHEAD = ENC_SIZE + SALT_SIZE + TAG_SIZE

_DOMAIN = b"redshank/v1/part\0"
_KEY_ID_DOMAIN = b"redshank/v1/key-id\0"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class SealError(Exception):
    """A part cannot be sealed or opened."""


class WrongKey(SealError):
    """The part is not sealed to this key, or the key is not one."""


class Truncated(SealError):
    """The sealed bytes are not as many as the header says, or too few to be a part."""


class Altered(SealError):
    """The sealed bytes are not those that the device signed for."""


class WrongContext(SealError):
    """The seal does not open: another school, device, event, kind or key, or a forged header."""


class WrongPlain(SealError):
    """The seal opens, and what is inside is not what the device signed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealContext:
    """Where a part belongs: what its seal is bound to."""

    school: str
    device: str
    event: bytes
    kind: PartKind
    key_id: bytes

    def info(self) -> bytes:
        """HPKE's `info`. Raises SealError for what its layout cannot hold."""
        school, device = self.school.encode(), self.device.encode()
        if not (0 < len(school) < 256 and 0 < len(device) < 256):  # noqa: PLR2004  # one byte
            raise SealError("a school's and a device's id have 1 to 255 bytes")
        if len(self.event) != EVENT_SIZE or len(self.key_id) != KEY_ID_SIZE:
            raise SealError("an event id and a key id have 16 bytes")
        return b"".join(
            (
                _DOMAIN,
                bytes((len(school),)),
                school,
                bytes((len(device),)),
                device,
                self.event,
                bytes((self.kind,)),
                self.key_id,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Sealed bytes (enc ‖ ciphertext), and what the header says of them."""

    sealed: bytes
    part: Part


def new_private_key() -> bytes:
    """A fresh X25519 private key, 32 bytes."""
    return X25519PrivateKey.generate().private_bytes_raw()


def public_half(private_key: bytes) -> bytes:
    """The public half, 32 bytes. Raises WrongKey."""
    return _private(private_key).public_key().public_bytes_raw()


def key_id(public: bytes) -> bytes:
    """Which public key it is, in 16 bytes."""
    return hashlib.sha256(_KEY_ID_DOMAIN + public).digest()[:KEY_ID_SIZE]


def seal(plain: bytes, *, public_key: bytes, context: SealContext) -> Sealed:
    """Seal a part. Raises WrongKey unless the context names this key."""
    if context.key_id != key_id(public_key):
        raise WrongKey("the context names another key than the one to seal to")
    try:
        recipient = X25519PublicKey.from_public_bytes(public_key)
        inside = secrets.token_bytes(SALT_SIZE) + plain
        sealed = _SUITE.encrypt(inside, recipient, info=context.info())
    except ValueError:
        raise WrongKey("the public key is not an X25519 key that can be sealed to") from None
    return Sealed(
        sealed=sealed,
        part=Part(
            kind=context.kind,
            key_id=context.key_id,
            sealed_digest=hashlib.sha256(sealed).digest(),
            plain_digest=hashlib.sha256(inside).digest(),
            size=len(sealed),
        ),
    )


def open_part(sealed: bytes, *, private_key: bytes, context: SealContext, part: Part) -> bytes:
    """The plain text, without its salt. Raises a SealError."""
    if part.kind is not context.kind:
        raise WrongContext("the header speaks of another kind of part")
    check_sealed(sealed, part)
    private = _private(private_key)
    mine = key_id(private.public_key().public_bytes_raw())
    if not part.key_id == context.key_id == mine:
        raise WrongKey("the part is sealed to another key")
    try:
        inside = _SUITE.decrypt(sealed, private, info=context.info())
    except (InvalidTag, ValueError):
        raise WrongContext(
            "the seal does not open for this school, device, event, kind and key"
        ) from None
    if not hmac.compare_digest(hashlib.sha256(inside).digest(), part.plain_digest):
        raise WrongPlain("what is inside is not what the device signed for")
    return inside[SALT_SIZE:]


def check_sealed(sealed: bytes, part: Part) -> None:
    """Raise Truncated or Altered unless these are the bytes of which the header speaks."""
    if len(sealed) != part.size or len(sealed) < OVERHEAD:
        raise Truncated(f"{len(sealed)} sealed bytes where the header says {part.size}")
    if hashlib.sha256(sealed).digest() != part.sealed_digest:
        raise Altered("the sealed bytes are not those that the device signed for")


def split(sealed: bytes) -> tuple[bytes, bytes]:
    """The encapsulated key and the ciphertext, to be kept apart. Raises Truncated."""
    if len(sealed) < OVERHEAD:
        raise Truncated(f"{len(sealed)} bytes are too few for a sealed part")
    return sealed[:ENC_SIZE], sealed[ENC_SIZE:]


def join(enc: bytes, ciphertext: bytes) -> bytes:
    """The sealed bytes again. Raises Truncated."""
    if len(enc) != ENC_SIZE or len(ciphertext) < OVERHEAD - ENC_SIZE:
        raise Truncated("an encapsulated key or a ciphertext is cut")
    return enc + ciphertext


def _private(raw: bytes) -> X25519PrivateKey:
    try:
        return X25519PrivateKey.from_private_bytes(raw)
    except ValueError:
        raise WrongKey("a private evidence key has 32 bytes") from None
