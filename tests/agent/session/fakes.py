"""Sources that implement the Protocols and do as a test tells them."""

from agent.session.picture import Pixels
from agent.session.sources.events import (
    Address,
    BlindError,
    Click,
    Ended,
    Focus,
    Lock,
    Pasted,
    Press,
    Rectangle,
    Window,
    WindowChanged,
)
from agent.session.sources.interface import Sources


class Source:
    """Any source: alive between start and stop."""

    def __init__(self):
        self.put = None

    def start(self, put):
        self.put = put

    def alive(self):
        return self.put is not None

    def stop(self):
        self.put = None


class FakeWindows(Source):
    places = None

    def rectangle(self, window):
        return dict(self.places or {}).get(window, Rectangle(0, 0, 40, 30))

    def stacked(self, lowest=None):
        shown = list(self.places or ())
        handles = [window.handle for window, _ in shown]
        if lowest is not None and lowest.handle in handles:
            return shown[handles.index(lowest.handle) :]
        return shown


class FakeFields(Source):
    why = ""

    def why_unknown(self):
        return self.why

    def refresh(self, process):
        self.refreshed = process


class FakeClipboard:
    pasted = Pasted("")
    reads = 0

    def read(self):
        self.reads += 1
        return self.pasted

    def close(self):
        pass


class Desktop:
    """What a user does, on fake sources."""

    def __init__(self, clock, fields=False):
        self.clock = clock
        self.blind = None
        self.opened = 0
        self.clipboard = FakeClipboard()
        self.keyboard, self.windows, self.locks = Source(), FakeWindows(), Source()
        self.fields = FakeFields() if fields else None

    def open(self, _clock):
        self.opened += 1
        if self.blind is not None:
            raise BlindError(self.blind, "a test says so")
        return Sources(
            keyboard=self.keyboard,
            windows=self.windows,
            clipboard=self.clipboard,
            fields=self.fields,
            locks=self.locks,
        )

    @property
    def now(self):
        return self.clock.monotonic()

    def type(self, text, at=None):
        for char in text:
            self.keyboard.put(Press(self.now if at is None else at, char))

    def key(self, key, **held):
        self.keyboard.put(Press(self.now, key=key, **held))

    def shortcut(self, letter):
        self.keyboard.put(Press(self.now, shortcut=letter, control=True))

    def click(self):
        self.keyboard.put(Click(self.now))

    def window(self, handle, title="", application="editor", process=10, path=""):
        window = Window(handle, title, application, path, process)
        self.windows.put(WindowChanged(self.now, window))
        return window

    def focus(self, process, field, secure):
        self.fields.put(Focus(self.now, process, field, secure))

    def address(self, process, address):
        self.fields.put(Address(self.now, process, address))

    def lock(self, locked):
        self.locks.put(Lock(self.now, locked))

    def keyboard_dies(self):
        self.keyboard.put(Ended(self.now, "keyboard", "a test says so"))


def grey(rectangle):
    """A picture of nothing."""
    width, height = (64, 48) if rectangle is None else (rectangle.width, rectangle.height)
    return Pixels(width, height, bytes([90]) * (width * height * 4))
