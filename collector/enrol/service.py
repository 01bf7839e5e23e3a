"""What enrolment and renewal do, apart from HTTP.

The order matters: everything that can be refused without the database is refused first;
then one transaction takes a use of the token, issues the certificate and writes the
device down. A PC whose answer was lost asks again with the same key and gets the same
certificate: the use is not taken twice.
"""

import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection, select

from collector import tokens
from collector.audit import Act
from collector.ca import RequestRefused, public_bytes, read_request
from collector.devices import Device, DeviceState, insert_device, select_devices
from collector.enrol.problems import Problem
from collector.parts import Parts
from collector.store import schema
from collector.tokens import TokenProblem, TokenRefused
from wire import codec
from wire.sign import SignatureRefused, verify_renewal
from wire.token import TokenError, read_token

HOST_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcomed:
    """A certificate that was issued, and to whom."""

    device: Device
    chain: tuple[bytes, ...]
    """DER, the device's own first."""


class Enrolment:
    """Gives certificates to those who may have one."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def enrol(self, *, token: str, csr: str, host: str, address: str) -> Welcomed:
        """Take a use of the token and certify the PC's key.

        Raises:
            Problem: the token or the request is refused; nothing was issued.
        """
        parts = self._parts
        try:
            said = read_token(token)
        except TokenError as error:
            raise Problem("token-malformed", str(error)) from None
        if said.trust != parts.ca.trust:
            raise Problem(
                "token-of-another-school",
                "this token was made by another collector, or before this one was set up anew",
            )
        if not host.isprintable() or not host.strip():
            # It is shown on the desk and on a technician's terminal, and never renamed.
            raise Problem("request-refused", "the PC's name is empty, or not printable")
        request = _read(lambda: read_request(csr.encode("utf-8", "replace"), host=host))

        def job(conn: Connection) -> Device:
            now = parts.clock.now()
            try:
                grant = tokens.take(conn, parts.school.id, said.secret, now=now)
            except TokenRefused as refused:
                before = _known(conn, parts.school.id, public_bytes(request))
                if refused.problem is TokenProblem.SPENT and before is not None:
                    return before
                raise
            before = _known(conn, parts.school.id, public_bytes(request))
            if before is not None:
                raise _AlreadyEnrolled(before)
            name = str(uuid.uuid4())
            certificate = parts.ca.issue_device(request, name)
            device = Device(
                device=name,
                name=host,
                room=grant.room,
                state=DeviceState.PENDING if grant.confirm else DeviceState.ACTIVE,
                public_key=public_bytes(request),
                certificate=certificate.public_bytes(Encoding.DER),
                enrolled_at=now,
            )
            insert_device(conn, school=parts.school.id, device=device)
            parts.audit.append(
                conn,
                Act(
                    action="device_enrolled",
                    object=f"device:{name}",
                    detail=f"state={device.state}",
                    address=address,
                ),
            )
            return device

        try:
            device = await parts.store.write(job)
        except TokenRefused as refused:
            parts.metrics.enrolments.labels(refused.problem.value).inc()
            raise Problem(refused.problem.value, str(refused)) from None
        except _AlreadyEnrolled as known:
            device = known.device
        parts.devices.admit(device)
        parts.metrics.enrolments.labels("enrolled").inc()
        return Welcomed(device=device, chain=parts.ca.chain(device.certificate))

    async def renew(self, *, device: str, csr: str, proof: str) -> Welcomed:
        """Issue a newer certificate for the key that the device already has.

        An expired certificate does not matter: a summer is long. A denied device does.

        Raises:
            Problem: the device is unknown or denied, or the proof or the request is wrong.
        """
        parts = self._parts
        known = parts.devices.get(device)
        if known is None:
            raise Problem("device-unknown", "this collector never enrolled that device")
        if known.state is DeviceState.DENIED:
            raise Problem("device-denied", "the technician denied this device; enrol it anew")
        request = _read(lambda: read_request(csr.encode("utf-8", "replace"), host=known.name))
        if public_bytes(request) != known.public_key:
            raise Problem("request-refused", "a renewal is for the key that the device already has")
        try:
            signature = base64.b64decode(proof, validate=True)
            verify_renewal(request.public_bytes(Encoding.DER), signature, parts.devices.key(device))
        except (ValueError, SignatureRefused):
            raise Problem("proof-refused", "the proof is not by the device's key") from None
        certificate = parts.ca.issue_device(request, device).public_bytes(Encoding.DER)
        renewed = await parts.devices.renewed(device, certificate)
        if renewed.state is DeviceState.DENIED:  # while the certificate was being written down
            raise Problem("device-denied", "the technician denied this device; enrol it anew")
        parts.metrics.enrolments.labels("renewed").inc()
        return Welcomed(device=renewed, chain=parts.ca.chain(certificate))

    def policy_text(self) -> str:
        """The policy in force as a PC gets it with its certificate: base64 of a SignedPolicy."""
        signed = codec.encode_signed_policy(self._parts.policies.current)
        return base64.b64encode(signed).decode("ascii")


def _known(conn: Connection, school: str, public_key: bytes) -> Device | None:
    # Asked of the database and not of the book: a racer may be a transaction ahead of it.
    table = schema.devices
    found = conn.execute(
        select(table.c.device).where(
            table.c.school == school,
            table.c.public_key == public_key,
            table.c.state != DeviceState.DENIED,
        )
    ).scalar()
    if found is None:
        return None
    return next(device for device in select_devices(conn, school) if device.device == found)


class _AlreadyEnrolled(Exception):
    def __init__(self, device: Device) -> None:
        super().__init__()
        self.device = device


def _read(
    read: Callable[[], x509.CertificateSigningRequest],
) -> x509.CertificateSigningRequest:
    try:
        return read()
    except RequestRefused as refused:
        raise Problem("request-refused", str(refused)) from None
