"""Enrolment tokens: what a technician types once, or pushes to a room of PCs.

A token is 16 random bytes and the fingerprint of the school's root (`wire.token`). The
database holds SHA-256 of the secret alone, how many uses are left, until when, and for
which room. Taking a use and adding the device are one transaction on the one writer, so
fifty racers with one use get exactly one certificate.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from collector.errors import CollectorError
from collector.store import schema
from wire.token import Token

USES_MAX: Final = 500
HOURS_MAX: Final = 24 * 14
ROOM_MAX: Final = 80
_HOUR: Final = 3_600_000_000
_KEPT: Final = 30 * 24 * _HOUR


class TokenProblem(StrEnum):
    """Why a token is not taken; the agent shows its words."""

    UNKNOWN = "token-unknown"
    EXPIRED = "token-expired"
    SPENT = "token-spent"


_WORDS: Final = {
    TokenProblem.UNKNOWN: "this collector never issued that token, or it is long gone; make another"
    " with `redshank-collector enrol-token`",
    TokenProblem.EXPIRED: "the token has run out; make another with `redshank-collector enrol-token`",
    TokenProblem.SPENT: "the token has been used as often as it may be; make another with"
    " `redshank-collector enrol-token`",
}


class TokenRefused(CollectorError):
    """The token gives no right to a certificate."""

    def __init__(self, problem: TokenProblem) -> None:
        super().__init__(_WORDS[problem])
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token that was taken allows."""

    room: str
    confirm: bool
    """Whether the PC waits for the technician: so it is with a token for several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A token to make: for which room, how many PCs, how long."""

    room: str = ""
    uses: int = 1
    hours: int = 24

    def __post_init__(self) -> None:
        """Refuse what no technician means.

        Raises:
            ValueError: a number or the room is out of bounds; the message says which.
        """
        if not 1 <= self.uses <= USES_MAX:
            raise ValueError(f"uses must be between 1 and {USES_MAX}")
        if not 1 <= self.hours <= HOURS_MAX:
            raise ValueError(f"hours must be between 1 and {HOURS_MAX} (two weeks)")
        if len(self.room) > ROOM_MAX or not (self.room == "" or self.room.isprintable()):
            raise ValueError(f"a room's name has {ROOM_MAX} printable characters at most")


def add(conn: Connection, school: str, token: Token, issue: Issue, *, now: int) -> int:
    """Let a new token count, and give when it runs out. Forgets those that ran out a month ago."""
    table = schema.enrol_tokens
    conn.execute(delete(table).where(table.c.school == school, table.c.expires_at < now - _KEPT))
    expires_at = now + issue.hours * _HOUR
    conn.execute(
        insert(table).values(
            school=school,
            secret_digest=digest(token.secret),
            room=issue.room,
            uses_left=issue.uses,
            uses=issue.uses,
            created_at=now,
            expires_at=expires_at,
        )
    )
    return expires_at


def take(conn: Connection, school: str, secret: bytes, *, now: int) -> Grant:
    """Use the token once. Undone when the transaction is.

    Raises:
        TokenRefused: it is unknown, has run out, or is used up.
    """
    table = schema.enrol_tokens
    mine = (table.c.school == school, table.c.secret_digest == digest(secret))
    row = conn.execute(select(table).where(*mine)).one_or_none()
    if row is None:
        raise TokenRefused(TokenProblem.UNKNOWN)
    if now >= row.expires_at:
        raise TokenRefused(TokenProblem.EXPIRED)
    taken = conn.execute(
        update(table).where(*mine, table.c.uses_left > 0).values(uses_left=table.c.uses_left - 1)
    )
    if taken.rowcount != 1:
        raise TokenRefused(TokenProblem.SPENT)
    return Grant(room=row.room, confirm=row.uses > 1)


def digest(secret: bytes) -> bytes:
    """What is stored of a secret. It has 128 random bits, so one pass is enough."""
    return hashlib.sha256(secret).digest()
