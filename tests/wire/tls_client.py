"""A real gRPC client with our credentials, in a process of its own: folder, port."""

import sys
from pathlib import Path

from wire import tls

tls.require_tls13()

import grpc  # noqa: E402  # it reads its settings when it is imported


def main():
    folder = Path(sys.argv[1])
    credentials = grpc.ssl_channel_credentials(
        (folder / "root.pem").read_bytes(),
        (folder / "device.key").read_bytes(),
        (folder / "device.pem").read_bytes(),
    )
    with grpc.secure_channel(f"localhost:{sys.argv[2]}", credentials) as channel:
        try:
            outcome = channel.unary_unary("/test.Tls/Version")(b"", timeout=5).decode()
        except grpc.RpcError as error:
            outcome = error.code().name
    sys.stdout.write(outcome)


main()
