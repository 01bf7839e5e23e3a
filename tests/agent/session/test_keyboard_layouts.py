"""Sixteen ways in which a keyboard types, by real key events under a real X server.

Keys are pressed by their keycodes, as fingers do: what they type is the layout's
business. Three cases are compared with what a real application received.
"""

import contextlib
import time

import pytest
from Xlib import X
from Xlib.display import Display
from Xlib.ext import xtest

from agent.session.sources.events import BlindError, Click, Ended, Key
from agent.session.sources.x11_keyboard import X11Keyboard
from agent.session.text import WindowText
from keywords.matcher import Matcher
from tests.agent.session.packs import pack
from wire.clock import SystemClock
from wire.event import GapReason

pytestmark = pytest.mark.screen

ALTGR, SHIFT, CAPS, CONTROL = "108", "50", "66", "37"


def tap(*keys):
    return tuple(step for key in keys for step in ((key, True), (key, False)))


def held(modifier, *keys):
    return ((modifier, True), *tap(*keys), (modifier, False))


CASES = {
    "us": (("us",), tap("43", "26", "46", "46", "32"), "hello"),
    "us shift": (("us",), held(SHIFT, "43", "10"), "H!"),
    "us caps lock": (("us",), (*tap(CAPS, "43", "10"), *tap(CAPS)), "H1"),
    "caps lock and shift": (("us",), (*tap(CAPS), *held(SHIFT, "43"), *tap(CAPS)), "h"),
    "gb altgr": (("gb",), held(ALTGR, "13"), "€"),
    "fr letters": (("fr",), tap("24", "38", "47", "11", "19"), "aqméà"),
    "fr caps lock accent": (("fr",), (*tap(CAPS, "11"), *tap(CAPS)), "É"),
    "fr dead circumflex": (("fr",), tap("34", "26", "34", "65"), "ê^"),
    "de": (("de",), tap("29", "48", "47", "34", "20"), "zäöüß"),
    "pl altgr": (("pl",), held(ALTGR, "38", "26", "46", "32", "39", "54"), "ąęłóść"),
    "es": (("es",), tap("47", "48", "38"), "ñá"),
    "us intl dead": (("us", "-variant", "intl"), tap("48", "26", "49", "57"), "éǹ"),
    "ru": (("ru",), tap("42", "44", "43"), "пор"),
    "arabic": (("ara",), tap("43", "38", "55"), "اشر"),
    "group switch": (
        ("us,ru", "-option", "grp:caps_toggle"),
        (*tap("38"), *tap(CAPS), *tap("38"), *tap(CAPS), *tap("38")),
        "aфa",
    ),
    "compose": (("us", "-option", "compose:ralt"), tap(ALTGR, "48", "26", ALTGR, "59", "54"), "éç"),
}


@pytest.fixture
def keyboard(on_screen, events):
    source = X11Keyboard(SystemClock())
    source.start(events.put)
    yield on_screen
    source.stop()
    on_screen.layout("us", "-option", "")


@pytest.fixture
def press(screen):
    """Presses keys by XTEST. Not by xdotool, which puts the group back before each key."""
    display = Display(screen.display)

    def press(steps):
        for key, is_down in steps:
            xtest.fake_input(display, X.KeyPress if is_down else X.KeyRelease, int(key))
            display.sync()
            time.sleep(0.002)

    yield press
    display.close()


def typed(events):
    return "".join(getattr(event, "text", "") for event in events.collect())


@pytest.mark.parametrize("case", CASES)
def test_what_the_layout_types(keyboard, events, press, case):
    layout, steps, expected = CASES[case]
    keyboard.layout("-option", "", *layout)
    press(steps)
    assert typed(events) == expected


