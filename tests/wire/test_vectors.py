"""The kept vectors: what must open opens, and everything else fails as its case states."""

import json

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.wire import make_vectors
from wire import seal
from wire.codec import CodecError, decode_header
from wire.event import Part, PartKind
from wire.sign import SignatureRefused, verify_header
from wire.token import TokenError, read_token


def _cases(name):
    data = json.loads((make_vectors.FOLDER / name).read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in data["cases"]]


@pytest.mark.parametrize("name", make_vectors.FILES)
def test_the_kept_files_are_what_the_script_makes(name):
    kept = (make_vectors.FOLDER / name).read_text(encoding="utf-8")
    assert kept == make_vectors.text_of(make_vectors.FILES[name])


@pytest.mark.parametrize("case", _cases("seal.json"))
def test_seal(case):
    def opened():
        context, part = case["context"], case["part"]
        return seal.open_part(
            bytes.fromhex(case["sealed"]),
            private_key=bytes.fromhex(case["private_key"]),
            context=seal.SealContext(
                school=context["school"],
                device=context["device"],
                event=bytes.fromhex(context["event"]),
                kind=PartKind(context["kind"]),
                key_id=bytes.fromhex(context["key_id"]),
            ),
            part=Part(
                kind=PartKind(part["kind"]),
                key_id=bytes.fromhex(part["key_id"]),
                sealed_digest=bytes.fromhex(part["sealed_digest"]),
                plain_digest=bytes.fromhex(part["plain_digest"]),
                size=part["size"],
            ),
        )

    if case["expect"] == "opens":
        assert opened().hex() == case["plain"]
        return
    with pytest.raises(seal.SealError) as caught:
        opened()
    assert type(caught.value).__name__ == case["expect"]


@pytest.mark.parametrize("case", _cases("header.json"))
def test_header(case):
    header = bytes.fromhex(case["header"])
    outcome = "accepted"
    try:
        key = load_der_public_key(bytes.fromhex(case["public_key"]))
        verify_header(header, bytes.fromhex(case["signature"]), key)
        decode_header(header)
    except (SignatureRefused, CodecError) as error:
        outcome = type(error).__name__
    assert outcome == case["expect"]


@pytest.mark.parametrize("case", _cases("token.json"))
def test_token(case):
    if case["expect"] == "read":
        token = read_token(case["text"])
        assert (token.secret.hex(), token.trust.hex()) == (case["secret"], case["trust"])
        return
    with pytest.raises(TokenError) as caught:
        read_token(case["text"])
    assert caught.value.reason.name == case["expect"]
