"""Who is speaking: by the certificate of the connection, and nothing else."""

from collections.abc import Iterable, Mapping

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from collector.devices import Device, DeviceBook, DeviceState
from collector.ingest.check import Peer
from wire.certs import CertificateRefused, identity_of, public_key_of, read_certificate
from wire.event import RefusalReason
from wire.tls import peer_is_tls13

AuthContext = Mapping[str, Iterable[bytes]]

STATE_WORDS = {
    DeviceState.PENDING: (
        RefusalReason.PENDING,
        "The technician has not confirmed this PC yet. It will be asked again.",
    ),
    DeviceState.DENIED: (
        RefusalReason.DENIED,
        "This PC was revoked. Enrol it again if it should be watched.",
    ),
}


class PeerRefused(Exception):
    """Whoever is speaking may not; the reason and the words say why."""

    def __init__(self, reason: RefusalReason, words: str, device: str = "") -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words
        self.device = device


def peer_of(auth: AuthContext, *, school: str, book: DeviceBook, now: int) -> Peer:
    """Give the peer of a connection.

    gRPC has already refused certificates that the agents' CA did not issue; what it
    leaves open is checked here: TLS 1.3, a device's certificate and no other, this
    school's, in its time, for the key that the book has, and not revoked.

    Raises:
        PeerRefused: with the reason for the device and the log.
    """
    if not peer_is_tls13(auth):
        raise PeerRefused(RefusalReason.DENIED, "Only TLS 1.3 is spoken here.")
    chain = list(auth.get("x509_pem_cert", ()))
    if len(chain) != 1:
        raise PeerRefused(RefusalReason.DENIED, "No client certificate was shown.")
    try:
        certificate = read_certificate(chain[0])
        identity = identity_of(certificate)
        key = public_key_of(certificate)
    except CertificateRefused as error:
        raise PeerRefused(RefusalReason.DENIED, f"Not a device's certificate: {error}.") from None
    if identity.school != school:
        words = "The certificate is of another school."
        raise PeerRefused(RefusalReason.WRONG_SCHOOL, words, identity.device)
    _for_devices(certificate, identity.device)
    _in_time(certificate, identity.device, now)
    device = _known(book, identity.device)
    registered = book.key(device.device)
    if key != registered:
        words = "The certificate is for a key that this PC has since replaced."
        raise PeerRefused(RefusalReason.WRONG_DEVICE, words, identity.device)
    return Peer(
        school=school,
        device=device.device,
        host=device.name,
        room=device.room,
        key=registered,
        enrolled_at=device.enrolled_at,
    )


def _known(book: DeviceBook, device: str) -> Device:
    found = book.get(device)
    if found is None:
        words = "This PC is not enrolled here."
        raise PeerRefused(RefusalReason.WRONG_DEVICE, words, device)
    if found.state in STATE_WORDS:
        raise PeerRefused(*STATE_WORDS[found.state], device)
    return found


def _for_devices(certificate: x509.Certificate, device: str) -> None:
    try:
        extensions = certificate.extensions
        usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        is_authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        words = "The certificate does not say what it is for."
        raise PeerRefused(RefusalReason.DENIED, words, device) from None
    for_devices = list(usages) == [ExtendedKeyUsageOID.CLIENT_AUTH] and usage.digital_signature
    if is_authority or not for_devices:
        words = "The certificate is not for a device."
        raise PeerRefused(RefusalReason.DENIED, words, device)


def _in_time(certificate: x509.Certificate, device: str, now: int) -> None:
    first = int(certificate.not_valid_before_utc.timestamp() * 1_000_000)
    last = int(certificate.not_valid_after_utc.timestamp() * 1_000_000)
    if not first <= now <= last:
        words = "The certificate is expired or not yet valid. Renew it."
        raise PeerRefused(RefusalReason.DENIED, words, device)
