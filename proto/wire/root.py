"""The school's offline root: what it says of keys.

The root is a P-256 key, kept as its 32-byte scalar (big-endian) on the recovery
sheet and never on the server. The same key is the X.509 root of the agents' CA
(`wire.certs`). A statement is signed with ECDSA and SHA-256, DER, over

    "redshank/v1/key-statement" ‖ 0 ‖ the statement's bytes

A certificate's signed bytes begin with an ASN.1 SEQUENCE (0x30), so neither can
be taken for the other.

Failure rules: the signature is checked before anything of the statement is
decoded; then school, purpose and time. Each refusal has its own reason. That
epochs only rise is the policy's matter (`wire.policy`), which remembers them.
"""

from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from wire.codec import CodecError, decode_statement, encode_statement
from wire.event import KeyStatement, Purpose, SignedKey

SCALAR_SIZE = 32

_DOMAIN = b"redshank/v1/key-statement\0"
_ECDSA = ec.ECDSA(hashes.SHA256())
_CURVE = ec.SECP256R1()


class RootReason(StrEnum):
    """Why a key is not accepted under the root."""

    NOT_SIGNED = "not signed by the school's root"
    MALFORMED = "the statement breaks its format"
    WRONG_SCHOOL = "the key is another school's"
    WRONG_PURPOSE = "the key is for another purpose"
    NOT_YET = "the key is not yet valid"
    EXPIRED = "the key has expired"


class RootRefused(Exception):
    """A key is not accepted under the root."""

    def __init__(self, reason: RootReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def new_root() -> ec.EllipticCurvePrivateKey:
    """A fresh root key."""
    return ec.generate_private_key(_CURVE)


def scalar_of(root: ec.EllipticCurvePrivateKey) -> bytes:
    """The root's secret, 32 bytes, for the recovery sheet."""
    return root.private_numbers().private_value.to_bytes(SCALAR_SIZE, "big")


def root_from_scalar(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    """The root key from its secret. Raises ValueError."""
    if len(scalar) != SCALAR_SIZE:
        raise ValueError(f"a root's secret has {SCALAR_SIZE} bytes, not {len(scalar)}")
    return ec.derive_private_key(int.from_bytes(scalar, "big"), _CURVE)


def sign_key(statement: KeyStatement, root_private: ec.EllipticCurvePrivateKey) -> SignedKey:
    """The statement under the root's signature. Raises CodecError."""
    data = encode_statement(statement)
    return SignedKey(statement=data, signature=root_private.sign(_DOMAIN + data, _ECDSA))


def verify_key(
    signed: SignedKey,
    *,
    root_public: ec.EllipticCurvePublicKey,
    school: str,
    purpose: Purpose,
    now: int,
) -> KeyStatement:
    """What the root says of the key. Raises RootRefused. `now` in microseconds since 1970."""
    if not isinstance(root_public.curve, ec.SECP256R1):
        raise RootRefused(RootReason.NOT_SIGNED)
    try:
        root_public.verify(signed.signature, _DOMAIN + signed.statement, _ECDSA)
    except InvalidSignature:
        raise RootRefused(RootReason.NOT_SIGNED) from None
    try:
        statement = decode_statement(signed.statement)
    except CodecError:
        raise RootRefused(RootReason.MALFORMED) from None
    if statement.school != school:
        raise RootRefused(RootReason.WRONG_SCHOOL)
    if statement.purpose is not purpose:
        raise RootRefused(RootReason.WRONG_PURPOSE)
    if now < statement.not_before:
        raise RootRefused(RootReason.NOT_YET)
    if now >= statement.not_after:
        raise RootRefused(RootReason.EXPIRED)
    return statement
