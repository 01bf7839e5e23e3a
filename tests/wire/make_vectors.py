"""Make the test vectors of the wire format: `python -m tests.wire.make_vectors` from the root.

Every run gives the same files: keys come from fixed words, seals from a fixed
ephemeral key by an HPKE written out (`hpke_by_hand`), ECDSA by RFC 6979. The info
and the digests are put together here by hand too, so that the vectors bind the
layout and not the code. Each case states what must come of it.
"""

import base64
import binascii
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.wire import hpke_by_hand
from wire.v1 import uplink_pb2 as pb

FOLDER = Path(__file__).parent / "vectors"

SCHOOL = "oakfield"
DEVICE = "0199c3f0-7a10-7abc-8def-0123456789ab"
OTHER_DEVICE = "0199c3f0-7a10-7abc-8def-ba9876543210"
EVENT = bytes.fromhex("0199c3f07a107abc8def0123456789ab")
OTHER_EVENT = bytes.fromhex("0199c3f07a117abc8def0123456789ab")
DETAILS, PICTURE = 1, 2


def _seed(words):
    return hashlib.sha256(b"redshank test vectors: " + words.encode()).digest()


def _public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def _key_id(public):
    return hashlib.sha256(b"redshank/v1/key-id\0" + public).digest()[:16]


def _info(school, device, event, kind, key_id, *, domain=b"redshank/v1/part\0"):
    return (
        domain
        + bytes((len(school),))
        + school.encode()
        + bytes((len(device),))
        + device.encode()
        + event
        + bytes((kind,))
        + key_id
    )


KEY = _seed("evidence key")
OTHER_KEY = _seed("another evidence key")
PUBLIC = _public(KEY)
KEY_ID = _key_id(PUBLIC)
TEXT = "Who sits with you at lunch? Nobody. — naïve café ✓".encode()
IMAGE = b"RIFF" + bytes(range(256))


def _sealed(plain, *, salt, info, public=PUBLIC):
    inside = _seed(salt) + plain
    sealed = hpke_by_hand.seal(inside, public, info, _seed("ephemeral " + salt))
    return sealed, inside


def _part(kind, sealed, inside, key_id=KEY_ID):
    return {
        "kind": kind,
        "key_id": key_id.hex(),
        "sealed_digest": hashlib.sha256(sealed).hexdigest(),
        "plain_digest": hashlib.sha256(inside).hexdigest(),
        "size": len(sealed),
    }


