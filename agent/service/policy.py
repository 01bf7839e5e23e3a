"""The policy in force on this PC: kept on disk, and only ever moved forward.

`policy.bin` is the last good policy as signed, `trust.json` what must not go back
(`wire.policy.TrustState`). Both are replaced whole, the policy first: with a new policy
and an old memory the policy is judged again, and the memory follows. A policy that
cannot be judged, or has a pack that cannot be read, changes nothing; why is kept in
words for heartbeat and `status`.

Whether its packs can be read is known when their book is made, in a thread of its own where it
is not there yet: until then the policy before it stays in force. The kept one is in force from
the start, and sessions get their settings when its book is there.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.local import MOST_PICTURE
from agent.service.files import write_whole
from agent.service.identity import Files
from agent.service.shelf import Made, Shelf
from wire.clock import Clock
from wire.codec import CodecError, decode_policy, decode_signed_policy, encode_signed_policy
from wire.event import EvidenceRules, PackText, Policy, Purpose, SignedPolicy
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
    expires_at: int
    bookless: Settings
    """What a session needs that cannot use the book."""
    settings: Settings | None = None
    """What sessions need; None until it is known how the packs come to them."""

    def with_book(self, book: str) -> "InForce":
        """The same, its packs made ready in a book; empty: in none."""
        if not book:
            return replace(self, settings=self.bookless)
        return replace(self, settings=replace(self.bookless, packs=(), book=book))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A policy that comes into force when its book is made."""

    signed: SignedPolicy
    packs: tuple[PackText, ...]
    offset: int


class PolicyKeeper:
    """Holds the policy in force."""

    def __init__(
        self,
        files: Files,
        *,
        root_public: "ec.EllipticCurvePublicKey",
        school: str,
        clock: Clock,
        shelf: Shelf | None = None,
    ) -> None:
        """Take the kept policy into force. Without a shelf, sessions get the packs."""
        self._files = files
        self._root_public = root_public
        self._school = school
        self._clock = clock
        self.shelf = shelf or Shelf()
        self._lock = threading.Lock()
        self._wanted: _Wanted | None = None
        self._worker: threading.Thread | None = None
        self._stopped = False
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
        """Take a policy into force if it may be. `offset`: collector minus agent, µs.

        False: it is refused, or comes into force when its book is made.
        """
        with self._lock:
            if self._wanted is not None and self._wanted.signed == signed:
                return False
            try:
                policy, _ = self._judge(signed, self._clock.now() + offset)
            except PolicyRefused as refused:
                self._refuse(refused.words)
                return False
            wanted = self._wanted = _Wanted(signed, policy.packs, offset)
        made = self._looked_at(wanted.packs) or self.shelf.find(wanted.packs)
        if made is None:
            self.start()
            return False
        return self._settle(wanted, made)

    def start(self) -> None:
        """Begin to make what is wanted and not there."""
        with self._lock:
            if self._worker is None and not self._stopped:
                self._worker = threading.Thread(target=self._make, name="book", daemon=True)
                self._worker.start()

    def wait(self) -> None:
        """Return when nothing is being made any more."""
        worker = self._worker
        if worker is not None:
            worker.join()

    def stop(self) -> None:
        """Make nothing more."""
        self._stopped = True
        self.shelf.stop()
        self.wait()

    def _make(self) -> None:
        """Make what is wanted until nothing is: first for the policy in force."""
        while True:
            with self._lock:
                now, wanted = self._in_force, self._wanted
                is_kept = now is not None and now.settings is None
                if self._stopped or not (is_kept or wanted):
                    self._worker = None
                    return
            if now is not None and is_kept:
                self._open(now, self.shelf.make(now.bookless.packs))
            elif wanted is not None:
                self._settle(wanted, self.shelf.make(wanted.packs))

    def _open(self, kept: InForce, made: Made) -> None:
        """Give sessions what they need of the policy that is in force already."""
        with self._lock:
            if self._in_force is not kept or self._stopped:
                return
            if made.problems:
                self._problem = _unreadable("a pack in force", made)[:_MOST_WORDS]
                _log.error(self._problem, extra={"event": "policy-pack"})
            self._in_force = kept.with_book(made.book)
            settings = self._in_force.settings
        assert settings is not None
        self._changed(settings)

    def _looked_at(self, packs: tuple[PackText, ...]) -> Made | None:
        """What became of these packs when the policy in force was taken, if it has the same."""
        now = self._in_force
        if now is None or now.settings is None or now.bookless.packs != packs:
            return None
        return Made(now.settings.book)

    def _settle(self, wanted: _Wanted, made: Made) -> bool:
        """Take a policy into force whose packs have been looked at."""
        with self._lock:
            if self._wanted is not wanted or self._stopped:
                return False
            self._wanted = None
            before = self._in_force.settings if self._in_force else None
            if made.problems:
                self._refuse(_unreadable("policy refused: a pack", made))
                return False
            try:
                policy, trust = self._judge(wanted.signed, self._clock.now() + wanted.offset)
                write_whole(self._files.policy, encode_signed_policy(wanted.signed))
                write_whole(self._files.trust, trust.to_json().encode())
            except PolicyRefused as refused:
                self._refuse(refused.words)
                return False
            except OSError as error:
                self._problem = f"the policy could not be kept: {error.strerror}"
                _log.error(self._problem, extra={"event": "policy-not-kept"})
                return False
            self._trust, self._in_force = trust, in_force(policy).with_book(made.book)
            self._problem = ""
            settings = self._in_force.settings
        if settings is not None and settings != before:
            _log.info("policy %d is in force", policy.version, extra={"event": "policy"})
            self._changed(settings)
        return True

    def _refuse(self, words: str) -> None:
        self._problem = words[:_MOST_WORDS]
        _log.warning(self._problem, extra={"event": "policy-refused"})

    def _judge(self, signed: SignedPolicy, now: int) -> tuple[Policy, TrustState]:
        return accept(
            signed,
            trust=self._trust,
            root_public=self._root_public,
            school=self._school,
            now=now,
        )

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
        made = self.shelf.find(policy.packs)
        kept = in_force(policy)
        self._trust, self._in_force = trust, kept.with_book(made.book) if made else kept
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


def _unreadable(what: str, made: Made) -> str:
    return f"{what} cannot be read: {'; '.join(made.problems)}"


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
        expires_at=policy.expires_at,
        bookless=Settings(policy_version=policy.version, packs=policy.packs, evidence=rules),
    )
