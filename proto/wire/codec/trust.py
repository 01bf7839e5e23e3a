"""Statements of the root and policies, and their signed forms.

The signed form holds the bytes that were signed. `wire.root` and `wire.policy`
check signatures; what is decoded here is not yet believed.
"""

import zlib

from wire.codec.checks import (
    CODE,
    LARGEST,
    PACK,
    CodecError,
    counted,
    few,
    identifier,
    matching,
    member,
    number_of,
    parse,
    short,
    sized,
    some,
    table,
)
from wire.event import (
    EvidenceRules,
    KeyStatement,
    PackText,
    Policy,
    Purpose,
    SignedKey,
    SignedPolicy,
)
from wire.v1 import uplink_pb2 as pb

SCHEMA = 1
MOST_STATEMENT = 512
MOST_SIGNATURE = 128
MOST_POLICY = 3 << 20  # below gRPC's default of 4 MiB for a message
MOST_PACK = 1 << 20
MOST_TEXT = 12 << 20
"""Bytes of all packs of a policy together, inflated."""
MOST_PACKS = 256
MOST_KEYS = 8
MOST_RULES = 2000
MOST_RULE = 500
MOST_PICTURE = 4 << 20
KEY_SIZE = 32

_PURPOSES = table(Purpose)


def encode_statement(statement: KeyStatement) -> bytes:
    """The bytes for the root to sign. Raises CodecError."""
    _check_statement(statement)
    return pb.KeyStatement(
        schema=SCHEMA,
        school=statement.school,
        purpose=number_of(statement.purpose),
        public_key=statement.public_key,
        epoch=statement.epoch,
        not_before=statement.not_before,
        not_after=statement.not_after,
    ).SerializeToString(deterministic=True)


def decode_statement(data: bytes) -> KeyStatement:
    """What a statement's bytes say. Raises CodecError."""
    some(data, MOST_STATEMENT, "a key statement")
    message = parse(pb.KeyStatement(), data, "a key statement")
    if message.schema != SCHEMA:
        raise CodecError(f"key statement schema {message.schema} is not known")
    statement = KeyStatement(
        school=message.school,
        purpose=member(_PURPOSES, message.purpose, "purpose"),
        public_key=message.public_key,
        epoch=message.epoch,
        not_before=message.not_before,
        not_after=message.not_after,
    )
    _check_statement(statement)
    return statement


def _check_statement(statement: KeyStatement) -> None:
    identifier(statement.school, "school")
    sized(statement.public_key, KEY_SIZE, "public_key")
    counted(statement.epoch, LARGEST, "epoch", least=1)
    counted(statement.not_before, LARGEST, "not_before")
    counted(statement.not_after, LARGEST, "not_after", least=statement.not_before)


def encode_signed_key(signed: SignedKey) -> bytes:
    """A signed key, for a file or a database. Raises CodecError."""
    return signed_key_to_pb(signed).SerializeToString(deterministic=True)


def decode_signed_key(data: bytes) -> SignedKey:
    """A signed key, not yet verified. Raises CodecError."""
    some(data, MOST_STATEMENT + MOST_SIGNATURE + 16, "a signed key")
    return signed_key_from_pb(parse(pb.SignedKey(), data, "a signed key"))


def _check_signed_key(signed: SignedKey) -> None:
    some(signed.statement, MOST_STATEMENT, "a key statement")
    some(signed.signature, MOST_SIGNATURE, "a key's signature")


def signed_key_to_pb(signed: SignedKey) -> pb.SignedKey:
    """A signed key, checked, as protobuf."""
    _check_signed_key(signed)
    return pb.SignedKey(statement=signed.statement, signature=signed.signature)


def signed_key_from_pb(message: pb.SignedKey) -> SignedKey:
    """A signed key, checked in form."""
    signed = SignedKey(statement=message.statement, signature=message.signature)
    _check_signed_key(signed)
    return signed


def encode_policy(policy: Policy) -> bytes:
    """The bytes to sign. Raises CodecError."""
    _check_policy(policy)
    data = pb.Policy(
        schema=SCHEMA,
        school=policy.school,
        version=policy.version,
        issued_at=policy.issued_at,
        expires_at=policy.expires_at,
        packs=[pack_to_pb(pack) for pack in policy.packs],
        evidence=rules_to_pb(policy.evidence),
        keys=[signed_key_to_pb(key) for key in policy.keys],
    ).SerializeToString(deterministic=True)
    some(data, MOST_POLICY, "a policy")
    return data


def decode_policy(data: bytes) -> Policy:
    """What a policy's bytes say. Raises CodecError."""
    some(data, MOST_POLICY, "a policy")
    message = parse(pb.Policy(), data, "a policy")
    if message.schema != SCHEMA:
        raise CodecError(f"policy schema {message.schema} is not known")
    if not message.HasField("evidence"):
        raise CodecError("a policy has no evidence rules")
    few(message.packs, MOST_PACKS, "packs")
    few(message.keys, MOST_KEYS, "keys")
    policy = Policy(
        school=message.school,
        version=message.version,
        issued_at=message.issued_at,
        expires_at=message.expires_at,
        packs=tuple(pack_from_pb(pack) for pack in message.packs),
        evidence=rules_from_pb(message.evidence),
        keys=tuple(signed_key_from_pb(key) for key in message.keys),
    )
    _check_policy(policy)
    return policy


