"""The agents' private certification authority (RFC 5280), and a device's request (RFC 2986).

All keys are on P-256, all signatures ECDSA with SHA-256: gRPC's TLS refuses
Ed25519 certificates.

    certificate  subject                 days  constraints and usages
    root         Redshank root SCHOOL    7305  CA, path length 1; signs certificates
    issuer       Redshank issuer SCHOOL  1827  CA, path length 0; signs certificates
    server       its first name           397  names as SAN; serverAuth
    device       its id                   397  SAN URI; clientAuth

A device is known by its one SAN URI, `urn:redshank:SCHOOL:device:DEVICE`, and by
nothing else: of a request only the public key is used, so a renamed one gains
nothing. Each certificate names its own key and its issuer's (SKI, AKI), and is
valid from a day before it was made, since clocks differ.

The root is offline; its key also signs statements (`wire.root`, in a domain of
its own). Failure rules: `CertificateRefused`, with words.
"""

import hashlib
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from wire.issue import (
    IDENTITY,
    ISSUER_DAYS,
    LEAF_DAYS,
    ROOT_DAYS,
    Authority,
    Identity,
    identity_uri,
    issue_device,
    issue_server,
    make_issuer,
    make_root,
    name_of,
)

__all__ = [
    "ISSUER_DAYS",
    "LEAF_DAYS",
    "ROOT_DAYS",
    "Authority",
    "CertificateRefused",
    "Identity",
    "check_device_chain",
    "der",
    "identity_of",
    "identity_uri",
    "issue_device",
    "issue_server",
    "make_csr",
    "make_issuer",
    "make_root",
    "new_key",
    "pem",
    "public_key_of",
    "read_certificate",
    "read_csr",
    "trust_of",
]

_SIGNING = hashes.SHA256()
_CURVE = ec.SECP256R1


class CertificateRefused(Exception):
    """A certificate, a chain or a request is not what it must be; the message says why."""


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(_CURVE())


def make_csr(key: ec.EllipticCurvePrivateKey, host: str) -> x509.CertificateSigningRequest:
    """A device's request. The host's name is for the technician's eyes only."""
    return x509.CertificateSigningRequestBuilder().subject_name(name_of(host)).sign(key, _SIGNING)


def read_csr(data: bytes | str) -> x509.CertificateSigningRequest:
    """A request in PEM or DER, self-signed by a P-256 key. Raises CertificateRefused."""
    raw = data.encode() if isinstance(data, str) else data
    try:
        is_pem = raw.lstrip().startswith(b"-----")
        csr = x509.load_pem_x509_csr(raw) if is_pem else x509.load_der_x509_csr(raw)
        is_signed = csr.is_signature_valid
    except Exception as error:  # the parser raises many kinds
        raise CertificateRefused("the certificate request cannot be read") from error
    if not is_signed:
        raise CertificateRefused("the certificate request is not signed by its own key")
    public_key_of(csr)
    return csr


def read_certificate(data: bytes | str) -> x509.Certificate:
    """A certificate in PEM or DER, of a P-256 key. Raises CertificateRefused."""
    raw = data.encode() if isinstance(data, str) else data
    try:
        is_pem = raw.lstrip().startswith(b"-----")
        found = (
            x509.load_pem_x509_certificate(raw) if is_pem else x509.load_der_x509_certificate(raw)
        )
    except Exception as error:  # the parser raises many kinds
        raise CertificateRefused("the certificate cannot be read") from error
    public_key_of(found)
    return found


def public_key_of(
    signed: x509.Certificate | x509.CertificateSigningRequest,
) -> ec.EllipticCurvePublicKey:
    """The P-256 key in a certificate or a request. Raises CertificateRefused for any other."""
    try:
        key = signed.public_key()
    except Exception as error:  # the parser raises many kinds
        raise CertificateRefused("the key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, _CURVE):
        raise CertificateRefused("the key is not on P-256")
    return key


def pem(signed: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """In PEM."""
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def der(signed: x509.Certificate | x509.CertificateSigningRequest) -> bytes:
    """In DER."""
    return signed.public_bytes(serialization.Encoding.DER)


def trust_of(root: x509.Certificate) -> bytes:
    """The root's fingerprint, as a token carries it: SHA-256 of its DER."""
    return hashlib.sha256(der(root)).digest()


def identity_of(certificate: x509.Certificate | bytes | str) -> Identity:
    """Whose certificate it is. Raises CertificateRefused. Does not verify who issued it."""
    if not isinstance(certificate, x509.Certificate):
        certificate = read_certificate(certificate)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise CertificateRefused("the certificate names no device") from None
    except ValueError as error:
        raise CertificateRefused("the certificate's names cannot be read") from error
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    found = IDENTITY.fullmatch(uris[0]) if len(uris) == 1 and len(list(names)) == 1 else None
    if found is None:
        raise CertificateRefused("the certificate names no device, or more than one")
    return Identity(found["school"], found["device"])


def check_device_chain(
    chain: Sequence[x509.Certificate],
    *,
    root: x509.Certificate,
    public_key: ec.EllipticCurvePublicKey,
) -> Identity:
    """Whose chain it is: device first, then its issuer, under this root, for this key.

    Raises CertificateRefused. Says nothing about time: an expired device may renew.
    """
    if len(chain) != len(("device", "issuer")):
        raise CertificateRefused("a device's chain is its certificate and its issuer's")
    device, issuer = chain
    if public_key_of(device) != public_key:
        raise CertificateRefused("the certificate is for another key")
    for child, parent in ((device, issuer), (issuer, root)):
        if not _is_authority(parent):
            raise CertificateRefused("the certificate was issued by one that may not")
        try:
            child.verify_directly_issued_by(parent)
        except (InvalidSignature, ValueError, TypeError):
            raise CertificateRefused("the chain does not lead to the school's root") from None
    if ExtendedKeyUsageOID.CLIENT_AUTH not in _usages(device) or _is_authority(device):
        raise CertificateRefused("the certificate is not a device's")
    return identity_of(device)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return found.value.ca


def _usages(certificate: x509.Certificate) -> x509.ExtendedKeyUsage | tuple[()]:
    try:
        return certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
