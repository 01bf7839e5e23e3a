"""Hear the sessions: what they saw becomes drafts, sealed in memory, and goes to the spool.

Nothing a session says is taken for who it is: *who* comes from the peer. So a pupil
can speak about himself alone, and only at the rate of one person; what is given up is
counted, and told as a gap.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from agent.local import FrameRefused, LocalError, PeerChannel
from agent.service.bucket import Bucket, Rate
from agent.service.policy import PolicyKeeper
from agent.service.record import Written
from agent.service.roll import Roll, Seat
from agent.service.seal import Sealer
from agent.service.spool import Spool
from agent.service.spool_file import SpoolError, SpoolFull
from agent.service.who import Place, who_is
from wire import codec, ids, local
from wire.clock import Clock
from wire.details import Details, Picture
from wire.event import Finding, GapReason, Kind, Lane, PictureState, Severity, Source

_log = logging.getLogger(__name__)

MOST_CONNECTIONS = 8
FRAMES = Rate(per_second=20, burst=200)
BYTES = Rate(per_second=400_000, burst=16_000_000)
_REMEMBERED = 4096
_DAY, _MINUTE = 86_400_000_000, 60_000_000
_BRAKE = 0.02
CANARY_CATEGORY = "canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How fast one account may speak."""

    frames: Rate = FRAMES
    bytes: Rate = BYTES


@dataclass(slots=True)
class _Known:
    """An event that was taken: whose, and what is still to come."""

    account: str
    picture: PictureState
    repeat: tuple[int, int] = (0, 0)
    """The last repeat that was taken: how many, and when."""