def seals():
    """Cases of `wire.seal.open_part`."""
    context = {
        "school": SCHOOL,
        "device": DEVICE,
        "event": EVENT.hex(),
        "kind": DETAILS,
        "key_id": KEY_ID.hex(),
    }
    info = _info(SCHOOL, DEVICE, EVENT, DETAILS, KEY_ID)
    sealed, inside = _sealed(TEXT, salt="details", info=info)
    part = _part(DETAILS, sealed, inside)
    good = {"context": context, "part": part, "sealed": sealed.hex(), "private_key": KEY.hex()}

    picture_info = _info(SCHOOL, DEVICE, EVENT, PICTURE, KEY_ID)
    picture, picture_inside = _sealed(IMAGE, salt="picture", info=picture_info)
    other_info = _info(SCHOOL, DEVICE, OTHER_EVENT, PICTURE, KEY_ID)
    other_picture, _ = _sealed(IMAGE[::-1], salt="other picture", info=other_info)
    of_picture = {
        **good,
        "context": {**context, "kind": PICTURE},
        "part": _part(PICTURE, picture, picture_inside),
        "sealed": picture.hex(),
    }

    cases = [
        {"name": "details", **good, "expect": "opens", "plain": TEXT.hex()},
        {"name": "picture", **of_picture, "expect": "opens", "plain": IMAGE.hex()},
    ]

    def fails(name, why, **changes):
        cases.append({"name": name, **good, **changes, "expect": why})

    def resealed(name, why, made_with, **changes):
        """A part that is whole, signed for, and sealed for somewhere else."""
        strange, within = _sealed(TEXT, salt=name, info=made_with)
        fails(
            name,
            why,
            sealed=strange.hex(),
            part=_part(DETAILS, strange, within),
            **changes,
        )

    for where, offset in (("enc", 0), ("ciphertext", 40), ("tag", len(sealed) - 1)):
        flipped = bytearray(sealed)
        flipped[offset] ^= 1
        fails(f"flipped byte in the {where}", "Altered", sealed=bytes(flipped).hex())
        digest = hashlib.sha256(flipped).hexdigest()
        fails(
            f"flipped byte in the {where}, its digest too",
            "WrongContext",
            sealed=bytes(flipped).hex(),
            part={**part, "sealed_digest": digest},
        )
    fails("cut by one byte", "Truncated", sealed=sealed[:-1].hex())
    fails("cut to the encapsulated key", "Truncated", sealed=sealed[:32].hex())
    fails("nothing left", "Truncated", sealed="")
    fails("one byte more", "Truncated", sealed=sealed.hex() + "00")
    cut = sealed[:-1]
    fails(
        "cut, and signed for as cut",
        "WrongContext",
        sealed=cut.hex(),
        part=_part(DETAILS, cut, inside),
    )
    cases.append(
        {
            "name": "swapped picture",
            **of_picture,
            "sealed": other_picture.hex(),
            "expect": "Altered",
        }
    )
    fails("details in the place of the picture", "WrongContext", context=of_picture["context"])
    resealed(
        "another event's part",
        "WrongContext",
        _info(SCHOOL, DEVICE, OTHER_EVENT, DETAILS, KEY_ID),
    )
    resealed(
        "another device's part",
        "WrongContext",
        _info(SCHOOL, OTHER_DEVICE, EVENT, DETAILS, KEY_ID),
    )
    resealed(
        "another school's part", "WrongContext", _info("elmfield", DEVICE, EVENT, DETAILS, KEY_ID)
    )
    resealed(
        "the picture's info for the details",
        "WrongContext",
        _info(SCHOOL, DEVICE, EVENT, PICTURE, KEY_ID),
    )
    resealed("wrong info: none", "WrongContext", b"")
    resealed(
        "wrong info: another version's",
        "WrongContext",
        _info(SCHOOL, DEVICE, EVENT, DETAILS, KEY_ID, domain=b"redshank/v2/part\0"),
    )
    resealed(
        "wrong info: lengths left out",
        "WrongContext",
        b"redshank/v1/part\0" + (SCHOOL + DEVICE).encode() + EVENT + bytes((DETAILS,)) + KEY_ID,
    )
    resealed(
        "wrong info: border of school and device moved",
        "WrongContext",
        _info(SCHOOL + DEVICE[0], DEVICE[1:], EVENT, DETAILS, KEY_ID),
    )
    other_id = _key_id(_public(OTHER_KEY)).hex()
    fails("wrong key id in the header", "WrongKey", part={**part, "key_id": other_id})
    fails("wrong key id in the context", "WrongKey", context={**context, "key_id": other_id})
    fails("wrong private key", "WrongKey", private_key=OTHER_KEY.hex())
    fails("half a private key", "WrongKey", private_key=KEY[:16].hex())
    strange, within = _sealed(TEXT, salt="other key", info=info, public=_public(OTHER_KEY))
    fails(
        "sealed to another key under this one's id",
        "WrongContext",
        sealed=strange.hex(),
        part=_part(DETAILS, strange, within),
    )
    fails(
        "another plain text than the one signed for",
        "WrongPlain",
        part={**part, "plain_digest": hashlib.sha256(b"another").hexdigest()},
    )
    fails(
        "the plain text's digest without its salt",
        "WrongPlain",
        part={**part, "plain_digest": hashlib.sha256(TEXT).hexdigest()},
    )
    return {"about": "wire.seal.open_part; bytes in hexadecimal", "cases": cases}


def _device_key(words):
    number = int.from_bytes(_seed(words), "big") % (1 << 255)
    return ec.derive_private_key(number, ec.SECP256R1())


def _spki(key):
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _header(**changes):
    fields = {
        "schema": 1,
        "school": SCHOOL,
        "device": DEVICE,
        "lane": 1,
        "epoch": bytes(range(16)),
        "sequence": 1,
        "previous": bytes(32),
        "kind": 1,
        "event": EVENT,
        "matched_at": 1_790_000_000_000_000,
        "clock_offset": -250_000,
        "account_kind": 1,
        "account_digest": hashlib.sha256(_seed("account salt") + b"uid:1001@oakfield").digest(),
        "finding": pb.Finding(
            source=1,
            category="bullying",
            severity=2,
            score=640,
            reasons=["second_person"],
            term_id="nobody-likes-you",
            pack="en/bullying",
            pack_version=3,
        ),
        "picture": 1,
        "part": pb.Part(
            kind=1,
            key_id=KEY_ID,
            sealed_digest=_seed("sealed"),
            plain_digest=_seed("plain"),
            size=500,
        ),
        "policy_version": 7,
    }
    return pb.Header(**(fields | changes)).SerializeToString(deterministic=True)


