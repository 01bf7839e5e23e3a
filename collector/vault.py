"""What opens evidence: the school's evidence key, wrapped for each person who may use it.

A wrap of the raw private key (X25519, 32 bytes):

    argon2id  key = argon2id(NFC(passphrase), salt, t, m, p), 32 bytes
    recovery  key = HKDF-SHA256(root scalar, salt, info = "redshank vault recovery v1")
    wrapped   nonce (12 bytes) ‖ AES-256-GCM(key, nonce, private key),
              associated data = "redshank vault wrap v1" ‖ 0x00 ‖ method ‖ 0x00 ‖ key id

The parameters travel beside it as JSON: v, salt (hex), and t, m (KiB), p for argon2id.

An opened key lives in memory alone, for the one session that opened it, until
that session locks it, ends, or has not used it for fifteen minutes. The log says
that it was opened before it is.
"""

import asyncio
import json
import os
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import argon2.low_level
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, delete, insert, select

from collector.attempts import Attempts
from collector.store import schema
from wire.clock import Clock

T = TypeVar("T")

ARGON2ID: Final = "argon2id"
RECOVERY: Final = "recovery"
IDLE_SECONDS: Final = 15 * 60
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_SALT_BYTES: Final = 16
_DOMAIN: Final = b"redshank vault wrap v1\x00"
_RECOVERY_INFO: Final = b"redshank vault recovery v1"
_MEMORY_KIB: Final = 64 * 1024
_PASSES: Final = 3
_LANES: Final = 1
_MEMORY_LIMIT_KIB: Final = 1024 * 1024
_PASSES_LIMIT: Final = 20
_LANES_LIMIT: Final = 16


class VaultError(Exception):
    """The vault does not open."""


class WrongPassphraseError(VaultError):
    """The passphrase, or the recovery secret, does not fit the wrap."""


class DamagedWrapError(VaultError):
    """The wrap cannot be read."""


class NotEntitledError(VaultError):
    """No key is wrapped for this person."""


class VaultLockedError(VaultError):
    """The vault is not open for this session, or not for this key."""


@dataclass(frozen=True, slots=True)
class Wrap:
    """A private key as it may lie on a disk."""

    method: str
    parameters: str
    """JSON."""
    wrapped: bytes


class Holder(Protocol):
    """The session that a vault is opened for."""

    @property
    def id(self) -> bytes:
        """What names the session."""
        ...

    @property
    def staff(self) -> str:
        """Whose it is."""
        ...


