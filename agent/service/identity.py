"""Who this PC is to the collector, on disk.

In the state directory, which is the service account's alone (0700):

    device.key      P-256 private key, PEM (PKCS#8), 0600; never leaves this PC
    device.pem      its certificate and the issuer's, PEM; replaced at each renewal
    root.pem        the school's root, pinned at enrolment
    identity.json   school, device, address of the uplink, address for renewal
"""

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.service.files import write_whole

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

DAY = 86_400_000_000


class IdentityError(Exception):
    """This PC's identity cannot be read."""


class NotEnrolled(IdentityError):
    """This PC has no identity yet."""


class NotReadable(IdentityError):
    """This PC has an identity, and the account that asks may not read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """From when to when the device's certificate holds, µs since 1970."""

    begins: int
    ends: int

    def is_over(self, now: int) -> bool:
        """Whether it has expired."""
        return now >= self.ends

    def is_due(self, now: int) -> bool:
        """Whether it is a month old: it is renewed monthly, and lasts for thirteen."""
        return now >= self.begins + 30 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What `identity.json` says."""

    school: str
    device: str
    uplink: str
    """host:port; the host is the name that the server's certificate must carry."""
    server: str
    """https://host:port for renewal."""
    host: str
    root_public: str
    """The root's public key: an uncompressed point, hexadecimal."""
    begins: int
    ends: int

    @property
    def validity(self) -> Validity:
        """The certificate's time."""
        return Validity(begins=self.begins, ends=self.ends)


@dataclass(frozen=True, slots=True)
class Files:
    """Where each file of the state directory is."""

    state: Path

    @property
    def key(self) -> Path:
        """The private key."""
        return self.state / "device.key"

    @property
    def chain(self) -> Path:
        """The certificate and its issuer's."""
        return self.state / "device.pem"

    @property
    def root(self) -> Path:
        """The pinned root."""
        return self.state / "root.pem"

    @property
    def identity(self) -> Path:
        """The rest."""
        return self.state / "identity.json"

    @property
    def spool(self) -> Path:
        """The spool."""
        return self.state / "spool.db"

    @property
    def policy(self) -> Path:
        """The policy in force, as signed."""
        return self.state / "policy.bin"

    @property
    def trust(self) -> Path:
        """What is remembered of policies."""
        return self.state / "trust.json"


def load(files: Files) -> Identity:
    """Read the identity.

    Raises:
        NotEnrolled: there is none.
        IdentityError: it is damaged, or may not be read.
    """
    try:
        said = json.loads(files.identity.read_text(encoding="utf-8"))
        identity = Identity(**said)
    except FileNotFoundError:
        raise NotEnrolled("this PC is not enrolled: run `redshank-agent enrol`") from None
    except PermissionError as error:
        raise NotReadable(
            f"{files.identity} is for the service and the administrator alone"
        ) from error
    except OSError as error:
        raise IdentityError(f"cannot read {files.identity}: {error.strerror}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise IdentityError(f"{files.identity} is damaged: enrol this PC again") from error
    _, colon, port = identity.uplink.rpartition(":")
    if not (colon and port.isascii() and port.isdigit()):
        raise IdentityError(
            f"{files.identity} names no address of a collector: enrol this PC again"
        )
    if not all(path.exists() for path in (files.key, files.chain, files.root)):
        raise IdentityError("the device's key or certificate is missing: enrol this PC again")
    return identity


def save(files: Files, identity: Identity) -> None:
    """Keep the identity. Raises OSError."""
    write_whole(files.identity, json.dumps(asdict(identity), indent=1).encode())


def load_key(files: Files) -> "ec.EllipticCurvePrivateKey":
    """Read the device's key.

    Raises:
        IdentityError: it cannot be read.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # service only
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  # service only

    try:
        key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    except OSError as error:
        raise IdentityError(f"cannot read {files.key}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise IdentityError(f"{files.key} is damaged: enrol this PC again") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityError(f"{files.key} is not a P-256 key: enrol this PC again")
    return key


def make_key(files: Files) -> "ec.EllipticCurvePrivateKey":
    """Make the device's key, or take the one that an interrupted enrolment left.

    Raises:
        OSError: the disk refused.
        IdentityError: what is there is not a key.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # service only

    from wire import certs  # noqa: PLC0415  # x509 is heavy

    if files.key.exists():
        return load_key(files)
    key = certs.new_key()
    raw = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_whole(files.key, raw)
    return key


def root_public(identity: Identity) -> "ec.EllipticCurvePublicKey":
    """The pinned root's public key. Raises IdentityError."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  # service only

    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), bytes.fromhex(identity.root_public)
        )
    except ValueError as error:
        raise IdentityError("identity.json is damaged: enrol this PC again") from error


def pem_of(der: bytes) -> str:
    """A certificate in PEM."""
    body = base64.encodebytes(der).decode().replace("\n", "")
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
