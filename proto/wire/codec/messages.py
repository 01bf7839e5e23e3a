"""The messages of the uplink's stream, as they pass through gRPC."""

from collections.abc import Sequence

from wire.codec.accounts import check_account
from wire.codec.answers import receipt_from_pb, receipt_to_pb, refusal_from_pb, refusal_to_pb
from wire.codec.checks import CodecError, few, some
from wire.codec.greetings import hello_from_pb, hello_to_pb, welcome_from_pb, welcome_to_pb
from wire.codec.heartbeats import heartbeat_from_pb, heartbeat_to_pb
from wire.codec.records import MOST_HEADER, MOST_SEALED
from wire.codec.trust import MOST_SIGNATURE, signed_policy_from_pb, signed_policy_to_pb
from wire.event import (
    AgentMessage,
    CollectorMessage,
    Envelope,
    Heartbeat,
    Hello,
    Lane,
    Receipt,
    Refusal,
    Renewal,
    RenewalRequest,
    SignedPolicy,
    Welcome,
)
from wire.v1 import uplink_pb2 as pb

MOST_CHAIN = 4
MOST_CERTIFICATE = 8192


def pack_agent(message: AgentMessage, lane: Lane = Lane.TEXT) -> pb.AgentMessage:
    """What an agent sends. `lane` is an envelope's, and says which field it takes."""
    match message:
        case Envelope() if lane is Lane.PICTURE:
            return pb.AgentMessage(picture=_envelope_to_pb(message))
        case Envelope():
            return pb.AgentMessage(envelope=_envelope_to_pb(message))
        case Heartbeat():
            return pb.AgentMessage(heartbeat=heartbeat_to_pb(message))
        case Hello():
            return pb.AgentMessage(hello=hello_to_pb(message))
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
            return heartbeat_from_pb(message.heartbeat)
        case "hello":
            return hello_from_pb(message.hello)
        case "renewal":
            some(message.renewal.csr, MOST_CERTIFICATE, "a certificate request")
            return RenewalRequest(csr=message.renewal.csr)
        case _:
            raise CodecError("a message of an agent is empty or of a kind that is not known")


def pack_collector(message: CollectorMessage) -> pb.CollectorMessage:
    """What the collector sends. Raises CodecError."""
    match message:
        case Receipt():
            return pb.CollectorMessage(receipt=receipt_to_pb(message))
        case Welcome():
            return pb.CollectorMessage(welcome=welcome_to_pb(message))
        case Refusal():
            return pb.CollectorMessage(refusal=refusal_to_pb(message))
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
            return receipt_from_pb(message.receipt)
        case "welcome":
            return welcome_from_pb(message.welcome)
        case "refusal":
            return refusal_from_pb(message.refusal)
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
    check_account(envelope.account, envelope.account_salt, required=False)


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
