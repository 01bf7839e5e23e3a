"""A real gRPC server with our credentials, in a process of its own.

Takes a folder with server.key, server.pem and root.pem; prints its port; answers
each call with the peer's TLS as `wire.tls` sees it. Run with "open" as a second
argument it does not require TLS 1.3, to show what would happen.
"""

import sys
from concurrent import futures
from pathlib import Path

from wire import tls

if sys.argv[2:] != ["open"]:
    tls.require_tls13()

import grpc  # it reads its settings when it is imported


def _answer(_request, context):
    return b"1.3" if tls.peer_is_tls13(context.auth_context()) else b"older"


def main():
    folder = Path(sys.argv[1])
    credentials = grpc.ssl_server_credentials(
        [((folder / "server.key").read_bytes(), (folder / "server.pem").read_bytes())],
        root_certificates=(folder / "root.pem").read_bytes(),
        require_client_auth=True,
    )
    server = grpc.server(futures.ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
    method = grpc.unary_unary_rpc_method_handler(_answer)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("test.Tls", {"Version": method}),)
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.start()
    sys.stdin.read()
    server.stop(0)


main()
