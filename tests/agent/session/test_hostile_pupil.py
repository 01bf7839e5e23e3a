"""Storms, floods and lies from programs that a pupil may run: bounded, and nothing is missed."""

import contextlib
import itertools
import socket
import threading
import time

import pytest
from Xlib import XK, X, Xatom, display
from Xlib.ext import xtest
from Xlib.protocol import event as xevent

from agent.session.sources.events import Press, WindowChanged
from agent.session.sources.x11_clipboard import MOST_READ, SLOW, X11Clipboard
from agent.session.sources.x11_keyboard import X11Keyboard
from agent.session.sources.x11_windows import TITLE_EVERY, X11Windows
from agent.session.text import LIMIT, WindowText
from keywords.matcher import Matcher
from keywords.pack import parse_pack
from tests.agent.session.packs import pack_text
from wire.clock import SystemClock


@pytest.fixture
def client(on_screen):
    with contextlib.closing(display.Display(on_screen.display)) as connection:
        yield connection


@pytest.fixture
def windows(on_screen, events):
    source = X11Windows(SystemClock())
    source.start(events.put)
    yield source
    source.stop()


def make_window(client, title):
    screen = client.screen()
    window = screen.root.create_window(50, 60, 200, 100, 0, screen.root_depth)
    window.change_property(Xatom.WM_NAME, Xatom.STRING, 8, title.encode())
    window.map()
    client.sync()
    return window


@pytest.mark.screen
def test_a_title_that_changes_without_end_is_looked_at_now_and_then(windows, events, client):
    window = make_window(client, "still")
    events.wait_for(lambda one: isinstance(one, WindowChanged) and one.window.title == "still")
    began = time.monotonic()
    for number in range(3000):
        window.change_property(Xatom.WM_NAME, Xatom.STRING, 8, f"title {number}".encode())
        if number % 100 == 0:
            client.sync()
    window.change_property(Xatom.WM_NAME, Xatom.STRING, 8, b"the last")
    client.sync()
    took = time.monotonic() - began
    seen = [one.window.title for one in events.collect(0.5) if isinstance(one, WindowChanged)]
    window.destroy()
    assert seen[-1] == "the last"
    assert len(seen) <= took / TITLE_EVERY + 3


@pytest.mark.screen
def test_windows_that_come_and_go_at_once_end_nothing(windows, events, client):
    for number in range(100):
        make_window(client, f"short {number}").destroy()
    client.sync()
    last = make_window(client, "stays")
    events.wait_for(lambda one: isinstance(one, WindowChanged) and one.window.handle == last.id)
    assert windows.alive()
    last.destroy()


@pytest.mark.screen
def test_a_thousand_keys_a_second_all_come_in_order(on_screen, events, client):
    keyboard = X11Keyboard(SystemClock())
    keyboard.start(events.put)
    try:
        time.sleep(0.3)
        codes = {
            letter: client.keysym_to_keycode(XK.string_to_keysym(letter)) for letter in "heronwalk"
        }
        text = "".join(itertools.islice(itertools.cycle("heronwalk"), 2000))
        for number, letter in enumerate(text):
            xtest.fake_input(client, X.KeyPress, codes[letter])
            xtest.fake_input(client, X.KeyRelease, codes[letter])
            if number % 10 == 0:
                client.sync()
                time.sleep(0.01)
        client.sync()
        typed = [one.text for one in events.collect(2.0) if isinstance(one, Press)]
    finally:
        keyboard.stop()
    assert (len(typed), "".join(typed)) == (len(text), text)


class Owner:
    """Owns the clipboard, and answers each question with what `answer` does."""

    def __init__(self, name, answer):
        self.display = display.Display(name)
        self.window = self.display.screen().root.create_window(0, 0, 1, 1, 0, 24)
        clipboard = self.display.intern_atom("CLIPBOARD")
        self.window.set_selection_owner(clipboard, X.CurrentTime)
        self.display.sync()
        self.ended = False
        self.thread = threading.Thread(target=self._serve, args=(answer,), daemon=True)
        self.thread.start()

    def _serve(self, answer):
        with contextlib.suppress(Exception):
            while not self.ended:
                request = self.display.next_event()
                if request.type == X.SelectionRequest:
                    answer(self, request)

    def end(self):
        self.ended = True
        connection = self.display.display.socket
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        connection.close()

    def tell(self, request, target):
        request.requestor.send_event(
            xevent.SelectionNotify(
                time=request.time,
                requestor=request.requestor,
                selection=request.selection,
                target=target,
                property=request.property,
            )
        )
        self.display.flush()


@pytest.fixture
def own(on_screen):
    owners = []

    def make(answer):
        owners.append(Owner(on_screen.display, answer))

    yield make
    for owner in owners:
        owner.end()


@pytest.fixture
def clipboard(on_screen):
    reader = X11Clipboard()
    yield reader
    reader.close()


@pytest.mark.screen
def test_an_owner_that_talks_without_saying_anything_holds_nobody_up(own, clipboard):
    def chatter(owner, request):
        while not owner.ended:
            owner.tell(request, Xatom.WM_NAME)

    own(chatter)
    began = time.monotonic()
    assert clipboard.read().withheld_because == SLOW
    assert time.monotonic() - began < 1


@pytest.mark.screen
def test_of_a_large_paste_only_the_beginning_is_read(own, clipboard):
    def large(owner, request):
        form = owner.display.intern_atom("UTF8_STRING")
        if request.target == form:
            request.requestor.change_property(request.property, form, 8, b"blue heron " * 20_000)
        else:
            request.requestor.change_property(request.property, Xatom.ATOM, 32, [form])
        owner.tell(request, request.target)

    own(large)
    pasted = clipboard.read()
    assert pasted.text.startswith("blue heron blue")
    assert len(pasted.text) == MOST_READ


@pytest.mark.screen
def test_an_owner_that_lies_about_its_forms_is_a_stated_gap(own, clipboard):
    def lies(owner, request):
        request.requestor.change_property(request.property, Xatom.CARDINAL, 32, [1, 2, 3])
        owner.tell(request, request.target)

    own(lies)
    pasted = clipboard.read()
    assert pasted.text == ""
    assert pasted.withheld_because


def test_what_was_reported_is_not_kept_for_ever():
    text = WindowText(Matcher([parse_pack(pack_text().text, name="en/canary")]))
    found = 0
    for char in "blue heron " * 3000:
        found += len(text.press(Press(0.0, char)))
    assert found == 3000
    assert len(text.text) <= LIMIT
    kept = sum(len(places) for places in text._reported.values())
    assert kept <= 2 * LIMIT // len("blue heron ") + 1


@pytest.mark.parametrize("back", [0, 1, 12, 30])
@pytest.mark.parametrize("count", [1, 180, 183, 260])
def test_a_term_is_reported_once_where_it_stands_also_at_the_edge_of_what_is_kept(count, back):
    text = WindowText(Matcher([parse_pack(pack_text().text, name="en/canary")]))
    found = [
        sighting for char in "blue heron " * count for sighting in text.press(Press(0.0, char))
    ]
    assert len(found) == count
    kept = text.text
    for char in kept[-back:] if back else "":
        text.press(Press(0.0, char))
    assert not [one for one in text.settle() if one.match.start < len(text.text) - back - 11]
