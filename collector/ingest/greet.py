"""What a device says of itself: its hello and its heartbeats, as jobs for `main.db`.

Nothing rolls back unseen: what the device says it has written and holds receipts
for is held against what is stored and what it said before.

    the device's lane               what is stored               warning
    an epoch not known              another epoch is open        new_epoch
    an epoch that it left           another epoch is open        rolled_back
    no lane at all                  an epoch is open             new_epoch
    written less than stored                                     rolled_back
    written less than it once said                               tail_lost
    the same number, another hash                                fork
    a receipt for more than stored                               collector_rolled_back
"""

import json
from collections.abc import Sequence

from sqlalchemy import Connection

from collector.ingest.epochs import close_epoch, enter_epoch
from collector.ingest.warnings import IntegrityWarning, lane_words, numbers, write_warnings
from collector.pseudonym import pseudonym_of
from wire.event import Heartbeat, Hello, Lane, LaneHead, SignedIn

_LANES = """
SELECT lane, epoch, sequence, hash, open, written FROM lanes WHERE school = ? AND device = ?
"""
_WRITTEN = """
UPDATE lanes SET written = ? WHERE school = ? AND device = ? AND lane = ? AND epoch = ?
"""
_SEEN = """
UPDATE devices SET last_seen_at = ?, agent_version = ?, policy_version = ?, clock_offset = ?
WHERE school = ? AND device = ?
"""
_BEAT = """
UPDATE devices SET last_seen_at = ?, agent_version = ?, policy_version = ?, policy_problem = ?,
  clock_offset = ?, spool_records = ?, spool_bytes = ?, quarantined = ?, hook_alive = ?, blind = ?,
  signed_in = ?, heartbeat = max(heartbeat, ?)
WHERE school = ? AND device = ?
"""
_GAP = """
INSERT INTO gaps (school, device, started_at, reason, ended_at, dropped) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET ended_at = max(ended_at, excluded.ended_at),
  dropped = max(dropped, excluded.dropped)
"""


def greet(
    conn: Connection, *, school: str, device: str, hello: Hello, now: int
) -> tuple[LaneHead, ...]:
    """Take note of a hello; give the heads of its lanes as they are stored."""
    conn.exec_driver_sql(
        _SEEN,
        (now, hello.agent_version, hello.policy_version, now - hello.sent_at, school, device),
    )
    warnings = _compare(conn, school, device, hello, now)
    write_warnings(conn, school, warnings, now)
    return tuple(
        LaneHead(lane=lane, epoch=epoch, sequence=sequence, hash=hashed)
        for lane, epoch, sequence, hashed, is_open, _ in _lanes(conn, school, device)
        if is_open
    )


def beat(
    conn: Connection,
    *,
    school: str,
    device: str,
    heartbeat: Heartbeat,
    signed_in: Sequence[str],
    now: int,
) -> None:
    """Take note of a heartbeat; its gaps are durable once the job is."""
    blind = next((s.blind for s in heartbeat.sessions if s.blind is not None), None)
    hook_alive = all(session.hook_alive for session in heartbeat.sessions)
    conn.exec_driver_sql(
        _BEAT,
        (
            now,
            heartbeat.agent_version,
            heartbeat.policy_version,
            heartbeat.policy_problem or None,
            now - heartbeat.sent_at,
            heartbeat.spool_records,
            heartbeat.spool_bytes,
            heartbeat.quarantined,
            hook_alive,
            blind,
            json.dumps(sorted(set(signed_in))),
            heartbeat.number,
            school,
            device,
        ),
    )
    if heartbeat.gaps:
        rows = [
            (school, device, gap.started_at, int(gap.reason), gap.ended_at, gap.dropped)
            for gap in heartbeat.gaps
        ]
        conn.exec_driver_sql(_GAP, rows)
    known = {
        (lane, epoch): written for lane, epoch, _, _, _, written in _lanes(conn, school, device)
    }
    warnings = []
    for head in heartbeat.written:
        warnings.append(enter_epoch(conn, school, device, head.lane, head.epoch, now=now))
        if head.sequence > known.get((head.lane, head.epoch), 0):
            conn.exec_driver_sql(_WRITTEN, (head.sequence, school, device, head.lane, head.epoch))
    write_warnings(conn, school, [warning for warning in warnings if warning], now)


