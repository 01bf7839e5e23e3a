import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.phrases import MOST, SEGMENT, PhraseError, expand, expand_plain

SETS = {"want": ("want to", "wanna"), "many": tuple(f"w{n}" for n in range(SEGMENT))}


def test_alternatives_and_sets_are_expanded():
    (phrase,) = expand(["i (just|) {want} go"], SETS)
    assert phrase == (("i just want to go", "i just wanna go", "i want to go", "i wanna go"),)


def test_endings_inside_a_word():
    assert expand_plain(["cut(s|ting|)"], {}) == ("cuts", "cutting", "cut")


def test_alternatives_may_nest():
    assert expand_plain(["a (b (c|d)|e)"], {}) == ("a b c", "a b d", "a e")


def test_many_alternatives_become_segments():
    (phrase,) = expand(["{many} (a|b) {many}"], SETS)
    assert [len(segment) for segment in phrase] == [SEGMENT, 2 * SEGMENT // 2, *()] or len(
        phrase
    ) > 1
    assert sum(map(len, phrase)) <= MOST


@pytest.mark.parametrize(
    ("phrase", "mend"),
    [
        ("a (b", "brackets must pair"),
        ("a b)", "brackets must pair"),
        ("a | b", "brackets must pair"),
        ("a }", "brackets must pair"),
        ("{nosuch} a", "add it under [sets]"),
        ("{want", "brackets must pair"),
        ("(a|)", "can be empty"),
        ("a" * 121, "is longer than"),
        ("a " * 15, "is longer than"),
        ("((((((a))))))", "nests too deeply"),
        ("{many}{many}", "stands for more than"),
        (" ".join(["{many}"] * 7), "too many alternatives"),
    ],
)
def test_what_is_wrong_is_said(phrase, mend):
    with pytest.raises(PhraseError, match=mend.replace("[", r"\[").replace("]", r"\]")):
        expand([phrase], SETS)


def test_a_term_is_bounded():
    with pytest.raises(PhraseError, match="stands for more than"):
        expand(["a {many}"] * (MOST // SEGMENT + 1), SETS)


def test_conditions_must_be_short():
    with pytest.raises(PhraseError, match="shorten"):
        expand_plain(["{many} {many}"], SETS)


@given(st.text("ab (|){}", max_size=40))
def test_any_text_expands_or_is_refused(text):
    try:
        (phrase,) = expand([text], {"a": ("x", "")})
    except PhraseError:
        return
    assert any("" not in segment for segment in phrase)
