"""Find out why the collector cannot be reached, in words, one link of the way after another."""

import contextlib
import socket
import ssl
from dataclasses import dataclass

from agent.service.cause import Cause
from agent.service.identity import Files, Identity
from wire import tls

_TIMEOUT = 5.0
_AFTER = 1.0
_OUT_OF_TIME = {9, 10}
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED. Source: x509_vfy.h, OpenSSL."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one got."""

    cause: Cause
    words: str


def address_of(uplink: str) -> tuple[str, int]:
    """Host and port of `host:port`."""
    host, _, port = uplink.rpartition(":")
    return host.strip("[]"), int(port)


def reach(files: Files, identity: Identity, now: int) -> Reach:
    """Walk the way to the collector: name, port, TLS, certificates both ways."""
    host, port = address_of(identity.uplink)
    if identity.validity.is_over(now):
        return Reach(
            Cause.EXPIRED,
            "this PC's certificate has expired, or its clock is wrong: it is renewed over HTTPS "
            f"from {identity.server}",
        )
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return Reach(Cause.NO_NAME, f"the name {host} is not known here: check DNS")
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT) as plain:
            return _handshake(plain, host, port, files)
    except OSError as error:
        return Reach(
            Cause.UNREACHABLE,
            f"nothing answers at {host}:{port} ({error.strerror or error}): check that the "
            "collector runs, and the firewall",
        )


def _handshake(plain: socket.socket, host: str, port: int, files: Files) -> Reach:
    try:
        context = tls.client_context(files.root.read_text(encoding="ascii"))
        context.set_alpn_protocols(["h2"])
        context.load_cert_chain(files.chain, files.key)
        with context.wrap_socket(plain, server_hostname=host) as secure:
            # In TLS 1.3 the server judges our certificate after the handshake.
            secure.settimeout(_AFTER)
            with contextlib.suppress(TimeoutError):
                if not secure.recv(1):
                    return Reach(
                        Cause.REFUSED,
                        "the collector closed the connection at the sight of this PC's "
                        "certificate: enrol this PC again",
                    )
    except ssl.SSLCertVerificationError as error:
        return _unverified(error, f"{host}:{port}")
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
        if "alert" in reason and ("certificate" in reason or "unknown ca" in reason):
            return Reach(
                Cause.REFUSED,
                f"the collector refused this PC's certificate ({reason}): enrol this PC again",
            )
        return Reach(Cause.NOT_TLS, f"{host}:{port} does not speak TLS 1.3 with us: {reason}")
    except ConnectionResetError:
        return Reach(
            Cause.REFUSED, "the collector refused this PC's certificate: enrol this PC again"
        )
    return Reach(Cause.FINE, f"{host}:{port} answers, and both certificates hold")


def _unverified(error: ssl.SSLCertVerificationError, where: str) -> Reach:
    if error.verify_code in _OUT_OF_TIME:
        return Reach(
            Cause.SERVER_TIME,
            f"the certificate of {where} does not hold at this PC's time "
            f"({error.verify_message}): this PC's clock is wrong, or it was not renewed",
        )
    return Reach(
        Cause.OTHER_SERVER,
        f"the server at {where} is not the school's collector, by the root that was "
        f"pinned at enrolment: {error.verify_message}",
    )
