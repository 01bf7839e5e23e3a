# ruff: noqa: RUF001 - letters that look alike are what is tested
"""The matcher: what it finds, where, when, and that no text harms it."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trialpack import trial_matcher, trial_pack

from keywords.conditions import MOST_CUES
from keywords.matcher import Matcher
from keywords.phrases import expand
from keywords.tracks import MOST

TERMS = """
[[term]]
phrases = ["end it tonight"]
[[term]]
phrases = ["zap"]
[[term]]
phrases = ["bad class (trip|)"]
[[term]]
phrases = ["🔪", "ok🔪 then"]
"""
MATCHER = trial_matcher(TERMS)

typed = st.text(
    st.sampled_from("zapendit tonight badclass. !14@0$*-\u200b\u0301é🔪KZ"), max_size=50
)
anything = st.text(st.characters(codec=None) | st.integers(0xD800, 0xDFFF).map(chr), max_size=60)


def shown(text, matcher=MATCHER):
    return [text[match.start : match.end] for match in matcher.find(text)]


def by_step(matcher, text):
    """Matches as they are told key by key, with the number of the key, and the last state."""
    state = matcher.start
    told = []
    for number, char in enumerate(text):
        state, matches = matcher.step(state, char)
        told += [(number, match) for match in matches]
    return told, state


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zap", ["zap"]),
        ("ZAP!", ["ZAP"]),
        ("Žáp.", ["Žáp"]),
        ("z\u200ba\u00adp", ["z\u200ba\u00adp"]),
        ("ｚａｐ", ["ｚａｐ"]),
        ("zаp", ["zаp"]),
        ("z4p", ["z4p"]),
        ("z@p", ["z@p"]),
        ("zaaaaap", ["zaaaaap"]),
        ("zapppp", ["zapppp"]),
        ("zapp", ["zapp"]),
        ("z a p", ["z a p"]),
        ("z.a.p", ["z.a.p"]),
        ("z-a-p", ["z-a-p"]),
        ("z*p", ["z*p"]),
        ("za-p", ["za-p"]),
        ("(zap)", ["zap"]),
        ("'zap'", ["zap"]),
        ("3nd 1t 7on1ght", ["3nd 1t 7on1ght"]),
        ("end it t o n i g h t now", ["end it t o n i g h t"]),
        ("end it\ntonight", ["end it\ntonight"]),
        ("END  it,  tonight?", ["END  it,  tonight"]),
        ("a🔪b", ["🔪"]),
        ("zap🔪", ["zap", "🔪"]),
        ("zap zap", ["zap", "zap"]),
    ],
)
def test_found_however_it_is_written(text, found):
    assert shown(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "zaps",
        "ozap",
        "xyzap",
        "za p",
        "z  a  p",
        "zap5",
        "za",
        "zpa",
        "end tonight",
        "ended it tonight",
        "",
        " ",
        "z a pit",
    ],
)
def test_not_found_inside_other_words(text):
    assert shown(text) == []


def test_a_number_is_no_disguise():
    matcher = trial_matcher('[[term]]\nphrases = ["ass"]\n[[term]]\nphrases = ["oil spill"]')
    assert shown("455 and 0 1 1", matcher) == []
    assert shown("a55 hole", matcher) == ["a55"]


def test_what_was_disguised_is_said():
    assert [match.disguised for match in MATCHER.find("zap")] == [False]
    assert [match.disguised for match in MATCHER.find("z4p")] == [True]


def test_a_double_letter_is_kept_apart_from_a_single_one():
    matcher = trial_matcher('[[term]]\nphrases = ["hoped"]')
    assert shown("hopped", matcher) == []
    assert shown("hopppped", matcher) == ["hopppped"]


def test_told_by_the_key_that_ends_the_word():
    told, _ = by_step(MATCHER, "a zap, b")
    assert [(number, match.start, match.end) for number, match in told] == [(5, 2, 5)]


def test_told_by_the_pause_if_no_boundary_follows():
    told, state = by_step(MATCHER, "a zap")
    assert told == []
    assert [(match.start, match.end) for match in MATCHER.settle(state)] == [(2, 5)]
    after, again = MATCHER.step(state, " ")
    assert again == MATCHER.settle(state)
    assert MATCHER.settle(after) == ()


def test_backspace_goes_back_to_an_earlier_state():
    states = [MATCHER.start]
    for char in "zaq":
        states.append(MATCHER.step(states[-1], char)[0])
    states.pop()
    state, _ = MATCHER.step(states[-1], "p")
    assert len(MATCHER.settle(state)) == 1
    assert hash(states[-1]) == hash(by_step(MATCHER, "za")[1])
    assert states[-1] == by_step(MATCHER, "za")[1]


def test_the_longer_of_two_is_told():
    assert shown("bad class trip") == ["bad class", "bad class trip"]
    matcher = trial_matcher('[[term]]\nphrases = ["trip"]\n[[term]]\nphrases = ["bad trip"]')
    assert shown("bad trip", matcher) == ["bad trip"]


def test_of_two_that_are_alike_the_graver_is_told():
    matcher = trial_matcher(
        '[[term]]\nphrases = ["zap"]\nseverity = 2\n[[term]]\nphrases = ["zap"]\nseverity = 5'
    )
    assert [match.term.id for match in matcher.find("zap")] == ["term-1"]


def test_two_packs_each_tell_their_own():
    pack = trial_pack(TERMS)
    assert len(Matcher([pack, trial_pack(TERMS)]).find("zap")) == 2


def test_no_packs_find_nothing():
    assert Matcher([]).find("zap") == ()


SEGMENTS = """
[sets]
left = [{left}]
[[term]]
phrases = ["{{left}} (really|) {{left}} (now|)"]
""".format(left=", ".join(f'"w{n}"' for n in range(40)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("w1 w2", ["w1 w2"]),
        ("w1 really w2", ["w1 really w2"]),
        ("w1 w2 now", ["w1 w2", "w1 w2 now"]),
        ("w1 and w2", []),
        ("w1 really really w2", []),
        ("now w1", []),
    ],
)
def test_a_phrase_runs_over_its_segments(text, found):
    matcher = trial_matcher(SEGMENTS)
    assert (
        len(expand(trial_pack(SEGMENTS).terms[0].phrases, dict(trial_pack(SEGMENTS).sets))[0]) > 1
    )
    assert shown(text, matcher) == found


CONDITIONS = """
[[term]]
id = "near"
phrases = ["knife"]
near = ["at school", "class"]
within = 4
[[term]]
id = "unless"
phrases = ["kms"]
unless = ["ran"]
within = 3
[[term]]
id = "then"
phrases = ["kill me"]
unless_then = ["laughing", "with kindness"]
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("knife", []),
        ("a knife in class", ["knife"]),
        ("class with a knife", ["knife"]),
        ("class one two three four knife", []),
        ("knife one two three four class", []),
        ("knife at school and class", ["knife"]),
        ("kms", ["kms"]),
        ("ran 5 kms", []),
        ("ran one two three kms", ["kms"]),
        ("kill me", ["kill me"]),
        ("kill me laughing", []),
        ("kill me with kindness please", []),
        ("kill me with a spoon please", ["kill me"]),
        ("kill me kill me laughing", ["kill me"]),
    ],
)
def test_conditions(text, found):
    matcher = trial_matcher(CONDITIONS)
    assert shown(text, matcher) == found