class Store(Protocol):
    """What the vault asks of the store."""

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the main file."""
        ...


def wrap_for(passphrase: str, private: bytes, key_id: bytes) -> Wrap:
    """Wrap a private key under a passphrase. Takes about 0.3 s and 64 MiB."""
    salt = os.urandom(_SALT_BYTES)
    parameters = {"v": 1, "salt": salt.hex(), "t": _PASSES, "m": _MEMORY_KIB, "p": _LANES}
    key = _stretch(passphrase, salt, _PASSES, _MEMORY_KIB, _LANES)
    return Wrap(ARGON2ID, json.dumps(parameters), _close(key, private, ARGON2ID, key_id))


def unwrap(passphrase: str, wrap: Wrap, key_id: bytes) -> bytes:
    """The private key again.

    Raises:
        WrongPassphraseError: the passphrase does not fit, or the wrap is of another key.
        DamagedWrapError: the wrap is not one of ours.
    """
    salt, parameters = _parameters(wrap, ARGON2ID)
    passes, memory, lanes = (_number(parameters, name) for name in ("t", "m", "p"))
    if not (
        0 < passes <= _PASSES_LIMIT
        and 0 < lanes <= _LANES_LIMIT
        and 8 * lanes <= memory <= _MEMORY_LIMIT_KIB
    ):
        raise DamagedWrapError("the wrap asks for more work than a wrap of ours would")
    key = _stretch(passphrase, salt, passes, memory, lanes)
    return _open(key, wrap, key_id)


def recovery_wrap(root_scalar: bytes, private: bytes, key_id: bytes) -> Wrap:
    """Wrap a private key under the secret that is printed on the recovery sheet."""
    salt = os.urandom(_SALT_BYTES)
    key = _derive(root_scalar, salt)
    parameters = json.dumps({"v": 1, "salt": salt.hex()})
    return Wrap(RECOVERY, parameters, _close(key, private, RECOVERY, key_id))


def recovery_unwrap(root_scalar: bytes, wrap: Wrap, key_id: bytes) -> bytes:
    """The private key again, from the recovery sheet's secret.

    Raises:
        WrongPassphraseError: it is another school's sheet, or the wrap is of another key.
        DamagedWrapError: the wrap is not one of ours.
    """
    salt, _ = _parameters(wrap, RECOVERY)
    return _open(_derive(root_scalar, salt), wrap, key_id)


def keep_wrap(
    conn: Connection, school: str, *, staff: str, key_id: bytes, wrap: Wrap, now: int
) -> None:
    """Store a wrap for one of the staff (or for `RECOVERY`), in place of an earlier one."""
    table = schema.wraps
    conn.execute(
        delete(table).where(
            table.c.school == school, table.c.staff == staff, table.c.key_id == key_id
        )
    )
    conn.execute(
        insert(table).values(
            school=school,
            staff=staff,
            key_id=key_id,
            method=wrap.method,
            parameters=wrap.parameters,
            wrapped=wrap.wrapped,
            created_at=now,
        )
    )


def wraps_of(conn: Connection, school: str, staff: str) -> tuple[tuple[bytes, Wrap], ...]:
    """Each key that is wrapped for this person: its id and the wrap."""
    table = schema.wraps
    rows = conn.execute(
        select(table.c.key_id, table.c.method, table.c.parameters, table.c.wrapped).where(
            table.c.school == school, table.c.staff == staff
        )
    )
    return tuple((row.key_id, Wrap(row.method, row.parameters, row.wrapped)) for row in rows)


@dataclass(slots=True)
class _Opened:
    keys: dict[bytes, bytearray]
    used_at: float

    def wipe(self) -> None:
        for key in self.keys.values():
            key[:] = bytes(len(key))
        self.keys.clear()


class Vault:
    """The opened keys, in memory, each for one session."""

    def __init__(
        self, store: Store, school: str, clock: Clock, *, idle: float = IDLE_SECONDS
    ) -> None:
        self._store = store
        self._school = school
        self._clock = clock
        self._idle = idle
        self._opened: dict[bytes, _Opened] = {}
        self._attempts = Attempts(clock, limit=5, window=300)
        self._one_at_a_time = asyncio.Lock()

    async def unlock(
        self, session: Holder, passphrase: str, *, mark: Callable[[], Awaitable[None]]
    ) -> None:
        """Open the vault for this session; `mark` writes it down first.

        Raises:
            Exception: what `mark` raised; then it stays as it was.
            TooManyAttemptsError: five wrong passphrases within five minutes.
            NotEntitledError: no key is wrapped for this person.
            WrongPassphraseError: the passphrase does not fit.
        """
        self._attempts.check(session.staff)
        self._attempts.spend(session.staff)
        wraps = await self._store.read(lambda conn: wraps_of(conn, self._school, session.staff))
        if not wraps:
            raise NotEntitledError("no evidence key is wrapped for you; ask the lead to add you")
        async with self._one_at_a_time:
            keys = await asyncio.to_thread(_unwrap_all, passphrase, wraps)
        self._attempts.forgive(session.staff)
        opened = _Opened(keys, self._clock.monotonic())
        try:
            await mark()
        except BaseException:
            opened.wipe()
            raise
        self.lock(session.id)
        self._opened[session.id] = opened

    def lock(self, session_id: bytes) -> None:
        """Close the vault for a session; nothing happens where it is closed."""
        opened = self._opened.pop(session_id, None)
        if opened is not None:
            opened.wipe()

    def lock_all(self) -> None:
        """Close the vault for everyone, at the end of the process."""
        for session_id in tuple(self._opened):
            self.lock(session_id)

    def sweep(self) -> tuple[bytes, ...]:
        """Close it for each session that has not used it in time; those it stays open for."""
        return tuple(session_id for session_id in tuple(self._opened) if self._live(session_id))

    def is_open(self, session_id: bytes) -> bool:
        """Whether the session could open evidence now."""
        return self._live(session_id) is not None

    def check(self, session_id: bytes) -> None:
        """Go on only if it is open.

        Raises:
            VaultLockedError: it is not open for the session.
        """
        if self._live(session_id) is None:
            raise VaultLockedError("the vault is locked")

    def seconds_left(self, session_id: bytes) -> int:
        """Seconds until it locks by itself; 0 when it is locked."""
        opened = self._live(session_id)
        if opened is None:
            return 0
        return max(1, round(self._idle - (self._clock.monotonic() - opened.used_at)))

    def touch(self, session_id: bytes) -> None:
        """The person behind the session did something: start the fifteen minutes anew."""
        opened = self._live(session_id)
        if opened is not None:
            opened.used_at = self._clock.monotonic()

    def key(self, session_id: bytes, key_id: bytes) -> bytes:
        """The private key for this session.

        Raises:
            VaultLockedError: it is not open for the session, or holds no such key.
        """
        opened = self._live(session_id)
        if opened is None:
            raise VaultLockedError("the vault is locked")
        private = opened.keys.get(key_id)
        if private is None:
            raise VaultLockedError("your vault does not hold the key that this was sealed to")
        return bytes(private)

    def _live(self, session_id: bytes) -> _Opened | None:
        opened = self._opened.get(session_id)
        if opened is None:
            return None
        if self._clock.monotonic() - opened.used_at >= self._idle:
            self.lock(session_id)
            return None
        return opened


def _unwrap_all(passphrase: str, wraps: tuple[tuple[bytes, Wrap], ...]) -> dict[bytes, bytearray]:
    return {key_id: bytearray(unwrap(passphrase, wrap, key_id)) for key_id, wrap in wraps}


def _stretch(passphrase: str, salt: bytes, passes: int, memory: int, lanes: int) -> bytes:
    return argon2.low_level.hash_secret_raw(
        unicodedata.normalize("NFC", passphrase).encode(),
        salt,
        time_cost=passes,
        memory_cost=memory,
        parallelism=lanes,
        hash_len=KEY_BYTES,
        type=argon2.low_level.Type.ID,
    )


def _derive(secret: bytes, salt: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, salt, _RECOVERY_INFO).derive(secret)


def _bound(method: str, key_id: bytes) -> bytes:
    return _DOMAIN + method.encode() + b"\x00" + key_id


def _close(key: bytes, private: bytes, method: str, key_id: bytes) -> bytes:
    if len(private) != KEY_BYTES:
        raise ValueError(f"an evidence key has {KEY_BYTES} bytes")
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, private, _bound(method, key_id))


def _open(key: bytes, wrap: Wrap, key_id: bytes) -> bytes:
    nonce, sealed = wrap.wrapped[:_NONCE_BYTES], wrap.wrapped[_NONCE_BYTES:]
    if len(sealed) != KEY_BYTES + 16:
        raise DamagedWrapError("the wrap has not the length of one")
    try:
        return AESGCM(key).decrypt(nonce, sealed, _bound(wrap.method, key_id))
    except InvalidTag:
        raise WrongPassphraseError("that does not open the vault") from None


def _parameters(wrap: Wrap, method: str) -> tuple[bytes, dict[str, object]]:
    if wrap.method != method:
        raise DamagedWrapError(f"this wrap is opened by '{wrap.method}', not by '{method}'")
    try:
        parameters = json.loads(wrap.parameters)
        salt = bytes.fromhex(parameters["salt"])
        version = parameters["v"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DamagedWrapError("the wrap's parameters cannot be read") from None
    if version != 1 or len(salt) < _SALT_BYTES // 2:
        raise DamagedWrapError("the wrap's parameters are not of this version")
    return salt, parameters


def _number(parameters: dict[str, object], name: str) -> int:
    value = parameters.get(name)
    if type(value) is not int:
        raise DamagedWrapError(f"the wrap's parameter '{name}' is not a number")
    return value
