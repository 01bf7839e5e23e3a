"""Who is signed in and connected, and how well each is watched."""

import contextlib
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from agent.local import LocalError, PeerChannel
from wire import account
from wire.details import Who
from wire.event import AccountKind, GapReason, SignedIn
from wire.local import Settings, Watch

SILENT = 35.0
"""Seconds: a session tells its health every ten."""


@dataclass(slots=True, eq=False)
class Seat:
    """One connection and who is at it."""

    channel: PeerChannel
    who: Who
    shared: tuple[str, ...] = ()
    """The accounts that count as nobody's, as policy named them when `who` was asked for."""
    is_session: bool = False
    hook_alive: bool = False
    blind: GapReason | None = None
    since: int = 0
    dropped: int = 0
    heard: float = 0.0
    """When its health was last told, monotonic seconds; 0: never yet."""
    given: Settings | None = None
    """The settings that were last sent."""
    book_refused: str = ""
    """Why it does not use the book of the packs, as it says."""


@dataclass(frozen=True, slots=True)
class Blind:
    """Why a session is not watched, and since when (µs since 1970)."""

    reason: GapReason
    since: int


@dataclass(frozen=True, slots=True)
class Absence:
    """A time without any session process of an account, µs since 1970."""

    user: str
    left: int
    back: int


class Roll:
    """The sessions that are connected now; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seats: list[Seat] = []
        self._counts: Counter[GapReason] = Counter()
        self._left: dict[str, int] = {}
        self._absences: list[Absence] = []
        self.changed = threading.Event()
        """Set when a session came, went, or changed: wakes the watch."""

    def join(self, seat: Seat, now: int = 0) -> None:
        """A session has said hello, at `now` (µs since 1970)."""
        user = seat.channel.peer.user
        with self._lock:
            if seat not in self._seats:
                self._seats.append(seat)
            left = self._left.pop(user, 0)
            if left:
                self._absences.append(Absence(user, left, now))
        self.changed.set()

    def leave(self, seat: Seat, now: int = 0) -> None:
        """A connection has ended, at `now` (µs since 1970)."""
        with self._lock:
            if seat not in self._seats:
                return
            self._seats.remove(seat)
            user = seat.channel.peer.user
            if now and user not in {other.channel.peer.user for other in self._seats}:
                self._left[user] = now
        self.changed.set()

    def absences(self, signed_in: Collection[str]) -> tuple[list[Absence], dict[str, int]]:
        """Of accounts that had a session and are signed in: who came back, who is away since when.

        Whoever is not signed in any more has gone home, and is forgotten.
        """
        with self._lock:
            back, self._absences = self._absences, []
            self._left = {user: at for user, at in self._left.items() if user in signed_in}
            return [one for one in back if one.user in signed_in], dict(self._left)

    def watch(self, seat: Seat, said: Watch, heard: float) -> None:
        """A session told how its hook is. What it counts as dropped only rises."""
        with self._lock:
            more = said.dropped - seat.dropped
            if more > 0:
                self._counts[said.blind or GapReason.RATE_LIMITED] += more
            is_news = (seat.hook_alive, seat.blind) != (said.hook_alive, said.blind)
            seat.hook_alive, seat.blind = said.hook_alive, said.blind
            seat.since, seat.dropped, seat.heard = said.since, said.dropped, heard
            # A technician's terminal shows it: of a pupil's words nothing but letters.
            seat.book_refused = "".join(c if c.isprintable() else "?" for c in said.book_refused)
        if is_news:
            self.changed.set()

    def expect_words(self, heard: float, now: int) -> None:
        """Take a session that has not told its health for long for one that does not watch.

        It may be stopped by its own account, hang, or be held by a display that does. Its
        next word says otherwise. `heard` is monotonic seconds, `now` µs since 1970.
        """
        with self._lock:
            for seat in self._seats:
                silent = heard - seat.heard
                if seat.hook_alive and seat.heard and silent > SILENT:
                    seat.hook_alive, seat.blind = False, GapReason.HOOK_DEAD
                    seat.since = now - int(silent * 1_000_000)

    def count(self, reason: GapReason, number: int = 1) -> None:
        """Count what was given up."""
        with self._lock:
            self._counts[reason] += number

    def counted(self) -> Counter[GapReason]:
        """What was given up since the last call."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            return counts

    def restore(self, counts: Counter[GapReason]) -> None:
        """Take counts back that could not be kept."""
        with self._lock:
            self._counts.update(counts)

    def users(self) -> set[str]:
        """The system's names (uid or SID) of the accounts with a session connected."""
        with self._lock:
            return {seat.channel.peer.user for seat in self._seats}

    def blind(self) -> list[Blind]:
        """Why sessions are not watched."""
        with self._lock:
            return [
                Blind(seat.blind or GapReason.HOOK_DEAD, seat.since)
                for seat in self._seats
                if seat.blind is not None or (seat.since and not seat.hook_alive)
            ]

    def books_refused(self) -> tuple[str, ...]:
        """Why sessions do not use the book of the packs, each reason once."""
        with self._lock:
            return tuple(sorted({seat.book_refused for seat in self._seats} - {""}))

    def signed_in(self) -> tuple[SignedIn, ...]:
        """For the heartbeat: each account once, watched if any of its sessions is."""
        found: dict[str, tuple[AccountKind, bool, GapReason | None]] = {}
        with self._lock:
            for seat in self._seats:
                _, alive, blind = found.get(seat.who.account, (seat.who.kind, False, None))
                found[seat.who.account] = (
                    seat.who.kind,
                    alive or seat.hook_alive,
                    blind or seat.blind,
                )
        return tuple(
            SignedIn(
                account=name,
                account_salt=account.new_salt(),
                kind=kind,
                hook_alive=alive,
                blind=blind,
            )
            for name, (kind, alive, blind) in found.items()
        )

    def push(self, settings: Settings) -> None:
        """Send new settings to every session."""
        with self._lock:
            seats = list(self._seats)
        for seat in seats:
            seat.given = settings
            with contextlib.suppress(LocalError):
                seat.channel.send(settings)
