"""Who did what: the leaves of an RFC 6962 Merkle tree, one tree for each school.

A leaf, schema 1 (integers big-endian, texts UTF-8 in Unicode NFC, nothing optional):

    schema    u16   1
    index     u64   from 0, without a gap
    time      i64   µs since 1970, UTC
    school    text  u16 length, then the bytes; so for each text below
    actor     text  a staff id, or 'nobody', or 'system'
    role      text  the actor's role at that time
    action    text  [a-z_]{1,40}
    object    text  what it was done to: 'alert:UUID', 'event:UUID', 'staff:UUID', …
    detail    text  written by the program alone: numbers and ids, never what people write
    address   text  where the request came from
    words     32 B  SHA-256(salt ‖ what the actor wrote), or 32 zero bytes

Leaf hash: SHA-256(0x00 ‖ leaf). Node: SHA-256(0x01 ‖ left ‖ right). The empty tree's
root is SHA-256 of nothing.

What the actor wrote lies apart, in `audit_words`: HPKE (X25519, HKDF-SHA256,
AES-256-GCM) of salt (32 bytes) ‖ words to the school's evidence key, with
info = "redshank audit words v1" ‖ 0x00 ‖ school ‖ 0x00 ‖ index (u64). Destroying that row
leaves a leaf that says that something was written, and nothing of what.

Invariants: a leaf is written in the transaction of the act that it records, or before
it; rows are never changed and never deleted.
"""

import hashlib
import os
import struct
import unicodedata
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from sqlalchemy import Connection, func, insert, select

from collector.store import schema
from wire import codec
from wire.clock import Clock
from wire.event import Purpose

SCHEMA: Final = 1
NOBODY: Final = "nobody"
SYSTEM: Final = "system"
NO_WORDS: Final = bytes(32)
_TEXTS: Final = ("school", "actor", "role", "action", "object", "detail", "address")
_TEXT_LIMIT: Final = 4000
_WORDS_LIMIT: Final = 4000
_SALT_BYTES: Final = 32
_DIGEST_BYTES: Final = 32
_FRONT: Final = struct.Struct(">HQq")
_LENGTH: Final = struct.Struct(">H")
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO: Final = b"redshank audit words v1\x00"


class AuditError(Exception):
    """The audit log cannot take or read this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that somebody did, before it has its place in the log."""

    action: str
    object: str
    actor: str = SYSTEM
    role: str = ""
    detail: str = ""
    address: str = ""
    words: str = ""
    """What the actor wrote; only its salted digest enters the leaf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One entry of the log."""

    index: int
    time: int
    school: str
    actor: str
    role: str
    action: str
    object: str
    detail: str
    address: str
    words: bytes


def encode_leaf(leaf: Leaf) -> bytes:
    """The leaf's bytes, in the layout above.

    Raises:
        AuditError: a text is too long, or the digest is not one.
    """
    if len(leaf.words) != _DIGEST_BYTES:
        raise AuditError("the digest of the words has not 32 bytes")
    out = [_FRONT.pack(SCHEMA, leaf.index, leaf.time)]
    for name in _TEXTS:
        raw = unicodedata.normalize("NFC", getattr(leaf, name)).encode("utf-8", "replace")
        if len(raw) > _TEXT_LIMIT:
            raise AuditError(f"{name} is longer than {_TEXT_LIMIT} bytes")
        out += (_LENGTH.pack(len(raw)), raw)
    return b"".join((*out, leaf.words))


