"""The server's own keys on its disk: one directory, 0700, each file 0600.

    issuer.key     P-256, PEM: issues the agents' certificates under the offline root
    policy.key     Ed25519, PEM: signs policies; the root has signed its public half
    audit.key      Ed25519, PEM: for the audit log's heads; nothing is signed by it yet
    pseudonym.key  32 random bytes, hex: makes pseudonyms of accounts; a copy is on the
                   recovery sheet, wrapped, and none in any backup of the database
    desk.key       P-256, PEM: the desk's own certificate, where the school brought none

The school's root and the private evidence key are not among them.
"""

import os
import stat
import sys
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from collector.errors import CollectorError

ISSUER: Final = "issuer.key"
POLICY: Final = "policy.key"
AUDIT: Final = "audit.key"
PSEUDONYM: Final = "pseudonym.key"
DESK: Final = "desk.key"
PSEUDONYM_BYTES: Final = 32
_GROUP_AND_OTHERS: Final = 0o077
_OTHERS: Final = 0o007

Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class SecretsError(CollectorError):
    """A key on the disk is missing, readable by others, or not what it should be."""


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner reads, durable on return.

    Raises:
        FileExistsError: there is one; a key is never written over.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _sync_names(path.parent)


def replace_private(path: Path, content: bytes) -> None:
    """Put a new file in the place of an old one, at once and durably."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    write_private(fresh, content)
    fresh.replace(path)
    _sync_names(path.parent)


def _sync_names(directory: Path) -> None:
    # A file whose name is not on the disk is not found after a power cut.
    if sys.platform == "win32":  # a directory cannot be opened there
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def as_pem(key: Private) -> bytes:
    """A private key as PKCS#8 PEM without a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def read_private(path: Path) -> bytes:
    """The content of a key's file.

    Raises:
        SecretsError: it is missing, cannot be read, or others may read it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(65_536)
    except FileNotFoundError:
        raise SecretsError(f"{path}: is missing; restore the secrets directory") from None
    except OSError as error:
        raise SecretsError(f"{path}: cannot be read ({error.strerror})") from None
    if sys.platform != "win32" and stat.S_IMODE(mode) & _GROUP_AND_OTHERS:
        raise SecretsError(f"{path}: others may read it; run: chmod 600 {path}")
    return content


def check_closed(path: Path) -> None:
    """Hold that nobody but the owner and the group gets at a directory or a key.

    Raises:
        SecretsError: it is open to everyone on this machine, or cannot be looked at.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise SecretsError(f"{path}: cannot be looked at ({error.strerror})") from None
    if sys.platform != "win32" and mode & _OTHERS:
        raise SecretsError(f"{path}: everyone on this machine gets at it; run: chmod o-rwx {path}")


def read_p256(path: Path) -> ec.EllipticCurvePrivateKey:
    """A P-256 key.

    Raises:
        SecretsError: see `read_private`; or it is another kind of key.
    """
    key = _load(path)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise SecretsError(f"{path}: is not a P-256 private key")
    return key


def read_ed25519(path: Path) -> ed25519.Ed25519PrivateKey:
    """An Ed25519 key.

    Raises:
        SecretsError: see `read_private`; or it is another kind of key.
    """
    key = _load(path)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise SecretsError(f"{path}: is not an Ed25519 private key")
    return key


def read_pseudonym_key(path: Path) -> bytes:
    """The 32 bytes that make pseudonyms.

    Raises:
        SecretsError: see `read_private`; or it is not 32 bytes in hex.
    """
    try:
        key = bytes.fromhex(read_private(path).decode("ascii").strip())
    except ValueError:
        raise SecretsError(f"{path}: is not {PSEUDONYM_BYTES} bytes in hex") from None
    if len(key) != PSEUDONYM_BYTES:
        raise SecretsError(f"{path}: is not {PSEUDONYM_BYTES} bytes in hex")
    return key


def _load(path: Path) -> object:
    try:
        return serialization.load_pem_private_key(read_private(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SecretsError(f"{path}: is not a private key in PEM without a passphrase") from None
