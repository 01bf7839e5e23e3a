"""The windows and the clipboard of a real X server, with clients made to order."""

import contextlib
import os
import threading
import time

import pytest
from Xlib import X, Xatom, display
from Xlib.protocol import event as xevent

from agent.session.sources.events import Lock, WindowChanged
from agent.session.sources.x11_clipboard import LARGE, NOT_TO_KEEP, SLOW, X11Clipboard
from agent.session.sources.x11_windows import X11Windows
from demo.screen import open_screen
from wire.clock import SystemClock

pytestmark = pytest.mark.screen


@pytest.fixture
def windows(on_screen, events):
    source = X11Windows(SystemClock())
    source.start(events.put)
    yield source
    source.stop()
    assert not source.alive()


@pytest.fixture
def client(on_screen):
    """An application in this very process."""
    with contextlib.closing(display.Display(on_screen.display)) as connection:
        yield connection


def make_window(client, name=None, title=None):
    screen = client.screen()
    window = screen.root.create_window(50, 60, 200, 100, 0, screen.root_depth)
    if name is not None:
        window.change_property(Xatom.WM_NAME, Xatom.STRING, 8, name)
    if title is not None:
        set_title(client, window, title)
    window.map()
    client.sync()
    return window


def set_title(client, window, title):
    window.change_property(
        client.intern_atom("_NET_WM_NAME"), client.intern_atom("UTF8_STRING"), 8, title.encode()
    )
    client.sync()


def active(events, wanted):
    return events.wait_for(lambda one: isinstance(one, WindowChanged) and wanted(one.window)).window


def test_a_window_its_title_and_its_process_without_any_property(windows, events, client):
    made = make_window(client, name=b"caf\xe9")
    window = active(events, lambda one: one.handle == made.id)
    assert window.title == "café"
    assert window.process == os.getpid()
    assert window.application
    assert "python" in window.process_path


def test_each_change_of_the_title_is_told_once(windows, events, client):
    window = make_window(client, title="one")
    active(events, lambda one: one.handle == window.id)
    set_title(client, window, "two ✓")
    titles = [event.window.title for event in events.collect(0.4)]
    set_title(client, window, "three")
    titles += [event.window.title for event in events.collect(0.4)]
    assert titles == ["two ✓", "three"]


def test_a_title_that_is_no_text_and_one_that_is_too_long(windows, events, client):
    window = make_window(client, title="one")
    window.change_property(
        client.intern_atom("_NET_WM_NAME"), client.intern_atom("UTF8_STRING"), 8, b"\xff\xfe x"
    )
    client.sync()
    assert (
        active(events, lambda one: one.handle == window.id and one.title != "one").title == "ÿþ x"
    )
    set_title(client, window, "é" * 50_000)
    title = active(events, lambda one: len(one.title) > 10).title
    assert set(title) == {"é"}
    assert len(title) == 8192


def test_a_window_that_goes_is_no_longer_active(windows, events, client):
    window = make_window(client, title="one")
    active(events, lambda one: one.handle == window.id)
    window.destroy()
    client.sync()
    active(events, lambda one: one.handle != window.id)


def test_where_windows_stand_and_which_is_above(windows, events, client):
    lower = make_window(client, title="lower")
    upper = make_window(client, title="upper")
    found = active(events, lambda one: one.handle == upper.id)
    stacked = {window.title: place for window, place in windows.stacked()}
    assert list(stacked)[-2:] == ["lower", "upper"]
    place = windows.rectangle(found)
    assert (place.width, place.height) == (200, 100)
    assert stacked["upper"] == place
    upper.destroy()
    lower.destroy()
    client.sync()
    time.sleep(0.1)
    assert windows.rectangle(found) is None


def test_without_a_window_manager_the_focus_is_asked(monkeypatch, events):
    with open_screen(manager=False) as screen:
        monkeypatch.setenv("DISPLAY", screen.display)
        source = X11Windows(SystemClock())
        source.start(events.put)
        with contextlib.closing(display.Display(screen.display)) as client:
            window = make_window(client, title="alone")
            window.set_input_focus(X.RevertToParent, X.CurrentTime)
            client.sync()
            other = make_window(client, title="another")
            assert active(events, lambda one: one.title == "alone").process == os.getpid()
            other.destroy()
        source.stop()