def decode_leaf(raw: bytes) -> Leaf:
    """The leaf again; `encode_leaf` of it gives the same bytes.

    Raises:
        AuditError: these are not a leaf's bytes.
    """
    try:
        version, index, time = _FRONT.unpack_from(raw)
        if version != SCHEMA:
            raise AuditError(f"the leaf's schema is {version}, not {SCHEMA}")
        place = _FRONT.size
        texts: dict[str, str] = {}
        for name in _TEXTS:
            (length,) = _LENGTH.unpack_from(raw, place)
            place += _LENGTH.size
            texts[name] = raw[place : place + length].decode("utf-8")
            place += length
        leaf = Leaf(index=index, time=time, words=raw[place:], **texts)
        again = encode_leaf(leaf)
    except (struct.error, UnicodeDecodeError) as error:
        raise AuditError(f"not a leaf: {error}") from None
    if again != raw:
        raise AuditError("not a leaf: its bytes are not as we write them")
    return leaf


def hash_leaf(leaf: bytes) -> bytes:
    """RFC 6962, 2.1: the hash of a leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


class Audit:
    """Appends to the log of one school, inside the transaction it is given."""

    def __init__(self, school: str, clock: Clock) -> None:
        self._school = school
        self._clock = clock

    def append(self, conn: Connection, act: Act) -> int:
        """Write one leaf; it is durable when the transaction is. Returns its index.

        Raises:
            AuditError: a text is too long, or words were given and there is no evidence key.
        """
        table = schema.audit
        last = conn.execute(
            select(func.max(table.c.index)).where(table.c.school == self._school)
        ).scalar()
        index = 0 if last is None else last + 1
        words = self._keep(conn, index, act.words) if act.words else NO_WORDS
        leaf = encode_leaf(
            Leaf(
                index=index,
                time=self._clock.now(),
                school=self._school,
                actor=act.actor,
                role=act.role,
                action=act.action,
                object=act.object,
                detail=act.detail,
                address=act.address,
                words=words,
            )
        )
        conn.execute(
            insert(table).values(school=self._school, index=index, leaf=leaf, hash=hash_leaf(leaf))
        )
        return index

    def _keep(self, conn: Connection, index: int, words: str) -> bytes:
        raw = unicodedata.normalize("NFC", words).encode("utf-8", "replace")
        if len(raw) > _WORDS_LIMIT:
            raise AuditError(f"that is too long: at most {_WORDS_LIMIT} bytes")
        salt = os.urandom(_SALT_BYTES)
        sealed = _SUITE.encrypt(
            salt + raw,
            X25519PublicKey.from_public_bytes(evidence_key(conn, self._school)),
            _info(self._school, index),
        )
        conn.execute(
            insert(schema.audit_words).values(school=self._school, index=index, sealed=sealed)
        )
        return hashlib.sha256(salt + raw).digest()


def evidence_key(conn: Connection, school: str) -> bytes:
    """The public evidence key in force, as the school's root signed it.

    Raises:
        AuditError: there is none.
    """
    table = schema.school_keys
    row = conn.execute(
        select(table.c.statement)
        .where(
            table.c.school == school,
            table.c.purpose == int(Purpose.EVIDENCE),
            table.c.retired_at.is_(None),
        )
        .order_by(table.c.epoch.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise AuditError("the school has no evidence key to seal words to")
    return codec.decode_statement(row.statement).public_key


def leaves(
    conn: Connection, school: str, *, before: int | None = None, limit: int = 100
) -> tuple[Leaf, ...]:
    """The newest leaves first, `before` an index."""
    table = schema.audit
    query = select(table.c.leaf).where(table.c.school == school)
    if before is not None:
        query = query.where(table.c.index < before)
    rows = conn.execute(query.order_by(table.c.index.desc()).limit(limit))
    return tuple(decode_leaf(row.leaf) for row in rows)


def hashes_of(conn: Connection, school: str) -> list[bytes]:
    """Every leaf hash in order: what `collector.merkle` works on."""
    table = schema.audit
    rows = conn.execute(
        select(table.c.hash).where(table.c.school == school).order_by(table.c.index)
    )
    return [row.hash for row in rows]


def _info(school: str, index: int) -> bytes:
    return _INFO + school.encode() + b"\x00" + index.to_bytes(8, "big")