def test_a_condition_that_waits_is_told_by_the_pause():
    matcher = trial_matcher(CONDITIONS)
    told, state = by_step(matcher, "kill me with ")
    assert told == []
    assert [match.term.id for match in matcher.settle(state)] == ["then"]
    told, _ = by_step(matcher, "kill me with a ")
    assert [match.end for _, match in told] == [7]


@given(typed | anything)
def test_steps_and_the_pause_are_what_find_tells(text):
    told, state = by_step(MATCHER, text)
    assert tuple(match for _, match in told) + MATCHER.settle(state) == MATCHER.find(text)


@given(typed, st.data())
def test_the_answer_does_not_depend_on_pauses_and_backspaces(text, data):
    """However a text came to be, with wrong keys taken back and pauses, it is read alike."""
    states = [MATCHER.start]
    told = []
    for char in text:
        for wrong in data.draw(st.text("zap 1.", max_size=2)):
            states.append(MATCHER.step(states[-1], wrong)[0])
            MATCHER.settle(states[-1])
            states.append(states[-1])
            del states[-2:]
        state, matches = MATCHER.step(states[-1], char)
        states.append(state)
        told += matches
    assert (*told, *MATCHER.settle(states[-1])) == MATCHER.find(text)


@given(typed | anything)
def test_offsets_point_into_what_was_typed(text):
    for match in MATCHER.find(text):
        assert 0 <= match.start < match.end <= len(text)
        part = text[match.start : match.end]
        assert any(one.term == match.term for one in MATCHER.find(part))


