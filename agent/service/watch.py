"""Notice when the PC is in use and not watched, and keep it as gaps in the spool."""

import ctypes
import ctypes.util
import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.service import gaps
from agent.service.roll import Roll
from agent.service.spool import Spool
from agent.service.spool_file import SpoolError
from agent.service.spool_frame import State
from wire.clock import Clock
from wire.event import Gap, GapReason

_log = logging.getLogger(__name__)

_SECOND = 1_000_000
_TICK = 5.0
_ALIVE_EACH = 35 * _SECOND
_COUNT_WINDOW = 60 * _SECOND
_LATE_START = 120 * _SECOND
_RESTART = 5 * _SECOND
_OURS = {
    GapReason.HOOK_DEAD,
    GapReason.NO_DISPLAY,
    GapReason.WAYLAND,
    GapReason.NO_PERMISSION,
    GapReason.SESSION_MISSING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long something may last before it counts, µs."""

    session: int = 30 * _SECOND
    """Between sign-in and the session process's hello."""
    away: int = 5 * _SECOND
    """Between a session process's end and its next hello, or its user's signing out."""
    jump: int = 5 * _SECOND
    """By how much the clock may be set without being told."""


class Watchkeeper:
    """Looks every few seconds, and at each change."""

    def __init__(
        self,
        *,
        spool: Spool,
        roll: Roll,
        clock: Clock,
        users: Callable[[], set[str]],
        uptime: Callable[[], float],
        patience: Patience | None = None,
    ) -> None:
        self._spool = spool
        self._roll = roll
        self._clock = clock
        self._users = users
        self._uptime = uptime
        self._patience = patience or Patience()
        self._missing_since: dict[str, int] = {}
        self._wall = clock.now()
        self._up = uptime()
        self._stop = threading.Event()

    def started(self) -> None:
        """At the start: the time since the service last ran, as far as the PC was on."""
        now, up = self._clock.now(), self._uptime()
        alive = self._spool.state().alive_at
        booted = now - int(up * _SECOND)
        gap = None
        if alive > now:
            gap = Gap(reason=GapReason.CLOCK_JUMPED, started_at=now, ended_at=alive)
        elif alive > booted and now - alive > _RESTART:
            gap = Gap(reason=GapReason.AGENT_STOPPED, started_at=alive, ended_at=now)
        elif 0 < alive <= booted and now - booted > _LATE_START:
            gap = Gap(reason=GapReason.AGENT_STOPPED, started_at=booted, ended_at=now)

        def begin(state: State) -> State:
            kept = state.gaps
            for reason in _OURS:
                kept = gaps.end(kept, reason, max(alive, 1))
            return replace(state, gaps=gaps.add(kept, gap) if gap else kept, alive_at=now)

        self._spool.keep(begin)

    def run(self) -> None:
        """Look until `stop`, and note that the service ran until then."""
        while not self._stop.is_set():
            self._roll.changed.wait(_TICK)
            self._roll.changed.clear()
            if not self._stop.is_set():
                self.look()
        try:
            self._spool.keep(lambda state: replace(state, alive_at=self._clock.now()))
        except SpoolError as error:
            _log.warning("the time of stopping was not kept: %s", error)

    def stop(self) -> None:
        """End `run`. Not for a signal's handler, which may interrupt whoever holds a lock."""
        self._stop.set()
        self._roll.changed.set()

    def look(self) -> None:
        """Look once: open and close gaps, count what was given up."""
        now = self._clock.now()
        jumped = self._jump(now)
        self._roll.expect_words(self._clock.monotonic(), now)
        blind = {one.reason: one.since or now for one in self._roll.blind()}
        users = self._users()
        back, away = self._roll.absences(users)
        missing = self._missing(now, users, away)
        if missing:
            blind[GapReason.SESSION_MISSING] = missing
        counts = self._roll.counted()

        def change(state: State) -> State:
            kept = state.gaps
            if jumped is not None:
                kept = gaps.add(kept, jumped)
            for one in back:
                kept = gaps.between(kept, GapReason.SESSION_MISSING, one.left, one.back)
            for reason in _OURS:
                if reason in blind:
                    kept = gaps.begin(kept, reason, min(blind[reason], now))
                else:
                    kept = gaps.end(kept, reason, now)
            for reason, number in counts.items():
                kept = gaps.count(kept, reason, now, number, _COUNT_WINDOW)
            is_old = abs(now - state.alive_at) > _ALIVE_EACH
            return replace(state, gaps=kept, alive_at=now if is_old else state.alive_at)

        try:
            self._spool.keep(change)
        except SpoolError as error:
            self._roll.restore(counts)
            _log.warning("gaps could not be kept yet: %s", error, extra={"event": "gaps"})

    def _jump(self, now: int) -> Gap | None:
        up = self._uptime()
        expected = self._wall + int((up - self._up) * _SECOND)
        self._wall, self._up = now, up
        if abs(now - expected) <= self._patience.jump:
            return None
        first, last = sorted((expected, now))
        _log.warning("the clock jumped by %d s", (now - expected) // _SECOND)
        return Gap(reason=GapReason.CLOCK_JUMPED, started_at=max(first, 1), ended_at=last)

    def _missing(self, now: int, users: set[str], away: dict[str, int]) -> int:
        """Since when somebody is signed in without a session process; 0: nobody is."""
        absent = users - self._roll.users()
        self._missing_since = {
            user: away.get(user) or self._missing_since.get(user, now) for user in absent
        }
        long = [
            since
            for user, since in self._missing_since.items()
            if now - since >= (self._patience.away if user in away else self._patience.session)
        ]
        return min(long, default=0)


def system_uptime() -> float:
    """Seconds since the PC started, the time asleep included."""
    if sys.platform == "win32":
        ticks = ctypes.windll.kernel32.GetTickCount64
        ticks.restype = ctypes.c_uint64
        return float(ticks()) / 1000
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def signed_in_users() -> set[str]:
    """The system's names of the accounts that sit at the PC; empty where it cannot be known."""
    if sys.platform == "linux":
        return _logind_users()
    # On Windows a session process is started for each sign-in by the installer's task; who
    # sits there is asked of the pipe alone.
    return set()


def _logind_users() -> set[str]:
    """Those with a graphical or text session of class `user`, asked of systemd's logind.

    Source: sd_get_seats(3), sd_uid_get_sessions(3), sd_session_get_class(3).
    """
    library = _logind()
    if library is None:
        return set()
    listed = ctypes.POINTER(ctypes.c_void_p)()
    number = library.sd_get_sessions(ctypes.byref(listed))
    found = set()
    for at in range(max(number, 0)):
        session = ctypes.cast(listed[at], ctypes.c_char_p)
        kind = ctypes.c_void_p()
        uid = ctypes.c_uint32()
        if (
            library.sd_session_get_class(session, ctypes.byref(kind)) >= 0
            and ctypes.cast(kind, ctypes.c_char_p).value == b"user"
            and library.sd_session_get_uid(session, ctypes.byref(uid)) >= 0
        ):
            found.add(str(uid.value))
        _free(kind)
        _free(ctypes.c_void_p(listed[at]))
    _free(ctypes.cast(listed, ctypes.c_void_p))
    return found


_loaded: list[ctypes.CDLL | None] = []


def _logind() -> ctypes.CDLL | None:
    if not _loaded:
        try:
            _loaded.append(ctypes.CDLL("libsystemd.so.0"))
        except OSError:
            _loaded.append(None)
    return _loaded[0]


def _free(pointer: ctypes.c_void_p) -> None:
    libc = ctypes.CDLL(None)
    libc.free.argtypes = (ctypes.c_void_p,)
    libc.free(pointer)
