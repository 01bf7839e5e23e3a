"""The device's signature over a header, and over a request for renewal.

ECDSA on P-256 with SHA-256 (FIPS 186-5), DER, over

    "redshank/v1/header"  ‖ 0 ‖ the header's bytes as sent
    "redshank/v1/renewal" ‖ 0 ‖ the PKCS#10 request in DER (RFC 2986)

The domain in front keeps a signature from being taken for one over something
else. The bytes are stored and shown as they came: verification never encodes
them again. A second valid signature can be made from a first without the key
(ECDSA's r and n-s): so a record is known by its header's hash, not by its signature.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

HEADER_DOMAIN = b"redshank/v1/header\0"
RENEWAL_DOMAIN = b"redshank/v1/renewal\0"

_ECDSA = ec.ECDSA(hashes.SHA256())


class SignatureRefused(Exception):
    """The bytes are not signed by that device."""


def sign_header(header: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The device's signature over a header's bytes."""
    return key.sign(HEADER_DOMAIN + header, _ECDSA)


def verify_header(header: bytes, signature: bytes, public_key: ec.EllipticCurvePublicKey) -> None:
    """Raise SignatureRefused unless the device signed exactly these bytes."""
    _verify(HEADER_DOMAIN + header, signature, public_key, "header")


def sign_renewal(csr: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The proof that whoever asks for a renewal holds the device's old key. `csr` is DER."""
    return key.sign(RENEWAL_DOMAIN + csr, _ECDSA)


def verify_renewal(csr: bytes, proof: bytes, public_key: ec.EllipticCurvePublicKey) -> None:
    """Raise SignatureRefused unless the device's old key signed this request."""
    _verify(RENEWAL_DOMAIN + csr, proof, public_key, "renewal request")


def _verify(
    data: bytes, signature: bytes, public_key: ec.EllipticCurvePublicKey, what: str
) -> None:
    if not isinstance(public_key.curve, ec.SECP256R1):
        raise SignatureRefused("a device's key is on P-256")
    try:
        public_key.verify(signature, data, _ECDSA)
    except InvalidSignature:
        raise SignatureRefused(f"the {what} is not signed by this device's key") from None
