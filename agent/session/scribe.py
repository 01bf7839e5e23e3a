"""From the sources' events to what is said to the service. Its effects are those it is given.

One `Sheet` is kept per window: its text, and where it is. A sheet is *closed* while
its window is a place that is never captured or an excluded application: then keys
are dropped unread and its text is wiped. All times are monotonic seconds.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from agent.session.evidence import Scene, details, judge, picture_state
from agent.session.fold import Fold, Repeats, Subject
from agent.session.packbook import Packbook
from agent.session.places import Applications, Places
from agent.session.secure import Gate
from agent.session.sources.events import (
    Address,
    Click,
    Focus,
    FocusMoving,
    Key,
    Lock,
    Pasted,
    Press,
    Window,
    WindowChanged,
)
from agent.session.text import MOUSE_NOTE, Sighting, WindowText
from agent.session.titles import Titles
from keywords.decide import Detector
from wire.clock import Clock
from wire.event import EvidenceRules, PictureState, Source
from wire.ids import new_event
from wire.local import Again, Found, Settings

PAUSE = 0.8
"""Seconds without a key after which what stands complete is a match."""
KEPT_WITHOUT_FOCUS = 600.0
MOST_SHEETS = 16
_PASTE_AGAIN = 0.5
"""Seconds in which a repeated Ctrl+V (a key held down) does not read the clipboard anew."""

NO_FIELDS = "the accessibility service does not tell"
NOT_TOLD = "the application does not tell"


class Surroundings(Protocol):
    """What the scribe asks of the world."""

    def say(self, message: Found | Again) -> None:
        """Tell the service."""
        ...

    def picture(self, event: bytes, window: Window, *, all_monitors: bool) -> None:
        """Take the picture of an event that was said."""
        ...

    def paste(self) -> Pasted:
        """Read the clipboard."""
        ...

    def fields_known(self) -> bool:
        """Whether focus events can be waited for."""
        ...

    def ask_address(self, process: int) -> None:
        """Have the address of this process's page told again."""
        ...


@dataclass(slots=True)
class Sheet:
    """One window: its text, and what may be done with it."""

    window: Window
    text: WindowText
    field: str = ""
    closed: bool = False
    held: bool = False
    judged: str = ""
    """The line that was last judged by its pattern."""
    told: bool = False
    """Whether a listed word in this line has raised an alert."""
    settle_at: float | None = None
    left_at: float | None = None