def headers():
    """Cases of `wire.sign.verify_header`, then `wire.codec.decode_header`."""
    key, other = _device_key("device key"), _device_key("another device key")
    algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    data = _header()
    signature = key.sign(b"redshank/v1/header\0" + data, algorithm)
    good = {
        "header": data.hex(),
        "signature": signature.hex(),
        "public_key": _spki(key).hex(),
    }
    flipped = bytearray(data)
    flipped[data.index(b"bullying")] ^= 1
    bad_signature = bytearray(signature)
    bad_signature[-1] ^= 1
    bare = key.sign(data, algorithm)
    renewal = key.sign(b"redshank/v1/renewal\0" + data, algorithm)

    def signed(name, header, expect):
        own = key.sign(b"redshank/v1/header\0" + header, algorithm)
        return {**good, "name": name, "header": header.hex(), "signature": own.hex()} | {
            "expect": expect
        }

    return {
        "about": "wire.sign.verify_header, then wire.codec.decode_header; keys as "
        "SubjectPublicKeyInfo; bytes in hexadecimal",
        "cases": [
            {"name": "an event", **good, "expect": "accepted"},
            {
                **good,
                "name": "flipped byte in the header",
                "header": bytes(flipped).hex(),
                "expect": "SignatureRefused",
            },
            {
                **good,
                "name": "flipped byte in the signature",
                "signature": bytes(bad_signature).hex(),
                "expect": "SignatureRefused",
            },
            {
                **good,
                "name": "cut header",
                "header": data[:-1].hex(),
                "expect": "SignatureRefused",
            },
            {**good, "name": "no signature", "signature": "", "expect": "SignatureRefused"},
            {
                **good,
                "name": "another device's key",
                "public_key": _spki(other).hex(),
                "expect": "SignatureRefused",
            },
            {
                **good,
                "name": "signed without the domain",
                "signature": bare.hex(),
                "expect": "SignatureRefused",
            },
            {
                **good,
                "name": "signed as a renewal",
                "signature": renewal.hex(),
                "expect": "SignatureRefused",
            },
            signed("signed, of another schema", _header(schema=2), "CodecError"),
            signed("signed, of a severity not known", _unknown_severity(), "CodecError"),
            signed("signed, and cut before", data[: len(data) // 2], "CodecError"),
        ],
    }


def _unknown_severity():
    message = pb.Header.FromString(_header())
    message.finding.severity = 9
    return message.SerializeToString(deterministic=True)


def tokens():
    """Cases of `wire.token.read_token`."""
    secret, trust = _seed("token secret")[:16], _seed("root certificate")
    body = secret + trust
    check = binascii.crc_hqx(body, 0).to_bytes(2, "big")
    text = "rs1" + base64.b32encode(body + check).decode().lower()
    other = "b" if text[40] == "a" else "a"
    good = {"secret": secret.hex(), "trust": trust.hex()}
    return {
        "about": "wire.token.read_token",
        "cases": [
            {"name": "as printed", "text": text, **good, "expect": "read"},
            {"name": "in capitals, with a new line", "text": text.upper() + "\n", **good}
            | {"expect": "read"},
            {"name": "cut", "text": text[:-1], "expect": "CUT"},
            {"name": "its beginning alone", "text": "rs1", "expect": "CUT"},
            {"name": "a letter too many", "text": text + "a", "expect": "TOO_LONG"},
            {"name": "one letter wrong", "text": text[:40] + other + text[41:]}
            | {"expect": "MISTYPED"},
            {"name": "a zero for an o", "text": text[:40] + "0" + text[41:]}
            | {"expect": "MISTYPED"},
            {"name": "of a later version", "text": "rs2" + text[3:], "expect": "OTHER_VERSION"},
            {"name": "a web address", "text": "https://desk.example.org", "expect": "NO_TOKEN"},
            {"name": "nothing", "text": "", "expect": "NO_TOKEN"},
        ],
    }


FILES = {"seal.json": seals, "header.json": headers, "token.json": tokens}


def text_of(make):
    """A vector file's text."""
    return json.dumps(make(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, make in FILES.items():
        (FOLDER / name).write_text(text_of(make), encoding="utf-8")
