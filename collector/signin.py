"""Sign-in, and the sessions that follow it.

A session is 32 random bytes in the browser's cookie and their SHA-256 in the
database: who reads the database cannot take a session over. It ends by sign-out,
after `idle` without a request by the person, and `absolute` after it began.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection, delete, insert, select, update

from collector import staff
from collector.attempts import Attempts
from collector.audit import NOBODY, Act, Audit
from collector.permissions import Role
from collector.store import schema
from wire.clock import Clock

T = TypeVar("T")

IDLE_SECONDS: Final = 30 * 60
ABSOLUTE_SECONDS: Final = 12 * 3600
_TOKEN_BYTES: Final = 32
_TOUCH_SECONDS: Final = 60
_SECOND: Final = 1_000_000


class SignInRefusedError(Exception):
    """Login and password do not fit; which of them is not said."""


class Store(Protocol):
    """What signing in asks of the store."""

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the main file."""
        ...

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job on the main file; it is durable when this returns."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who is signed in, from one browser."""

    id: bytes
    """SHA-256 of the cookie's token."""
    person: staff.Person
    csrf: str
    created_at: int
    seen_at: int
    address: str

    @property
    def staff(self) -> str:
        """Whose it is."""
        return self.person.staff

    @property
    def role(self) -> Role:
        """What they are here."""
        return self.person.role

    def act(self, action: str, on: str, *, detail: str = "", words: str = "") -> Act:
        """What this person does now, for the audit log."""
        return Act(
            action=action,
            object=on,
            actor=self.staff,
            role=self.role.value,
            detail=detail,
            address=self.address,
            words=words,
        )