@pytest.mark.parametrize("case", ["fr caps lock accent", "pl altgr", "compose", "group switch"])
def test_an_application_received_the_same(keyboard, events, press, case):
    """What zenity's entry prints is what GTK made of the very same keys."""
    layout, steps, expected = CASES[case]
    keyboard.layout("-option", "", *layout)
    program = keyboard.run("zenity", "--entry", GTK_IM_MODULE="xim", LC_ALL="C.UTF-8")
    keyboard.wait_for_window("zenity")
    events.collect(0.3)
    press(steps)
    assert typed(events) == expected
    press(tap("36"))
    program.wait(10)
    assert (keyboard.folder / "zenity.log").read_text().splitlines()[-1] == expected


def test_shortcuts_are_no_text_in_any_layout(keyboard, events, press):
    for layout in ("us", "us,ru", "fr"):
        keyboard.layout("-option", "", layout)
        press(held(CONTROL, "54"))
        (event,) = events.collect()
        assert (event.text, event.shortcut, event.control) == ("", "c", True)


def test_alt_and_super_type_nothing(keyboard, events, press):
    keyboard.layout("us", "-option", "")
    press((*held("64", "41"), *held("133", "40")))
    assert [event for event in events.collect() if getattr(event, "text", "")] == []


def test_editing_keys_and_clicks(keyboard, events, press):
    keyboard.layout("us", "-option", "")
    press((*tap("22", "36", "23", "119", "110", "115"), *held(SHIFT, "113")))
    keyboard.click(900, 900)
    found = events.collect()
    assert [event.key for event in found[:-1]] == [
        Key.BACKSPACE,
        Key.ENTER,
        Key.TAB,
        Key.DELETE,
        Key.HOME,
        Key.END,
        Key.LEFT,
    ]
    assert found[-2].shift
    assert isinstance(found[-1], Click)


def test_the_number_pad_with_and_without_num_lock(keyboard, events, press):
    keyboard.layout("us", "-option", "")
    press((*tap("77", "87", "77"), *tap("87")))
    found = events.collect()
    assert (found[0].text, found[1].key) == ("1", Key.END)


def test_a_held_key_repeats(keyboard, events, press):
    keyboard.layout("us", "-option", "")
    keyboard.xdotool("keydown", "38")
    time.sleep(1.2)
    keyboard.xdotool("keyup", "38")
    text = typed(events)
    assert len(text) > 3
    assert set(text) == {"a"}


def test_a_correction_by_the_arrow_keys_is_the_text(keyboard, events, press):
    """The caret's moves are the text's business; the keys arrive for it."""
    keyboard.layout("us", "-option", "")
    window = WindowText(Matcher([pack()]))
    keyboard.type("blue hern")
    keyboard.key("Left")
    keyboard.type("o")
    found = [seen for event in events.collect() for seen in window.press(event)]
    assert window.text == "blue heron"
    assert [seen.match.term.id for seen in found + window.settle()] == ["heron"]


def test_a_lam_alef_is_one_key_and_found_after_folding(keyboard, events, press):
    keyboard.layout("ara", "-option", "")
    press(tap("56"))
    assert typed(events) in ("\ufefb", "\u0644\u0627")


def test_a_key_that_is_bound_anew_types_what_it_now_means(keyboard, events, press):
    """The core mapping changes under the listener, without any change of the layout's name."""
    keyboard.layout("us", "-option", "")
    press(tap("93"))
    with contextlib.closing(Display(keyboard.display)) as client:
        for char in "Ω漢":
            client.change_keyboard_mapping(93, [[0x1000000 + ord(char)] * 2])
            client.sync()
            time.sleep(0.1)
            press(tap("93"))
            assert typed(events) == char


def test_it_ends_at_once_and_says_so(on_screen, events):
    source = X11Keyboard(SystemClock())
    source.start(events.put)
    on_screen.key("a")
    assert source.alive()
    began = time.monotonic()
    source.stop()
    assert time.monotonic() - began < 1
    assert not source.alive()
    assert isinstance(events.collect()[-1], Ended)


def test_without_a_display_it_says_so(monkeypatch, events):
    monkeypatch.setenv("DISPLAY", ":9999")
    with pytest.raises(BlindError) as refused:
        X11Keyboard(SystemClock()).start(events.put)
    assert refused.value.reason in (GapReason.NO_DISPLAY, GapReason.HOOK_DEAD)
