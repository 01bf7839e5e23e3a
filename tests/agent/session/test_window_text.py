"""Key presses to text, held against a plain editor, and its matches against the whole text's."""

from hypothesis import given
from hypothesis import strategies as st

from agent.session.sources.events import Key, Press
from agent.session.text import CUT_NOTE, KEYS_NOTE, LIMIT, MARK, MOUSE_NOTE, WindowText
from keywords.matcher import Matcher
from tests.agent.session.packs import pack

MATCHER = Matcher([pack()])


def make():
    return WindowText(MATCHER)


def type_in(window, text):
    return [sighting for char in text for sighting in window.press(Press(0.0, char))]


def key(window, name, times=1, **held):
    found = []
    for _ in range(times):
        found += window.press(Press(0.0, key=name, **held))
    return found


def terms(sightings):
    return [sighting.match.term.id for sighting in sightings]


class Editor:
    """The plainest editor: a string, a caret, the other end of a selection."""

    def __init__(self):
        self.text, self.caret, self.anchor = "", 0, None

    def _put(self, text):
        start, end = sorted((self.caret, self.caret if self.anchor is None else self.anchor))
        self.text = self.text[:start] + text + self.text[end:]
        self.caret, self.anchor = start + len(text), None

    def _go(self, to, shift):
        if shift and self.anchor is None:
            self.anchor = self.caret
        if not shift:
            self.anchor = None
        self.caret = to
        if self.anchor == to:
            self.anchor = None

    def do(self, what, shift):  # noqa: C901 - one branch a key
        at, end, selected = self.caret, len(self.text), self.anchor is not None
        if isinstance(what, str):
            self._put(what)
        elif what is Key.ENTER:
            self._put("\n")
        elif what is Key.BACKSPACE:
            self.anchor = self.anchor if selected else max(0, at - 1)
            self._put("")
        elif what is Key.DELETE:
            self.anchor = self.anchor if selected else min(end, at + 1)
            self._put("")
        elif what is Key.LEFT:
            to = min(at, self.anchor) if selected and not shift else max(0, at - 1)
            self._go(to, shift)
        elif what is Key.RIGHT:
            to = max(at, self.anchor) if selected and not shift else min(end, at + 1)
            self._go(to, shift)
        elif what is Key.HOME:
            self._go(max(self.text.rfind(sep, 0, at) for sep in ("\n", MARK)) + 1, shift)
        elif what is Key.END:
            ends = [self.text.find(sep, at) for sep in ("\n", MARK)]
            self._go(min([one for one in ends if one >= 0], default=end), shift)
        elif what == ("all",):
            if self.text:
                self.anchor, self.caret = 0, end
        elif what == ("jump",):
            self.anchor, self.caret = None, end
            if self.text and self.text[-1] != MARK:
                self._put(MARK)


WORDS = ["blue heron", "zesty", " gull", "redshank walks the tideline", "he", "ron", "b", "1", "é"]
MOVES = [Key.BACKSPACE, Key.DELETE, Key.LEFT, Key.RIGHT, Key.HOME, Key.END, Key.ENTER]
STEPS = st.lists(
    st.one_of(
        st.sampled_from([*WORDS, " ", " "]),
        st.tuples(st.sampled_from(MOVES), st.booleans(), st.integers(1, 6)),
        st.sampled_from([("all",), ("jump",), ("paste",), ("pause",)]),
    ),
    max_size=25,
)


def play(window, editor, steps):
    seen = []
    for step in steps:
        if isinstance(step, str):
            for char in step:
                seen += window.press(Press(0.0, char))
                editor.do(char, shift=False)
        elif step == ("all",):
            seen += window.press(Press(0.0, shortcut="a", control=True))
            editor.do(step, shift=False)
        elif step == ("jump",):
            seen += window.jump(MOUSE_NOTE)
            editor.do(step, shift=False)
        elif step == ("paste",):
            seen += window.paste("a blue heron\r\n")
            editor.do("a blue heron\n", shift=False)
        elif step == ("pause",):
            seen += window.settle()
        else:
            name, shift, times = step
            shift = shift and name not in (Key.BACKSPACE, Key.DELETE, Key.ENTER)
            for _ in range(times):
                seen += key(window, name, shift=shift)
                editor.do(name, shift=shift)
        assert (window.text, window.caret) == (editor.text, editor.caret)
    return seen + window.settle()


@given(STEPS)
def test_the_text_is_what_a_plain_editor_has(steps):
    play(make(), Editor(), steps)


@given(STEPS)
def test_at_a_pause_nothing_of_the_whole_text_has_been_missed(steps):
    window, editor = make(), Editor()
    play(window, editor, steps)
    told = {(term[1], start) for term, starts in window._reported.items() for start in starts}
    whole = {(match.term.id, match.start) for match in MATCHER.find(editor.text)}
    assert whole <= told


@given(STEPS)
def test_a_sighting_points_at_its_words(steps):
    for sighting in play(make(), Editor(), steps):
        words = sighting.text[sighting.match.start : sighting.match.end]
        assert MATCHER.find(words), (words, sighting)


