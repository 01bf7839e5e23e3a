"""The school of a run: its CA, its keys and its devices, in one directory."""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from wire import certs, seal
from wire.clock import SystemClock

SCHOOL = "bench"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One device as the load and the server know it."""

    device: str
    key: str
    certificate: str


def make(directory: Path, devices: int) -> None:
    """Write a school with so many enrolled devices."""
    now = SystemClock().now()
    root_key, issuer_key, server_key = (certs.new_key() for _ in range(3))
    root = certs.Authority(certs.make_root(root_key, SCHOOL, now), root_key)
    issuer = certs.Authority(
        certs.make_issuer(root, issuer_key.public_key(), SCHOOL, now), issuer_key
    )
    server = certs.issue_server(issuer, server_key.public_key(), ["localhost", "127.0.0.1"], now)
    enrolled = []
    for _ in range(devices):
        key, name = certs.new_key(), str(uuid.uuid4())
        identity = certs.Identity(SCHOOL, name)
        leaf = certs.issue_device(issuer, key.public_key(), identity, now)
        enrolled.append({"device": name, "key": _pem(key), "certificate": certs.pem(leaf)})
    private = seal.new_private_key()
    (directory / "school.json").write_text(
        json.dumps(
            {
                "root": certs.pem(root.certificate),
                "issuer": certs.pem(issuer.certificate),
                "server_key": _pem(server_key),
                "server": certs.pem(server),
                "evidence": seal.public_half(private).hex(),
                "devices": enrolled,
            }
        )
    )
    (directory / "server.pem").write_text(certs.pem(server) + certs.pem(issuer.certificate))
    (directory / "server.key").write_text(_pem(server_key))


def read(directory: Path) -> dict:
    """What `make` wrote."""
    return json.loads((directory / "school.json").read_text())


def _pem(key) -> str:  # noqa: ANN001
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
