"""The messages of the uplink's stream, as they pass through gRPC."""

from collections.abc import Sequence

from wire.codec.checks import (
    LARGEST,
    SALT_SIZE,
    CodecError,
    counted,
    few,
    member,
    number_of,
    optional,
    short,
    sized,
    some,
    table,
)
from wire.codec.records import (
    ACCOUNT_KINDS,
    LANES,
    MOST_HEADER,
    MOST_SEALED,
    check_head,
    head_from_pb,
    head_to_pb,
)
from wire.codec.trust import MOST_SIGNATURE, signed_policy_from_pb, signed_policy_to_pb
from wire.event import (
    AgentMessage,
    CollectorMessage,
    Envelope,
    Gap,
    GapReason,
    Heartbeat,
    Hello,
    Lane,
    LaneHead,
    Receipt,
    Refusal,
    RefusalReason,
    Renewal,
    RenewalRequest,
    SignedIn,
    SignedPolicy,
    Welcome,
)
from wire.v1 import uplink_pb2 as pb

MOST_ACCOUNT = 512
MOST_VERSION = 64
MOST_WORDS = 2000
MOST_SESSIONS = 512
MOST_GAPS = 4096
MOST_CHAIN = 4
MOST_CERTIFICATE = 8192
_UINT32 = (1 << 32) - 1

_GAPS = table(GapReason)
_REFUSALS = table(RefusalReason)


def pack_agent(message: AgentMessage, lane: Lane = Lane.TEXT) -> pb.AgentMessage:
    """What an agent sends. `lane` is an envelope's, and says which field it takes."""
    match message:
        case Envelope() if lane is Lane.PICTURE:
            return pb.AgentMessage(picture=_envelope_to_pb(message))
        case Envelope():
            return pb.AgentMessage(envelope=_envelope_to_pb(message))
        case Heartbeat():
            return pb.AgentMessage(heartbeat=_heartbeat_to_pb(message))
        case Hello():
            return pb.AgentMessage(hello=_hello_to_pb(message))
        case RenewalRequest():
            some(message.csr, MOST_CERTIFICATE, "a certificate request")
            return pb.AgentMessage(renewal=pb.RenewalRequest(csr=message.csr))


def unpack_agent(message: pb.AgentMessage) -> AgentMessage:
    """What an agent sent. An envelope's lane is in its header. Raises CodecError."""
    body = message.WhichOneof("body")
    match body:
        case "envelope":
            return _envelope_from_pb(message.envelope)
        case "picture":
            return _envelope_from_pb(message.picture)
        case "heartbeat":
            return _heartbeat_from_pb(message.heartbeat)
        case "hello":
            return _hello_from_pb(message.hello)
        case "renewal":
            some(message.renewal.csr, MOST_CERTIFICATE, "a certificate request")
            return RenewalRequest(csr=message.renewal.csr)
        case _:
            raise CodecError("a message of an agent is empty or of a kind that is not known")


def pack_collector(message: CollectorMessage) -> pb.CollectorMessage:
    """What the collector sends. Raises CodecError."""
    match message:
        case Receipt():
            return pb.CollectorMessage(receipt=_receipt_to_pb(message))
        case Welcome():
            return pb.CollectorMessage(welcome=_welcome_to_pb(message))
        case Refusal():
            return pb.CollectorMessage(refusal=_refusal_to_pb(message))
        case SignedPolicy():
            return pb.CollectorMessage(policy=signed_policy_to_pb(message))
        case Renewal():
            _check_chain(message.chain)
            return pb.CollectorMessage(renewal=pb.Renewal(chain=message.chain))


def unpack_collector(message: pb.CollectorMessage) -> CollectorMessage:
    """What the collector sent. Raises CodecError."""
    body = message.WhichOneof("body")
    match body:
        case "receipt":
            return _receipt_from_pb(message.receipt)
        case "welcome":
            return _welcome_from_pb(message.welcome)
        case "refusal":
            return _refusal_from_pb(message.refusal)
        case "policy":
            return signed_policy_from_pb(message.policy)
        case "renewal":
            _check_chain(message.renewal.chain)
            return Renewal(chain=tuple(message.renewal.chain))
        case _:
            raise CodecError("a message of the collector is empty or of a kind that is not known")


def _check_chain(chain: Sequence[bytes]) -> None:
    few(chain, MOST_CHAIN, "a chain")
    if not chain:
        raise CodecError("a chain is empty")
    for certificate in chain:
        some(certificate, MOST_CERTIFICATE, "a certificate")


def _check_envelope(envelope: Envelope) -> None:
    some(envelope.header, MOST_HEADER, "a header")
    some(envelope.signature, MOST_SIGNATURE, "a signature")
    if len(envelope.sealed) > MOST_SEALED:
        raise CodecError(f"a part has {len(envelope.sealed)} bytes, more than {MOST_SEALED}")
    _check_account(envelope.account, envelope.account_salt, required=False)


def _check_account(account: str, salt: bytes, *, required: bool) -> None:
    short(account, MOST_ACCOUNT, "account")
    if account or required:
        sized(salt, SALT_SIZE, "account_salt")
    if not account and (salt or required):
        raise CodecError("account is not said")


def _envelope_to_pb(envelope: Envelope) -> pb.Envelope:
    _check_envelope(envelope)
    return pb.Envelope(
        header=envelope.header,
        signature=envelope.signature,
        sealed=envelope.sealed,
        account=envelope.account,
        account_salt=envelope.account_salt,
    )


