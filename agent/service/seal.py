"""From what a session saw to drafts in which nobody on this PC can read who or what."""

from dataclasses import replace

from agent.service.policy import PolicyKeeper
from agent.service.record import Draft
from wire import account, seal
from wire.codec import CodecError
from wire.details import Details, Picture, Who, encode_details, encode_picture
from wire.event import Finding, Kind, Lane, PartKind, Tombstone, TombstoneReason
from wire.local import Again, Found


class Offset:
    """The clock's distance to the collector's, µs: measured by the uplink, written in headers."""

    def __init__(self) -> None:
        self.value = 0


class Sealer:
    """Makes drafts, sealed to the school's evidence key as the policy in force names it."""

    def __init__(self, *, school: str, device: str, policy: PolicyKeeper, offset: Offset) -> None:
        self._school = school
        self._device = device
        self._policy = policy
        self._offset = offset

    def event(self, who: Who, found: Found, matched_at: int) -> Draft:
        """An event with its details. Raises CodecError."""
        details: Details = replace(found.details, who=who)
        draft = self._draft(who, Kind.EVENT, found.event, matched_at)
        return self._sealed(
            replace(draft, finding=found.finding, picture=found.picture),
            PartKind.DETAILS,
            encode_details(details),
        )

    def picture(self, who: Who, event: bytes, picture: Picture) -> Draft:
        """The picture of an event. Raises CodecError."""
        draft = self._draft(who, Kind.PICTURE, event, picture.taken_at)
        return self._sealed(draft, PartKind.PICTURE, encode_picture(picture))

    def repeat(self, who: Who, again: Again, last_at: int) -> Draft:
        """Further matches of an event that was told already."""
        finding: Finding = again.finding
        draft = self._draft(who, Kind.REPEAT, again.event, last_at)
        return replace(draft, finding=finding, repeats=again.repeats)

    def no_picture(self, who: Who, event: bytes) -> Draft:
        """The word that a promised picture will not come."""
        draft = self._draft(who, Kind.TOMBSTONE, event, 0, lane=Lane.PICTURE)
        return replace(draft, tombstone=Tombstone(reason=TombstoneReason.FAILED))

    def _draft(
        self, who: Who, kind: Kind, event: bytes, at: int, *, lane: Lane | None = None
    ) -> Draft:
        salt = account.new_salt()
        return Draft(
            lane=lane or (Lane.PICTURE if kind is Kind.PICTURE else Lane.TEXT),
            kind=kind,
            event=event,
            matched_at=at,
            account_kind=who.kind,
            account_digest=account.account_digest(who.account, salt),
            account=who.account,
            account_salt=salt,
            clock_offset=self._offset.value,
            policy_version=self._policy.version,
        )

    def _sealed(self, draft: Draft, kind: PartKind, plain: bytes) -> Draft:
        policy = self._policy.in_force
        if policy is None:
            raise CodecError("there is no key to seal to yet")
        context = seal.SealContext(
            school=self._school,
            device=self._device,
            event=draft.event,
            kind=kind,
            key_id=seal.key_id(policy.evidence_key),
        )
        done = seal.seal(plain, public_key=policy.evidence_key, context=context)
        return replace(draft, sealed=done.sealed, part=done.part)
