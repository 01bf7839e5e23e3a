"""Get a certificate for this PC, and renew it.

`GET /v1/trust` is asked of a server that is not yet trusted, and its root certificate
believed only if its SHA-256 is the token's; everything else goes over a connection that
this root verifies. Only a request (PKCS#10) leaves the PC, never the key. The key is on
disk before anything is sent, so that an interrupted enrolment can be repeated.
"""

import base64
import binascii
import http.client
import json
import socket
import ssl
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agent import VERSION
from agent.service import identity as ids
from agent.service.files import write_whole
from agent.service.identity import Files, Identity
from wire import codec, tls
from wire.clock import SystemClock

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    from agent.service.shelf import Shelf

_TIMEOUT = 20.0
_MOST_ANSWER = 32 << 20


class EnrolError(Exception):
    """Enrolment or renewal did not succeed; the words say why, in one line."""

    def __init__(self, words: str, kind: str = "") -> None:
        super().__init__(words)
        self.kind = kind
        """The problem's named type, where the server gave one."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where enrolment is answered."""

    host: str
    port: int

    @classmethod
    def parse(cls, address: str) -> "Server":
        """Read `https://host:port`, or `host:port`.

        Raises:
            EnrolError: it is neither.
        """
        text = address if "//" in address else f"https://{address}"
        try:
            parts = urllib.parse.urlsplit(text)
            port = parts.port or 443
        except ValueError as error:
            raise EnrolError(f"{address!r} is not an address: {error}") from error
        if parts.scheme != "https" or not parts.hostname or parts.path not in {"", "/"}:
            raise EnrolError(f"{address!r} is not an address: it looks like https://host:port")
        return cls(parts.hostname, port)

    def ask(
        self, context: ssl.SSLContext, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask one question, and give the answer's JSON.

        Raises:
            EnrolError: the server cannot be reached or believed, or it refused.
        """
        connection = http.client.HTTPSConnection(
            self.host, self.port, timeout=_TIMEOUT, context=context
        )
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={"Content-Type": "application/json"} if body is not None else {},
            )
            answer = connection.getresponse()
            raw = answer.read(_MOST_ANSWER)
        except ssl.SSLCertVerificationError as error:
            raise EnrolError(
                f"the server at {self.host}:{self.port} is not the one that the token "
                f"was made for: {error.verify_message}"
            ) from error
        except socket.gaierror as error:
            raise EnrolError(
                f"the name {self.host} is not known here: check the name and DNS"
            ) from error
        except ssl.SSLError as error:
            raise EnrolError(
                f"{self.host}:{self.port} does not speak TLS 1.3: {error.reason}"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise EnrolError(f"no answer from {self.host}:{self.port}: {error}") from error
        finally:
            connection.close()
        return _answer(answer.status, raw)


def _answer(status: int, raw: bytes) -> dict[str, Any]:
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise EnrolError(f"the server's answer ({status}) is not of this protocol: check the port")
    if status >= http.client.BAD_REQUEST:
        kind = str(said.get("type", ""))
        words = said.get("detail") or said.get("title") or f"error {status}"
        raise EnrolError(f"the server refused: {words}", kind)
    return said


def enrol(files: Files, *, server: str, token_text: str, host: str) -> tuple[Identity, bytes]:
    """Enrol this PC. The signed policy that came with it is given back, and may be empty.

    Raises:
        wire.token.TokenError: the token is cut, mistyped, or of another version.
        EnrolError: the server cannot be reached or believed, or it refused.
        OSError: the state directory cannot be written.
        IdentityError: there is a key already, and it cannot be read.
    """
    from wire import certs  # noqa: PLC0415  # x509 is heavy
    from wire.token import read_token  # noqa: PLC0415

    token = read_token(token_text)
    where = Server.parse(server)
    trust = where.ask(tls.first_contact_context(), "GET", "/v1/trust")
    root_pem = _text(trust, "root")
    try:
        root = certs.read_certificate(root_pem)
    except certs.CertificateRefused as error:
        raise EnrolError(f"the server's root certificate cannot be read: {error}") from error
    if certs.trust_of(root) != token.trust:
        raise EnrolError(
            "the server is not the one that the token was made for: its root certificate is another"
        )
    files.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ids.make_key(files)
    csr = certs.make_csr(key, host)
    answer = where.ask(
        tls.client_context(certs.pem(root)),
        "POST",
        "/v1/enrol",
        {"token": token_text.strip(), "csr": certs.pem(csr), "host": host, "version": VERSION},
    )
    chain = _chain(answer, root=root, key=key)
    made = _identity_of(chain, answer, where, host=host, root=root)
    write_whole(files.root, certs.pem(root).encode())
    write_whole(files.chain, "".join(certs.pem(one) for one in chain).encode())
    # Last: with it the PC is enrolled.
    ids.save(files, made)
    try:
        policy = base64.b64decode(str(answer.get("policy") or ""), validate=True)
    except binascii.Error:
        policy = b""
    return made, policy


def renew(files: Files, known: Identity) -> Identity:
    """Renew over HTTPS, by proof of the old key: for a certificate that has expired.

    Raises:
        EnrolError, OSError, IdentityError: as `enrol`.
    """
    from wire import certs, sign  # noqa: PLC0415  # x509 is heavy

    key = ids.load_key(files)
    root = certs.read_certificate(files.root.read_bytes())
    csr = certs.make_csr(key, known.host)
    answer = Server.parse(known.server).ask(
        tls.client_context(certs.pem(root)),
        "POST",
        "/v1/renew",
        {
            "csr": certs.pem(csr),
            "proof": base64.b64encode(sign.sign_renewal(certs.der(csr), key)).decode(),
            "device": known.device,
        },
    )
    return _install(files, known, _chain(answer, root=root, key=key))


def keep_policy(files: Files, identity: Identity, raw: bytes, shelf: "Shelf | None" = None) -> str:
    """Take the policy that came with the enrolment into force; give why not, or nothing.

    The book of its packs is made at once, so that nobody waits for it at the first start.
    """
    from agent.service.policy import PolicyKeeper  # noqa: PLC0415  # not for a renewal

    if not raw:
        return ""
    try:
        signed = codec.decode_signed_policy(raw)
    except codec.CodecError as error:
        return str(error)
    keeper = PolicyKeeper(
        files,
        root_public=ids.root_public(identity),
        school=identity.school,
        clock=SystemClock(),
        shelf=shelf,
    )
    keeper.offer(signed)
    keeper.wait()
    return keeper.problem


def request(files: Files, known: Identity) -> bytes:
    """A request (DER) to renew over the uplink. Raises IdentityError."""
    from wire import certs  # noqa: PLC0415  # x509 is heavy

    return certs.der(certs.make_csr(ids.load_key(files), known.host))


def install(files: Files, known: Identity, chain: tuple[bytes, ...]) -> Identity:
    """Take the renewed chain (DER) into use, if it is ours.

    Raises:
        EnrolError: it is for another key, device or school, or not under the root.
        OSError: the disk refused.
    """
    from wire import certs  # noqa: PLC0415  # x509 is heavy

    root = certs.read_certificate(files.root.read_bytes())
    try:
        read = [certs.read_certificate(one) for one in chain]
    except certs.CertificateRefused as error:
        raise EnrolError(f"the renewed certificate was refused: {error}") from error
    return _install(files, known, _checked(read, root=root, key=ids.load_key(files)))


def _install(files: Files, known: Identity, chain: "list[x509.Certificate]") -> Identity:
    from wire import certs  # noqa: PLC0415  # x509 is heavy

    named = certs.identity_of(chain[0])
    if (named.school, named.device) != (known.school, known.device):
        raise EnrolError("the renewed certificate was refused: it is another device's")
    begins, ends = _times(chain[0])
    made = replace(known, begins=begins, ends=ends)
    write_whole(files.chain, "".join(certs.pem(one) for one in chain).encode())
    ids.save(files, made)
    return made


def _chain(
    answer: Mapping[str, Any], *, root: "x509.Certificate", key: "ec.EllipticCurvePrivateKey"
) -> "list[x509.Certificate]":
    from wire import certs  # noqa: PLC0415  # x509 is heavy

    said = answer.get("chain")
    if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
        raise EnrolError("the server's answer has no certificate")
    try:
        read = [certs.read_certificate(one) for one in said]
    except certs.CertificateRefused as error:
        raise EnrolError(f"the certificate was refused: {error}") from error
    return _checked(read, root=root, key=key)


def _checked(
    chain: "list[x509.Certificate]", *, root: "x509.Certificate", key: "ec.EllipticCurvePrivateKey"
) -> "list[x509.Certificate]":
    from wire import certs  # noqa: PLC0415  # x509 is heavy

    try:
        certs.check_device_chain(chain, root=root, public_key=key.public_key())
    except certs.CertificateRefused as error:
        raise EnrolError(f"the certificate was refused: {error}") from error
    return chain


def _identity_of(
    chain: "list[x509.Certificate]",
    answer: Mapping[str, Any],
    where: Server,
    *,
    host: str,
    root: "x509.Certificate",
) -> Identity:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # service only

    from wire import certs  # noqa: PLC0415  # x509 is heavy

    named = certs.identity_of(chain[0])
    if (named.school, named.device) != (_text(answer, "school"), _text(answer, "device")):
        raise EnrolError("the certificate was refused: it names another device than the answer")
    point = certs.public_key_of(root).public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    begins, ends = _times(chain[0])
    return Identity(
        school=named.school,
        device=named.device,
        uplink=_text(answer, "uplink"),
        server=f"https://{where.host}:{where.port}",
        host=host,
        root_public=point.hex(),
        begins=begins,
        ends=ends,
    )


def _times(certificate: "x509.Certificate") -> tuple[int, int]:
    """From when to when it holds, µs since 1970."""
    return (
        int(certificate.not_valid_before_utc.timestamp()) * 1_000_000,
        int(certificate.not_valid_after_utc.timestamp()) * 1_000_000,
    )


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise EnrolError(f"the server's answer has no {name}: is it another version?")
    return value