class Scribe:
    """Writes down what is typed, and tells what matches."""

    def __init__(self, clock: Clock, world: Surroundings) -> None:
        self._clock = clock
        self._world = world
        self._packs = Packbook()
        self._detector = Detector(self._packs.matcher, self._packs.ranker)
        self._rules = EvidenceRules()
        self._places = Places()
        self._excluded = Applications(())
        self._held = Applications(())
        self._gate: Gate[tuple[tuple[int, int], Press | Click]] = Gate()
        self._fold = Fold()
        self._titles = Titles()
        self._sheets: OrderedDict[tuple[int, int], Sheet] = OrderedDict()
        self._addresses: OrderedDict[int, Address] = OrderedDict()
        self._locked: set[str] = set()
        self._pasted: tuple[float, Pasted] = (-1.0, Pasted())
        self._sheet = self._sheet_of(Window(0))

    def use(self, settings: Settings, service: str = "") -> None:
        """A policy came into force; `service` is the account that says so, as the system names it."""
        self._rules = settings.evidence
        self._places = Places(self._rules.never_places)
        self._excluded = Applications(self._rules.excluded_applications)
        self._held = Applications(self._rules.held_applications)
        before = self._packs.matcher
        if settings.book:
            self._packs.open(settings.book, service)
        else:
            self._packs.update(settings.packs)
        self._detector = Detector(
            self._packs.matcher, self._packs.ranker, patterns=self._rules.patterns
        )
        for sheet in self._sheets.values():
            self._judge_place(sheet)
        if self._packs.matcher is not before:
            for sheet in self._sheets.values():
                self._tell(sheet, sheet.text.use(self._packs.matcher))
            self._titles.forget()
            self._read_title(self._sheet)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the packs last given."""
        return self._packs.problems

    @property
    def book_refused(self) -> str:
        """Why the book last given is not used; empty: it is, or there was none."""
        return self._packs.refused

    def handle(self, event: object) -> None:
        """Take one event of a source."""
        match event:
            case Press() | Click():
                self._key(event)
            case WindowChanged():
                self._changed(event)
            case FocusMoving():
                self._gate.moving(event.at, event.process)
            case Focus():
                self._focus(event)
            case Address():
                self._addressed(event)
            case Lock():
                self._lock(event)

    @property
    def due(self) -> float | None:
        """When `tick` has something to do."""
        times = [self._gate.due, self._fold.due]
        for sheet in self._sheets.values():
            times.append(sheet.settle_at)
            if sheet.left_at is not None:
                times.append(sheet.left_at + KEPT_WITHOUT_FOCUS)
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: float) -> None:
        """Do what is due."""
        for identity, event in self._gate.release(now):
            sheet = self._sheets.get(identity)
            if sheet is not None and not sheet.closed:
                self._write(sheet, event)
        for sheet in list(self._sheets.values()):
            if sheet.settle_at is not None and sheet.settle_at <= now:
                self._settle(sheet)
            if sheet.left_at is not None and sheet.left_at + KEPT_WITHOUT_FOCUS <= now:
                del self._sheets[sheet.window.identity]
        self._say_again(self._fold.ended(now))

    def wipe(self) -> None:
        """A lock or the end of the session: tell what is counted, forget every text."""
        self._say_again(self._fold.flush())
        self._gate.forget()
        self._titles.forget()
        self._sheets.clear()
        self._pasted = (-1.0, Pasted())
        self._sheet = self._sheet_of(self._sheet.window)

    def _key(self, event: Press | Click) -> None:
        sheet = self._sheet
        if self._locked:
            return
        moves = isinstance(event, Click) or event.key in (Key.TAB, Key.ENTER)
        waits_make_sense = moves and self._world.fields_known()
        allowed = self._gate.admit(event.at, (sheet.window.identity, event), moves=waits_make_sense)
        if allowed and not sheet.closed:
            self._write(sheet, event)

    def _write(self, sheet: Sheet, event: Press | Click) -> None:
        if sheet.held:
            return
        if isinstance(event, Click):
            self._tell(sheet, sheet.text.jump(MOUSE_NOTE))
            return
        sheet.settle_at = event.at + PAUSE
        if event.key is Key.ENTER:
            self._judge_line(sheet)
            sheet.told = False
        if (event.shortcut == "v" and event.control) or (event.key is Key.INSERT and event.shift):
            self._tell(sheet, self._paste(sheet, event.at))
        else:
            sightings = sheet.text.press(event)
            if sightings:
                self._tell(sheet, sightings)

    def _paste(self, sheet: Sheet, at: float) -> list[Sighting]:
        read_at, pasted = self._pasted
        if not read_at <= at < read_at + _PASTE_AGAIN or read_at < 0:
            pasted = self._world.paste()
            self._pasted = (at, pasted)
        if pasted.withheld_because:
            sheet.text.note(f"a paste is missing: {pasted.withheld_because}")
            return []
        return sheet.text.paste(pasted.text)

    def _changed(self, event: WindowChanged) -> None:
        before, window = self._sheet.window, event.window
        if window.identity != before.identity:
            self._sheet.left_at = event.at
            if self._gate.due is None:
                self._settle(self._sheet)
            if self._world.fields_known():
                self._gate.hold(event.at)
            self._gate.window(window.process)
        self._sheet = self._sheet_of(window)
        self._sheet.left_at = None
        if window.process and (window.identity, window.title) != (before.identity, before.title):
            self._world.ask_address(window.process)
        self._judge_place(self._sheet)
        if not self._locked:
            self._read_title(self._sheet)

    def _sheet_of(self, window: Window) -> Sheet:
        sheet = self._sheets.get(window.identity)
        if sheet is None:
            sheet = Sheet(window, WindowText(self._packs.matcher))
            self._sheets[window.identity] = sheet
            self._judge_place(sheet)
            if len(self._sheets) > MOST_SHEETS:
                self._sheets.popitem(last=False)
        else:
            sheet.window = window
            self._sheets.move_to_end(window.identity)
        return sheet

    def _judge_place(self, sheet: Sheet) -> None:
        """Whether the window may be captured, now that it shows what it shows."""
        window = sheet.window
        program = (window.application, window.process_path)
        address = self._address(window.process)
        sheet.closed = self._excluded.has(*program) or self._places.never(
            title=window.title, address=address.address
        )
        sheet.held = self._held.has(*program)
        if sheet.closed or sheet.held:
            sheet.text.clear()
            sheet.settle_at = None

    def _read_title(self, sheet: Sheet) -> None:
        window = sheet.window
        if sheet.closed or not window.title:
            return
        matches = self._titles.see(window.identity, window.title, self._packs.matcher)
        sightings = [Sighting(match, window.title, pasted=False, notes=()) for match in matches]
        self._tell(sheet, sightings, Source.TITLE)

    def _focus(self, event: Focus) -> None:
        self._gate.focus(event.process, secure=bool(event.secure))
        sheet = self._sheet
        if event.process == sheet.window.process and event.field != sheet.field:
            if sheet.field and self._gate.due is None:
                # Another field: its text does not join on to the last one's.
                self._settle(sheet)
                sheet.text.clear()
            sheet.field = event.field

    def _addressed(self, event: Address) -> None:
        self._addresses[event.process] = event
        self._addresses.move_to_end(event.process)
        if len(self._addresses) > MOST_SHEETS:
            self._addresses.popitem(last=False)
        for sheet in self._sheets.values():
            if sheet.window.process == event.process:
                self._judge_place(sheet)

    def _address(self, process: int) -> Address:
        known = self._addresses.get(process)
        if known is not None:
            return known
        why = NOT_TOLD if self._world.fields_known() else NO_FIELDS
        return Address(0.0, process, "", why)

    def _lock(self, event: Lock) -> None:
        (self._locked.add if event.locked else self._locked.discard)(event.by)
        if event.locked:
            self.wipe()

    def _settle(self, sheet: Sheet) -> None:
        sheet.settle_at = None
        if not sheet.closed and not sheet.held:
            self._tell(sheet, sheet.text.settle())
            self._judge_line(sheet)

    def _judge_line(self, sheet: Sheet) -> None:
        """Judge a finished line by its pattern, if policy has switched that on."""
        if not self._detector.patterns or sheet.told:
            return
        line = sheet.text.line()
        if line.text != sheet.judged:
            sheet.judged = line.text
            self._tell(sheet, [line])

    def _tell(
        self, sheet: Sheet, sightings: Iterable[Sighting], source: Source = Source.TYPED
    ) -> None:
        for sighting in sightings:
            if self._sighted(sheet.window, sighting, source) and source is Source.TYPED:
                sheet.told = True

    def _sighted(self, window: Window, sighting: Sighting, source: Source) -> bool:
        """Say a sighting, if there is something to say; whether it raises an alert by itself."""
        address = self._address(window.process)
        scene = Scene(window, address.address, address.unknown_because or NOT_TOLD)
        judged = judge(sighting, scene, source, self._detector)
        if judged is None:
            return False
        finding = judged.finding
        at = self._clock.now()
        term = finding.term_id if sighting.match else finding.category
        subject = Subject(window.identity, source, finding.pack, term)
        if self._fold.repeated(subject, finding, at):
            return judged.alerts
        event = new_event(self._clock)
        picture = picture_state(finding, self._rules)
        found = Found(
            event=event,
            matched_at=at,
            finding=finding,
            picture=picture,
            details=details(sighting, scene, judged.grade, judged.place),
        )
        self._world.say(found)
        self._say_again(self._fold.open(subject, event, finding, self._clock.monotonic()))
        if picture is PictureState.FOLLOWS:
            wide = finding.category in self._rules.all_monitors
            self._world.picture(event, window, all_monitors=wide)
        return judged.alerts

    def _say_again(self, repeated: Iterable[Repeats]) -> None:
        for one in repeated:
            self._world.say(
                Again(
                    event=one.event,
                    finding=one.finding,
                    repeats=one.count,
                    last_at=one.last_at,
                )
            )

    def may_show(self, window: Window) -> bool:
        """Whether a window may be in a picture."""
        return not (
            self._excluded.has(window.application, window.process_path)
            or self._places.never(title=window.title, address=self._address(window.process).address)
        )
