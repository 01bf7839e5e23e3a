"""A token survives a command line, and says what is wrong when it does not."""

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.token import LENGTH, Token, TokenError, TokenReason, new_token, read_token

tokens = st.builds(
    Token,
    secret=st.binary(min_size=16, max_size=16),
    trust=st.binary(min_size=32, max_size=32),
)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


@given(tokens)
def test_there_and_back(token):
    text = token.text()
    assert read_token(text) == token
    assert len(text) == LENGTH
    assert re.fullmatch(r"rs1[a-z2-7]+", text)
    assert shlex.quote(text) == text


@given(tokens, st.integers(3, LENGTH - 1), st.sampled_from(_ALPHABET))
def test_each_wrong_letter_is_found(token, place, letter):
    text = token.text()
    changed = text[:place] + letter + text[place + 1 :]
    if changed == text:
        return
    with pytest.raises(TokenError) as caught:
        read_token(changed)
    assert caught.value.reason is TokenReason.MISTYPED


@given(tokens, st.integers(3, LENGTH - 2))
def test_two_neighbours_swapped_are_found(token, place):
    text = token.text()
    changed = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    if changed == text:
        return
    with pytest.raises(TokenError) as caught:
        read_token(changed)
    assert caught.value.reason is TokenReason.MISTYPED


@given(tokens, st.integers(0, LENGTH - 1))
def test_a_cut_token_is_refused(token, length):
    with pytest.raises(TokenError) as caught:
        read_token(token.text()[:length])
    assert caught.value.reason in {TokenReason.CUT, TokenReason.NO_TOKEN}


@given(st.text(max_size=120))
def test_any_text_gives_a_clear_error(text):
    with pytest.raises(TokenError) as caught:
        read_token(text)
    assert not text.strip() or len(text) < 3 or text not in str(caught.value)


@given(tokens)
def test_the_error_and_the_repr_never_show_the_secret(token):
    text = token.text()
    with pytest.raises(TokenError) as caught:
        read_token(text[:-3])
    assert text[3:20] not in str(caught.value)
    assert repr(token.secret) not in repr(token)


def test_each_token_is_fresh():
    assert new_token(bytes(32)).secret != new_token(bytes(32)).secret


@pytest.mark.parametrize(("secret", "trust"), [(15, 32), (16, 31), (0, 32)])
def test_a_token_of_another_size_is_refused(secret, trust):
    with pytest.raises(ValueError, match="16 bytes"):
        Token(secret=bytes(secret), trust=bytes(trust))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rsync", TokenReason.NO_TOKEN),
        ("xs2aaaa", TokenReason.NO_TOKEN),
        ("rs", TokenReason.NO_TOKEN),
        ("rs2aaaa", TokenReason.OTHER_VERSION),
    ],
)
def test_the_words_say_what_to_do(text, reason):
    with pytest.raises(TokenError) as caught:
        read_token(text)
    assert caught.value.reason is reason
    assert str(caught.value) == reason.value
