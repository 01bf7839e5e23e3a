"""Which field has the focus on Linux, as applications tell by AT-SPI.

The session bus names the accessibility bus; there each move of the focus is a
signal, and one question to the application says whether the field is for
passwords (role 40). The page's address is an attribute of the document around
the field. Applications that do not speak AT-SPI are 'not known', never 'plain'.
"""

import logging
import threading
from collections import OrderedDict, deque
from typing import Any

from agent.session.sources.bus import Bus, BusError, Signal, Wake, has_session_bus
from agent.session.sources.events import Address, Focus, FocusMoving
from agent.session.sources.interface import Put
from wire.clock import Clock

PASSWORD_TEXT = 40
DOCUMENT_WEB = 95
SHOWING = 25
"""The number of a state bit."""
_ACCESSIBLE = "org.a11y.atspi.Accessible"
_GET = "org.freedesktop.DBus.Properties.Get"
_REGISTRY = ("org.a11y.atspi.Registry", "/org/a11y/atspi/registry")
_ROOT = "/org/a11y/atspi/accessible/root"
_NULL = "/org/a11y/atspi/null"
_EVENTS = ("object:state-changed:focused", "document:load-complete")
_ADDRESSES = ("URI", "DocURL")
_DEEPEST = 40
_MOST_ASKED = 300
_LONGEST_SEARCH = 1.0
_AGAIN = (2.0, 5.0, 15.0, 60.0)

NOT_TOLD = "the application does not tell"

log = logging.getLogger(__name__)

Place = tuple[str, str]
"""An accessible object: its application's bus name and its path."""


class AtSpiFields:
    """Watches the accessibility bus in a thread of its own, and comes back when it ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._wake: Wake | None = None
        self._unknown = "the accessibility service is not reached yet"
        self._refresh: deque[int] = deque(maxlen=16)

    def start(self, put: Put) -> None:
        """Begin; the accessibility service may come up later."""
        self.stop()
        if not has_session_bus():
            self._unknown = "there is no session bus"
            return
        self._wake = Wake()
        self._thread = threading.Thread(
            target=self._run, args=(self._wake, put), name="fields", daemon=True
        )
        self._thread.start()

    def alive(self) -> bool:
        """Whether the thread runs, or has nothing to run for."""
        return self._thread is None or self._thread.is_alive()

    def why_unknown(self) -> str:
        """Why no field is known at present."""
        return self._unknown

    def refresh(self, process: int) -> None:
        """Look for the address of this process's page again."""
        if self._wake is not None and not self._unknown:
            self._refresh.append(process)
            self._wake.ring()

    def stop(self) -> None:
        """End the thread."""
        thread, self._thread = self._thread, None
        if self._wake is not None:
            self._wake.end()
            self._wake = None
        if thread is not None:
            thread.join(2)

    def _to_refresh(self) -> set[int]:
        found = set()
        while self._refresh:
            found.add(self._refresh.popleft())
        return found

    def _run(self, wake: Wake, put: Put) -> None:
        tries = 0
        while not wake.ended.is_set():
            watch: _Watch | None = None
            try:
                watch = _Watch(self._clock, put)
                self._unknown = ""
                tries = 0
                while not wake.ended.is_set():
                    wake.wait(watch.bus)
                    watch.work()
                    for process in self._to_refresh():
                        watch.refresh(process)
            except BusError as error:
                self._unknown = "the accessibility service is not there"
                log.info("fields are not known: %s", error)
            finally:
                if watch is not None:
                    watch.bus.close()
            if not wake.ended.is_set():
                wake.wait(timeout=_AGAIN[min(tries, len(_AGAIN) - 1)])
                tries += 1
        wake.close()


