import pytest
from hypothesis import given
from hypothesis import strategies as st
from trialpack import trial_matcher

from keywords.variants import GLUED_LEAST, GLUED_MOST, LONG, glued, splits, typos

WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=LONG, max_size=12)


def test_a_letter_left_out_swapped_or_beside_its_key():
    found = set(typos("overdose"))
    assert {"ovrdose", "oerdose", "overdos"} <= found  # left out
    assert {"voerdose", "ovredose", "overdoes"} & found == {"ovredose", "overdoes"}  # swapped
    assert {"ocerdose", "ovwrdose", "overdosw"} <= found  # beside
    assert "overdoze" not in found
    assert "iverdose" not in found


@pytest.mark.parametrize("word", ["", "kill", "murder", "mur-derer", "1234567", "murder3r"])
def test_a_short_word_and_what_is_no_word_has_none(word):
    assert list(typos(word)) == []


@given(WORD)
def test_a_typo_keeps_the_first_letter_and_is_one_edit_away(word):
    for typo in typos(word):
        assert typo[0] == word[0]
        assert len(word) - 1 <= len(typo) <= len(word)
        if len(typo) == len(word):
            differ = [at for at in range(len(word)) if word[at] != typo[at]]
            assert len(differ) <= 2
            assert sorted(typo) == sorted(word) or len(differ) == 1


@pytest.mark.parametrize(
    ("phrase", "ways"),
    [
        (
            ("overdose",),
            {(cut[:at], cut[at:]) for cut in ["overdose"] for at in range(2, 7)},
        ),
        (("go", "home"), set()),
        (("a", "b", "overdose"), set()),
        (("12345678",), set()),
        ((), set()),
    ],
)
def test_a_long_word_is_cut_in_two(phrase, ways):
    assert set(splits(phrase)) == ways


def test_either_word_of_two_is_cut():
    found = set(splits(("suicidal", "tomorrow")))
    assert ("sui", "cidal", "tomorrow") in found
    assert ("suicidal", "to", "morrow") in found
    assert all(len(way) == 3 for way in found)


@given(st.lists(WORD | st.text(max_size=3), max_size=4).map(tuple))
def test_what_is_cut_or_glued_has_the_same_letters(phrase):
    joined = "".join(phrase)
    for way in splits(phrase):
        assert "".join(way) == joined
        assert len(way) == len(phrase) + 1
        assert all(len(part) >= 2 for part in set(way) - set(phrase))
    assert glued(phrase) in {"", joined}


@pytest.mark.parametrize(
    ("phrase", "word"),
    [
        (("kill", "myself"), "killmyself"),
        (("want", "to", "die"), "wanttodie"),
        (("i", "want", "to", "die"), ""),
        (("suicide",), ""),
        (("go", "home"), ""),
        (("a" * GLUED_LEAST, "b" * GLUED_MOST), ""),
        (("aaaa", "b" * (GLUED_LEAST - 4)), "aaaabbbb"),
        ((), ""),
    ],
)
def test_a_short_phrase_is_glued(phrase, word):
    assert glued(phrase) == word


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a suicidal day", True),
        ("a suicdal day", True),
        ("a sucidial day", False),
        ("a sui cidal day", True),
        ("an overdose today", True),
        ("an ovredose today", True),
        ("go faraway", False),
        ("gofaraway now", True),
        ("a zuicidal day", False),
    ],
)
@pytest.mark.parametrize("severity", [3, 4, 5])
def test_grave_terms_alone_are_found_misspelt_cut_and_glued(text, found, severity):
    matcher = trial_matcher(
        f'[[term]]\nphrases = ["suicidal", "overdose", "go far away"]\nseverity = {severity}'
    )
    plain = "suicidal" in text or "overdose" in text
    assert bool(matcher.find(text)) == (plain or (found and severity > 3))
