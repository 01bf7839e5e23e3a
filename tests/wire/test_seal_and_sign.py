"""Sealing, signing, accounts and ids, beyond what the vectors show."""

import hashlib
import uuid
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import hpke_by_hand
from tests.wire.examples import DEVICE, EVENT, SCHOOL
from wire import account, ids, seal, sign
from wire.certs import new_key
from wire.event import PartKind

PRIVATE = seal.new_private_key()
PUBLIC = seal.public_half(PRIVATE)
CONTEXT = seal.SealContext(
    school=SCHOOL,
    device=DEVICE,
    event=EVENT,
    kind=PartKind.DETAILS,
    key_id=seal.key_id(PUBLIC),
)
KEY = new_key()


@given(st.binary(max_size=5000))
def test_what_is_sealed_opens_and_is_told_by_its_part(plain):
    made = seal.seal(plain, public_key=PUBLIC, context=CONTEXT)
    opened = seal.open_part(made.sealed, private_key=PRIVATE, context=CONTEXT, part=made.part)
    assert opened == plain
    assert made.part.size == len(made.sealed) == len(plain) + seal.OVERHEAD
    assert made.part.sealed_digest == hashlib.sha256(made.sealed).digest()
    assert seal.join(*seal.split(made.sealed)) == made.sealed


def test_the_same_words_sealed_twice_share_no_digest():
    one, two = (seal.seal(b"the same", public_key=PUBLIC, context=CONTEXT) for _ in range(2))
    assert one.part.plain_digest != two.part.plain_digest
    assert one.part.sealed_digest != two.part.sealed_digest


@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_an_hpke_written_out_and_ours_agree(plain, ephemeral, info):
    sealed = hpke_by_hand.seal(plain, PUBLIC, info, ephemeral)
    private = seal.X25519PrivateKey.from_private_bytes(PRIVATE)
    assert seal._SUITE.decrypt(sealed, private, info=info) == plain


@given(st.data())
def test_no_flipped_bit_opens(data):
    made = seal.seal(b"words around a match", public_key=PUBLIC, context=CONTEXT)
    changed = bytearray(made.sealed)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    # Even where somebody could change the signed digest along with it.
    part = replace(made.part, sealed_digest=hashlib.sha256(changed).digest())
    with pytest.raises(seal.WrongContext):
        seal.open_part(bytes(changed), private_key=PRIVATE, context=CONTEXT, part=part)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_clear_error(sealed):
    part = replace(
        seal.seal(b"", public_key=PUBLIC, context=CONTEXT).part,
        size=len(sealed),
        sealed_digest=hashlib.sha256(sealed).digest(),
    )
    with pytest.raises(seal.SealError):
        seal.open_part(sealed, private_key=PRIVATE, context=CONTEXT, part=part)


def test_a_part_is_sealed_only_to_the_key_that_the_context_names():
    other = seal.public_half(seal.new_private_key())
    with pytest.raises(seal.WrongKey):
        seal.seal(b"w", public_key=other, context=CONTEXT)


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33), bytes(32)])
def test_what_is_no_public_key_is_refused(public):
    context = replace(CONTEXT, key_id=seal.key_id(public))
    with pytest.raises(seal.WrongKey):
        seal.seal(b"w", public_key=public, context=context)


@pytest.mark.parametrize(
    "changes",
    [
        {"school": ""},
        {"school": "s" * 256},
        {"device": ""},
        {"device": "d" * 256},
        {"event": bytes(15)},
        {"key_id": bytes(17)},
    ],
)
def test_a_context_that_its_layout_cannot_hold_is_refused(changes):
    with pytest.raises(seal.SealError):
        replace(CONTEXT, **changes).info()


@pytest.mark.parametrize("length", [1, 255])
def test_a_context_with_the_shortest_and_the_longest_ids_is_sealed(length):
    context = replace(CONTEXT, school="s" * length, device="d" * length)
    made = seal.seal(b"w", public_key=PUBLIC, context=context)
    opened = seal.open_part(made.sealed, private_key=PRIVATE, context=context, part=made.part)
    assert opened == b"w"