class SignIn:
    """Checks passwords and keeps the sessions of one school."""

    def __init__(
        self,
        store: Store,
        school: str,
        clock: Clock,
        audit: Audit,
        *,
        idle: float = IDLE_SECONDS,
        absolute: float = ABSOLUTE_SECONDS,
        ended: Callable[[bytes], None],
    ) -> None:
        """`ended` is called with the id of each session that was found to be over."""
        self._store = store
        self._school = school
        self._clock = clock
        self._audit = audit
        self._idle = round(idle * _SECOND)
        self._absolute = round(absolute * _SECOND)
        self._ended = ended
        self._by_login = Attempts(clock, limit=5, window=300)
        self._by_address = Attempts(clock, limit=30, window=300)
        self._checking = asyncio.Semaphore(2)
        self._ends: dict[bytes, set[Callable[[], None]]] = {}

    async def sign_in(
        self, login: str, password: str, address: str, *, replaces: str = ""
    ) -> tuple[str, Session]:
        """A new session and its token; the one of the token `replaces` ends.

        Raises:
            TooManyAttemptsError: too many wrong tries from this address.
            SignInRefusedError: login and password do not fit.
        """
        tried = f"{address} {staff.clean_login(login)[:200]}"
        self._by_address.check(address)
        self._by_login.check(tried)
        self._by_address.spend(address)
        self._by_login.spend(tried)
        account = await self._store.read(lambda conn: staff.account_of(conn, self._school, login))
        async with self._checking:
            fits = await asyncio.to_thread(staff.verify, account, password)
        if not fits or account.person is None:
            await self._store.write(lambda conn: self._record_refusal(conn, account, address))
            raise SignInRefusedError("that login and password do not fit")
        self._by_login.forgive(tried)
        self._by_address.forgive(address)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._clock.now()
        session = Session(
            id=digest(token),
            person=account.person,
            csrf=secrets.token_urlsafe(_TOKEN_BYTES),
            created_at=now,
            seen_at=now,
            address=address,
        )
        old = digest(replaces) if replaces else b""
        await self._store.write(lambda conn: self._begin(conn, session, old))
        if old:
            self._end(old)
        return token, session

    async def session(self, token: str, *, attended: bool = True) -> Session | None:
        """The session of a token, or None where it has ended or never was.

        Unless a page asks by itself (`attended` is False), the idle time begins anew.
        """
        found = await self.look(digest(token)) if token else None
        if found is None or not attended:
            return found
        if self._clock.now() - found.seen_at > _TOUCH_SECONDS * _SECOND:
            await self._touch(found)
        return found

    async def look(self, session_id: bytes) -> Session | None:
        """The session, if it still lives; looking does not lengthen it."""
        found = await self._store.read(lambda conn: self._find(conn, session_id))
        if found is None:
            self._end(session_id)
            return None
        now = self._clock.now()
        if now - found.seen_at >= self._idle or now - found.created_at >= self._absolute:
            await self._drop(session_id)
            return None
        return found

    async def sign_out(self, session: Session) -> None:
        """End a session."""

        def job(conn: Connection) -> None:
            self._delete(conn, session.id)
            self._audit.append(conn, session.act("sign_out", f"staff:{session.staff}"))

        await self._store.write(job)
        self._end(session.id)

    def on_end(self, session_id: bytes, call: Callable[[], None]) -> Callable[[], None]:
        """Have `call` called when the session ends; gives what makes it forgotten again."""
        waiting = self._ends.setdefault(session_id, set())
        waiting.add(call)

        def forget() -> None:
            waiting.discard(call)
            if not waiting and self._ends.get(session_id) is waiting:
                del self._ends[session_id]

        return forget

    def _end(self, session_id: bytes) -> None:
        self._ended(session_id)
        for call in tuple(self._ends.pop(session_id, ())):
            call()

    async def _drop(self, session_id: bytes) -> None:
        await self._store.write(lambda conn: self._delete(conn, session_id))
        self._end(session_id)

    async def _touch(self, session: Session) -> None:
        table = schema.sessions
        now = self._clock.now()

        def job(conn: Connection) -> None:
            conn.execute(
                update(table)
                .where(table.c.school == self._school, table.c.token_digest == session.id)
                .values(seen_at=now)
            )

        await self._store.write(job)

    def _begin(self, conn: Connection, session: Session, old: bytes) -> None:
        table = schema.sessions
        conn.execute(
            delete(table).where(
                table.c.school == self._school,
                (table.c.token_digest == old)
                | (table.c.created_at <= session.created_at - self._absolute),
            )
        )
        conn.execute(
            insert(table).values(
                school=self._school,
                token_digest=session.id,
                staff=session.staff,
                csrf=session.csrf,
                created_at=session.created_at,
                seen_at=session.seen_at,
                address=session.address,
            )
        )
        self._audit.append(conn, session.act("sign_in", f"staff:{session.staff}"))

    def _record_refusal(self, conn: Connection, account: staff.Account, address: str) -> None:
        known = account.person
        self._audit.append(
            conn,
            Act(
                action="sign_in_refused",
                object=f"staff:{known.staff}" if known else "staff:unknown",
                actor=NOBODY,
                role=Role.NOBODY.value,
                address=address,
            ),
        )

    def _find(self, conn: Connection, session_id: bytes) -> Session | None:
        sessions, people = schema.sessions, schema.staff
        row = conn.execute(
            select(
                sessions.c.csrf,
                sessions.c.created_at.label("began_at"),
                sessions.c.seen_at,
                sessions.c.address,
                people,
            )
            .join(
                people,
                (people.c.school == sessions.c.school) & (people.c.staff == sessions.c.staff),
            )
            .where(
                sessions.c.school == self._school,
                sessions.c.token_digest == session_id,
                people.c.left_at.is_(None),
            )
        ).one_or_none()
        if row is None:
            return None
        return Session(
            id=session_id,
            person=staff.person_of(row),
            csrf=row.csrf,
            created_at=row.began_at,
            seen_at=row.seen_at,
            address=row.address,
        )

    def _delete(self, conn: Connection, session_id: bytes) -> None:
        table = schema.sessions
        conn.execute(
            delete(table).where(table.c.school == self._school, table.c.token_digest == session_id)
        )


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