def pseudonyms(sessions: Sequence[SignedIn], *, school: str, key: bytes) -> tuple[str, ...]:
    """Give who is signed in; the accounts themselves go no further.

    The heartbeat is not signed, and its salts prove nothing here: it is the device's
    own word over its own stream.
    """
    return tuple(
        pseudonym_of(session.account, school=school, key=key)
        for session in sessions
        if session.account
    )


def _compare(
    conn: Connection, school: str, device: str, hello: Hello, now: int
) -> list[IntegrityWarning]:
    warnings: list[IntegrityWarning | None] = []
    known = {
        (lane, epoch): (stored, hashed, written)
        for lane, epoch, stored, hashed, _, written in _lanes(conn, school, device)
    }
    for head in hello.written:
        warnings.append(enter_epoch(conn, school, device, head.lane, head.epoch, now=now))
        row = known.get((head.lane, head.epoch))
        written = 0
        if row is not None:
            stored, hashed, written = row
            warnings.append(_moved_back(device, head, stored, hashed, written))
        if head.sequence != written:
            conn.exec_driver_sql(_WRITTEN, (head.sequence, school, device, head.lane, head.epoch))
    spoken = {head.lane for head in hello.written}
    warnings += [close_epoch(conn, school, device, lane) for lane in Lane if lane not in spoken]
    for head in hello.receipted:
        row = known.get((head.lane, head.epoch))
        stored = row[0] if row else 0
        if head.sequence > stored:
            missing = numbers(stored + 1, head.sequence)
            words = (
                f"The PC holds a receipt up to {head.sequence} of its {lane_words(head.lane)}, and"
                f" {stored} is stored: {missing} are missing here. Was an older backup restored?"
            )
            warnings.append(
                _warning(device, "collector_rolled_back", words, head, stored + 1, head.sequence)
            )
    return [warning for warning in warnings if warning]


def _moved_back(
    device: str, head: LaneHead, stored: int, hashed: bytes, written: int
) -> IntegrityWarning | None:
    where = lane_words(head.lane)
    if head.sequence < stored:
        words = (
            f"The PC's {where} stands at {head.sequence}, and {stored} is stored: its spool was"
            f" set back by {numbers(head.sequence + 1, stored)}."
        )
        return _warning(device, "rolled_back", words, head, head.sequence + 1, stored)
    if head.sequence == stored and head.hash != hashed:
        words = (
            f"The PC's {where} and what is stored differ at record {stored}: the PC was copied,"
            " or its spool was exchanged."
        )
        return _warning(device, "fork", words, head, stored, stored)
    if head.sequence < written:
        words = (
            f"The PC said that its {where} stood at {written}, and now says {head.sequence}:"
            f" {numbers(head.sequence + 1, written)} were lost from its spool."
        )
        return _warning(device, "tail_lost", words, head, head.sequence + 1, written)
    return None


def _warning(  # noqa: PLR0917 - a row, written once
    device: str, kind: str, words: str, head: LaneHead, first: int, last: int
) -> IntegrityWarning:
    return IntegrityWarning(
        device=device,
        kind=kind,
        words=words,
        lane=head.lane,
        epoch=head.epoch,
        first=first,
        last=last,
    )


def _lanes(
    conn: Connection, school: str, device: str
) -> list[tuple[Lane, bytes, int, bytes, bool, int]]:
    return [
        (Lane(lane), epoch, sequence, hashed, bool(is_open), written)
        for lane, epoch, sequence, hashed, is_open, written in conn.exec_driver_sql(
            _LANES, (school, device)
        )
    ]
