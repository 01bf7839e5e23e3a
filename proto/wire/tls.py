"""TLS 1.3 and nothing older (RFC 8446), on both ends, for gRPC and for `ssl`.

gRPC for Python has no argument for a lowest version and accepts 1.2. So the
cipher suites of 1.2 are limited to some that need an RSA certificate, while all
our certificates are on P-256: a handshake of 1.2 finds no suite. The suites of
1.3 are not governed by this variable. gRPC's core reads it once, when it is
imported, so `require_tls13` comes before that in a process. As a second wall the
server refuses a peer whose `ssl_tls_version` is not TLSv1.3; a client written in
Python is not shown the version, and has the suites alone.
"""

import os
import ssl
import sys
from collections.abc import Iterable, Mapping

_VARIABLE = "GRPC_SSL_CIPHER_SUITES"
_SUITES = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"
_VERSION = b"TLSv1.3"


class TlsTooLate(RuntimeError):
    """gRPC was imported before TLS 1.3 was required of it."""


def require_tls13() -> None:
    """Have gRPC speak TLS 1.3 only. Raises TlsTooLate if gRPC may have read its settings before."""
    if os.environ.get(_VARIABLE) == _SUITES:
        return
    if "grpc" in sys.modules:
        raise TlsTooLate(f"gRPC was imported before {_VARIABLE} was set")
    os.environ[_VARIABLE] = _SUITES


def peer_is_tls13(auth_context: Mapping[str, Iterable[bytes]]) -> bool:
    """Whether a gRPC peer came over TLS 1.3, by its authentication context."""
    return list(auth_context.get("ssl_tls_version", ())) == [_VERSION]


def server_context(chain_file: str, key_file: str) -> ssl.SSLContext:
    """For a server over `ssl`. Asks for no client certificate. Raises OSError, ssl.SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(chain_file, key_file)
    return context


def client_context(root: str) -> ssl.SSLContext:
    """For a client that trusts this one root (PEM) and no other. Raises ssl.SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    context.load_verify_locations(cadata=root)
    return context


def first_contact_context() -> ssl.SSLContext:
    """For the one question whose answer is checked by the token's trust: which root it is.

    Verifies nothing. Nothing but the public root certificate may come over it,
    and nothing secret may be sent.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
