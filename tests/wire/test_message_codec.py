"""The messages of the stream, policies and statements: there and back, and strict."""

import contextlib
import random
import zlib
from dataclasses import replace

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import examples
from tests.wire.examples import EPOCH, NOW
from wire import codec
from wire.codec import CodecError
from wire.codec.trust import pack_from_pb
from wire.event import (
    AccountKind,
    Envelope,
    EvidenceRules,
    Gap,
    GapReason,
    Heartbeat,
    Hello,
    KeyStatement,
    Lane,
    LaneHead,
    PackText,
    Policy,
    Purpose,
    Receipt,
    Refusal,
    RefusalReason,
    Renewal,
    RenewalRequest,
    SignedIn,
    SignedKey,
    SignedPolicy,
    Welcome,
)
from wire.v1 import uplink_pb2 as pb


def _to_collector(message, lane=Lane.TEXT):
    return codec.pack_agent(message, lane).SerializeToString()


def _at_collector(data):
    return codec.unpack_agent(pb.AgentMessage.FromString(data))


def _to_agent(message):
    return codec.pack_collector(message).SerializeToString()


def _at_agent(data):
    return codec.unpack_collector(pb.CollectorMessage.FromString(data))


_FORMS = {
    "of an agent": (examples.from_agent, _to_collector, _at_collector),
    "of the collector": (examples.from_collector, _to_agent, _at_agent),
    "policy": (examples.policies, codec.encode_policy, codec.decode_policy),
    "statement": (examples.statements, codec.encode_statement, codec.decode_statement),
    "signed key": (examples.signed_keys, codec.encode_signed_key, codec.decode_signed_key),
    "signed policy": (
        examples.signed_policies,
        codec.encode_signed_policy,
        codec.decode_signed_policy,
    ),
}


@pytest.mark.parametrize("form", _FORMS)
@given(data=st.data())
def test_there_and_back(form, data):
    strategy, encode, decode = _FORMS[form]
    original = data.draw(strategy)
    assert decode(encode(original)) == original


