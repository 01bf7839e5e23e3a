"""The uplink's effects: one thread that owns the state, the stream and the timers."""

import logging
import queue
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent import VERSION
from agent.service import gaps
from agent.service import uplink_state as core
from agent.service.cause import Cause
from agent.service.identity import Files, Identity
from agent.service.policy import PolicyKeeper
from agent.service.renewal import Renewer
from agent.service.roll import Roll
from agent.service.seal import Offset
from agent.service.spool import Spool
from agent.service.spool_file import SpoolError
from agent.service.spool_frame import State as Kept
from wire.clock import Clock
from wire.codec import CodecError
from wire.event import (
    CollectorMessage,
    Heartbeat,
    Hello,
    Lane,
    LaneHead,
    Receipt,
    Refusal,
    RefusalReason,
    Renewal,
    RenewalRequest,
    SignedPolicy,
    Welcome,
)

if TYPE_CHECKING:
    from agent.service.line import Ended, Line

_log = logging.getLogger(__name__)

_RENEW_EACH = 12 * 3600.0
_MOST_SESSIONS, _MOST_WORDS = 512, 500
_AT_ONCE = {Lane.TEXT: 64, Lane.PICTURE: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How patient the uplink is, in seconds."""

    beat: float = 30.0
    answer: float = 25.0
    """How long a hello, a record or a heartbeat may go unanswered."""
    scale: float = 1.0
    """Stretches or shrinks every rest; tests set it low."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How the uplink stands, for `status`."""

    phase: str
    words: str
    cause: str
    since: int
    collector_version: str
    clock_offset: int


@dataclass(frozen=True, slots=True)
class _Heard:
    line: "Line"
    what: "CollectorMessage | Ended"


@dataclass(frozen=True, slots=True)
class _Nudge:
    """Something was written, or it is time to stop."""


class Uplink:
    """Carries the spool to the collector."""

    def __init__(
        self,
        *,
        files: Files,
        identity: Identity,
        spool: Spool,
        policy: PolicyKeeper,
        roll: Roll,
        offset: Offset,
        clock: Clock,
        request_command: Sequence[str],
        timing: Timing | None = None,
        give_back: Callable[[], None] = lambda: None,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._files = files
        self._spool = spool
        self._policy = policy
        self._roll = roll
        self._offset = offset
        self._clock = clock
        self._renewer = Renewer(files, identity, request_command)
        self._timing = timing or Timing()
        self._give_back = give_back
        self._random = rng
        self._had_picture = False
        self._inbox: queue.SimpleQueue[_Heard | _Nudge] = queue.SimpleQueue()
        self._nudged = threading.Event()
        self._stopping = threading.Event()
        self._state = core.State()
        self._line: Line | None = None
        self._due: float | None = 0.0
        self._hold = 0.0
        self._beat_at = 0.0
        self._answer_by: float | None = None
        self._renew_at = 0.0
        self._said = ("", Cause.FINE.value, 0)
        self._collector_version = ""

    @property
    def identity(self) -> Identity:
        """Who this PC is, with its newest certificate's time."""
        return self._renewer.identity

    def report(self) -> Report:
        """How it stands."""
        words, cause, since = self._said
        return Report(
            phase=self._state.phase.value,
            words=words,
            cause=cause,
            since=since,
            collector_version=self._collector_version,
            clock_offset=self._offset.value,
        )

    def nudge(self) -> None:
        """Something was written: look into the spool."""
        if not self._nudged.is_set():
            self._nudged.set()
            self._inbox.put(_Nudge())

    def beat_soon(self) -> None:
        """Something changed that the collector should hear of; any thread may call it."""
        self._beat_at = 0.0
        self.nudge()

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()
        self._inbox.put(_Nudge())

    def run(self) -> None:
        """Carry until `stop`."""
        try:
            while not self._stopping.is_set():
                self._turn()
        finally:
            self._hang_up()

    def _turn(self) -> None:
        try:
            heard = self._listen()
            for one in heard:
                if isinstance(one, _Heard) and one.line is self._line:
                    self._hear(one.what)
            self._timers()
            self._send()
        except SpoolError as error:
            # The disk refuses: what is not receipted is sent again when it takes part again.
            self._give_up_the_line(f"the spool: {error}")
        except Exception as error:  # noqa: BLE001  # see below
            # Whatever a collector says, or a disk holds, must not end the only thread that
            # carries: the stream is given up, said so, and made anew after a rest.
            _log.exception("the uplink met what it did not expect", extra={"event": "uplink"})
            self._give_up_the_line(f"an error of the agent itself ({type(error).__name__})")

    def _give_up_the_line(self, words: str) -> None:
        self._hang_up()
        if self._state.phase is core.Phase.RESTING:
            # Thrown between two streams: what was due is due again, after a while.
            self._due = self._due or self._clock.monotonic() + core.FIRST_REST * self._timing.scale
            self._say(words, Cause.FINE.value)
            return
        self._do(core.Lost(words, 1.0))

    def _listen(self) -> list[_Heard | _Nudge]:
        """Wait for the next thing, or the next timer; take all that is there."""
        now = self._clock.monotonic()
        times = [self._beat_at if self._line is not None else None, self._due, self._answer_by]
        if self._hold > now:
            times.append(self._hold)
        waits = [at - now for at in times if at is not None]
        found: list[_Heard | _Nudge] = []
        try:
            found.append(self._inbox.get(timeout=max(0.0, min([*waits, 5.0]))))
            while len(found) < 1000:  # noqa: PLR2004  # then send something in between
                found.append(self._inbox.get_nowait())
        except queue.Empty:
            pass
        self._nudged.clear()
        return _merged(found)

    def _timers(self) -> None:
        now = self._clock.monotonic()
        if self._due is not None and now >= self._due:
            self._due = None
            self._do(core.Due())
        if self._answer_by is not None and now >= self._answer_by:
            words = f"the collector did not answer for {self._timing.answer:.0f} s"
            self._do(core.Lost(words, self._random()))
            self._say(words, Cause.SILENT.value)
        if self._state.phase is core.Phase.FLOWING and now >= self._beat_at:
            self._beat()
        if self._state.phase is core.Phase.FLOWING and now >= self._renew_at:
            self._renew_at = now + _RENEW_EACH
            if self.identity.validity.is_due(self._clock.now() + self._offset.value):
                self._ask_renewal()

    def _hear(self, what: "CollectorMessage | Ended") -> None:
        self._answer_by = None
        match what:
            case Welcome():
                self._welcome(what)
            case Receipt():
                self._receipt(what)
            case Refusal():
                self._refusal(what)
            case SignedPolicy():
                if self._policy.offer(what, self._offset.value):
                    self._beat_at = 0.0
            case Renewal():
                self._renewer.take(what)
            case _:
                self._ended(what.code, what.detail)

    def _welcome(self, welcome: Welcome) -> None:
        self._offset.value = welcome.received_at - self._clock.now()
        self._collector_version = welcome.collector_version
        stored = {head.lane: head for head in welcome.stored}
        written, receipted = self._spool.heads()
        lanes = {
            ours.lane: core.compare(
                stored.get(ours.lane),
                written=ours,
                receipted=last,
                is_ours=ours.lane in stored and self._spool.knows(stored[ours.lane]),
            )
            for ours, last in zip(written, receipted, strict=True)
        }
        self._say("", Cause.FINE.value)
        _log.info("the collector answered", extra={"event": "uplink"})
        self._do(core.Greeted(lanes))

    def _receipt(self, receipt: Receipt) -> None:
        self._do(core.Steady())
        if receipt.heartbeat:
            self._spool.keep(
                lambda kept: replace(kept, gaps=gaps.receipted(kept.gaps, receipt.heartbeat))
            )
        if receipt.head is not None:
            self._do(
                core.Receipted(
                    receipt.head,
                    self._spool.knows(receipt.head) or self._is_old(receipt.head),
                    self._random(),
                )
            )

    def _is_old(self, head: LaneHead) -> bool:
        """A receipt for less than we hold one for already, which says nothing new."""
        _, receipted = self._spool.heads()
        return any(
            ours.lane is head.lane and ours.epoch == head.epoch and head.sequence < ours.sequence
            for ours in receipted
        )

    def _refusal(self, refusal: Refusal) -> None:
        expected = refusal.expected
        is_ours = expected is not None and self._spool.knows(expected)
        cause = _CAUSES.get(refusal.reason, "")
        if cause:
            self._said = (refusal.words, cause, self._clock.now())
        self._do(core.Refused(refusal, is_ours, self._random()))

    def _ended(self, code: str, detail: str) -> None:
        words, cause = self._why(code, detail)
        if cause == Cause.EXPIRED.value:
            self._renew_over_https()
        is_denied = code in {"PERMISSION_DENIED", "UNAUTHENTICATED"}
        if self._state.phase is core.Phase.RESTING:
            return
        self._do(core.Lost(words, self._random(), is_denied=is_denied))
        self._said = (words, cause, self._clock.now())

    def _why(self, code: str, detail: str) -> tuple[str, str]:
        if code == "UNAVAILABLE" and self._state.phase is core.Phase.GREETING:
            from agent.service.reach import reach  # noqa: PLC0415  # ssl comes when it is needed

            found = reach(self._files, self.identity, self._clock.now())
            if found.cause is not Cause.FINE:
                return found.words, found.cause.value
        if code == "PERMISSION_DENIED":
            return detail or "the collector denies this PC", "device denied"
        return f"the stream ended ({code.lower()}): {detail[:300]}", "stream ended"

    def _do(self, happened: core.Happening) -> None:
        self._state, actions = core.step(self._state, happened)
        for action in actions:
            self._act(action)

    def _act(self, action: core.Action) -> None:
        match action:
            case core.Dial():
                self._dial()
            case core.Forget(head):
                self._spool.receipted(head)
            case core.Renumber(lane, why):
                self._spool.new_epoch(lane, why)
            case core.GiveUp(lane, sequence, why):
                self._spool.give_up(lane, sequence, why)
            case core.Beat():
                self._beat()
            case core.HangUp():
                self._hang_up()
            case core.Rest(seconds):
                self._due = self._clock.monotonic() + seconds * self._timing.scale
            case core.Hold(seconds):
                self._hold = self._clock.monotonic() + seconds * self._timing.scale
            case core.Tell(words):
                _log.warning(words, extra={"event": "uplink"})
                self._say(words, self._said[1])

    def _say(self, words: str, cause: str) -> None:
        self._said = (words, cause, self._clock.now())

    def _dial(self) -> None:
        from agent.service.line import Credentials, Line  # noqa: PLC0415  # gRPC comes late

        if self.identity.validity.is_over(self._clock.now() + self._offset.value):
            self._renew_over_https()
        written, receipted = self._spool.heads()
        hello = Hello(
            agent_version=VERSION,
            policy_version=self._policy.version,
            sent_at=self._clock.now(),
            written=written,
            receipted=receipted,
        )
        try:
            credentials = Credentials(
                root=self._files.root.read_bytes(),
                chain=self._files.chain.read_bytes(),
                key=self._files.key.read_bytes(),
            )
        except OSError as error:
            self._do(core.Lost(f"the device's key cannot be read: {error}", self._random()))
            return
        self._line = Line(
            self.identity.uplink,
            credentials,
            lambda line, what: self._inbox.put(_Heard(line, what)),
        )
        self._line.send(hello)
        self._answer_by = self._clock.monotonic() + self._timing.answer
        self._hold = 0.0

    def _hang_up(self) -> None:
        self._answer_by = None
        if self._line is not None:
            self._line.close()
            self._line = None

    def _send(self) -> None:
        if self._line is None or self._clock.monotonic() < self._hold:
            return
        # Text first: a picture goes out only when no text waits, and one at a time.
        for lane in (Lane.TEXT, Lane.PICTURE):
            most = min(self._state.room(lane), _AT_ONCE[lane])
            if not most:
                continue
            records = self._spool.read(lane, self._state.sent[lane], most)
            self._had_picture = self._had_picture or (lane is Lane.PICTURE and bool(records))
            for record in records:
                try:
                    self._line.send(record.envelope, lane)
                except CodecError as error:
                    why = f"it could not be sent: {error}"
                    self._do(core.Unsendable(lane, record.head.sequence, why))
                    break
                self._do(core.Sent(lane, record.head.sequence))
            if len(records) == most and self._state.room(lane):
                self.nudge()
        if any(self._state.sent[lane] > self._state.receipted[lane] for lane in Lane):
            self._await_answer()

    def _await_answer(self) -> None:
        if self._answer_by is None:
            self._answer_by = self._clock.monotonic() + self._timing.answer

    def _beat(self) -> None:
        self._beat_at = self._clock.monotonic() + self._timing.beat
        if self._line is None:
            return
        if self._had_picture:
            # What a picture took is not kept: it is as light after one as before.
            self._had_picture = False
            self._give_back()
        now = self._clock.now()

        def told(kept: Kept) -> Kept:
            number = kept.heartbeat + 1
            return replace(kept, heartbeat=number, gaps=gaps.told(kept.gaps, number), alive_at=now)

        kept = self._spool.keep(told)
        depth = self._spool.depth()
        written, _ = self._spool.heads()
        heartbeat = Heartbeat(
            number=kept.heartbeat,
            sent_at=max(now, 0),
            sessions=self._roll.signed_in()[:_MOST_SESSIONS],
            gaps=tuple(gap for _, gap in kept.gaps),
            spool_records=depth.records,
            spool_bytes=depth.bytes,
            policy_version=self._policy.version,
            policy_problem=self._policy.problem[:_MOST_WORDS],
            clock_offset=self._offset.value,
            written=written,
            agent_version=VERSION,
            quarantined=depth.quarantined,
        )
        self._line.send(heartbeat)
        self._await_answer()

    def _ask_renewal(self) -> None:
        request = self._renewer.ask()
        if request is not None and self._line is not None:
            self._line.send(RenewalRequest(csr=request))

    def _renew_over_https(self) -> None:
        problem = self._renewer.over_https()
        if problem:
            self._say(
                f"the certificate has expired, and renewal failed: {problem}", Cause.EXPIRED.value
            )


_CAUSES = {
    RefusalReason.DENIED: "device denied",
    RefusalReason.PENDING: "device pending",
    RefusalReason.SUPERSEDED: "another PC uses this identity",
    RefusalReason.UNAVAILABLE: "collector not ready",
}


def _merged(found: list[_Heard | _Nudge]) -> list[_Heard | _Nudge]:
    """Of receipts for one lane in a row only the last says anything."""
    kept: list[_Heard | _Nudge] = []
    for one in found:
        before = kept[-1] if kept else None
        if (
            isinstance(one, _Heard)
            and isinstance(before, _Heard)
            and one.line is before.line
            and isinstance(one.what, Receipt)
            and isinstance(before.what, Receipt)
            and one.what.head is not None
            and before.what.head is not None
            and one.what.head.lane is before.what.head.lane
        ):
            heartbeat = max(one.what.heartbeat, before.what.heartbeat)
            kept[-1] = _Heard(one.line, replace(one.what, heartbeat=heartbeat))
        else:
            kept.append(one)
    return kept