@given(st.lists(st.sampled_from([*WORDS, " ", ". ", "\n"]), max_size=30).map("".join))
def test_typing_finds_what_the_whole_text_holds_wherever_it_was_cut(text):
    window = make()
    one_by_one = type_in(window, text) + window.settle()
    pasted = make()
    at_once = pasted.paste(text) + pasted.settle()
    expected = {(match.term.id, match.start) for match in MATCHER.find(text)}
    for found in (one_by_one, at_once):
        assert {(one.match.term.id, one.match.start) for one in found} == expected
        assert len(found) == len(expected)


@given(STEPS, st.integers(0, 8))
def test_never_more_than_the_limit_is_kept(steps, copies):
    window = make()
    for _ in range(copies):
        type_in(window, "word " * 100)
    window.press(Press(0.0, key=Key.HOME, control=True))
    for step in steps:
        if step == ("paste",):
            window.paste("paste " * 300)
        elif isinstance(step, str):
            type_in(window, step)
        assert len(window.text) <= LIMIT
        assert 0 <= window.caret <= len(window.text)
        assert window.caret + 1 <= len(window._states) <= len(window.text) + 1


def test_a_match_comes_with_the_key_that_ends_its_word():
    window = make()
    assert type_in(window, "a blue heron") == []
    (sighting,) = type_in(window, " ")
    assert sighting.text[sighting.match.start : sighting.match.end] == "blue heron"
    assert not sighting.pasted
    assert window.settle() == []


def test_a_match_comes_at_a_pause_and_then_no_more():
    window = make()
    type_in(window, "a blue heron")
    assert terms(window.settle()) == ["heron"]
    assert window.settle() == []
    assert type_in(window, " ") == []


def test_a_corrected_word_is_found():
    window = make()
    type_in(window, "blue hexo")
    key(window, Key.BACKSPACE, 2)
    assert terms(type_in(window, "ron ")) == ["heron"]


def test_an_insertion_in_the_middle_is_found_at_the_pause():
    window = make()
    type_in(window, "blue on")
    key(window, Key.LEFT, 2)
    assert type_in(window, "her") == []
    assert terms(window.settle()) == ["heron"]


def test_what_was_deleted_and_typed_again_is_told_again():
    window = make()
    assert terms(type_in(window, "blue heron ")) == ["heron"]
    key(window, Key.BACKSPACE, 11)
    assert terms(type_in(window, "blue heron ")) == ["heron"]


def test_select_all_and_type_begins_anew():
    window = make()
    type_in(window, "blue ")
    window.press(Press(0.0, shortcut="a", control=True))
    assert type_in(window, "heron ") == []
    assert window.text == "heron "


def test_a_shortcut_types_nothing():
    window = make()
    window.press(Press(0.0, shortcut="c", control=True))
    assert window.text == ""


def test_a_click_parts_words_and_is_stated():
    window = make()
    type_in(window, "hello")
    window.jump(MOUSE_NOTE)
    (sighting,) = type_in(window, "blue heron ")
    assert sighting.notes == (MOUSE_NOTE,)
    assert window.text == f"hello{MARK}blue heron "


def test_the_arrow_up_is_stated_too():
    window = make()
    type_in(window, "hello")
    key(window, Key.UP)
    (sighting,) = type_in(window, "blue heron ")
    assert sighting.notes == (KEYS_NOTE,)


def test_a_paste_is_marked_and_its_rest_stated():
    window = make()
    (sighting,) = window.paste("the zesty gull\r\n")
    assert sighting.pasted
    assert sighting.text == "the zesty gull\n"
    window.paste("x" * (LIMIT + 1))
    assert CUT_NOTE in window._notes


def test_typed_words_after_a_paste_are_not_called_pasted():
    window = make()
    window.paste("hello ")
    (sighting,) = type_in(window, "blue heron ")
    assert not sighting.pasted


def test_a_match_across_the_limit_keeps_its_place():
    window = make()
    for count in range(3000):
        (sighting,) = type_in(window, "blue heron ")
        assert sighting.text[sighting.match.start : sighting.match.end] == "blue heron", count


def test_word_keys():
    window = make()
    type_in(window, "one two three")
    key(window, Key.BACKSPACE, control=True)
    assert window.text == "one two "
    key(window, Key.LEFT, 2, control=True)
    key(window, Key.DELETE, control=True)
    assert window.text == " two "
    key(window, Key.RIGHT, control=True)
    assert window.caret == 4


def test_other_packs_look_at_the_text_that_stands():
    window = WindowText(Matcher(()))
    type_in(window, "a blue heron ")
    assert terms(window.use(MATCHER)) == ["heron"]
    assert terms(type_in(window, "blue heron ")) == ["heron"]


def test_a_cleared_text_leaves_nothing():
    window = make()
    type_in(window, "a blue heron ")
    window.jump(MOUSE_NOTE)
    window.clear()
    assert (window.text, window._notes, window._reported) == ("", {}, {})
    assert len(window._states) == 1
