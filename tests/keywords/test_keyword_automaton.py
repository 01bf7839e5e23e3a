"""The automaton against the plain meaning of what it does."""

from hypothesis import given
from hypothesis import strategies as st

from keywords.automaton import DEAD, ROOT, Automaton, Trie

symbols = st.integers(1, 4).map(chr)
words = st.text(symbols, min_size=1, max_size=7)


@given(st.sets(words, min_size=1, max_size=40), st.text(st.integers(0, 4).map(chr), max_size=60))
def test_finds_every_pattern_where_it_ends(patterns, text):
    ordered = sorted(patterns)
    automaton = Automaton(ordered)
    node = ROOT
    for end, symbol in enumerate(text, 1):
        node = automaton.step(node, ord(symbol) if ord(symbol) < automaton.size else 0)
        found = [ordered[number] for number in automaton.found(node)]
        expected = [pattern for pattern in ordered if text[:end].endswith(pattern)]
        assert sorted(found) == sorted(expected)
        assert found == sorted(found, key=len, reverse=True)


@given(st.sets(words, min_size=1, max_size=40), words)
def test_without_failures_it_spells_words(patterns, word):
    ordered = sorted(patterns)
    automaton = Trie(ordered)
    node = ROOT
    for symbol in word:
        node = automaton.follow(node, ord(symbol) if ord(symbol) < automaton.size else 0)
    is_prefix = any(pattern.startswith(word) for pattern in ordered)
    assert (node != DEAD) == is_prefix
    if is_prefix:
        spelt = automaton.ends[node]
        assert (ordered[spelt - 1] if spelt else None) == (word if word in patterns else None)


def test_an_empty_automaton_finds_nothing():
    automaton = Automaton([])
    assert automaton.step(ROOT, 0) == ROOT
    assert automaton.follow(ROOT, 0) == DEAD
    assert list(automaton.found(ROOT)) == []


def test_wide_alphabets_stay_small():
    patterns = sorted(chr(1 + n % 1500) + chr(1 + n * 7 % 1500) for n in range(3000))
    automaton = Automaton(sorted(set(patterns)))
    assert automaton.nbytes < 400_000
