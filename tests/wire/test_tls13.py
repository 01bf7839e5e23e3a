"""TLS 1.3 and nothing older, shown by real handshakes against gRPC, `ssl` and OpenSSL."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from tests.wire import test_ca_certificates as ca
from wire import certs, tls

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def _key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Keys and certificates as files."""
    path = tmp_path_factory.mktemp("tls")
    for name, leaf, key in (
        ("server", ca.SERVER, ca.SERVER_KEY),
        ("device", ca.LEAF, ca.DEVICE_KEY),
    ):
        (path / f"{name}.pem").write_text(certs.pem(leaf) + certs.pem(ca.ISSUER))
        (path / f"{name}.key").write_bytes(_key_pem(key))
    (path / "root.pem").write_text(certs.pem(ca.ROOT))
    return path


def _environment():
    kept = {k: v for k, v in os.environ.items() if k != "GRPC_SSL_CIPHER_SUITES"}
    return kept | {
        "PYTHONPATH": os.pathsep.join((str(ROOT / "proto"), str(ROOT))),
        "GRPC_VERBOSITY": "NONE",
    }


@contextlib.contextmanager
def _grpc_server(folder, *arguments):
    process = subprocess.Popen(
        [sys.executable, HERE / "tls_server.py", folder, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=_environment(),
        text=True,
    )
    with process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(10)


@pytest.fixture(scope="module")
def port(folder):
    """A gRPC server's, as ours is set up."""
    with _grpc_server(folder) as found:
        yield found


def _offer(version, folder):
    """A client that offers this version of TLS alone."""
    context = tls.client_context((folder / "root.pem").read_text())
    context.minimum_version = version
    context.maximum_version = version
    context.load_cert_chain(folder / "device.pem", folder / "device.key")
    context.set_alpn_protocols(["h2"])
    return context


def _handshake(context, port):
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        return connection.version()


def test_a_client_with_tls_13_is_taken(folder, port):
    assert _handshake(_offer(ssl.TLSVersion.TLSv1_3, folder), port) == "TLSv1.3"


def test_a_client_with_nothing_but_tls_12_is_refused(folder, port):
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        _handshake(_offer(ssl.TLSVersion.TLSv1_2, folder), port)


def test_without_the_requirement_grpc_would_take_tls_12(folder):
    with _grpc_server(folder, "open") as port:
        assert _handshake(_offer(ssl.TLSVersion.TLSv1_2, folder), port) == "TLSv1.2"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
@pytest.mark.parametrize(("version", "is_taken"), [("-tls1_3", True), ("-tls1_2", False)])
def test_the_openssl_command_sees_the_same(folder, port, version, is_taken):
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", version),
            *("-servername", "localhost", "-verify_hostname", "localhost"),
            *("-verify_return_error", "-x509_strict", "-CAfile", folder / "root.pem"),
            *("-cert", folder / "device.pem", "-key", folder / "device.key"),
            *("-cert_chain", folder / "device.pem", "-alpn", "h2"),
        ],
        input="Q\n",
        capture_output=True,
        text=True,
        errors="replace",  # the server's first frame of HTTP/2 is shown too
        timeout=20,
        check=False,
    )
    assert ("Cipher is TLS_" in done.stdout) is is_taken
    assert (done.returncode == 0) is is_taken
    if is_taken:  # where no certificate came, openssl calls that verified
        assert "Verify return code: 0 (ok)" in done.stdout


def _call(folder, port):
    done = subprocess.run(
        [sys.executable, HERE / "tls_client.py", folder, str(port)],
        capture_output=True,
        text=True,
        env=_environment(),
        timeout=30,
        check=True,
    )
    return done.stdout.strip()


def test_two_grpc_ends_meet_over_tls_13_and_the_server_sees_it(folder, port):
    assert _call(folder, port) == "1.3"


def _serve_once(context):
    """An `ssl` server that shakes hands with whoever comes, until it is closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        with contextlib.suppress(OSError):
            while True:
                raw, _ = listener.accept()
                with contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True) as c:
                    c.recv(1)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return listener, thread


@contextlib.contextmanager
def _ssl_server(context):
    listener, thread = _serve_once(context)
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def test_our_grpc_client_does_not_speak_tls_12(folder):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.load_cert_chain(folder / "server.pem", folder / "server.key")
    old.set_alpn_protocols(["h2"])
    with _ssl_server(old) as port:
        assert _call(folder, port) == "UNAVAILABLE"


@pytest.fixture
def https_port(folder):
    """An `ssl` server's, as the enrolment's is set up."""
    context = tls.server_context(str(folder / "server.pem"), str(folder / "server.key"))
    with _ssl_server(context) as found:
        yield found


def test_the_ssl_server_takes_tls_13_alone(folder, https_port):
    assert _handshake(_offer(ssl.TLSVersion.TLSv1_3, folder), https_port) == "TLSv1.3"
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        _handshake(_offer(ssl.TLSVersion.TLSv1_2, folder), https_port)


def test_the_ssl_client_trusts_its_root_alone(folder, https_port):
    context = tls.client_context((folder / "root.pem").read_text())
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert _handshake(context, https_port) == "TLSv1.3"
    stranger = certs.make_root(certs.new_key(), ca.SCHOOL, ca.NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(tls.client_context(certs.pem(stranger)), https_port)


def test_the_first_contact_verifies_nothing_and_is_tls_13(https_port):
    context = tls.first_contact_context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert _handshake(context, https_port) == "TLSv1.3"


@pytest.mark.parametrize(
    ("seen", "is_so"),
    [
        ({"ssl_tls_version": [b"TLSv1.3"]}, True),
        ({"ssl_tls_version": [b"TLSv1.2"]}, False),
        ({"ssl_tls_version": [b"TLSv1.3", b"TLSv1.2"]}, False),
        ({"ssl_tls_version": []}, False),
        ({}, False),
    ],
)
def test_a_peer_is_taken_by_its_version(seen, is_so):
    assert tls.peer_is_tls13(seen) is is_so


_LATE = """
import grpc
from wire import tls
try:
    tls.require_tls13()
except tls.TlsTooLate as error:
    print("too late")
"""


def test_a_requirement_that_comes_too_late_is_an_error():
    done = subprocess.run(
        [sys.executable, "-c", _LATE],
        capture_output=True,
        text=True,
        env=_environment(),
        timeout=30,
        check=True,
    )
    assert done.stdout.strip() == "too late"


def test_the_requirement_may_be_repeated(monkeypatch):
    monkeypatch.setenv("GRPC_SSL_CIPHER_SUITES", tls._SUITES)
    tls.require_tls13()
    assert os.environ["GRPC_SSL_CIPHER_SUITES"] == tls._SUITES
