"""The staff who may sign in to the desk."""

import unicodedata
import uuid
from dataclasses import dataclass
from typing import Final

import argon2
from sqlalchemy import Connection, Row, delete, insert, select, update

from collector.permissions import STAFF, Role
from collector.store import schema

PASSWORD_MIN: Final = 12
PASSWORD_MAX: Final = 256
_LOGIN_MAX: Final = 120
_NAME_MAX: Final = 200
_HASHER: Final = argon2.PasswordHasher()
_NOBODYS: Final = _HASHER.hash("no one has this password, and no one can")


class StaffError(Exception):
    """The person cannot be added or changed as asked; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member of staff."""

    staff: str
    login: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Account:
    """A person and the hash of their password."""

    person: Person | None
    password: str


def hash_password(password: str) -> str:
    """The argon2id hash that is stored. Takes some 50 ms.

    Raises:
        StaffError: the password is too short or too long.
    """
    plain = _normal(password)
    if not PASSWORD_MIN <= len(plain) <= PASSWORD_MAX:
        raise StaffError(f"a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters")
    return _HASHER.hash(plain)


def verify(account: Account, password: str) -> bool:
    """Whether it is the account's password; as slow for someone we do not know."""
    try:
        _HASHER.verify(account.password, _normal(password)[: PASSWORD_MAX + 1])
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return account.person is not None


def add(
    conn: Connection,
    school: str,
    *,
    login: str,
    name: str,
    role: Role,
    password_hash: str,
    now: int,
) -> Person:
    """Add somebody.

    Raises:
        StaffError: the login is taken or empty, or the role is none.
    """
    plain = clean_login(login)
    if not plain or len(plain) > _LOGIN_MAX or not plain.isprintable():
        raise StaffError(f"a login has 1 to {_LOGIN_MAX} printable characters")
    if not name.strip() or len(name) > _NAME_MAX:
        raise StaffError(f"a name has 1 to {_NAME_MAX} characters")
    if role not in STAFF:
        raise StaffError(f"'{role}' is not a role of the staff")
    if account_of(conn, school, plain).person is not None:
        raise StaffError(f"the login '{plain}' is taken")
    person = Person(staff=str(uuid.uuid4()), login=plain, name=name.strip(), role=role)
    conn.execute(
        insert(schema.staff).values(
            school=school,
            staff=person.staff,
            login=person.login,
            name=person.name,
            role=person.role.value,
            password=password_hash,
            created_at=now,
        )
    )
    return person


def leave(conn: Connection, school: str, staff: str, now: int) -> None:
    """Somebody left: their sessions end, and no key stays wrapped for them."""
    table = schema.staff
    conn.execute(
        update(table).where(table.c.school == school, table.c.staff == staff).values(left_at=now)
    )
    for owned in (schema.sessions, schema.wraps):
        conn.execute(delete(owned).where(owned.c.school == school, owned.c.staff == staff))


def account_of(conn: Connection, school: str, login: str) -> Account:
    """The account with that login; for an unknown one, an account that nobody opens."""
    table = schema.staff
    row = conn.execute(
        select(table).where(
            table.c.school == school,
            table.c.login == clean_login(login),
            table.c.left_at.is_(None),
        )
    ).one_or_none()
    return Account(None, _NOBODYS) if row is None else Account(person_of(row), row.password)


def everyone(conn: Connection, school: str) -> tuple[Person, ...]:
    """All who have not left, by login."""
    table = schema.staff
    rows = conn.execute(
        select(table)
        .where(table.c.school == school, table.c.left_at.is_(None))
        .order_by(table.c.login)
    )
    return tuple(person_of(row) for row in rows)


def names(conn: Connection, school: str) -> dict[str, str]:
    """Every name by staff id, of those who left too."""
    table = schema.staff
    rows = conn.execute(select(table.c.staff, table.c.name).where(table.c.school == school))
    return {row.staff: row.name for row in rows}


def person_of(row: Row) -> Person:  # type: ignore[type-arg]
    """A person from a row of the table."""
    return Person(staff=row.staff, login=row.login, name=row.name, role=Role(row.role))


def clean_login(login: str) -> str:
    """A login as it is stored and looked up."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
