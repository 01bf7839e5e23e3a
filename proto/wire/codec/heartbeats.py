"""Heartbeats: the state of a PC."""

from wire.codec.accounts import check_account
from wire.codec.checks import LARGEST, counted, few, member, number_of, optional, short, table
from wire.codec.heads import check_heads, head_to_pb, heads_from_pb
from wire.codec.tables import ACCOUNT_KINDS
from wire.event import Gap, GapReason, Heartbeat, SignedIn
from wire.v1 import uplink_pb2 as pb

MOST_SESSIONS = 512
MOST_GAPS = 4096
MOST_WORDS = 2000
MOST_VERSION = 64
_UINT32 = (1 << 32) - 1
_GAPS = table(GapReason)


def heartbeat_to_pb(beat: Heartbeat) -> pb.Heartbeat:
    """A heartbeat as protobuf, checked."""
    _check_heartbeat(beat)
    return pb.Heartbeat(
        number=beat.number,
        sent_at=beat.sent_at,
        sessions=[
            pb.SignedIn(
                account=session.account,
                account_salt=session.account_salt,
                kind=number_of(session.kind),
                hook_alive=session.hook_alive,
                blind=number_of(session.blind),
            )
            for session in beat.sessions
        ],
        gaps=[
            pb.Gap(
                reason=number_of(gap.reason),
                started_at=gap.started_at,
                ended_at=gap.ended_at,
                dropped=gap.dropped,
            )
            for gap in beat.gaps
        ],
        spool_records=beat.spool_records,
        spool_bytes=beat.spool_bytes,
        policy_version=beat.policy_version,
        policy_problem=beat.policy_problem,
        clock_offset=beat.clock_offset,
        written=[head_to_pb(head) for head in beat.written],
        agent_version=beat.agent_version,
        quarantined=beat.quarantined,
    )


def heartbeat_from_pb(message: pb.Heartbeat) -> Heartbeat:
    """A heartbeat, checked."""
    few(message.sessions, MOST_SESSIONS, "sessions")
    few(message.gaps, MOST_GAPS, "gaps")
    beat = Heartbeat(
        number=message.number,
        sent_at=message.sent_at,
        sessions=tuple(
            SignedIn(
                account=session.account,
                account_salt=session.account_salt,
                kind=member(ACCOUNT_KINDS, session.kind, "account kind"),
                hook_alive=session.hook_alive,
                blind=optional(_GAPS, session.blind, "gap reason"),
            )
            for session in message.sessions
        ),
        gaps=tuple(
            Gap(
                reason=member(_GAPS, gap.reason, "gap reason"),
                started_at=gap.started_at,
                ended_at=gap.ended_at,
                dropped=gap.dropped,
            )
            for gap in message.gaps
        ),
        spool_records=message.spool_records,
        spool_bytes=message.spool_bytes,
        policy_version=message.policy_version,
        policy_problem=message.policy_problem,
        clock_offset=message.clock_offset,
        written=heads_from_pb(message.written, "written"),
        agent_version=message.agent_version,
        quarantined=message.quarantined,
    )
    _check_heartbeat(beat)
    return beat


def _check_heartbeat(beat: Heartbeat) -> None:
    counted(beat.number, LARGEST, "number", least=1)
    counted(beat.sent_at, LARGEST, "sent_at")
    few(beat.sessions, MOST_SESSIONS, "sessions")
    for session in beat.sessions:
        check_account(session.account, session.account_salt, required=True)
    few(beat.gaps, MOST_GAPS, "gaps")
    for gap in beat.gaps:
        counted(gap.started_at, LARGEST, "started_at")
        counted(gap.ended_at, LARGEST, "ended_at")
        counted(gap.dropped, _UINT32, "dropped")
    counted(beat.spool_records, LARGEST, "spool_records")
    counted(beat.spool_bytes, LARGEST, "spool_bytes")
    counted(beat.policy_version, LARGEST, "policy_version")
    short(beat.policy_problem, MOST_WORDS, "policy_problem")
    counted(beat.clock_offset, LARGEST, "clock_offset", least=-LARGEST)
    check_heads(beat.written, "written")
    short(beat.agent_version, MOST_VERSION, "agent_version")
    counted(beat.quarantined, _UINT32, "quarantined")