@pytest.mark.parametrize("form", _FORMS)
@given(data=st.data())
def test_what_is_changed_gives_a_message_or_a_clear_error(form, data):
    strategy, encode, decode = _FORMS[form]
    raw = bytearray(encode(data.draw(strategy)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        changed = decode(bytes(raw))
    except (CodecError, DecodeError):  # gRPC itself parses, and ends a stream where it cannot
        return
    assert decode(encode(changed)) == changed


@pytest.mark.parametrize("form", _FORMS)
@given(data=st.binary(max_size=400))
def test_any_bytes_give_a_message_or_a_clear_error(form, data):
    decode = _FORMS[form][2]
    with contextlib.suppress(CodecError, DecodeError):
        decode(data)


def test_an_envelope_takes_the_field_of_its_lane():
    envelope = Envelope(header=b"h", signature=b"s")
    assert codec.pack_agent(envelope).WhichOneof("body") == "envelope"
    assert codec.pack_agent(envelope, Lane.PICTURE).WhichOneof("body") == "picture"


_HEAD = LaneHead(lane=Lane.TEXT, epoch=EPOCH, sequence=4, hash=b"h" * 32)
_ENVELOPE = Envelope(
    header=b"h", signature=b"s", sealed=b"c", account="uid:1001@oak", account_salt=b"t" * 32
)
_SESSION = SignedIn(
    account="uid:1001@oak", account_salt=b"t" * 32, kind=AccountKind.PERSON, hook_alive=True
)
_BEAT = Heartbeat(number=1, sent_at=NOW, sessions=(_SESSION,), written=(_HEAD,))
_HELLO = Hello(agent_version="0.1.0", policy_version=1, sent_at=NOW, written=(_HEAD,))

_BROKEN_UP = {
    "header empty": ("header", replace(_ENVELOPE, header=b"")),
    "header too long": ("header", replace(_ENVELOPE, header=bytes(5000))),
    "signature empty": ("signature", replace(_ENVELOPE, signature=b"")),
    "signature too long": ("signature", replace(_ENVELOPE, signature=bytes(129))),
    "sealed too long": ("part", replace(_ENVELOPE, sealed=bytes((8 << 20) + 1))),
    "account without salt": ("account_salt", replace(_ENVELOPE, account_salt=b"")),
    "salt of 16": ("account_salt", replace(_ENVELOPE, account_salt=bytes(16))),
    "salt without account": ("account is not said", replace(_ENVELOPE, account="")),
    "account too long": ("account", replace(_ENVELOPE, account="a" * 513)),
    "account of half a character": ("surrogate", replace(_ENVELOPE, account="\ud800")),
    "heartbeat 0": ("number", replace(_BEAT, number=0)),
    "session without account": (
        "account",
        replace(_BEAT, sessions=(replace(_SESSION, account=""),)),
    ),
    "too many sessions": ("sessions", replace(_BEAT, sessions=(_SESSION,) * 513)),
    "too many gaps": (
        "gaps",
        replace(_BEAT, gaps=(Gap(reason=GapReason.WAYLAND, started_at=1),) * 4097),
    ),
    "dropped too large": (
        "dropped",
        replace(_BEAT, gaps=(Gap(reason=GapReason.RATE_LIMITED, started_at=1, dropped=1 << 32),)),
    ),
    "a lane twice": ("twice", replace(_BEAT, written=(_HEAD, _HEAD))),
    "three lanes": ("written", replace(_BEAT, written=(_HEAD,) * 3)),
    "hash of 20": ("hash", replace(_HELLO, written=(replace(_HEAD, hash=bytes(20)),))),
    "epoch empty": ("epoch", replace(_HELLO, receipted=(replace(_HEAD, epoch=b""),))),
    "hash before the first": ("hash", replace(_HELLO, written=(replace(_HEAD, sequence=0),))),
    "version too long": ("agent_version", replace(_HELLO, agent_version="1" * 65)),
    "request empty": ("request", RenewalRequest(csr=b"")),
    "request too long": ("request", RenewalRequest(csr=bytes(9000))),
}


@pytest.mark.parametrize("case", _BROKEN_UP)
def test_what_breaks_a_rule_is_not_sent_up(case):
    word, message = _BROKEN_UP[case]
    with pytest.raises(CodecError, match=word):
        codec.pack_agent(message)


_BROKEN_DOWN = {
    "receipt of nothing": ("nothing", Receipt()),
    "receipt with a wrong hash": ("hash", Receipt(head=replace(_HEAD, hash=b""))),
    "words too long": ("words", Refusal(reason=RefusalReason.GAP, words="w" * 2001)),
    "chain empty": ("chain", Renewal(chain=())),
    "chain too long": ("chain", Renewal(chain=(b"c",) * 5)),
    "certificate empty": ("certificate", Renewal(chain=(b"",))),
    "clock before 1970": (
        "received_at",
        Welcome(received_at=-1, stored=(), policy_version=1, collector_version="0.1.0"),
    ),
    "policy empty": (
        "policy",
        SignedPolicy(policy=b"", signature=b"s", signer=SignedKey(statement=b"s", signature=b"s")),
    ),
    "signer empty": (
        "statement",
        SignedPolicy(policy=b"p", signature=b"s", signer=SignedKey(statement=b"", signature=b"s")),
    ),
}


@pytest.mark.parametrize("case", _BROKEN_DOWN)
def test_what_breaks_a_rule_is_not_sent_down(case):
    word, message = _BROKEN_DOWN[case]
    with pytest.raises(CodecError, match=word):
        codec.pack_collector(message)


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (pb.AgentMessage(), "empty"),
        (pb.AgentMessage(envelope=pb.Envelope()), "header"),
        (pb.AgentMessage(heartbeat=pb.Heartbeat()), "number"),
        (pb.AgentMessage(renewal=pb.RenewalRequest()), "request"),
        (pb.AgentMessage(hello=pb.Hello(written=[pb.LaneHead()])), "lane is not said"),
        (pb.AgentMessage(hello=pb.Hello(written=[pb.LaneHead(lane=3)])), "lane 3 is not known"),
        (
            pb.AgentMessage(heartbeat=pb.Heartbeat(number=1, gaps=[pb.Gap(reason=77)])),
            "gap reason 77",
        ),
        (
            pb.AgentMessage(heartbeat=pb.Heartbeat(number=1, sessions=[pb.SignedIn(account="a")])),
            "account kind",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused_by_the_collector(message, word):
    with pytest.raises(CodecError, match=word):
        codec.unpack_agent(message)


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (pb.CollectorMessage(), "empty"),
        (pb.CollectorMessage(receipt=pb.Receipt()), "nothing"),
        (pb.CollectorMessage(refusal=pb.Refusal()), "refusal reason is not said"),
        (pb.CollectorMessage(refusal=pb.Refusal(reason=40)), "refusal reason 40"),
        (pb.CollectorMessage(renewal=pb.Renewal()), "chain"),
        (pb.CollectorMessage(policy=pb.SignedPolicy(policy=b"p", signature=b"s")), "signer"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_the_agent(message, word):
    with pytest.raises(CodecError, match=word):
        codec.unpack_collector(message)


def _policy(**changes):
    fields = {
        "school": "oakfield",
        "version": 3,
        "issued_at": NOW,
        "expires_at": NOW + 1,
        "packs": (PackText(name="en/bullying", version=1, text=b"t"),),
        "evidence": EvidenceRules(),
        "keys": (SignedKey(statement=b"s", signature=b"s"),),
    }
    return Policy(**(fields | changes))


_PACK = PackText(name="en/bullying", version=1, text=b"t")
_BROKEN_POLICIES = {
    "school": ("school", _policy(school="")),
    "version 0": ("version", _policy(version=0)),
    "over before it began": ("expires_at", _policy(expires_at=NOW - 1)),
    "a pack's name": ("pack's name", _policy(packs=(replace(_PACK, name="/etc/passwd"),))),
    "a pack's version": ("pack's version", _policy(packs=(replace(_PACK, version=0),))),
    "a pack too long": ("pack", _policy(packs=(replace(_PACK, text=bytes((1 << 20) + 1)),))),
    "too many packs": ("packs", _policy(packs=(_PACK,) * 257)),
    "too many keys": ("keys", _policy(keys=(SignedKey(statement=b"s", signature=b"s"),) * 9)),
    "all of it too long": (
        "a policy",
        _policy(packs=(replace(_PACK, text=random.Random(1).randbytes(1 << 20)),) * 4),
    ),
    "packs too long together": (
        "all packs",
        _policy(packs=(replace(_PACK, text=bytes(1 << 20)),) * 13),
    ),
    "a category in words": ("no_picture", _policy(evidence=EvidenceRules(no_picture=("A b",)))),
    "a place that is everywhere": (
        "never_places has an empty entry",
        _policy(evidence=EvidenceRules(never_places=(" ",))),
    ),
    "an application that is every one": (
        "excluded_applications has an empty entry",
        _policy(evidence=EvidenceRules(excluded_applications=("",))),
    ),
    "too many rules": (
        "shared_accounts",
        _policy(evidence=EvidenceRules(shared_accounts=("exam",) * 2001)),
    ),
    "a rule too long": (
        "held_applications",
        _policy(evidence=EvidenceRules(held_applications=("a" * 501,))),
    ),
    "pictures of no bytes": (
        "picture_max_bytes",
        _policy(evidence=EvidenceRules(picture_max_bytes=0)),
    ),
}


@pytest.mark.parametrize("case", _BROKEN_POLICIES)
def test_a_policy_that_breaks_a_rule_is_not_encoded(case):
    word, policy = _BROKEN_POLICIES[case]
    with pytest.raises(CodecError, match=word):
        codec.encode_policy(policy)


def test_a_policy_without_rules_or_of_another_schema_is_refused():
    message = pb.Policy.FromString(codec.encode_policy(_policy()))
    message.schema = 2
    with pytest.raises(CodecError, match="schema 2"):
        codec.decode_policy(message.SerializeToString())
    message.schema = 1
    message.ClearField("evidence")
    with pytest.raises(CodecError, match="evidence rules"):
        codec.decode_policy(message.SerializeToString())


_STATEMENT = KeyStatement(
    school="oakfield",
    purpose=Purpose.EVIDENCE,
    public_key=b"k" * 32,
    epoch=1,
    not_before=NOW,
    not_after=NOW + 1,
)


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        (replace(_STATEMENT, school="oak field"), "school"),
        (replace(_STATEMENT, public_key=b"k" * 33), "public_key"),
        (replace(_STATEMENT, epoch=0), "epoch"),
        (replace(_STATEMENT, not_after=NOW - 1), "not_after"),
    ],
)
def test_a_statement_that_breaks_a_rule_is_not_encoded(statement, word):
    with pytest.raises(CodecError, match=word):
        codec.encode_statement(statement)


def test_a_statement_of_another_schema_or_purpose_is_refused():
    message = pb.KeyStatement.FromString(codec.encode_statement(_STATEMENT))
    message.purpose = 4
    with pytest.raises(CodecError, match="purpose 4"):
        codec.decode_statement(message.SerializeToString())
    message.schema = 0
    with pytest.raises(CodecError, match="schema 0"):
        codec.decode_statement(message.SerializeToString())
    with pytest.raises(CodecError, match="512"):
        codec.decode_statement(bytes(513))


def test_text_that_is_not_utf_8_is_refused():
    data = codec.encode_statement(_STATEMENT).replace(b"oakfield", b"oakfi\xff\xfed")
    with pytest.raises(CodecError, match="cut or is not one"):
        codec.decode_statement(data)


@pytest.mark.parametrize(
    ("deflated", "word"),
    [
        (b"", "cut"),
        (zlib.compress(b"x" * 500)[:-3], "cut"),
        (zlib.compress(b"x") + b"more", "more follows"),
        (b"no stream at all", "damaged"),
        (zlib.compress(bytes((1 << 20) + 1)), "more than"),
    ],
)
def test_a_pack_that_does_not_inflate_is_refused(deflated, word):
    with pytest.raises(CodecError, match=word):
        pack_from_pb(pb.PackText(name="en/x", version=1, deflated=deflated))