def _check_policy(policy: Policy) -> None:
    identifier(policy.school, "school")
    counted(policy.version, LARGEST, "version", least=1)
    counted(policy.issued_at, LARGEST, "issued_at")
    counted(policy.expires_at, LARGEST, "expires_at", least=policy.issued_at)
    few(policy.packs, MOST_PACKS, "packs")
    for pack in policy.packs:
        check_pack(pack)
    if (whole := sum(len(pack.text) for pack in policy.packs)) > MOST_TEXT:
        raise CodecError(f"all packs have {whole} bytes, more than {MOST_TEXT}")
    check_rules(policy.evidence)
    few(policy.keys, MOST_KEYS, "keys")


def check_pack(pack: PackText) -> None:
    """Raise CodecError unless the pack keeps the format. Empty text is the policy's matter."""
    matching(pack.name, PACK, "a pack's name")
    counted(pack.version, (1 << 32) - 1, "a pack's version", least=1)
    if len(pack.text) > MOST_PACK:
        raise CodecError(f"a pack has {len(pack.text)} bytes, more than {MOST_PACK}")


def pack_to_pb(pack: PackText) -> pb.PackText:
    """A pack that was checked, as protobuf."""
    return pb.PackText(name=pack.name, version=pack.version, deflated=zlib.compress(pack.text, 9))


def pack_from_pb(message: pb.PackText) -> PackText:
    """A pack, not yet checked. Raises CodecError if it is cut, or larger than a pack may be."""
    inflating = zlib.decompressobj()
    try:
        text = inflating.decompress(message.deflated, MOST_PACK + 1)
    except zlib.error:
        raise CodecError("a pack's text is damaged") from None
    if len(text) > MOST_PACK:
        raise CodecError(f"a pack has more than {MOST_PACK} bytes")
    if not inflating.eof or inflating.unused_data:
        raise CodecError("a pack's text is cut, or more follows it")
    return PackText(name=message.name, version=message.version, text=text)


def check_rules(rules: EvidenceRules) -> None:
    """Raise CodecError unless the evidence rules keep the format."""
    for codes, what in ((rules.no_picture, "no_picture"), (rules.all_monitors, "all_monitors")):
        few(codes, MOST_RULES, what)
        for code in codes:
            matching(code, CODE, what)
    for texts, what in (
        (rules.never_places, "never_places"),
        (rules.excluded_applications, "excluded_applications"),
        (rules.held_applications, "held_applications"),
        (rules.shared_accounts, "shared_accounts"),
    ):
        few(texts, MOST_RULES, what)
        for text in texts:
            # An empty place is contained in every address: it would blind the agent.
            if not text.strip():
                raise CodecError(f"{what} has an empty entry")
            short(text, MOST_RULE, what)
    counted(rules.picture_max_bytes, MOST_PICTURE, "picture_max_bytes", least=1)


def rules_to_pb(rules: EvidenceRules) -> pb.EvidenceRules:
    """Evidence rules that were checked, as protobuf."""
    return pb.EvidenceRules(
        no_picture=rules.no_picture,
        all_monitors=rules.all_monitors,
        never_places=rules.never_places,
        excluded_applications=rules.excluded_applications,
        held_applications=rules.held_applications,
        shared_accounts=rules.shared_accounts,
        picture_max_bytes=rules.picture_max_bytes,
        patterns=rules.patterns,
    )


def rules_from_pb(message: pb.EvidenceRules) -> EvidenceRules:
    """Evidence rules, not yet checked."""
    return EvidenceRules(
        no_picture=tuple(message.no_picture),
        all_monitors=tuple(message.all_monitors),
        never_places=tuple(message.never_places),
        excluded_applications=tuple(message.excluded_applications),
        held_applications=tuple(message.held_applications),
        shared_accounts=tuple(message.shared_accounts),
        picture_max_bytes=message.picture_max_bytes,
        patterns=message.patterns,
    )


def encode_signed_policy(signed: SignedPolicy) -> bytes:
    """A signed policy, for a file or a database. Raises CodecError."""
    return signed_policy_to_pb(signed).SerializeToString(deterministic=True)


def decode_signed_policy(data: bytes) -> SignedPolicy:
    """A signed policy, not yet verified. Raises CodecError."""
    some(data, MOST_POLICY + 2048, "a signed policy")
    return signed_policy_from_pb(parse(pb.SignedPolicy(), data, "a signed policy"))


def signed_policy_to_pb(signed: SignedPolicy) -> pb.SignedPolicy:
    """A signed policy, checked in form, as protobuf."""
    _check_signed_policy(signed)
    return pb.SignedPolicy(
        policy=signed.policy, signature=signed.signature, signer=signed_key_to_pb(signed.signer)
    )


def signed_policy_from_pb(message: pb.SignedPolicy) -> SignedPolicy:
    """A signed policy, checked in form."""
    if not message.HasField("signer"):
        raise CodecError("a policy's signer is not said")
    signed = SignedPolicy(
        policy=message.policy,
        signature=message.signature,
        signer=signed_key_from_pb(message.signer),
    )
    _check_signed_policy(signed)
    return signed


def _check_signed_policy(signed: SignedPolicy) -> None:
    some(signed.policy, MOST_POLICY, "a policy")
    some(signed.signature, MOST_SIGNATURE, "a policy's signature")