class _Watch:
    """One connection to the accessibility bus, and what is known from it."""

    def __init__(self, clock: Clock, put: Put) -> None:
        self._clock = clock
        self._put = put
        self._processes: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._documents: dict[int, Place] = {}
        self._focuses: dict[int, Place] = {}
        """Where the focus went, of which the page is still to be found."""
        self._secure: OrderedDict[str, None] = OrderedDict()
        self.bus = _open_bus()
        try:
            self.bus.subscribe(interface="org.a11y.atspi.Event.Object", member="StateChanged")
            self.bus.subscribe(interface="org.a11y.atspi.Event.Document", member="LoadComplete")
            for event in _EVENTS:
                self._register(event)
        except BusError:
            self.bus.close()
            raise

    def _register(self, event: str) -> None:
        method = "org.a11y.atspi.Registry.RegisterEvent"
        try:
            self.bus.call(_REGISTRY, method, "sass", (event, [], ""), timeout=5)
        except BusError:  # before 2.46 it took the name alone
            self.bus.call(_REGISTRY, method, "s", (event,), timeout=5)

    def work(self) -> None:
        """Take the signals that have come."""
        self._take()
        while self._focuses:
            process, place = self._focuses.popitem()
            document = self._document_around(place)
            if document is not None:
                self._tell(process, *document)

    def _take(self) -> None:
        """Take signals. Called within each long search: a password field must not wait for it."""
        for signal in self.bus.signals():
            if signal.member == "LoadComplete":
                self._loaded(signal)
            elif signal.body[:2] == ("focused", 1):
                self._focused(signal)

    def _focused(self, signal: Signal) -> None:
        place = (signal.sender, signal.path)
        process = self._process(signal.sender)
        self._put(FocusMoving(self._clock.monotonic(), process))
        field = f"{signal.sender}{signal.path}"
        secure: bool | None = None
        try:
            (role,) = self.bus.call(place, f"{_ACCESSIBLE}.GetRole")
            secure = self._is_secure(field, role)
        except BusError:
            pass  # it did not answer: not known
        self._put(Focus(self._clock.monotonic(), process, field, secure))
        self._focuses[process] = place

    def _is_secure(self, field: str, role: int) -> bool:
        """A field that was for a password stays one: 'show password' only changes its role."""
        if role == PASSWORD_TEXT:
            self._secure[field] = None
            if len(self._secure) > _MOST_ASKED:
                self._secure.popitem(last=False)
        return field in self._secure

    def _loaded(self, signal: Signal) -> None:
        place = (signal.sender, signal.path)
        address = self._address(place)
        if address and self._shows(place):
            self._tell(self._process(signal.sender), place, address)

    def refresh(self, process: int) -> None:
        """Find the address of what the process shows now."""
        known = self._documents.get(process)
        if known is not None and self._shows(known):
            address = self._address(known)
            if address:
                self._tell(process, known, address)
                return
        name = self._names.get(process)
        if name is None:
            return
        found = self._shown_document((name, _ROOT))
        if found is not None:
            self._tell(process, *found)
        else:
            self._documents.pop(process, None)
            self._put(Address(self._clock.monotonic(), process, "", NOT_TOLD))

    def _tell(self, process: int, document: Place, address: str) -> None:
        self._documents[process] = document
        self._put(Address(self._clock.monotonic(), process, address))

    def _process(self, name: str) -> int:
        process = self._processes.get(name)
        if process is None:
            try:
                (process,) = self.bus.call(
                    ("org.freedesktop.DBus", "/org/freedesktop/DBus"),
                    "org.freedesktop.DBus.GetConnectionUnixProcessID",
                    "s",
                    (name,),
                )
            except BusError:
                process = 0
            if len(self._processes) >= _MOST_ASKED:
                self._processes.clear()
                self._names.clear()
            self._processes[name] = process
            self._names[process] = name
        return int(process)

    def _address(self, place: Place) -> str:
        """The address that a document tells; empty for anything else."""
        try:
            (attributes,) = self.bus.call(place, "org.a11y.atspi.Document.GetAttributes")
        except BusError:
            return ""
        return next((attributes[name] for name in _ADDRESSES if attributes.get(name)), "")

    def _document_around(self, place: Place) -> tuple[Place, str] | None:
        """The outermost document around an object: the page, not a frame in it."""
        found = None
        for _ in range(_DEEPEST):
            self._take()
            address = self._address(place)
            if address:
                found = (place, address)
            parent = self._parent(place)
            if parent is None:
                break
            place = parent
        return found

    def _parent(self, place: Place) -> Place | None:
        try:
            ((_, (name, path)),) = self.bus.call(place, _GET, "ss", (_ACCESSIBLE, "Parent"))
        except (BusError, ValueError):
            return None
        ended = not name or path in (_NULL, _ROOT) or name != place[0]
        return None if ended else (name, path)

    def _shows(self, place: Place) -> bool:
        try:
            ((low, *_),) = self.bus.call(place, f"{_ACCESSIBLE}.GetState")
        except (BusError, ValueError):
            return False
        return bool(low >> SHOWING & 1)

    def _shown_document(self, root: Place) -> tuple[Place, str] | None:
        """The first document that is showing, breadth first, within bounds."""
        waiting: deque[Place] = deque([root])
        until = self._clock.monotonic() + _LONGEST_SEARCH
        for _ in range(_MOST_ASKED):
            self._take()
            if not waiting or self._clock.monotonic() > until:
                return None
            place = waiting.popleft()
            try:
                (role,) = self.bus.call(place, f"{_ACCESSIBLE}.GetRole")
                if role == DOCUMENT_WEB:
                    address = self._address(place)
                    if address and self._shows(place):
                        return place, address
                    continue
                (children,) = self.bus.call(place, f"{_ACCESSIBLE}.GetChildren")
            except BusError:
                continue
            waiting.extend((name, path) for name, path in children if path != _NULL)
        return None


def _open_bus() -> Bus:
    """Connect to the accessibility bus, and ask applications to speak on it."""
    session = Bus("SESSION")
    try:
        (address,) = session.call(
            ("org.a11y.Bus", "/org/a11y/bus"), "org.a11y.Bus.GetAddress", timeout=10
        )
        enabled: Any = ("b", True)
        session.call(
            ("org.a11y.Bus", "/org/a11y/bus"),
            "org.freedesktop.DBus.Properties.Set",
            "ssv",
            ("org.a11y.Status", "IsEnabled", enabled),
            timeout=2,
        )
    finally:
        session.close()
    return Bus(str(address))
