"""When the screen is locked on Linux: by logind on the system bus, by the screen saver on the session's."""

import contextlib
import logging
import os
import threading

from agent.session.sources.bus import Bus, BusError, Signal, Wake, has_session_bus
from agent.session.sources.events import Lock
from agent.session.sources.interface import Put
from wire.clock import Clock

_LOGIND = ("org.freedesktop.login1", "/org/freedesktop/login1")
_SAVERS = ("org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver", "org.mate.ScreenSaver")

log = logging.getLogger(__name__)


class LinuxLocks:
    """Waits for the lock's signals in one thread; without any bus it has nothing to do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._wake: Wake | None = None

    def start(self, put: Put) -> None:
        """Begin to wait."""
        self.stop()
        buses = _open_buses()
        if not buses:
            return
        self._wake = Wake()
        self._thread = threading.Thread(
            target=self._run, args=(buses, self._wake, put), name="locks", daemon=True
        )
        self._thread.start()

    def alive(self) -> bool:
        """Whether the thread runs, or has nothing to run for."""
        return self._thread is None or self._thread.is_alive()

    def stop(self) -> None:
        """End the thread."""
        thread, self._thread = self._thread, None
        if self._wake is not None:
            self._wake.end()
            self._wake = None
        if thread is not None:
            thread.join(2)

    def _run(self, buses: list[Bus], wake: Wake, put: Put) -> None:
        try:
            while not wake.ended.is_set():
                wake.wait(*buses)
                for bus in buses:
                    for signal in bus.signals():
                        locked = meaning(signal)
                        if locked is not None:
                            put(Lock(self._clock.monotonic(), locked))
        except BusError as error:
            log.info("locks are not known: %s", error)
        finally:
            for bus in buses:
                bus.close()
            wake.close()


def meaning(signal: Signal) -> bool | None:
    """Whether a signal says locked, unlocked, or nothing of it."""
    if signal.member in ("Lock", "Unlock"):
        return signal.member == "Lock"
    if signal.member == "ActiveChanged" and len(signal.body) == 1:
        return bool(signal.body[0])
    if signal.member == "PropertiesChanged" and "LockedHint" in signal.body[1]:
        return bool(signal.body[1]["LockedHint"][1])
    return None


def _open_buses() -> list[Bus]:
    buses = []
    with contextlib.suppress(BusError):
        buses.append(_system())
    if has_session_bus():
        with contextlib.suppress(BusError):
            session = Bus("SESSION")
            for saver in _SAVERS:
                session.subscribe(interface=saver, member="ActiveChanged")
            buses.append(session)
    return buses


def _system() -> Bus:
    bus = Bus("SYSTEM")
    try:
        manager = "org.freedesktop.login1.Manager.GetSessionByPID"
        (path,) = bus.call(_LOGIND, manager, "u", (os.getpid(),), timeout=2)
        bus.subscribe(interface="org.freedesktop.login1.Session", path=path)
        bus.subscribe(interface="org.freedesktop.DBus.Properties", path=path)
    except BusError:
        bus.close()
        raise
    return bus
