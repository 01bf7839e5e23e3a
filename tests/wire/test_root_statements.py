"""Keys are accepted under the school's root alone, for their school, purpose and time."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.examples import NOW, SCHOOL
from wire import root as roots
from wire.codec import CodecError
from wire.event import KeyStatement, Purpose
from wire.root import RootReason, RootRefused, sign_key, verify_key

ROOT = roots.new_root()
STATEMENT = KeyStatement(
    school=SCHOOL,
    purpose=Purpose.EVIDENCE,
    public_key=b"k" * 32,
    epoch=1,
    not_before=NOW,
    not_after=NOW + 10,
)
SIGNED = sign_key(STATEMENT, ROOT)


def verified(signed=SIGNED, *, root=ROOT, school=SCHOOL, purpose=Purpose.EVIDENCE, now=NOW):
    return verify_key(
        signed, root_public=root.public_key(), school=school, purpose=purpose, now=now
    )


def test_a_statement_is_accepted_under_its_root():
    assert verified() == STATEMENT
    assert verified(now=NOW + 9) == STATEMENT


@pytest.mark.parametrize(
    ("circumstances", "reason"),
    [
        ({"root": roots.new_root()}, RootReason.NOT_SIGNED),
        ({"root": ec.generate_private_key(ec.SECP384R1())}, RootReason.NOT_SIGNED),
        ({"signed": replace(SIGNED, signature=b"")}, RootReason.NOT_SIGNED),
        ({"signed": replace(SIGNED, signature=b"\x30\x00")}, RootReason.NOT_SIGNED),
        ({"school": "elmfield"}, RootReason.WRONG_SCHOOL),
        ({"purpose": Purpose.REFERRAL}, RootReason.WRONG_PURPOSE),
        ({"now": NOW - 1}, RootReason.NOT_YET),
        ({"now": NOW + 10}, RootReason.EXPIRED),
    ],
)
def test_a_statement_is_refused_by_its_own_reason(circumstances, reason):
    with pytest.raises(RootRefused) as caught:
        verified(**circumstances)
    assert caught.value.reason is reason
    assert str(caught.value) == reason.value


def test_signed_bytes_that_are_no_statement_are_refused():
    data = b"\x08\x01"
    signature = ROOT.sign(b"redshank/v1/key-statement\0" + data, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(RootRefused) as caught:
        verified(replace(SIGNED, statement=data, signature=signature))
    assert caught.value.reason is RootReason.MALFORMED


def test_a_signature_without_the_domain_is_refused():
    bare = ROOT.sign(SIGNED.statement, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(RootRefused):
        verified(replace(SIGNED, signature=bare))


@given(st.data())
def test_no_flipped_bit_is_accepted(data):
    statement = bytearray(SIGNED.statement)
    statement[data.draw(st.integers(0, len(statement) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(RootRefused):
        verified(replace(SIGNED, statement=bytes(statement)))


def test_the_root_comes_back_from_its_secret():
    scalar = roots.scalar_of(ROOT)
    assert len(scalar) == 32
    again = roots.root_from_scalar(scalar)
    assert verified(sign_key(STATEMENT, again)) == STATEMENT


@pytest.mark.parametrize(
    "scalar",
    [b"", bytes(31), bytes(32), b"\xff" * 32, bytes(33), b"\0" + roots.scalar_of(ROOT)],
    ids=["empty", "short", "zero", "too great", "long", "one byte more"],
)
def test_what_is_no_secret_of_a_root_is_refused(scalar):
    with pytest.raises(ValueError):
        roots.root_from_scalar(scalar)


def test_a_statement_that_breaks_the_format_is_not_signed():
    with pytest.raises(CodecError):
        sign_key(replace(STATEMENT, epoch=0), ROOT)