VOCABULARY = ("zap", "end", "it", "tonight", "bad", "class", "trip", "the", "zaps")


@given(st.lists(st.sampled_from(VOCABULARY), max_size=14))
def test_plain_words_are_found_as_by_plain_search(words):
    phrases = ["end it tonight", "zap", "bad class", "bad class trip"]
    spaced = f" {' '.join(words)} "
    expected = {
        (at, at + len(phrase))
        for phrase in phrases
        for at in range(len(spaced))
        if spaced.startswith(f" {phrase} ", at)
    }
    assert {(match.start, match.end) for match in MATCHER.find(" ".join(words))} == expected


@given(typed)
def test_the_quick_way_is_the_thorough_way(text):
    """Plain letters and spaces take a short cut; without it the answer is the same."""
    slow = trial_matcher(TERMS)
    slow._simple.clear()
    slow._learn = lambda char: Matcher._key_of(
        slow, __import__("keywords.normalise").normalise.read(char)
    )
    assert [(m.start, m.end) for m in slow.find(text)] == [
        (m.start, m.end) for m in MATCHER.find(text)
    ]


@given(anything)
def test_any_text_at_all(matcher, text):
    for match in matcher.find(text):
        assert 0 <= match.start < match.end <= len(text)


HOSTILE = {
    "one letter": "z" * 12_000,
    "many spaces": " " * 12_000,
    "signs": "z!1|*@" * 2_000,
    "stars": "*" * 12_000,
    "single letters": "z a p " * 2_000,
    "dotted": "z.a.p." * 2_000,
    "runs": "zzzaaappp" * 1_300,
    "almost": "end it tonigh " * 900,
    "marks": "a" + "\u0301" * 12_000,
    "emoji": "🔪" * 12_000,
    "right to left": "\u202eשלום " * 2_000,
    "begun": "w1 really " * 1_200,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_is_linear(matcher, name):
    text = HOSTILE[name]

    def seconds(part):
        started = time.process_time()
        matcher.find(part)
        return time.process_time() - started

    quarter = min(seconds(text[: len(text) // 4]) for _ in range(3))
    whole = min(seconds(text) for _ in range(2))
    assert whole < 4 * quarter * 2.5 + 0.05


@pytest.mark.parametrize("name", HOSTILE)
def test_the_state_stays_small(matcher, name):
    _, state = by_step(matcher, HOSTILE[name][:3_000])
    *_, tracks, _, waiting, _, _ = state
    assert len(tracks) <= MOST
    assert all(len(part) < 100 for part in state if isinstance(part, tuple))
    assert all(len(part) <= MOST_CUES for part in waiting)


def test_ten_megabytes_without_a_space(matcher):
    assert matcher.find("kmsxyzq" * 1_430_000) == ()


def test_a_million_combining_marks(matcher):
    assert [match.term.id for match in matcher.find("k" + "\u0301" * 1_000_000 + "ys")] == ["kys"]


def test_more_different_characters_than_are_kept_ready():
    matcher = trial_matcher(TERMS)
    everything = "".join(map(chr, itertools.chain(range(0x20, 0x3000))))
    matcher.find(everything)
    assert len(matcher._keys) <= 4096
    assert len(matcher.find("zap " + everything + " zap")) == 2
