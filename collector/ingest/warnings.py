"""Integrity warnings: what does not add up, with the device and the exact numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from collector.ingest.ids import new_id
from wire.event import Lane

_INSERT = """
INSERT INTO warnings
  (school, warning, device, at, kind, words, lane, epoch, first, last, header)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityWarning:
    """Something that a technician must look at. Kinds: see the functions that make them."""

    device: str
    kind: str
    words: str
    lane: Lane | None = None
    epoch: bytes | None = None
    first: int | None = None
    last: int | None = None
    header: bytes | None = None


def write_warnings(
    conn: Connection,
    school: str,
    warnings: Sequence[IntegrityWarning],
    now: int,
) -> None:
    """Write the warnings down, in the transaction of what they are about."""
    if warnings:
        rows = [
            (
                school,
                new_id(now),
                warning.device,
                now,
                warning.kind,
                warning.words,
                warning.lane,
                warning.epoch,
                warning.first,
                warning.last,
                warning.header,
            )
            for warning in warnings
        ]
        conn.exec_driver_sql(_INSERT, rows)


def numbers(first: int, last: int) -> str:
    """Say a range of numbers: '7', '7 to 9 (3 records)'."""
    return f"{first}" if first == last else f"{first} to {last} ({last - first + 1} records)"


def lane_words(lane: Lane) -> str:
    """Name a lane for people."""
    return f"{lane.name.lower()} lane"