def _envelope_from_pb(message: pb.Envelope) -> Envelope:
    envelope = Envelope(
        header=message.header,
        signature=message.signature,
        sealed=message.sealed,
        account=message.account,
        account_salt=message.account_salt,
    )
    _check_envelope(envelope)
    return envelope


def _check_heads(heads: Sequence[LaneHead], what: str) -> None:
    few(heads, len(Lane), what)
    if len({head.lane for head in heads}) != len(heads):
        raise CodecError(f"{what} names a lane twice")
    for head in heads:
        check_head(head)


def _heads_from_pb(messages: Sequence[pb.LaneHead], what: str) -> tuple[LaneHead, ...]:
    few(messages, len(Lane), what)
    heads = tuple(head_from_pb(message) for message in messages)
    _check_heads(heads, what)
    return heads


def _hello_to_pb(hello: Hello) -> pb.Hello:
    _check_hello(hello)
    return pb.Hello(
        agent_version=hello.agent_version,
        policy_version=hello.policy_version,
        written=[head_to_pb(head) for head in hello.written],
        receipted=[head_to_pb(head) for head in hello.receipted],
        sent_at=hello.sent_at,
    )


def _hello_from_pb(message: pb.Hello) -> Hello:
    hello = Hello(
        agent_version=message.agent_version,
        policy_version=message.policy_version,
        sent_at=message.sent_at,
        written=_heads_from_pb(message.written, "written"),
        receipted=_heads_from_pb(message.receipted, "receipted"),
    )
    _check_hello(hello)
    return hello


def _check_hello(hello: Hello) -> None:
    short(hello.agent_version, MOST_VERSION, "agent_version")
    counted(hello.policy_version, LARGEST, "policy_version")
    counted(hello.sent_at, LARGEST, "sent_at")
    _check_heads(hello.written, "written")
    _check_heads(hello.receipted, "receipted")


def _welcome_to_pb(welcome: Welcome) -> pb.Welcome:
    _check_welcome(welcome)
    return pb.Welcome(
        received_at=welcome.received_at,
        stored=[head_to_pb(head) for head in welcome.stored],
        policy_version=welcome.policy_version,
        collector_version=welcome.collector_version,
    )


def _welcome_from_pb(message: pb.Welcome) -> Welcome:
    welcome = Welcome(
        received_at=message.received_at,
        stored=_heads_from_pb(message.stored, "stored"),
        policy_version=message.policy_version,
        collector_version=message.collector_version,
    )
    _check_welcome(welcome)
    return welcome


def _check_welcome(welcome: Welcome) -> None:
    counted(welcome.received_at, LARGEST, "received_at")
    _check_heads(welcome.stored, "stored")
    counted(welcome.policy_version, LARGEST, "policy_version")
    short(welcome.collector_version, MOST_VERSION, "collector_version")


def _receipt_to_pb(receipt: Receipt) -> pb.Receipt:
    _check_receipt(receipt)
    return pb.Receipt(
        head=head_to_pb(receipt.head) if receipt.head else None, heartbeat=receipt.heartbeat
    )


def _receipt_from_pb(message: pb.Receipt) -> Receipt:
    receipt = Receipt(
        head=head_from_pb(message.head) if message.HasField("head") else None,
        heartbeat=message.heartbeat,
    )
    _check_receipt(receipt)
    return receipt


def _check_receipt(receipt: Receipt) -> None:
    counted(receipt.heartbeat, LARGEST, "heartbeat")
    if receipt.head:
        check_head(receipt.head)
    elif not receipt.heartbeat:
        raise CodecError("a receipt speaks of nothing")


def _refusal_to_pb(refusal: Refusal) -> pb.Refusal:
    _check_refusal(refusal)
    return pb.Refusal(
        reason=number_of(refusal.reason),
        words=refusal.words,
        expected=head_to_pb(refusal.expected) if refusal.expected else None,
        retry_after_ms=refusal.retry_after_ms,
        lane=number_of(refusal.lane),
        sequence=refusal.sequence,
    )


def _refusal_from_pb(message: pb.Refusal) -> Refusal:
    refusal = Refusal(
        reason=member(_REFUSALS, message.reason, "refusal reason"),
        words=message.words,
        expected=head_from_pb(message.expected) if message.HasField("expected") else None,
        retry_after_ms=message.retry_after_ms,
        lane=optional(LANES, message.lane, "lane"),
        sequence=message.sequence,
    )
    _check_refusal(refusal)
    return refusal


def _check_refusal(refusal: Refusal) -> None:
    short(refusal.words, MOST_WORDS, "words")
    if refusal.expected:
        check_head(refusal.expected)
    counted(refusal.retry_after_ms, _UINT32, "retry_after_ms")
    counted(refusal.sequence, LARGEST, "sequence")


def _heartbeat_to_pb(beat: Heartbeat) -> pb.Heartbeat:
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


def _heartbeat_from_pb(message: pb.Heartbeat) -> Heartbeat:
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
        written=_heads_from_pb(message.written, "written"),
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
        _check_account(session.account, session.account_salt, required=True)
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
    _check_heads(beat.written, "written")
    short(beat.agent_version, MOST_VERSION, "agent_version")
    counted(beat.quarantined, _UINT32, "quarantined")
