"""Proves that a recovery sheet's words open what they should, without the server's help."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import create_engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from collector import vault
from collector.recovery import RecoveryError, from_words, root_from, unwrap_pseudonym
from collector.school import read_school
from wire import certs
from wire.seal import key_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the words were seen to open."""

    school: str
    keys: int
    """How many evidence keys."""
    pseudonym: bool
    """Whether the pseudonym line was tried, and opened."""


def check(data: Path, words: str, *, line: str = "") -> Proof:
    """Open every recovery wrap of a data directory with the words; the database is only read.

    Raises:
        RecoveryError: the words are misread, are of another school's sheet, or open nothing.
    """
    secret = from_words(words)
    root = root_from(secret)
    path = (data / "main.db").absolute()
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as conn:
            school = read_school(conn)
            wraps = vault.wraps_of(conn, school.id, vault.RECOVERY)
    except DatabaseError as error:
        raise RecoveryError(f"{path}: cannot be read ({error.orig})") from None
    finally:
        engine.dispose()
    if certs.public_key_of(school.root) != root.public_key():
        raise RecoveryError(f"these are right words, but not those of {school.name}'s sheet")
    if not wraps:
        raise RecoveryError("no evidence key in this database is wrapped for the recovery sheet")
    for wanted, wrap in wraps:
        try:
            private = vault.recovery_unwrap(secret, wrap, wanted)
        except vault.VaultError as error:
            raise RecoveryError(f"the words fit, but the wrap does not open: {error}") from None
        public = X25519PrivateKey.from_private_bytes(private).public_key()
        if key_id(public.public_bytes_raw()) != wanted:
            raise RecoveryError("the wrap holds another key than the one it names")
    if line:
        unwrap_pseudonym(secret, line, school=school.id)
    return Proof(school=school.name, keys=len(wraps), pseudonym=bool(line))
