"""Captured text shown as text, whatever it holds."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from collector.web.inert import inert, marked, visible

SHAPELESS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
texts = st.text(st.characters(), max_size=200)


@given(text=texts)
def test_no_shapeless_character_is_left(text):
    shown = visible(text)
    left = {char for char in shown if unicodedata.category(char) in SHAPELESS}
    assert left <= {"\n", "\u200c", "\u200d"}


@given(text=texts)
def test_no_markup_is_left(text):
    for shown in (inert(text), marked(text, text, text)):
        bare = str(shown)
        for ours in ("<bdi>", "</bdi>", "<mark>", "</mark>"):
            bare = bare.replace(ours, "", 1)
        assert "<" not in bare
        assert '"' not in bare


@given(text=st.text("abc é 漢 🙂 ", max_size=50))
def test_plain_text_stays_as_it_is(text):
    assert visible(text) == text


def test_control_characters_are_symbols():
    assert visible("a\x00b\x1bc\nd") == "a[U+0000]b[U+001B]c\u21b5\nd"
    assert visible("\u202ex") == "[U+202E]x"


def test_a_long_text_is_cut_and_says_so():
    assert visible("x" * 30, limit=10) == "x" * 10 + " … (20 more characters)"