class Intake:
    """Answers each connection in its own thread."""

    def __init__(
        self,
        *,
        spool: Spool,
        policy: PolicyKeeper,
        sealer: Sealer,
        roll: Roll,
        place: Place,
        clock: Clock,
        status: Callable[[], str],
        may_ask: Callable[[str], bool],
        rates: Rates | None = None,
    ) -> None:
        self._spool = spool
        self._policy = policy
        self._sealer = sealer
        self._roll = roll
        self._place = place
        self._clock = clock
        self._status = status
        self._may_ask = may_ask
        self._rates = rates or Rates()
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[Bucket, Bucket]] = {}
        self._open: dict[str, int] = {}
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def serve(self, channel: PeerChannel) -> None:
        """Hear one connection to its end."""
        user = channel.peer.user
        with self._lock:
            self._open[user] = self._open.get(user, 0) + 1
            is_many = self._open[user] > MOST_CONNECTIONS
        shared = self._shared()
        seat = Seat(channel=channel, who=who_is(channel.peer, self._place, shared), shared=shared)
        try:
            if not is_many:
                self._hear(seat)
        except FrameRefused as refused:
            self._roll.count(GapReason.RATE_LIMITED)
            _log.warning("a session's frame was refused: %s", refused, extra={"event": "frame"})
        except LocalError:
            pass
        finally:
            if seat is not None:
                self._roll.leave(seat, self._clock.now())
            channel.close()
            with self._lock:
                self._open[user] -= 1

    def _shared(self) -> tuple[str, ...]:
        now = self._policy.in_force
        return now.rules.shared_accounts if now else ()

    def _hear(self, seat: Seat) -> None:
        while True:
            message = seat.channel.receive(None)
            if message is None:
                continue
            wait = self._wait(seat.channel.peer.user, message)
            if wait > 0:
                self._roll.count(GapReason.RATE_LIMITED)
                event = getattr(message, "event", None)
                if event is not None:
                    self._refuse(seat, event, "too fast: slow down", int(wait * 1000) + 1)
                # Whoever floods is read slowly, so that the flood costs him more than us.
                time.sleep(_BRAKE)
                continue
            self._answer(seat, message)

    def _wait(self, user: str, message: local.FromSession) -> float:
        now = self._clock.monotonic()
        size = len(message.webp) if isinstance(message, local.Shot) else 0
        with self._lock:
            if user not in self._buckets:
                self._buckets[user] = (
                    Bucket(self._rates.frames, now),
                    Bucket(self._rates.bytes, now),
                )
            frames, octets = self._buckets[user]
            return frames.take(now) or (octets.take(now, size) if size else 0.0)

    def _answer(self, seat: Seat, message: local.FromSession) -> None:
        match message:
            case local.SessionHello():
                seat.is_session = True
                self._roll.join(seat, self._clock.now())
                self._settings(seat)
            case local.Watch():
                self._roll.watch(seat, message, self._clock.monotonic())
                if message.book_refused:
                    self._settings(seat, bookless=True)
            case local.StatusAsk():
                if self._may_ask(seat.channel.peer.user):
                    seat.channel.send(local.StatusReply(json=self._status()))
                else:
                    self._refuse(seat, bytes(16), "status is for the technician: run it as root")
            case local.Found() | local.Again() | local.Shot() | local.NoShot() | local.CanaryAsk():
                self._take(seat, message)

    def _settings(self, seat: Seat, *, bookless: bool = False) -> None:
        """Give a session what it needs of the policy, until that is what it has.

        While it is sent, a new policy may go to the same session: the newest is the last.
        """
        while (now := self._policy.in_force) is not None:
            settings = now.bookless if bookless and now.settings else now.settings
            if settings is None or settings is seat.given:
                return
            seat.given = settings
            seat.channel.send(settings)

    def _take(
        self,
        seat: Seat,
        message: local.Found | local.Again | local.Shot | local.NoShot | local.CanaryAsk,
    ) -> None:
        if self._policy.in_force is None:
            self._refuse(
                seat, message.event, "this PC has no policy yet, so no key to seal to", 5000
            )
            return
        shared = self._shared()
        if shared != seat.shared:  # only then: a directory may take its time to name somebody
            seat.who, seat.shared = who_is(seat.channel.peer, self._place, shared), shared
        known = self._known.get(message.event)
        if known is not None and known.account != seat.who.account:
            self._refuse(seat, message.event, "this event is another account's")
            return
        try:
            kind = self._write(seat, message, known)
        except codec.CodecError as error:
            self._refuse(seat, message.event, f"it breaks the format: {error}")
        except SpoolFull as error:
            self._roll.count(GapReason.SPOOL_FULL)
            _log.error("%s", error, extra={"event": ids.event_text(message.event)})
            self._refuse(seat, message.event, str(error), 30_000)
        except SpoolError as error:
            _log.error("%s", error, extra={"event": ids.event_text(message.event)})
            self._refuse(seat, message.event, "the disk refused it: see the service's log", 2000)
        else:
            seat.channel.send(local.Taken(event=message.event, kind=kind))

    def _write(
        self,
        seat: Seat,
        message: local.Found | local.Again | local.Shot | local.NoShot | local.CanaryAsk,
        known: _Known | None,
    ) -> Kind:
        match message:
            case local.CanaryAsk():
                return self._found(seat, self._canary(message.event), known)
            case local.Found():
                return self._found(seat, message, known)
            case local.Again():
                return self._again(seat, message, known)
            case local.Shot():
                return self._shot(seat, message, known)
            case local.NoShot():
                return self._no_shot(seat, message.event, known)

    def _found(self, seat: Seat, found: local.Found, known: _Known | None) -> Kind:
        if known is not None:
            return Kind.EVENT
        policy = self._policy.in_force
        assert policy is not None, "asked for above"
        if (
            found.picture is PictureState.FOLLOWS
            and found.finding.category in policy.rules.no_picture
        ):
            found = replace(found, picture=PictureState.BY_POLICY)
        draft = self._sealer.event(seat.who, found, self._when(found.matched_at))
        kind = self._spool.put(draft).kind
        # Until here a match can be lost: what benchmarks tell of it is read from this line.
        took = self._clock.now() - found.matched_at
        _log.debug(
            "durable %d us after its match", took, extra={"event": ids.event_text(found.event)}
        )
        with self._lock:
            self._known[found.event] = _Known(seat.who.account, found.picture)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return kind

    def remember(self) -> None:
        """Learn from the spool what was taken before a restart, so that nothing is doubled."""
        for lane in Lane:
            (head,) = (head for head in self._spool.heads()[0] if head.lane is lane)
            newest = max(0, head.sequence - _REMEMBERED // 8)
            for written in self._one_by_one(lane, newest):
                header = codec.decode_header(written.envelope.header)
                if written.envelope.account:
                    picture = header.picture if lane is Lane.TEXT else PictureState.BY_POLICY
                    known = self._known.setdefault(
                        header.event,
                        _Known(written.envelope.account, picture or PictureState.FOLLOWS),
                    )
                    if lane is Lane.PICTURE:
                        known.picture = PictureState.BY_POLICY
                    if header.repeats:
                        known.repeat = (header.repeats, header.matched_at)

    def _one_by_one(self, lane: Lane, after: int) -> Iterator[Written]:
        """A lane's records without all their pictures in memory at once."""
        while found := self._spool.read(lane, after, 1):
            yield found[0]
            after = found[0].head.sequence

    def _again(self, seat: Seat, again: local.Again, known: _Known | None) -> Kind:
        when = self._when(again.last_at)
        if known is not None and known.repeat == (again.repeats, when):
            return Kind.REPEAT
        kind = self._spool.put(self._sealer.repeat(seat.who, again, when)).kind
        if known is not None:
            known.repeat = (again.repeats, when)
        return kind

    def _shot(self, seat: Seat, shot: local.Shot, known: _Known | None) -> Kind:
        policy = self._policy.in_force
        assert policy is not None, "asked for above"
        if known is not None and known.picture is not PictureState.FOLLOWS:
            # It is here already, or none is kept of this event.
            return Kind.PICTURE
        if len(shot.webp) > policy.rules.picture_max_bytes:
            # The event said that a picture follows: that it does not is said as well.
            return self._no_shot(seat, shot.event, known)
        picture = Picture(
            webp=shot.webp,
            width=shot.width,
            height=shot.height,
            taken_at=shot.taken_at,
            of=shot.of,
        )
        kind = self._spool.put(self._sealer.picture(seat.who, shot.event, picture)).kind
        if known is not None:
            known.picture = PictureState.BY_POLICY
        return kind

    def _no_shot(self, seat: Seat, event: bytes, known: _Known | None) -> Kind:
        if known is not None and known.picture is not PictureState.FOLLOWS:
            return Kind.TOMBSTONE
        kind = self._spool.put(self._sealer.no_picture(seat.who, event)).kind
        if known is not None:
            known.picture = PictureState.BY_POLICY
        return kind

    def _when(self, said: int) -> int:
        """A match's time as the session said it, if it can be.

        A session keeps what it found while the service is away: what comes late must not
        look new. A day bounds what a clock that was set meanwhile can do.
        """
        now = self._clock.now()
        return said if now - _DAY <= said <= now + _MINUTE else now

    def _canary(self, event: bytes) -> local.Found:
        finding = Finding(
            source=Source.CANARY,
            category=CANARY_CATEGORY,
            severity=Severity.LOW,
            score=1000,
            reasons=(),
            term_id="asked-for",
            pack="en/canary",
            pack_version=1,
        )
        details = Details(
            application="redshank-agent canary",
            address_unknown_because="a canary has no page",
            matched="canary",
        )
        return local.Found(
            event=event,
            matched_at=self._clock.now(),
            finding=finding,
            picture=PictureState.BY_POLICY,
            details=details,
        )

    def _refuse(self, seat: Seat, event: bytes, words: str, retry_after_ms: int = 0) -> None:
        seat.channel.send(local.Rejected(event=event, words=words, retry_after_ms=retry_after_ms))
