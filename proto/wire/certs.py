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

import datetime as dt
import hashlib
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wire.ids import IDENTIFIER

ROOT_DAYS = 7305
ISSUER_DAYS = 1827
LEAF_DAYS = 397
"""Thirteen months."""

_IDENTITY = re.compile(
    rf"urn:redshank:(?P<school>{IDENTIFIER.pattern}):device:(?P<device>{IDENTIFIER.pattern})"
)
_SIGNING = hashes.SHA256()
_CURVE = ec.SECP256R1
_MOST_NAME = 64  # RFC 5280's upper bound of a common name
_BACKDATED = dt.timedelta(days=1)


class CertificateRefused(Exception):
    """A certificate, a chain or a request is not what it must be; the message says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose device it is, by its certificate."""

    school: str
    device: str


@dataclass(frozen=True, slots=True)
class Authority:
    """What signs certificates: its own certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(_CURVE())


def make_csr(key: ec.EllipticCurvePrivateKey, host: str) -> x509.CertificateSigningRequest:
    """A device's request. The host's name is for the technician's eyes only."""
    return x509.CertificateSigningRequestBuilder().subject_name(_name(host)).sign(key, _SIGNING)


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


def identity_uri(school: str, device: str) -> str:
    """A device's name in its certificate. Raises ValueError."""
    uri = f"urn:redshank:{school}:device:{device}"
    if _IDENTITY.fullmatch(uri) is None:
        raise ValueError("a school's or a device's id does not have its form")
    return uri


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
    found = _IDENTITY.fullmatch(uris[0]) if len(uris) == 1 and len(list(names)) == 1 else None
    if found is None:
        raise CertificateRefused("the certificate names no device, or more than one")
    return Identity(found["school"], found["device"])


def make_root(key: ec.EllipticCurvePrivateKey, school: str, now: int) -> x509.Certificate:
    """The school's root certificate. `now` in microseconds since 1970."""
    name = _name(f"Redshank root {school}")
    return _authority(name, key.public_key(), _Signer(name, key), now, ROOT_DAYS, path_length=1)


def make_issuer(
    root: Authority, public_key: ec.EllipticCurvePublicKey, school: str, now: int
) -> x509.Certificate:
    """The certificate of the issuer that the collector holds."""
    name = _name(f"Redshank issuer {school}")
    signer = _Signer(root.certificate.subject, root.key)
    return _authority(name, public_key, signer, now, ISSUER_DAYS, path_length=0)


def issue_server(
    issuer: Authority, public_key: ec.EllipticCurvePublicKey, names: Sequence[str], now: int
) -> x509.Certificate:
    """A server's certificate for these DNS names and IP addresses."""
    if not names:
        raise ValueError("a server's certificate needs a name")
    alternative = x509.SubjectAlternativeName([_general_name(name) for name in names])
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    return _leaf(issuer, public_key, names[0], alternative, usage, now=now, days=LEAF_DAYS)


def issue_device(
    issuer: Authority,
    public_key: ec.EllipticCurvePublicKey,
    identity: Identity,
    now: int,
    days: int = LEAF_DAYS,
) -> x509.Certificate:
    """A device's certificate, for thirteen months unless `days` says otherwise."""
    uri = identity_uri(identity.school, identity.device)
    alternative = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
    usage = ExtendedKeyUsageOID.CLIENT_AUTH
    return _leaf(issuer, public_key, identity.device, alternative, usage, now=now, days=days)


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


@dataclass(frozen=True, slots=True)
class _Signer:
    """A name and the key that signs under it; a root signs itself before it has a certificate."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey


def _authority(
    name: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    signer: _Signer,
    now: int,
    days: int,
    *,
    path_length: int,
) -> x509.Certificate:
    usage = _key_usage(signs_certificates=True)
    return (
        _builder(name, public_key, signer, now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .sign(signer.key, _SIGNING)
    )


def _leaf(
    issuer: Authority,
    public_key: ec.EllipticCurvePublicKey,
    name: str,
    alternative: x509.SubjectAlternativeName,
    usage: x509.ObjectIdentifier,
    *,
    now: int,
    days: int,
) -> x509.Certificate:
    signer = _Signer(issuer.certificate.subject, issuer.key)
    return (
        _builder(_name(name), public_key, signer, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(alternative, critical=False)
        .sign(signer.key, _SIGNING)
    )


def _builder(
    name: x509.Name, public_key: ec.EllipticCurvePublicKey, signer: _Signer, now: int, days: int
) -> x509.CertificateBuilder:
    made = dt.datetime.fromtimestamp(now // 1_000_000, dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(signer.name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(made - _BACKDATED)
        .not_valid_after(made + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()),
            critical=False,
        )
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    printable = "".join(char for char in text if char.isprintable())[:_MOST_NAME]
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, printable or "unnamed")])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
