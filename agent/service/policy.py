"""The policy in force on this PC: kept on disk, and only ever moved forward.

`policy.bin` is the last good policy as signed, `trust.json` what must not go back
(`wire.policy.TrustState`). Both are replaced whole, the policy first: with a new policy
and an old memory the policy is judged again, and the memory follows. A policy that
cannot be judged, or has a pack that cannot be read, changes nothing; why is kept in
words for heartbeat and `status`.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.local import MOST_PICTURE
from agent.service.files import write_whole
from agent.service.identity import Files
from keywords.pack import PackError, parse_pack
from wire.clock import Clock
from wire.codec import CodecError, decode_policy, decode_signed_policy, encode_signed_policy
from wire.event import EvidenceRules, Policy, Purpose, SignedPolicy
from wire.local import Settings
from wire.policy import PolicyRefused, TrustDamaged, TrustState, accept, is_stale, key_in

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

_log = logging.getLogger(__name__)
_MOST_WORDS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What the service itself needs of the policy."""

    version: int
    evidence_key: bytes
    rules: EvidenceRules
    settings: Settings
    expires_at: int


class PolicyKeeper:
    """Holds the policy in force."""

    def __init__(
        self,
        files: Files,
        *,
        root_public: "ec.EllipticCurvePublicKey",
        school: str,
        clock: Clock,
    ) -> None:
        self._files = files
        self._root_public = root_public
        self._school = school
        self._clock = clock
        self._lock = threading.Lock()
        self._trust = TrustState()
        self._in_force: InForce | None = None
        self._problem = ""
        self._changed: Callable[[Settings], None] = lambda _: None
        self._load()

    def call_when_changed(self, call: Callable[[Settings], None]) -> None:
        """Have `call` called with the settings of each new policy."""
        self._changed = call

    @property
    def in_force(self) -> InForce | None:
        """The policy in force; None until the first."""
        return self._in_force

    @property
    def version(self) -> int:
        """Its version; 0: none yet."""
        return self._in_force.version if self._in_force else 0

    @property
    def problem(self) -> str:
        """Why the last policy was refused, or what is wrong with the one in force; empty: nothing."""
        if self._problem:
            return self._problem
        if self._in_force and self._clock.now() >= self._in_force.expires_at:
            return "the policy in force has expired, and no newer one has come"
        return ""

    def offer(self, signed: SignedPolicy, offset: int = 0) -> bool:
        """Take a policy into force if it may be. `offset`: collector minus agent, µs."""
        with self._lock:
            try:
                policy, trust = self._judge(signed, self._clock.now() + offset)
            except PolicyRefused as refused:
                self._problem = refused.words[:_MOST_WORDS]
                _log.warning(self._problem, extra={"event": "policy-refused"})
                return False
            try:
                write_whole(self._files.policy, encode_signed_policy(signed))
                write_whole(self._files.trust, trust.to_json().encode())
            except OSError as error:
                self._problem = f"the policy could not be kept: {error.strerror}"
                _log.error(self._problem, extra={"event": "policy-not-kept"})
                return False
            is_new = policy.version != self.version
            self._trust, self._in_force, self._problem = trust, in_force(policy), ""
            settings = self._in_force.settings
        if is_new:
            _log.info("policy %d is in force", policy.version, extra={"event": "policy"})
            self._changed(settings)
        return True

    def _judge(self, signed: SignedPolicy, now: int) -> tuple[Policy, TrustState]:
        policy, trust = accept(
            signed,
            trust=self._trust,
            root_public=self._root_public,
            school=self._school,
            now=now,
        )
        for pack in policy.packs:
            try:
                parse_pack(pack.text, name=pack.name)
            except PackError as error:
                raise _unreadable(pack.name, error) from error
        return policy, trust

    def _load(self) -> None:
        memory = self._memory()
        if memory is not None:
            self._trust = memory
        try:
            signed = decode_signed_policy(self._files.policy.read_bytes())
            # Judged as of the day it was made: one that has expired since stays in force.
            issued = decode_policy(signed.policy).issued_at
            policy, trust = self._judge(signed, issued)
        except FileNotFoundError:
            return
        except (OSError, CodecError) as error:
            self._problem = f"the kept policy cannot be read: {error}"
            return
        except PolicyRefused as refused:
            self._problem = refused.words[:_MOST_WORDS]
            return
        if memory is not None and trust != memory:
            try:
                write_whole(self._files.trust, trust.to_json().encode())
            except OSError as error:
                # It is derived anew at each start until it can be kept.
                self._problem = f"the memory of policies could not be kept: {error.strerror}"
        self._trust, self._in_force = trust, in_force(policy)
        if is_stale(policy, self._clock.now()):
            _log.warning("the policy in force has expired", extra={"event": "policy-stale"})

    def _memory(self) -> TrustState | None:
        """What must not go back; None where that is damaged.

        Then the kept policy itself says what must not go back: a PC with a damaged file
        goes on watching, and still takes nothing older than it had.
        """
        try:
            return TrustState.from_json(self._files.trust.read_bytes())
        except FileNotFoundError:
            return TrustState()
        except (OSError, TrustDamaged, RecursionError) as error:
            self._problem = (
                f"the memory of policies is damaged ({error}): what is in force holds until the "
                "next policy"
            )
            _log.error(self._problem, extra={"event": "policy-memory"})
            return None


class _PackUnreadable(PolicyRefused):
    def __init__(self, words: str) -> None:
        Exception.__init__(self, words)
        self.words = words


def _unreadable(name: str, error: PackError) -> PolicyRefused:
    return _PackUnreadable(f"policy refused: the pack {name} cannot be read: {error}")


def in_force(policy: Policy) -> InForce:
    """What the service keeps of an accepted policy."""
    key = key_in(policy, Purpose.EVIDENCE)
    assert key is not None, "accept refuses a policy without an evidence key"
    # Whatever the policy allows, a picture must pass the local socket and the collector.
    most = min(policy.evidence.picture_max_bytes, MOST_PICTURE)
    rules = replace(policy.evidence, picture_max_bytes=most)
    return InForce(
        version=policy.version,
        evidence_key=key.public_key,
        rules=rules,
        settings=Settings(policy_version=policy.version, packs=policy.packs, evidence=rules),
        expires_at=policy.expires_at,
    )
