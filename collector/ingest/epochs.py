"""The epochs of a lane: which one is in use, and what the one before it still owed.

A device opens an epoch where its spool began anew. At most one epoch of a lane is
open; its row in `lanes` says so. A device that speaks of an epoch which it left
before has been set back: an imaged PC, a restored spool.
"""

from sqlalchemy import Connection

from collector.ingest.warnings import IntegrityWarning, lane_words, numbers
from wire.event import ZERO_HASH, Lane

_OPEN = """
SELECT epoch, sequence, written FROM lanes
WHERE school = ? AND device = ? AND lane = ? AND open
"""
_CLOSE = "UPDATE lanes SET open = 0 WHERE school = ? AND device = ? AND lane = ? AND open"
_REOPEN = """
UPDATE lanes SET open = 1 WHERE school = ? AND device = ? AND lane = ? AND epoch = ?
"""
_NEW = """
INSERT INTO lanes (school, device, lane, epoch, sequence, hash, open, opened_at, written)
VALUES (?, ?, ?, ?, 0, ?, 1, ?, 0)
"""


def enter_epoch(
    conn: Connection,
    school: str,
    device: str,
    lane: Lane,
    epoch: bytes,
    *,
    now: int,
) -> IntegrityWarning | None:
    """Note which epoch a lane is in; give the warning that names what the one before owed."""
    before = conn.exec_driver_sql(_OPEN, (school, device, lane)).first()
    if before is not None and before.epoch == epoch:
        return None
    conn.exec_driver_sql(_CLOSE, (school, device, lane))
    known = conn.exec_driver_sql(_REOPEN, (school, device, lane, epoch)).rowcount
    if not known:
        conn.exec_driver_sql(_NEW, (school, device, lane, epoch, ZERO_HASH, now))
    if before is None:
        return None
    return _went_back(device, lane, *before) if known else _left(device, lane, *before)


def close_epoch(
    conn: Connection,
    school: str,
    device: str,
    lane: Lane,
) -> IntegrityWarning | None:
    """Note that a device no longer knows a lane; give the warning that names what it owed."""
    before = conn.exec_driver_sql(_OPEN, (school, device, lane)).first()
    if before is None or not (before.sequence or before.written):
        return None
    conn.exec_driver_sql(_CLOSE, (school, device, lane))
    return _left(device, lane, *before)


def _left(
    device: str, lane: Lane, epoch: bytes, stored: int, written: int
) -> IntegrityWarning | None:
    if not (stored or written):
        return None  # it was opened and never used: nothing began, nothing is lost
    where = lane_words(lane)
    if written > stored:
        owed = numbers(stored + 1, written)
        words = f"The {where} began anew. Of the one before, {owed} never came; {stored} did."
        first, last = stored + 1, written
    else:
        words = f"The {where} began anew. Of the one before, all {stored} known records came."
        first = last = stored
    return _warning(device, "new_epoch", words, lane, epoch, first, last)


def _went_back(
    device: str, lane: Lane, epoch: bytes, stored: int, written: int
) -> IntegrityWarning | None:
    if not (stored or written):
        return None
    last = max(stored, written)
    words = (
        f"The PC's {lane_words(lane)} went back to one that it had left: its spool was set back."
        f" Of the one in between, {numbers(1, last)}, {stored} came."
    )
    return _warning(device, "rolled_back", words, lane, epoch, 1, last)


def _warning(  # noqa: PLR0917 - a row, written once
    device: str, kind: str, words: str, lane: Lane, epoch: bytes, first: int, last: int
) -> IntegrityWarning:
    return IntegrityWarning(
        device=device, kind=kind, words=words, lane=lane, epoch=epoch, first=first, last=last
    )
