"""Removes orphans: keys and pictures of which no record speaks.

A crash between the commit of `keys.db` or `pictures.db` and that of `main.db` leaves
them, and so does a record that was refused. A row that is younger than the grace may
belong to a batch on its way, and is left alone; so no sweep can take what a record is
about to speak of. One that comes again is as young as its last coming, and its age is
looked at once more in the transaction that deletes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from collector.store.store import Store

GRACE = 10 * 60 * 1_000_000
"""µs that a key or a picture may be ahead of its record."""
_PAGE = 500

_KEYS = """
SELECT event, part, digest FROM part_keys
WHERE school = ? AND (event, part, digest) > (?, ?, ?) AND received_at < ?
ORDER BY event, part, digest LIMIT ?
"""
_PICTURES = """
SELECT event, 2, digest FROM picture_parts
WHERE school = ? AND (event, digest) > (?, ?) AND received_at < ?
ORDER BY event, digest LIMIT ?
"""
_RECORDS = "SELECT event, lane FROM records WHERE school = ? AND kind IN (1, 3) AND event IN (%s)"
_FORGET_KEY = """
DELETE FROM part_keys
WHERE school = ? AND event = ? AND part = ? AND digest = ? AND received_at < ?
"""
_FORGET_PICTURE = """
DELETE FROM picture_parts WHERE school = ? AND event = ? AND digest = ? AND received_at < ?
"""

_WORDS = "SELECT words FROM word_keys WHERE school = ? AND words > ? AND kept_at < ? ORDER BY words LIMIT ?"
_KEPT_WORDS = "SELECT words FROM sealed_words WHERE school = ? AND words IN (%s)"
_FORGET_WORDS = "DELETE FROM word_keys WHERE school = ? AND words = ? AND kept_at < ?"

Found = tuple[bytes, int, bytes]


@dataclass(frozen=True, slots=True)
class Swept:
    """How many orphans were removed."""

    keys: int
    pictures: int


async def sweep(store: Store, school: str, *, now: int) -> Swept:
    """Look at every key and picture that is older than the grace; remove the orphans.

    Raises:
        CommitFailed: the file failed; what was not removed is found the next time.
    """
    before = now - GRACE
    keys = pictures = 0
    last: Found = (b"", 0, b"")
    while page := await store.read_keys(partial(_keys, school=school, last=last, before=before)):
        orphans = await _orphans(store, school, page)
        rows = [(school, *found, before) for found in orphans]
        keys += await store.write_keys(partial(_forget, statement=_FORGET_KEY, rows=rows))
        last = page[-1]
    last = (b"", 0, b"")
    while page := await store.read_pictures(
        partial(_pictures, school=school, last=last, before=before)
    ):
        orphans = await _orphans(store, school, page)
        gone = [(school, event, digest, before) for event, _, digest in orphans]
        pictures += await store.write_pictures(
            partial(_forget, statement=_FORGET_PICTURE, rows=gone)
        )
        last = page[-1]
    return Swept(keys + await _sweep_words(store, school, before), pictures)


async def _sweep_words(store: Store, school: str, before: int) -> int:
    """Remove the keys of words that were sealed and then not kept."""
    gone, last = 0, b""
    while page := await store.read_keys(
        partial(_column, statement=_WORDS, values=(school, last, before, _PAGE))
    ):
        marks = ", ".join("?" * len(page))
        kept = set(
            await store.read(
                partial(_column, statement=_KEPT_WORDS % marks, values=(school, *page))
            )
        )
        rows = [(school, one, before) for one in page if one not in kept]
        gone += await store.write_keys(partial(_forget, statement=_FORGET_WORDS, rows=rows))
        last = page[-1]
    return gone


def _column(conn: Connection, statement: str, values: tuple[object, ...]) -> list[bytes]:
    return list(conn.exec_driver_sql(statement, values).scalars())


async def _orphans(store: Store, school: str, page: Sequence[Found]) -> list[Found]:
    events = list({event for event, _, _ in page})

    def query(conn: Connection) -> set[tuple[bytes, int]]:
        found = conn.exec_driver_sql(_RECORDS % ", ".join("?" * len(events)), (school, *events))
        return {(event, lane) for event, lane in found}

    # A part's number and its lane's are the same: 1 details and text, 2 picture.
    spoken_of = await store.read(query)
    return [found for found in page if found[:2] not in spoken_of]


def _keys(conn: Connection, school: str, last: Found, before: int) -> list[Found]:
    rows = conn.exec_driver_sql(_KEYS, (school, *last, before, _PAGE))
    return [(event, part, digest) for event, part, digest in rows]


def _pictures(conn: Connection, school: str, last: Found, before: int) -> list[Found]:
    event, _, digest = last
    rows = conn.exec_driver_sql(_PICTURES, (school, event, digest, before, _PAGE))
    return [(event, part, digest) for event, part, digest in rows]


def _forget(conn: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> int:
    return conn.exec_driver_sql(statement, list(rows)).rowcount if rows else 0
