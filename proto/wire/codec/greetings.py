"""Hello and welcome: how a stream begins."""

from wire.codec.checks import LARGEST, counted, short
from wire.codec.heads import check_heads, head_to_pb, heads_from_pb
from wire.event import Hello, Welcome
from wire.v1 import uplink_pb2 as pb

MOST_VERSION = 64


def hello_to_pb(hello: Hello) -> pb.Hello:
    """A hello as protobuf, checked."""
    _check_hello(hello)
    return pb.Hello(
        agent_version=hello.agent_version,
        policy_version=hello.policy_version,
        written=[head_to_pb(head) for head in hello.written],
        receipted=[head_to_pb(head) for head in hello.receipted],
        sent_at=hello.sent_at,
    )


def hello_from_pb(message: pb.Hello) -> Hello:
    """A hello, checked."""
    hello = Hello(
        agent_version=message.agent_version,
        policy_version=message.policy_version,
        sent_at=message.sent_at,
        written=heads_from_pb(message.written, "written"),
        receipted=heads_from_pb(message.receipted, "receipted"),
    )
    _check_hello(hello)
    return hello


def _check_hello(hello: Hello) -> None:
    short(hello.agent_version, MOST_VERSION, "agent_version")
    counted(hello.policy_version, LARGEST, "policy_version")
    counted(hello.sent_at, LARGEST, "sent_at")
    check_heads(hello.written, "written")
    check_heads(hello.receipted, "receipted")


def welcome_to_pb(welcome: Welcome) -> pb.Welcome:
    """A welcome as protobuf, checked."""
    _check_welcome(welcome)
    return pb.Welcome(
        received_at=welcome.received_at,
        stored=[head_to_pb(head) for head in welcome.stored],
        policy_version=welcome.policy_version,
        collector_version=welcome.collector_version,
    )


def welcome_from_pb(message: pb.Welcome) -> Welcome:
    """A welcome, checked."""
    welcome = Welcome(
        received_at=message.received_at,
        stored=heads_from_pb(message.stored, "stored"),
        policy_version=message.policy_version,
        collector_version=message.collector_version,
    )
    _check_welcome(welcome)
    return welcome


def _check_welcome(welcome: Welcome) -> None:
    counted(welcome.received_at, LARGEST, "received_at")
    check_heads(welcome.stored, "stored")
    counted(welcome.policy_version, LARGEST, "policy_version")
    short(welcome.collector_version, MOST_VERSION, "collector_version")
