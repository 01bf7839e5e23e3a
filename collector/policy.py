"""The school's policy: what agents look for and may keep, signed, and only ever forward.

Each version is stored as it was signed. A new one is made when a technician publishes
packs or rules, when the evidence key changes, and by itself when a third of the time of
the one in force is left, so that a quiet year does not leave a school without one.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, func, insert, select

from collector.audit import Act, Audit
from collector.errors import CollectorError
from collector.store import schema
from collector.store.store import Store
from wire import codec
from wire.clock import Clock
from wire.event import EvidenceRules, PackText, Policy, Purpose, SignedKey, SignedPolicy
from wire.policy import sign_policy

DAY: Final = 24 * 3_600_000_000

Listener = Callable[[SignedPolicy], None]


class PolicyError(CollectorError):
    """The policy cannot be made, signed or read as asked."""


class Policies:
    """The policy in force, and how the next one comes about."""

    def __init__(
        self,
        store: Store,
        school: str,
        clock: Clock,
        audit: Audit,
        *,
        key: Ed25519PrivateKey,
        days: int,
    ) -> None:
        self._store = store
        self._school = school
        self._clock = clock
        self._audit = audit
        self._key = key
        self._days = days
        self._listeners: list[Listener] = []
        signed = store.read_now(lambda conn: newest(conn, school))
        if signed is None:
            raise PolicyError("there is no policy in the database: run `redshank-collector setup`")
        self._current = signed
        self._policy = codec.decode_policy(signed.policy)

    @property
    def current(self) -> SignedPolicy:
        """The policy in force, as it is sent to agents."""
        return self._current

    @property
    def policy(self) -> Policy:
        """The policy in force, to read."""
        return self._policy

    @property
    def version(self) -> int:
        """The number of the policy in force."""
        return self._policy.version

    def on_change(self, listener: Listener) -> None:
        """Have `listener` called with each new policy, on the event loop."""
        self._listeners.append(listener)

    async def publish(
        self,
        *,
        packs: Sequence[PackText] | None = None,
        rules: EvidenceRules | None = None,
    ) -> Policy:
        """Sign, store and send out the next version; what is not given stays as it is.

        The audit log's leaf is written in the same transaction.

        Raises:
            PolicyError: there would be no pack, or no evidence key; or a pack went back or
                was changed without raising its version, which agents would refuse.
        """

        def job(conn: Connection) -> SignedPolicy:
            before = newest(conn, self._school)
            base = self._policy if before is None else codec.decode_policy(before.policy)
            if packs is not None:
                _check_forward(base.packs, packs)
            now = self._clock.now()
            draft = replace(
                base,
                version=base.version + 1,
                issued_at=now,
                expires_at=now + self._days * DAY,
                packs=base.packs if packs is None else tuple(packs),
                evidence=base.evidence if rules is None else rules,
                keys=keys_in_force(conn, self._school, Purpose.EVIDENCE)
                + keys_in_force(conn, self._school, Purpose.REFERRAL),
            )
            made = store_signed(conn, draft, self._key, now=now)
            anew = packs is None and rules is None
            self._audit.append(
                conn,
                Act(
                    action="policy_issued_anew" if anew else "policy_published",
                    object=f"policy:{draft.version}",
                ),
            )
            return made

        signed = await self._store.write(job)
        self._current = signed
        self._policy = codec.decode_policy(signed.policy)
        for listener in self._listeners:
            listener(signed)
        return self._policy

    async def reissue_if_due(self) -> bool:
        """Issue the same policy anew when a third of its time is left; whether it was."""
        left = self._policy.expires_at - self._clock.now()
        if left > self._days * DAY // 3:
            return False
        await self.publish()
        return True


def _check_forward(before: Sequence[PackText], packs: Sequence[PackText]) -> None:
    known = {pack.name: pack for pack in before}
    for pack in packs:
        old = known.get(pack.name)
        if old is None or pack == old or pack.version > old.version:
            continue
        if pack.version < old.version:
            raise PolicyError(f"{pack.name}: version {pack.version} is older than {old.version}")
        raise PolicyError(
            f"{pack.name}: was changed; raise its version above {old.version}, or agents refuse it"
        )


def store_signed(
    conn: Connection, draft: Policy, key: Ed25519PrivateKey, *, now: int
) -> SignedPolicy:
    """Sign a draft and store it under its version.

    Raises:
        PolicyError: it has no pack or no key, or the root has not signed the policy key.
    """
    if not draft.packs:
        raise PolicyError("a policy needs at least one pack: an empty one would be refused")
    if not draft.keys:
        raise PolicyError("there is no evidence key in force")
    public = key.public_key().public_bytes_raw()
    signers = [
        signed
        for signed in keys_in_force(conn, draft.school, Purpose.POLICY)
        if codec.decode_statement(signed.statement).public_key == public
    ]
    if not signers:
        raise PolicyError("the school's root has not signed this server's policy key")
    try:
        signed = sign_policy(draft, key, signers[0])
    except codec.CodecError as error:
        raise PolicyError(f"the policy breaks its format: {error}") from None
    conn.execute(
        insert(schema.policies).values(
            school=draft.school,
            version=draft.version,
            signed=codec.encode_signed_policy(signed),
            created_at=now,
        )
    )
    return signed


def newest(conn: Connection, school: str) -> SignedPolicy | None:
    """The policy with the highest version."""
    table = schema.policies
    highest = select(func.max(table.c.version)).where(table.c.school == school).scalar_subquery()
    row = conn.execute(
        select(table.c.signed).where(table.c.school == school, table.c.version == highest)
    ).one_or_none()
    return None if row is None else codec.decode_signed_policy(row.signed)


def keys_in_force(conn: Connection, school: str, purpose: Purpose) -> tuple[SignedKey, ...]:
    """Keys of one purpose that are not retired, the newest first; of those that seal, one."""
    table = schema.school_keys
    rows = conn.execute(
        select(table.c.statement, table.c.signature)
        .where(
            table.c.school == school,
            table.c.purpose == int(purpose),
            table.c.retired_at.is_(None),
        )
        .order_by(table.c.epoch.desc())
    )
    signed = tuple(SignedKey(statement=row.statement, signature=row.signature) for row in rows)
    return signed if purpose is Purpose.POLICY else signed[:1]
