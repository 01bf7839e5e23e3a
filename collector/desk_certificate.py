"""The desk's certificate: the school's own, or one that it signs itself for a first try.

It has nothing to do with the agents' CA: browsers must never be asked to trust that one.
"""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from collector.errors import CollectorError

SELF_SIGNED_DAYS: Final = 397
_COMMON_NAME_MAX: Final = 64


class DeskCertificateError(CollectorError):
    """The desk's certificate or key cannot be used."""


class DeskCertificateNotInForce(DeskCertificateError):
    """It is whole, and has run out or is not valid yet: a browser will say so."""


def self_signed(host: str, *, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A key and a certificate for `host`, signed by that key itself, for 13 months."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:_COMMON_NAME_MAX])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=SELF_SIGNED_DAYS))
        .add_extension(x509.SubjectAlternativeName([alternative_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def alternative_name(host: str) -> x509.GeneralName:
    """A host as a certificate names it: an address, or a DNS name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def check_pair(certificate: Path, key: Path, *, now: datetime) -> x509.Certificate:
    """The certificate, if it and its key fit each other and it is in force.

    Raises:
        DeskCertificateError: they do not, or one cannot be read.
    """
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password="")
        found = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except FileNotFoundError:
        missing = certificate if not certificate.exists() else key
        raise DeskCertificateError(f"{missing}: there is no such file") from None
    except PermissionError:
        raise DeskCertificateError(f"{certificate}, {key}: may not be read by this user") from None
    except (ssl.SSLError, ValueError, OSError) as error:
        raise DeskCertificateError(
            f"{certificate} and {key} are not a certificate (PEM) and its key (PEM, without a"
            f" passphrase): {getattr(error, 'reason', None) or error}"
        ) from None
    if now >= found.not_valid_after_utc:
        raise DeskCertificateNotInForce(
            f"{certificate}: ran out on {found.not_valid_after_utc:%d %B %Y}; put a new one in its"
            " place, or run `redshank-collector desk-certificate` for a self-signed one"
        )
    if now < found.not_valid_before_utc:
        raise DeskCertificateNotInForce(
            f"{certificate}: is valid only from {found.not_valid_before_utc:%d %B %Y}: is the"
            " server's clock right?"
        )
    return found


def in_utc(now: int) -> datetime:
    """Microseconds since 1970 as a datetime."""
    return datetime.fromtimestamp(now / 1_000_000, UTC)
