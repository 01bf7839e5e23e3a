"""A header survives the way there and back, and is refused by name where it breaks a rule."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.examples import EPOCH, finding, header, headers, part
from wire.codec import CodecError, decode_header, encode_header
from wire.codec.records import MOST_HEADER
from wire.event import (
    ZERO_HASH,
    Kind,
    Lane,
    PartKind,
    PictureState,
    Position,
    Tombstone,
    TombstoneReason,
)
from wire.v1 import uplink_pb2 as pb


@given(headers)
def test_there_and_back(original):
    assert decode_header(encode_header(original)) == original


@given(st.binary(max_size=600))
def test_any_bytes_give_a_header_or_a_clear_error(data):
    with contextlib.suppress(CodecError):
        decode_header(data)


@given(headers, st.data())
def test_a_header_changed_anywhere_gives_a_header_or_a_clear_error(original, data):
    raw = bytearray(encode_header(original))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        changed = decode_header(bytes(raw))
    except CodecError:
        return
    assert decode_header(encode_header(changed)) == changed


def _place(**changes):
    fields = {"lane": Lane.TEXT, "epoch": EPOCH, "sequence": 2, "previous": b"h" * 32}
    return Position(**(fields | changes))


_BROKEN = {
    "school is empty": ("school", lambda: header(school="")),
    "school with a colon": ("school", lambda: header(school="oak:field")),
    "school too long": ("school", lambda: header(school="a" * 65)),
    "device with a newline": ("device", lambda: header(device="pc-7\n")),
    "device with a letter that only looks plain": ("device", lambda: header(device="\u0440-7")),
    "epoch of 15": ("epoch", lambda: header(position=_place(epoch=bytes(15)))),
    "epoch of 17": ("epoch", lambda: header(position=_place(epoch=bytes(17)))),
    "sequence 0": ("sequence", lambda: header(position=_place(sequence=0))),
    "sequence over 63 bits": ("sequence", lambda: header(position=_place(sequence=1 << 63))),
    "previous of 31": ("previous", lambda: header(position=_place(previous=bytes(31)))),
    "first with a past": ("first", lambda: header(position=_place(sequence=1))),
    "event of 15": ("event", lambda: header(event=bytes(15))),
    "event of zeros": ("event", lambda: header(event=bytes(16))),
    "time before 1970": ("matched_at", lambda: header(matched_at=-1)),
    "offset too large": ("clock_offset", lambda: header(clock_offset=-(1 << 63))),
    "account digest of 20": ("account_digest", lambda: header(account_digest=bytes(20))),
    "policy version below 0": ("policy_version", lambda: header(policy_version=-1)),
    "category with a capital": (
        "category",
        lambda: header(finding=replace(finding(), category="Bullying")),
    ),
    "category of 41": ("category", lambda: header(finding=replace(finding(), category="a" * 41))),
    "category empty": ("category", lambda: header(finding=replace(finding(), category=""))),
    "score 1001": ("score", lambda: header(finding=replace(finding(), score=1001))),
    "score below 0": ("score", lambda: header(finding=replace(finding(), score=-1))),
    "a reason in words": (
        "reason",
        lambda: header(finding=replace(finding(), reasons=("said to him",))),
    ),
    "17 reasons": ("reasons", lambda: header(finding=replace(finding(), reasons=("chat",) * 17))),
    "term without id": ("term_id", lambda: header(finding=replace(finding(), term_id=""))),
    "term with words": ("term_id", lambda: header(finding=replace(finding(), term_id="two words"))),
    "pack that climbs": ("pack", lambda: header(finding=replace(finding(), pack="../../etc"))),
    "pack without language": ("pack", lambda: header(finding=replace(finding(), pack="bullying"))),
    "pack version 0": ("pack_version", lambda: header(finding=replace(finding(), pack_version=0))),
    "key id of 32": ("key_id", lambda: header(part=replace(part(), key_id=bytes(32)))),
    "sealed digest of 31": (
        "sealed_digest",
        lambda: header(part=replace(part(), sealed_digest=bytes(31))),
    ),
    "plain digest empty": ("plain_digest", lambda: header(part=replace(part(), plain_digest=b""))),
    "size below the seal's own": ("size", lambda: header(part=replace(part(), size=79))),
    "size beyond all bounds": ("size", lambda: header(part=replace(part(), size=1 << 30))),
    "event without finding": ("finding", lambda: header(finding=None)),
    "event without picture state": ("picture state", lambda: header(picture=None)),
    "event without part": ("part", lambda: header(part=None)),
    "event with a picture's part": ("part", lambda: header(part=part(PartKind.PICTURE))),
    "event with repeats": ("repeats", lambda: header(repeats=2)),
    "event with a tombstone": (
        "tombstone",
        lambda: header(tombstone=Tombstone(reason=TombstoneReason.SHED)),
    ),
    "event in the picture lane": (
        "lane",
        lambda: header(
            position=Position(lane=Lane.PICTURE, epoch=EPOCH, sequence=1, previous=ZERO_HASH)
        ),
    ),
    "repeat with a part": (
        "part",
        lambda: header(kind=Kind.REPEAT, picture=None, repeats=1),
    ),
    "repeat of nothing": ("repeats", lambda: header(kind=Kind.REPEAT, picture=None, part=None)),
    "picture with a finding": (
        "finding",
        lambda: header(kind=Kind.PICTURE, picture=None, part=part(PartKind.PICTURE)),
    ),
    "tombstone without a reason": (
        "tombstone",
        lambda: header(kind=Kind.TOMBSTONE, finding=None, picture=None, part=None),
    ),
    "lost hash of 20": (
        "lost_hash",
        lambda: header(
            kind=Kind.TOMBSTONE,
            finding=None,
            picture=None,
            part=None,
            tombstone=Tombstone(reason=TombstoneReason.SHED, lost_hash=bytes(20)),
        ),
    ),
}


@pytest.mark.parametrize("case", _BROKEN)
def test_what_breaks_a_rule_is_not_encoded(case):
    word, make = _BROKEN[case]
    with pytest.raises(CodecError, match=word):
        encode_header(make())


def _message():
    message = pb.Header()
    message.ParseFromString(encode_header(header()))
    return message


def _set(message, path, value):
    *parents, name = path.split(".")
    for parent in parents:
        message = getattr(message, parent)
    setattr(message, name, value)


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        ("schema", 0, "schema"),
        ("schema", 2, "schema"),
        ("lane", 0, "lane is not said"),
        ("lane", 3, "lane 3 is not known"),
        ("kind", 0, "kind"),
        ("kind", 9, "kind"),
        ("account_kind", 0, "account kind"),
        ("account_kind", -1, "account kind"),
        ("picture", 17, "picture state"),
        ("finding.source", 0, "source"),
        ("finding.source", 7, "source"),
        ("finding.severity", 5, "severity"),
        ("part.kind", 3, "part kind"),
        ("sequence", (1 << 64) - 1, "sequence"),
        ("policy_version", 1 << 63, "policy_version"),
        ("matched_at", -(1 << 63), "matched_at"),
        ("event", b"", "event"),
        ("epoch", b"", "epoch"),
        ("previous", b"", "previous"),
        ("account_digest", b"", "account_digest"),
    ],
)
def test_what_breaks_a_rule_on_the_wire_is_refused(path, value, word):
    message = _message()
    _set(message, path, value)
    with pytest.raises(CodecError, match=word):
        decode_header(message.SerializeToString())


@pytest.mark.parametrize("name", ["finding", "part"])
def test_a_missing_message_is_refused(name):
    message = _message()
    message.ClearField(name)
    with pytest.raises(CodecError, match=name):
        decode_header(message.SerializeToString())


def test_an_unknown_tombstone_reason_is_refused():
    message = _message()
    message.tombstone.reason = 99
    with pytest.raises(CodecError, match="tombstone reason 99 is not known"):
        decode_header(message.SerializeToString())


def test_an_overlong_header_is_refused_before_it_is_parsed():
    with pytest.raises(CodecError, match="more than 4096"):
        decode_header(bytes(MOST_HEADER + 1))


def test_a_cut_header_is_refused():
    whole = header(policy_version=0)  # protobuf leaves a zero at the end out
    data = encode_header(whole)
    for length in range(len(data)):
        with pytest.raises(CodecError):
            decode_header(data[:length])


def test_what_is_unknown_is_let_pass():
    data = encode_header(header())
    later = data + bytes((0xC2, 0x3E, 3)) + b"new"  # field 1000, three bytes
    assert decode_header(later) == header()


def test_a_record_that_could_not_be_read_is_named_as_far_as_it_is_known():
    lost = header(
        kind=Kind.TOMBSTONE,
        event=bytes(16),
        account_digest=bytes(32),
        finding=None,
        picture=None,
        part=None,
        tombstone=Tombstone(reason=TombstoneReason.DAMAGED),
    )
    assert decode_header(encode_header(lost)) == lost


def test_each_picture_state_is_carried():
    for state in PictureState:
        assert decode_header(encode_header(header(picture=state))).picture is state


def test_an_error_names_the_field_and_never_its_value():
    with pytest.raises(CodecError) as caught:
        encode_header(header(finding=replace(finding(), category="What He Typed")))
    assert "What He Typed" not in str(caught.value)
