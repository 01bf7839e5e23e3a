"""Sealed words: what staff write about a person, and names, kept as evidence is.

HPKE (RFC 9180, single shot: X25519, HKDF-SHA256, AES-256-GCM) to the school's evidence key:

    info  = "redshank sealed words v1" ‖ 0x00 ‖ school ‖ 0x00 ‖ kind ‖ 0x00 ‖ id (16) ‖ key id (16)
    plain = the words, UTF-8, Unicode NFC

The encapsulated key (32 bytes) lies in `keys.db` alone and is durable before the row that
needs it; destroying it erases the words in every copy of the ciphertext. Anybody may seal;
to open takes the vault, and a leaf in the audit log that is durable first.

    sealed = await words.seal(Kind.NOTE, "alert:…", "She told me that …", by=session.staff)
    await store.write(lambda conn: keep(conn, school, sealed))     # in the act's own job
    texts = await words.open(session, [sealed[0].id], act=session.act("read_notes", "alert:…"))
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from sqlalchemy import ColumnElement, Connection, Integer, insert, literal_column, select

from collector.audit import Act, Audit, evidence_key
from collector.errors import CollectorError
from collector.store.tables.words import sealed_words, word_keys
from collector.vault import Vault
from wire.clock import Clock
from wire.ids import new_event
from wire.seal import ENC_SIZE, key_id

T = TypeVar("T")

LONGEST: Final = 20_000
"""Characters."""
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO: Final = b"redshank sealed words v1"
_WRITTEN: Final[ColumnElement[int]] = literal_column("sealed_words.rowid", Integer)
"""The order of writing: two ids of one microsecond sort by chance."""
_AT_ONCE: Final = 500
"""How many ids stand in one query."""


class SealedWordsError(CollectorError):
    """The words cannot be sealed as given."""


class Kind(StrEnum):
    """What sealed words are; bound into the seal, so that none passes for another."""

    NAME = "name"
    NOTE = "note"
    REASON = "reason"
    ACCOUNT = "account"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedWords:
    """Words as they are stored."""

    id: bytes
    kind: Kind
    about: str
    key_id: bytes
    ciphertext: bytes
    by: str
    at: int


class Store(Protocol):
    """What sealing asks of the store."""

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the main file."""
        ...

    async def read_keys(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the file of encapsulated keys."""
        ...

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job on the main file; it is durable when this returns."""
        ...

    async def write_keys(self, job: Callable[[Connection], T]) -> T:
        """Run a job on the file of encapsulated keys; it is durable when this returns."""
        ...


class Holder(Protocol):
    """The session that opens."""

    @property
    def id(self) -> bytes:
        """What names the session."""
        ...


class Words:
    """Seals and opens the words of one school."""

    def __init__(self, store: Store, school: str, clock: Clock, vault: Vault, audit: Audit) -> None:
        """Take the parts."""
        self._store = store
        self._school = school
        self._clock = clock
        self._vault = vault
        self._audit = audit

    async def seal(self, kind: Kind, about: str, *texts: str, by: str) -> tuple[SealedWords, ...]:
        """Seal each text; their keys are durable on return, their rows are for `keep`.

        Raises:
            SealedWordsError: a text is empty or too long.
        """
        return await self.seal_each(kind, [(about, text) for text in texts], by=by)

    async def seal_each(
        self, kind: Kind, texts: Sequence[tuple[str, str]], *, by: str
    ) -> tuple[SealedWords, ...]:
        """Seal many texts, each with what it is about.

        Raises:
            SealedWordsError: a text is empty or too long.
        """
        for _, text in texts:
            _check(text)
        public = await self._store.read(lambda conn: evidence_key(conn, self._school))
        now = self._clock.now()
        rows, keys = [], []
        for about, text in texts:
            made = new_event(self._clock)
            key = key_id(public)
            sealed = _SUITE.encrypt(
                unicodedata.normalize("NFC", text).encode("utf-8", "replace"),
                X25519PublicKey.from_public_bytes(public),
                _info(self._school, kind, made, key),
            )
            rows.append(
                SealedWords(
                    id=made,
                    kind=kind,
                    about=about,
                    key_id=key,
                    ciphertext=sealed[ENC_SIZE:],
                    by=by,
                    at=now,
                )
            )
            keys.append(
                {"school": self._school, "words": made, "enc": sealed[:ENC_SIZE], "kept_at": now}
            )
        if keys:
            await self._store.write_keys(
                lambda conn: conn.execute(insert(word_keys), keys) and None
            )
        return tuple(rows)

    async def open(self, session: Holder, ids: Sequence[bytes], *, act: Act) -> Mapping[bytes, str]:
        """The words of these ids; `act` is in the log before. Erased ones are left out.

        Raises:
            VaultLockedError: the vault is not open for the session, or holds not their key.
        """
        wanted = tuple(dict.fromkeys(ids))
        if not wanted:
            return {}
        self._vault.check(session.id)
        await self._store.write(lambda conn: self._audit.append(conn, act))
        self._vault.touch(session.id)
        found: dict[bytes, str] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            found |= await self._opened(session, wanted[start : start + _AT_ONCE])
        return found

    async def _opened(self, session: Holder, ids: Sequence[bytes]) -> dict[bytes, str]:
        keys = await self._store.read_keys(lambda conn: self._keys(conn, ids))
        rows = await self._store.read(lambda conn: read(conn, self._school, ids))
        found = {}
        for row in rows:
            if enc := keys.get(row.id):
                private = X25519PrivateKey.from_private_bytes(
                    self._vault.key(session.id, row.key_id)
                )
                info = _info(self._school, row.kind, row.id, row.key_id)
                try:
                    found[row.id] = _SUITE.decrypt(enc + row.ciphertext, private, info).decode()
                except InvalidTag:
                    found[row.id] = (
                        "(these words were altered in the database: tell the technician)"
                    )
        return found

    def _keys(self, conn: Connection, ids: Sequence[bytes]) -> dict[bytes, bytes]:
        query = select(word_keys.c.words, word_keys.c.enc).where(
            word_keys.c.school == self._school, word_keys.c.words.in_(ids)
        )
        return {row.words: row.enc for row in conn.execute(query)}


def keep(conn: Connection, school: str, sealed: Sequence[SealedWords]) -> None:
    """Store sealed words, in the job of the act that they belong to."""
    rows = [
        {
            "school": school,
            "words": one.id,
            "kind": one.kind,
            "about": one.about,
            "key_id": one.key_id,
            "ciphertext": one.ciphertext,
            "written_by": one.by,
            "written_at": one.at,
        }
        for one in sealed
    ]
    if rows:
        conn.execute(insert(sealed_words), rows)


def read(conn: Connection, school: str, ids: Sequence[bytes]) -> tuple[SealedWords, ...]:
    """The stored rows of these ids, in the order in which they were written."""
    table = sealed_words
    query = select(table).where(table.c.school == school, table.c.words.in_(ids))
    return tuple(map(_sealed, conn.execute(query.order_by(_WRITTEN))))


def about(conn: Connection, school: str, subject: str) -> tuple[SealedWords, ...]:
    """All that is stored about something, in the order in which it was written."""
    table = sealed_words
    query = select(table).where(table.c.school == school, table.c.about == subject)
    return tuple(map(_sealed, conn.execute(query.order_by(_WRITTEN))))


def _sealed(row: object) -> SealedWords:
    values = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 - the documented way to a row's names
    return SealedWords(
        id=values["words"],
        kind=Kind(values["kind"]),
        about=values["about"],
        key_id=values["key_id"],
        ciphertext=values["ciphertext"],
        by=values["written_by"],
        at=values["written_at"],
    )


def _check(text: str) -> None:
    if not text.strip():
        raise SealedWordsError("nothing was written")
    if len(text) > LONGEST:
        raise SealedWordsError(f"that is too long: at most {LONGEST:,} characters")


def _info(school: str, kind: Kind, made: bytes, key: bytes) -> bytes:
    return b"\x00".join((_INFO, school.encode(), kind.value.encode(), made + key))