def test_a_small_window_without_a_manager_is_no_lock(windows, events, client):
    screen = client.screen()
    menu = screen.root.create_window(0, 0, 300, 300, 0, screen.root_depth, override_redirect=1)
    menu.map()
    client.sync()
    assert not [one for one in events.collect(0.3) if isinstance(one, Lock)]
    menu.configure(width=screen.width_in_pixels, height=screen.height_in_pixels)
    menu.unmap()
    menu.map()
    client.sync()
    assert events.wait_for(lambda one: isinstance(one, Lock)).locked
    menu.destroy()
    client.sync()
    assert not events.wait_for(lambda one: isinstance(one, Lock)).locked


class Owner:
    """An application that owns the clipboard and answers as it is told."""

    def __init__(self, name, forms, *, silent=False):
        self.display = display.Display(name)
        self.forms = {self.display.intern_atom(form): data for form, data in forms.items()}
        self.silent = silent
        self.asked = []
        self.window = self.display.screen().root.create_window(0, 0, 1, 1, 0, 24)
        self.clipboard = self.display.intern_atom("CLIPBOARD")
        self.window.set_selection_owner(self.clipboard, X.CurrentTime)
        self.display.sync()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(Exception):
            while True:
                request = self.display.next_event()
                if request.type == X.SelectionRequest and not self.silent:
                    self._answer(request)

    def _answer(self, request):
        targets = self.display.intern_atom("TARGETS")
        self.asked.append(self.display.get_atom_name(request.target))
        place = request.property
        if request.target == targets:
            request.requestor.change_property(
                place, Xatom.ATOM, 32, [targets, *self.forms], X.PropModeReplace
            )
        elif self.forms.get(request.target) == "in pieces":
            request.requestor.change_property(
                place, self.display.intern_atom("INCR"), 32, [1_000_000]
            )
        elif request.target in self.forms:
            request.requestor.change_property(place, request.target, 8, self.forms[request.target])
        else:
            place = X.NONE
        request.requestor.send_event(
            xevent.SelectionNotify(
                time=request.time,
                requestor=request.requestor,
                selection=request.selection,
                target=request.target,
                property=place,
            )
        )
        self.display.flush()


@pytest.fixture
def clipboard(on_screen):
    reader = X11Clipboard()
    yield reader
    reader.close()


def test_the_clipboard_is_read_and_read_again(on_screen, clipboard):
    Owner(on_screen.display, {"UTF8_STRING": "héllo ✓".encode()})
    assert clipboard.read().text == "héllo ✓"
    Owner(on_screen.display, {"UTF8_STRING": b"other"})
    assert clipboard.read().text == "other"
    clipboard.close()
    assert clipboard.read().text == "other"


def test_a_password_managers_flag_is_honoured(on_screen, clipboard):
    owner = Owner(
        on_screen.display,
        {"UTF8_STRING": b"hunter2", "x-kde-passwordManagerHint": b"secret"},
    )
    pasted = clipboard.read()
    assert (pasted.text, pasted.withheld_because) == ("", NOT_TO_KEEP)
    assert "UTF8_STRING" not in owner.asked


def test_an_owner_that_does_not_answer_holds_nobody_up(on_screen, clipboard):
    Owner(on_screen.display, {"UTF8_STRING": b"x"}, silent=True)
    began = time.monotonic()
    assert clipboard.read().withheld_because == SLOW
    assert time.monotonic() - began < 0.6


def test_a_very_large_clipboard_and_one_without_text(on_screen, clipboard):
    Owner(on_screen.display, {"UTF8_STRING": "in pieces"})
    assert clipboard.read().withheld_because == LARGE
    Owner(on_screen.display, {"image/png": b"x"})
    assert clipboard.read().withheld_because
    assert clipboard.read().text == ""


def test_without_a_display_the_clipboard_is_a_stated_gap(monkeypatch):
    monkeypatch.setenv("DISPLAY", "")
    assert X11Clipboard().read().withheld_because
