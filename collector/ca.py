"""The agents' CA as the server holds it: the issuer's key, under a root that is elsewhere.

It certifies PCs and this server's own two listeners for agents. What it takes from a
request (PKCS#10) is the public key; names in it are checked and not believed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from collector.desk_certificate import in_utc
from collector.devices import Device
from collector.errors import CollectorError
from wire import certs
from wire.certs import Authority, CertificateRefused, Identity
from wire.clock import Clock

REQUEST_MAX: Final = 8_192
SERVER_RENEWED_BEFORE: Final = timedelta(days=100)
ISSUER_WARNED_BEFORE: Final = timedelta(days=certs.LEAF_DAYS + 60)
_COMMON_NAME_MAX: Final = 64


class RequestRefused(CollectorError):
    """A certificate request is not one that we certify; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerIdentity:
    """The key and chain that this server shows to agents. In memory alone."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...]

    @property
    def not_after(self) -> datetime:
        """When it runs out."""
        return self.chain[0].not_valid_after_utc

    @property
    def chain_pem(self) -> bytes:
        """The chain, the server's own certificate first."""
        return "".join(certs.pem(certificate) for certificate in self.chain).encode()

    @property
    def key_pem(self) -> bytes:
        """The key, without a passphrase: for the TLS library, never for a disk that stays."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


class CertificateAuthority:
    """Issues the certificates of one school's PCs."""

    def __init__(
        self, *, school: str, root: x509.Certificate, issuer: Authority, clock: Clock
    ) -> None:
        self.root = root
        self.issuer = issuer.certificate
        self.trust = certs.trust_of(root)
        """SHA-256 of the root: what a token carries."""
        self._school = school
        self._authority = issuer
        self._clock = clock

    @property
    def trusted(self) -> bytes:
        """What a client's certificate is verified against, PEM."""
        return (certs.pem(self.root) + certs.pem(self.issuer)).encode()

    def issue_device(
        self, request: x509.CertificateSigningRequest, device: str
    ) -> x509.Certificate:
        """Certify the request's key as this device, for 13 months."""
        return certs.issue_device(
            self._authority,
            certs.public_key_of(request),
            Identity(self._school, device),
            self._clock.now(),
        )

    def chain(self, certificate: bytes) -> tuple[bytes, ...]:
        """A device's certificate (DER) with its issuer's."""
        return certificate, certs.der(self.issuer)

    def renew(self, device: Device, csr: bytes) -> tuple[bytes, ...]:
        """A newer chain (DER, its own first) for the key that the device already has.

        Raises:
            RequestRefused: the request is malformed, or is for another key or name.
        """
        request = read_request(csr, host=device.name)
        if public_bytes(request) != device.public_key:
            raise RequestRefused("a renewal is for the key that the device already has")
        return self.chain(certs.der(self.issue_device(request, device.device)))

    def issue_server(self, names: tuple[str, ...]) -> ServerIdentity:
        """A new key and certificate for this server under these names and addresses."""
        key = certs.new_key()
        leaf = certs.issue_server(self._authority, key.public_key(), names, self._clock.now())
        return ServerIdentity(key=key, chain=(leaf, self.issuer))

    def is_due(self, server: ServerIdentity) -> bool:
        """Whether the server's certificate should be replaced now."""
        return server.not_after - in_utc(self._clock.now()) < SERVER_RENEWED_BEFORE


def read_request(data: bytes, *, host: str) -> x509.CertificateSigningRequest:
    """A request (PEM or DER) that carries a P-256 key and the host's name, and nothing else.

    Raises:
        RequestRefused: it is too large, altered, renamed, or asks for more.
    """
    if len(data) > REQUEST_MAX:
        raise RequestRefused(f"the certificate request is larger than {REQUEST_MAX} bytes")
    try:
        request = certs.read_csr(data)
        named = [str(part.value) for part in request.subject]
        is_common = [part.oid for part in request.subject] == [NameOID.COMMON_NAME]
        asks_more = len(request.extensions) > 0
    except CertificateRefused as refused:
        raise RequestRefused(str(refused)) from None
    except ValueError:
        raise RequestRefused("the certificate request cannot be read") from None
    if asks_more:
        raise RequestRefused("the certificate request asks for extensions; ours has none")
    if not is_common or named != [common_name(host)]:
        raise RequestRefused(
            "the certificate request carries another name than the PC that hands it in"
        )
    return request


def common_name(host: str) -> str:
    """A host's name as it stands in its request."""
    return "".join(char for char in host if char.isprintable())[:_COMMON_NAME_MAX] or "unnamed"


def public_bytes(request: x509.CertificateSigningRequest) -> bytes:
    """The request's public key as DER SubjectPublicKeyInfo."""
    return certs.public_key_of(request).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
