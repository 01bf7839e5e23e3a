"""What a private authority issues: root, issuer, server and device (see `wire.certs`)."""

import datetime as dt
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wire.ids import IDENTIFIER

ROOT_DAYS = 7305
ISSUER_DAYS = 1827
LEAF_DAYS = 397
"""Thirteen months."""

IDENTITY = re.compile(
    rf"urn:redshank:(?P<school>{IDENTIFIER.pattern}):device:(?P<device>{IDENTIFIER.pattern})"
)
_SIGNING = hashes.SHA256()
_MOST_NAME = 64  # RFC 5280's upper bound of a common name
_BACKDATED = dt.timedelta(days=1)


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


def identity_uri(school: str, device: str) -> str:
    """A device's name in its certificate. Raises ValueError."""
    uri = f"urn:redshank:{school}:device:{device}"
    if IDENTITY.fullmatch(uri) is None:
        raise ValueError("a school's or a device's id does not have its form")
    return uri


def make_root(key: ec.EllipticCurvePrivateKey, school: str, now: int) -> x509.Certificate:
    """The school's root certificate. `now` in microseconds since 1970."""
    name = name_of(f"Redshank root {school}")
    return _authority(name, key.public_key(), _Signer(name, key), now, ROOT_DAYS, path_length=1)


def make_issuer(
    root: Authority, public_key: ec.EllipticCurvePublicKey, school: str, now: int
) -> x509.Certificate:
    """The certificate of the issuer that the collector holds."""
    name = name_of(f"Redshank issuer {school}")
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
        _builder(name_of(name), public_key, signer, now, days)
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


def name_of(text: str) -> x509.Name:
    """A subject: what can be printed of the text, as its common name."""
    printable = "".join(char for char in text if char.isprintable())[:_MOST_NAME]
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, printable or "unnamed")])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
