"""A policy is accepted only if it moves forward, whole, under the school's root.

A policy is signed with Ed25519 (RFC 8032) over

    "redshank/v1/policy" ‖ 0 ‖ the policy's bytes

by a policy key, whose statement the root has signed. The agent keeps a memory
(`wire.trust`) beside the last good policy.

`accept` judges in this order, and stops at the first no:

    signer      under the root, for this school, for policies, valid now, epoch not lower
    signature   over exactly these bytes
    form        decodes strictly
    school      is this one
    version     not lower than the last; if equal, the same bytes
    time        not issued in the future, not expired
    packs       at least one, none without text, none twice, none older than seen,
                none altered under a version already seen
    keys        one evidence key and at most one referral key, each under the root
                and valid now; epochs not lower, and one epoch never two keys

What is refused changes nothing: the last good policy stays in force, and goes on
being used when it has expired, because a PC that stops watching is worse than
one that watches by an old policy; `is_stale` says so for the heartbeat.

Expiry stops a freeze (a collector that hands out an old policy for ever). It relies
on the clock, so `now` should be corrected by the offset to the collector where that
is known.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wire.codec import CodecError, decode_policy, decode_statement, encode_policy
from wire.event import KeyStatement, Policy, Purpose, SignedKey, SignedPolicy
from wire.root import RootReason, RootRefused, verify_key
from wire.trust import Known, TrustDamaged, TrustState

__all__ = [
    "Known",
    "PolicyReason",
    "PolicyRefused",
    "TrustDamaged",
    "TrustState",
    "accept",
    "is_stale",
    "key_in",
    "sign_policy",
]

MOST_AHEAD = 24 * 3600 * 1_000_000
"""How far in the future a policy may have been issued, in µs: clocks differ by hours, not days."""

_DOMAIN = b"redshank/v1/policy\0"


class PolicyReason(StrEnum):
    """Why a policy is refused."""

    FOREIGN_SIGNER = "signed by a key that the school's root has not signed"
    SIGNER_MALFORMED = "the signing key's statement breaks its format"
    SIGNER_OF_OTHER_SCHOOL = "signed by another school's key"
    SIGNER_NOT_FOR_POLICIES = "signed by a key that is not for policies"
    SIGNER_NOT_YET_VALID = "signed by a key that is not yet valid"
    SIGNER_EXPIRED = "signed by a key that has expired"
    SIGNER_WENT_BACK = "signed by an older policy key than the last"
    BAD_SIGNATURE = "altered or cut, or under another policy's signature"
    MALFORMED = "breaks the format"
    WRONG_SCHOOL = "made for another school"
    ROLLBACK = "older than the one in force"
    VERSION_TAKEN = "another content under a version already seen"
    FROM_THE_FUTURE = "issued in the future"
    EXPIRED = "expired"
    EMPTY = "without any packs"
    PACK_EMPTY = "has a pack without text"
    PACK_TWICE = "names a pack twice"
    PACK_WENT_BACK = "has an older pack than was in force"
    PACK_ALTERED = "has another text under a pack's version already seen"
    NO_EVIDENCE_KEY = "has no key to seal evidence to"
    KEYS_TWICE = "has two keys for one purpose"
    KEY_REFUSED = "has a key that the school's root does not vouch for now"
    KEY_WENT_BACK = "has an older key than was in force"


class PolicyRefused(Exception):
    """A policy is not accepted: the reason, and in words what to look at."""

    def __init__(self, reason: PolicyReason, detail: str = "") -> None:
        self.reason = reason
        self.words = f"policy refused: {reason.value}" + (f" ({detail})" if detail else "")
        super().__init__(self.words)


_OF_SIGNER = {
    RootReason.NOT_SIGNED: PolicyReason.FOREIGN_SIGNER,
    RootReason.MALFORMED: PolicyReason.SIGNER_MALFORMED,
    RootReason.WRONG_SCHOOL: PolicyReason.SIGNER_OF_OTHER_SCHOOL,
    RootReason.WRONG_PURPOSE: PolicyReason.SIGNER_NOT_FOR_POLICIES,
    RootReason.NOT_YET: PolicyReason.SIGNER_NOT_YET_VALID,
    RootReason.EXPIRED: PolicyReason.SIGNER_EXPIRED,
}


def sign_policy(policy: Policy, key: Ed25519PrivateKey, signer: SignedKey) -> SignedPolicy:
    """The policy under its key's signature. Raises CodecError."""
    data = encode_policy(policy)
    return SignedPolicy(policy=data, signature=key.sign(_DOMAIN + data), signer=signer)