def test_parts_that_are_cut_are_neither_split_nor_joined():
    made = seal.seal(b"", public_key=PUBLIC, context=CONTEXT)
    enc, ciphertext = seal.split(made.sealed)
    assert (len(enc), len(ciphertext)) == (32, 48)
    with pytest.raises(seal.Truncated):
        seal.split(made.sealed[:-1])
    with pytest.raises(seal.Truncated):
        seal.join(enc[:-1], ciphertext)
    with pytest.raises(seal.Truncated):
        seal.join(enc, ciphertext[:-1])


@given(st.binary(max_size=300))
def test_a_signature_holds_for_its_bytes_and_its_purpose_alone(data):
    signature = sign.sign_header(data, KEY)
    sign.verify_header(data, signature, KEY.public_key())
    with pytest.raises(sign.SignatureRefused):
        sign.verify_header(data + b"\0", signature, KEY.public_key())
    with pytest.raises(sign.SignatureRefused):
        sign.verify_renewal(data, signature, KEY.public_key())


@given(st.binary(max_size=100))
def test_any_bytes_are_refused_as_a_signature(signature):
    with pytest.raises(sign.SignatureRefused):
        sign.verify_header(b"header", signature, KEY.public_key())


def test_a_renewal_is_proved_by_the_old_key():
    proof = sign.sign_renewal(b"request", KEY)
    sign.verify_renewal(b"request", proof, KEY.public_key())
    KEY.public_key().verify(proof, b"redshank/v1/renewal\0request", ec.ECDSA(hashes.SHA256()))
    with pytest.raises(sign.SignatureRefused):
        sign.verify_renewal(b"request", proof, new_key().public_key())


def test_a_key_on_another_curve_is_refused():
    other = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(sign.SignatureRefused, match="P-256"):
        sign.verify_header(b"h", sign.sign_header(b"h", other), other.public_key())


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_an_account_is_known_by_its_digest_and_salt_alone(name):
    salt = account.new_salt()
    digest = account.account_digest(name, salt)
    assert digest == hashlib.sha256(salt + name.encode()).digest()
    assert account.is_account(name, salt, digest)
    assert not account.is_account(name + "x", salt, digest)
    assert not account.is_account(name, account.new_salt(), digest)
    assert not account.is_account(name, salt[:-1], digest)


def test_a_short_salt_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        account.account_digest("uid:1001@oak", bytes(16))


class SetClock:
    """A clock that says what it is told."""

    def __init__(self, now):
        self.time = now

    def now(self):
        return self.time

    def monotonic(self):
        return self.time / 1e6


@given(st.integers(0, (1 << 48) * 1000 - 1))
def test_an_event_id_is_a_uuid_7_of_its_moment(now):
    event = ids.new_event(SetClock(now))
    parsed = uuid.UUID(bytes=event)
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert int.from_bytes(event[:6], "big") == now // 1000
    assert ids.event_text(event) == str(parsed)
    assert ids.event_bytes(ids.event_text(event).upper()) == event


@given(st.lists(st.integers(0, (1 << 48) * 1000 - 1), min_size=2, max_size=5, unique=True))
def test_event_ids_sort_by_time(moments):
    made = [ids.new_event(SetClock(now)) for now in sorted(moments)]
    assert made == sorted(made)


def test_two_events_of_one_moment_differ():
    clock = SetClock(1_790_000_000_000_000)
    assert len({ids.new_event(clock) for _ in range(1000)}) == 1000


def test_a_clock_before_1970_gives_an_id_all_the_same():
    assert uuid.UUID(bytes=ids.new_event(SetClock(-5))).version == 7


@given(st.text(max_size=50))
def test_any_text_gives_an_id_or_a_clear_error(text):
    with pytest.raises(ValueError, match="UUID"):
        ids.event_bytes(text)


@pytest.mark.parametrize(
    "text",
    [
        "0199c3f07a107abc8def0123456789ab",
        "{0199c3f0-7a10-7abc-8def-0123456789ab}",
        "urn:uuid:0199c3f0-7a10-7abc-8def-0123456789ab",
    ],
)
def test_another_spelling_of_an_id_is_refused(text):
    with pytest.raises(ValueError, match="UUID"):
        ids.event_bytes(text)


def test_an_id_of_another_length_has_no_text():
    with pytest.raises(ValueError, match="16 bytes"):
        ids.event_text(bytes(15))
