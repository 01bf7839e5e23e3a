import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.inflect import inflections


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("stab", "stab stabs stabbed stabbing stabbin"),
        ("kick", "kick kicks kicked kicking kickin"),
        ("punch", "punch punches punched punching punchin"),
        ("hate", "hate hates hated hating hatin"),
        ("die", "die dies died dying dyin"),
        ("lie", "lie lies lied lying lyin"),
        ("see", "see sees seed seeing seein"),
        ("dye", "dye dyes dyed dyeing dyein"),
        ("shoe", "shoe shoes shoed shoeing shoein"),
        ("carry", "carry carries carried carrying carryin"),
        ("annoy", "annoy annoys annoyed annoying annoyin"),
        ("mix", "mix mixes mixed mixing mixin"),
        ("buzz", "buzz buzzes buzzed buzzing buzzin"),
        ("pass", "pass passes passed passing passin"),
        ("pack", "pack packs packed packing packin"),
        ("slap", "slap slaps slapped slapping slappin"),
        ("beat", "beat beats beated beating beatin"),
        ("snow", "snow snows snowed snowing snowin"),
        ("murder", "murder murders murdered murdering murderin"),
        ("threaten", "threaten threatens threatened threatening threatenin"),
    ],
)
def test_regular_forms(word, forms):
    assert inflections(word) == tuple(forms.split())


@pytest.mark.parametrize("word", ["", "a", "go", "x1y", "a-b", "don't", "😭", "18+"])
def test_what_is_no_word_or_too_short_is_left_alone(word):
    assert inflections(word) == (word,)


@given(st.text(max_size=12) | st.text("aeioucdyzstx", max_size=8))
def test_any_text_has_itself_first_and_each_form_once(word):
    forms = inflections(word)
    assert forms[0] == word
    assert len(forms) == len(set(forms)) <= 5
    assert all(forms) or word == ""
