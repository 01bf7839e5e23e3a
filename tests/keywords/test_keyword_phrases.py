import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.phrases import MOST, SEGMENT, PhraseError, expand, expand_plain, plain_rows

SETS = {"want": ("want to", "wanna"), "many": tuple(f"w{n}" for n in range(SEGMENT))}


def test_alternatives_and_sets_are_expanded():
    (phrase,) = expand(["i (just|) {want} go"], SETS)
    assert phrase == (("i",), ("just", ""), ("want to", "wanna"), ("go",))
    assert plain_rows(phrase, 4) == (
        *("i just want to go", "i just wanna go", "i want to go", "i wanna go"),
    )
    assert plain_rows(phrase, 3) is None


def test_endings_inside_a_word():
    assert expand_plain(["cut(s|ting|)"], {}) == ("cuts", "cutting", "cut")


def test_alternatives_may_nest():
    assert expand_plain(["a (b (c|d)|e)"], {}) == ("a b c", "a b d", "a e")


def test_places_are_not_multiplied_out():
    (phrase,) = expand(["{many} (a|b) {many}"], SETS)
    assert [len(segment) for segment in phrase] == [SEGMENT, 2, SEGMENT]


def test_a_tilde_stands_for_the_regular_inflections():
    assert expand_plain(["stab~ {x}"], {"x": ("him", "carry~")}) == tuple(
        f"{verb} {what}"
        for verb in ("stab", "stabs", "stabbed", "stabbing", "stabbin")
        for what in ("him", "carry", "carries", "carried", "carrying", "carryin")
    )


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
        ("a" * 201, "is longer than"),
        ("a " * 16, "is longer than"),
        ("((((((a))))))", "nests too deeply"),
        ("{many}{many}", "stands for more than"),
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
