# ruff: noqa: RUF001 - letters that look alike are what is tested
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.normalise import Kind, fold, read
from keywords.termbook import spell


@pytest.mark.parametrize(
    ("char", "symbols"),
    [
        ("a", "a"),
        ("É", "e"),
        ("ß", "ss"),
        ("ﬁ", "fi"),
        ("Ⓚ", "k"),
        ("🅚", "k"),
        ("🇰", "k"),
        ("ｋ", "k"),
        ("𝓴", "k"),
        ("к", "k"),
        ("ѕ", "s"),
        ("ø", "o"),
        ("7", "7"),
        ("²", "2"),
        ("你", "你"),
        ("ж", "ж"),
    ],
)
def test_letters_are_read_as_they_look(char, symbols):
    assert (read(char).kind, read(char).symbols) == (Kind.LETTER, symbols)


@pytest.mark.parametrize(
    "char", ["\u200b", "\u200d", "\ufe0f", "\u0301", "\u00ad", "'", "’", "\x00"]
)
def test_what_is_not_seen_has_no_symbols(char):
    assert read(char).kind is Kind.UNSEEN


@pytest.mark.parametrize("char", [" ", "\n", "\t", "\u00a0", "\u2028"])
def test_spaces_end_words(char):
    assert read(char).kind is Kind.SPACE


def test_signs_and_digits_may_stand_for_letters():
    assert read("3").others == "e"
    assert "i" in read("!").others
    assert read("$").kind is Kind.POINT
    assert read("🔪").kind is Kind.ICON


@given(st.characters(codec=None) | st.integers(0xD800, 0xDFFF).map(chr))
def test_any_character_has_a_reading(char):
    reading = read(char)
    if reading.kind in {Kind.LETTER, Kind.ICON}:
        assert reading.symbols
    else:
        assert not reading.symbols
    assert all(other.isalpha() for other in reading.others)


@given(st.text(st.characters(categories=["Ll", "Lu", "Mn"]), max_size=12))
def test_composed_and_decomposed_read_alike(text):
    assert spell(unicodedata.normalize("NFC", text)) == spell(unicodedata.normalize("NFD", text))


def test_points_part_words_and_icons_stand_alone():
    assert spell("self-harm, ok🔪then") == ("self", "harm", "ok", "🔪", "then")
    assert spell("'\u200b'") == ()


def test_long_runs_are_spelt_as_two():
    assert spell("sooooo Goood") == ("soo", "good")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ਮਰਨਾ", "ਮਰਨਾ"),
        ("أمـــوت", "اموت"),
        ("کرنا", "كرنا"),
        ("موتی", "موتى"),
        ("مدرسة", "مدرسه"),
        ("١٣", "13"),
        ("۱۳", "13"),
    ],
)
def test_signs_that_mean_the_same_are_read_the_same(typed, meant):
    assert fold(typed) == fold(meant)


def test_a_vowel_sign_of_an_indic_script_is_a_letter():
    die, hit, peacock = "ਮਰ", "ਮਾਰ", "ਮੋਰ"
    assert len({fold(word) for word in (die, hit, peacock)}) == 3
    assert fold("ਮੈਂ") == fold("ਮੈ")