def accept(
    signed: SignedPolicy,
    *,
    trust: TrustState,
    root_public: ec.EllipticCurvePublicKey,
    school: str,
    now: int,
) -> tuple[Policy, TrustState]:
    """The policy, and what to remember from now on. Raises PolicyRefused.

    The one in force is accepted again, with an unchanged memory. `now` is in
    microseconds since 1970.
    """
    try:
        signer = verify_key(
            signed.signer, root_public=root_public, school=school, purpose=Purpose.POLICY, now=now
        )
    except RootRefused as refusal:
        raise PolicyRefused(_OF_SIGNER[refusal.reason]) from None
    keys = dict(trust.keys)
    _rise(keys, "policy", signer.epoch, signer.public_key, back=PolicyReason.SIGNER_WENT_BACK)
    try:
        Ed25519PublicKey.from_public_bytes(signer.public_key).verify(
            signed.signature, _DOMAIN + signed.policy
        )
    except (InvalidSignature, ValueError):
        raise PolicyRefused(PolicyReason.BAD_SIGNATURE) from None
    try:
        policy = decode_policy(signed.policy)
    except CodecError as error:
        raise PolicyRefused(PolicyReason.MALFORMED, str(error)) from None
    digest = hashlib.sha256(signed.policy).hexdigest()
    _check_frame(policy, digest, trust, school, now)
    packs = _check_packs(policy, trust)
    _check_keys(policy, keys, root_public, school, now)
    return policy, TrustState(
        version=policy.version, digest=digest, keys=MappingProxyType(keys), packs=packs
    )


def _check_frame(policy: Policy, digest: str, trust: TrustState, school: str, now: int) -> None:
    if policy.school != school:
        raise PolicyRefused(PolicyReason.WRONG_SCHOOL)
    if policy.version < trust.version:
        raise PolicyRefused(
            PolicyReason.ROLLBACK, f"version {policy.version} after {trust.version}"
        )
    if policy.version == trust.version and digest != trust.digest:
        raise PolicyRefused(PolicyReason.VERSION_TAKEN, f"version {policy.version}")
    if policy.issued_at > now + MOST_AHEAD:
        raise PolicyRefused(PolicyReason.FROM_THE_FUTURE)
    if is_stale(policy, now):
        raise PolicyRefused(PolicyReason.EXPIRED)


def _check_packs(policy: Policy, trust: TrustState) -> Mapping[str, Known]:
    if not policy.packs:
        raise PolicyRefused(PolicyReason.EMPTY)
    seen = dict(trust.packs)
    names: set[str] = set()
    for pack in policy.packs:
        if not pack.text.strip():
            raise PolicyRefused(PolicyReason.PACK_EMPTY, pack.name)
        if pack.name in names:
            raise PolicyRefused(PolicyReason.PACK_TWICE, pack.name)
        names.add(pack.name)
        _rise(
            seen,
            pack.name,
            pack.version,
            pack.text,
            back=PolicyReason.PACK_WENT_BACK,
            altered=PolicyReason.PACK_ALTERED,
        )
    return MappingProxyType(seen)


def _check_keys(
    policy: Policy,
    keys: dict[str, Known],
    root_public: ec.EllipticCurvePublicKey,
    school: str,
    now: int,
) -> None:
    purposes: set[Purpose] = set()
    for signed in policy.keys:
        purpose = _claimed_purpose(signed)
        if purpose in purposes:
            raise PolicyRefused(PolicyReason.KEYS_TWICE, purpose.name.lower())
        purposes.add(purpose)
        try:
            statement = verify_key(
                signed, root_public=root_public, school=school, purpose=purpose, now=now
            )
        except RootRefused as refusal:
            detail = f"{purpose.name.lower()}: {refusal.reason.value}"
            raise PolicyRefused(PolicyReason.KEY_REFUSED, detail) from None
        name = purpose.name.lower()
        _rise(keys, name, statement.epoch, statement.public_key, back=PolicyReason.KEY_WENT_BACK)
    if Purpose.EVIDENCE not in purposes:
        raise PolicyRefused(PolicyReason.NO_EVIDENCE_KEY)


def _claimed_purpose(signed: SignedKey) -> Purpose:
    try:
        purpose = decode_statement(signed.statement).purpose
    except CodecError as error:
        raise PolicyRefused(PolicyReason.KEY_REFUSED, str(error)) from None
    if purpose is Purpose.POLICY:
        raise PolicyRefused(PolicyReason.KEY_REFUSED, "a policy key among the keys to seal to")
    return purpose


def _rise(
    seen: dict[str, Known],
    name: str,
    number: int,
    content: bytes,
    *,
    back: PolicyReason,
    altered: PolicyReason | None = None,
) -> None:
    """Note `number` of `name`; refuse a lower one, and another content under the same."""
    digest = hashlib.sha256(content).hexdigest()
    last = seen.get(name)
    if last is not None and number < last.number:
        raise PolicyRefused(back, f"{name}: {number} after {last.number}")
    if last is not None and number == last.number and digest != last.digest:
        raise PolicyRefused(altered or back, f"{name}: another content under {number}")
    seen[name] = Known(number, digest)


def is_stale(policy: Policy, now: int) -> bool:
    """Whether the policy has expired: the one in force is kept nevertheless, and reported."""
    return now >= policy.expires_at


def key_in(policy: Policy, purpose: Purpose) -> KeyStatement | None:
    """What an accepted policy says of its key for that purpose."""
    for signed in policy.keys:
        statement = decode_statement(signed.statement)
        if statement.purpose is purpose:
            return statement
    return None
