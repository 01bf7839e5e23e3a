"""The one way to evidence.

In this order, each step only after the one before it:

1. the person's role may open evidence (`permissions.REVEAL`);
2. the vault is open for this very session;
3. a leaf that says who, what and why is written, and is durable;
4. the sealed part is read, held against the header that the device signed, opened,
   and held against the header again;
5. it is returned.

Where the commit of step 3 fails, nothing was read. Nothing else in the collector
opens a part.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from sqlalchemy import Connection, func, select

from collector.audit import Act, Audit
from collector.permissions import REVEAL
from collector.signin import Session
from collector.store import schema
from collector.vault import Vault, VaultLockedError
from wire import codec, ids, seal, sign
from wire.details import Details, Picture, Who, decode_details, decode_picture
from wire.event import Header, Kind, Part, PartKind

T = TypeVar("T")

DETAILS_AT_ONCE: Final = 20
NAMES_AT_ONCE: Final = 200
_DIGEST_BYTES: Final = 16  # of a part's digest, in the keys of its rows
REASON_MIN: Final = 3
REASON_MAX: Final = 500


class RevealError(Exception):
    """The evidence was not opened; the message says why, in words for the reader."""


class NotPermittedError(RevealError):
    """The role may not open evidence."""


class ReasonMissingError(RevealError):
    """A picture is shown, and an alert called false, only with a reason."""


class NotHereError(RevealError):
    """There is no such part: it has not arrived, was erased, or never was."""


class DamagedEvidenceError(RevealError):
    """The part is not what the device signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The details of one event, or the words that say why they cannot be shown."""

    event: bytes
    details: Details | None = None
    problem: str = ""


class Store(Protocol):
    """What revealing asks of the store."""

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the main file."""
        ...

    async def read_keys(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the file of encapsulated keys."""
        ...

    async def read_pictures(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the file of pictures."""
        ...

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job on the main file; it is durable when this returns."""
        ...


@dataclass(frozen=True, slots=True)
class _Record:
    header: Header
    header_bytes: bytes
    signature: bytes
    part: Part
    inline: bytes | None
    device_key: EllipticCurvePublicKey


class Reveal:
    """Opens evidence for a session, and leaves its mark first."""

    def __init__(self, store: Store, school: str, vault: Vault, audit: Audit) -> None:
        self._store = store
        self._school = school
        self._vault = vault
        self._audit = audit

    async def details(
        self, session: Session, alert: bytes, events: Sequence[bytes]
    ) -> tuple[Opened, ...]:
        """What was typed in these events of one alert, under one leaf.

        Raises:
            NotPermittedError: the role may not.
            VaultLockedError: the vault is not open for this session.
            Exception: what the store raised; then nothing was opened.
        """
        self._admit(session)
        wanted = tuple(events[:DETAILS_AT_ONCE])
        shown = " ".join(ids.event_text(event) for event in wanted)
        await self._mark(
            session.act("view_details", f"alert:{ids.event_text(alert)}", detail=shown)
        )
        self._vault.touch(session.id)
        return tuple([await self._opened(session, event) for event in wanted])

    async def picture(self, session: Session, event: bytes, reason: str) -> Picture:
        """The screenshot of an event, for a reason.

        Raises:
            NotPermittedError: the role may not.
            VaultLockedError: the vault is not open for this session.
            ReasonMissingError: no reason was given, or one too long.
            NotHereError: there is no picture of that event.
            DamagedEvidenceError: it is not what the device signed.
            Exception: what the store raised; then nothing was opened.
        """
        self._admit(session)
        why = checked_reason(reason)
        await self._mark(session.act("view_picture", f"event:{ids.event_text(event)}", words=why))
        self._vault.touch(session.id)
        plain = await self._open(session, event, PartKind.PICTURE)
        try:
            return decode_picture(plain)
        except codec.CodecError as error:
            raise DamagedEvidenceError(f"the picture cannot be read: {error}") from None

    async def names(self, session: Session, pseudonyms: Sequence[str]) -> Mapping[str, str]:
        """Who these people are, as their newest event says; one leaf for them all.

        Those whose evidence does not open are left out.

        Raises:
            NotPermittedError: the role may not.
            VaultLockedError: the vault is not open for this session.
            Exception: what the store raised; then nothing was opened.
        """
        self._admit(session)
        wanted = sorted(set(pseudonyms))[:NAMES_AT_ONCE]
        if not wanted:
            return {}
        digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()
        await self._mark(
            session.act("view_names", f"people:{digest}", detail=f"people={len(wanted)}")
        )
        newest = await self._store.read(lambda conn: self._newest(conn, wanted))
        found: dict[str, str] = {}
        for pseudonym, event in newest.items():
            opened = await self._opened(session, event)
            if opened.details is not None:
                found[pseudonym] = name_of(opened.details.who)
        return found

    def _admit(self, session: Session) -> None:
        if session.role not in REVEAL:
            raise NotPermittedError("your role does not open evidence")
        if not self._vault.is_open(session.id):
            raise VaultLockedError("the vault is locked")

    async def _mark(self, act: Act) -> None:
        await self._store.write(lambda conn: self._audit.append(conn, act))

    async def _opened(self, session: Session, event: bytes) -> Opened:
        try:
            plain = await self._open(session, event, PartKind.DETAILS)
            return Opened(event=event, details=decode_details(plain))
        except (RevealError, VaultLockedError) as error:
            return Opened(event=event, problem=str(error))
        except codec.CodecError as error:
            return Opened(event=event, problem=f"the details cannot be read: {error}")

    async def _open(self, session: Session, event: bytes, kind: PartKind) -> bytes:
        record = await self._record(event, kind)
        part = record.part
        enc = await self._store.read_keys(lambda conn: self._enc(conn, event, part))
        if enc is None:
            raise NotHereError("its key was destroyed: this evidence is erased")
        ciphertext = record.inline
        if kind is PartKind.PICTURE:
            ciphertext = await self._store.read_pictures(
                lambda conn: self._picture(conn, event, part)
            )
        if not ciphertext:
            raise NotHereError("it is not here: erased, or never stored")
        context = seal.SealContext(
            school=record.header.school,
            device=record.header.device,
            event=event,
            kind=kind,
            key_id=part.key_id,
        )
        private = self._vault.key(session.id, part.key_id)
        try:
            sign.verify_header(record.header_bytes, record.signature, record.device_key)
            return seal.open_part(
                seal.join(enc, ciphertext), private_key=private, context=context, part=part
            )
        except (sign.SignatureRefused, seal.SealError) as error:
            raise DamagedEvidenceError(f"it is not what the device signed: {error}") from None

    async def _record(self, event: bytes, kind: PartKind) -> _Record:
        row = await self._store.read(lambda conn: self._row(conn, event, kind))
        if row is None:
            raise NotHereError("it has not arrived here")
        header_bytes, signature, inline, public_key = row
        try:
            header = codec.decode_header(header_bytes)
        except codec.CodecError as error:
            raise DamagedEvidenceError(f"the stored header cannot be read: {error}") from None
        key = load_der_public_key(public_key)
        if header.part is None or header.part.kind is not kind or header.event != event:
            raise DamagedEvidenceError("the device's record speaks of no such part")
        if header.school != self._school or not isinstance(key, EllipticCurvePublicKey):
            raise DamagedEvidenceError("the record is not one of this school's devices")
        return _Record(header, header_bytes, signature, header.part, inline, key)

    def _row(
        self, conn: Connection, event: bytes, kind: PartKind
    ) -> tuple[bytes, bytes, bytes | None, bytes] | None:
        records, devices, events = schema.records, schema.devices, schema.events
        wanted = Kind.PICTURE if kind is PartKind.PICTURE else Kind.EVENT
        row = conn.execute(
            select(records.c.header, records.c.signature, records.c.sealed, devices.c.public_key)
            .select_from(events)
            .join(
                records,
                (records.c.school == events.c.school)
                & (records.c.event == events.c.event)
                & (records.c.device == events.c.device),
            )
            .join(
                devices,
                (devices.c.school == events.c.school) & (devices.c.device == events.c.device),
            )
            .where(
                events.c.school == self._school,
                events.c.event == event,
                records.c.kind == int(wanted),
            )
            .order_by(records.c.received_at)
            .limit(1)
        ).one_or_none()
        return None if row is None else (row.header, row.signature, row.sealed, row.public_key)

    def _picture(self, conn: Connection, event: bytes, part: Part) -> bytes | None:
        table = schema.picture_parts
        return conn.execute(
            select(table.c.ciphertext).where(
                table.c.school == self._school,
                table.c.event == event,
                table.c.digest == part.sealed_digest[:_DIGEST_BYTES],
            )
        ).scalar()

    def _enc(self, conn: Connection, event: bytes, part: Part) -> bytes | None:
        table = schema.part_keys
        return conn.execute(
            select(table.c.enc).where(
                table.c.school == self._school,
                table.c.event == event,
                table.c.part == int(part.kind),
                table.c.digest == part.sealed_digest[:_DIGEST_BYTES],
            )
        ).scalar()

    def _newest(self, conn: Connection, pseudonyms: Sequence[str]) -> dict[str, bytes]:
        table = schema.events
        latest = (
            select(table.c.pseudonym, func.max(table.c.event).label("event"))
            .where(table.c.school == self._school, table.c.pseudonym.in_(pseudonyms))
            .group_by(table.c.pseudonym)
        )
        return {row.pseudonym: row.event for row in conn.execute(latest)}


def checked_reason(reason: str) -> str:
    """A reason as it is sealed: in one line.

    Raises:
        ReasonMissingError: it is none, or too long.
    """
    why = " ".join(reason.split())
    if not REASON_MIN <= len(why) <= REASON_MAX:
        raise ReasonMissingError(f"say why, in {REASON_MIN} to {REASON_MAX} characters")
    return why


def name_of(who: Who | None) -> str:
    """How a person is called on the list."""
    if who is None:
        return "name not recorded"
    return who.full_name or who.login or "name not recorded"
