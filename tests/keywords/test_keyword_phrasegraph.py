from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from trialpack import trial_matcher

from keywords.phrasegraph import SPAN, SPREAD, PhraseGraph

WORD = st.integers(1, 5)
WAY = st.lists(WORD, min_size=1, max_size=3).map(tuple)
PLACE = st.lists(WAY, min_size=1, max_size=3).flatmap(
    lambda ways: st.sampled_from([tuple(ways), (*ways, ())])
)
PHRASE = st.lists(PLACE, min_size=1, max_size=4).filter(
    lambda row: not all(() in ways for ways in row)
)
PHRASES = st.lists(PHRASE, max_size=8)
TEXT = st.lists(st.integers(0, 6), max_size=14)


def plain(row):
    """All rows of words that a phrase stands for."""
    return {tuple(word for way in ways for word in way) for ways in product(*row)}


def naive(phrases, text):
    """(end, words, meaning) of all that stands in the text."""
    return {
        (end, len(words), meaning)
        for row, meaning in phrases
        for words in plain(row)
        for end in range(len(words), len(text) + 1)
        if tuple(text[end - len(words) : end]) == words
    }


def walked(graph, text):
    found, walks = set(), ()
    for end, word in enumerate(text, 1):
        walks = graph.advance(walks, word)
        here = {(end, walk % SPAN, meaning) for walk in walks for meaning in graph.found(walk)}
        assert graph.ends(walks) == bool(here)
        assert len(walks) == len(set(walks))
        found |= here
    return found


@given(PHRASES, TEXT)
@settings(max_examples=200)
def test_it_finds_what_a_naive_matcher_finds(rows, text):
    phrases = [(row, number) for number, row in enumerate(rows)]
    assert walked(PhraseGraph(phrases), text) == naive(phrases, text)


@given(PHRASES, TEXT, st.integers(-3, 3))
def test_several_phrases_may_mean_the_same_and_one_several_things(rows, text, meaning):
    phrases = [(row, meaning) for row in rows] + [(row, 9) for row in rows[:2]]
    assert walked(PhraseGraph(phrases), text) == naive(phrases, text)


@given(st.data())
@settings(max_examples=30)
def test_crowded_beginnings_are_merged_and_find_the_same(data):
    """More first words lead on than are walked one by one."""
    most = SPREAD[0] + 4
    phrases = [
        ([((1,),), ((2,), (3,)), ((10 + one,), (40 + one, 5))], one)
        for one in range(data.draw(st.integers(1, most)))
    ]
    phrases += [([((1,), ()), ((2,),), ((99,),)], 77)]
    words = st.sampled_from([1, 2, 3, 5, 99, *range(10, 10 + most), *range(40, 40 + most)])
    text = data.draw(st.lists(words, max_size=20))
    text += [1, 2, 10, 1, 3, 40, 5, 1, 2, 99]
    assert walked(PhraseGraph(phrases), text) == naive(phrases, text)


def test_a_crowd_on_the_second_word_may_be_merged_too(monkeypatch):
    monkeypatch.setattr("keywords.phrasegraph.SPREAD", (2, 3))
    phrases = [([((1, 2),), ((10 + one,),), ((90 + one,), ())], one) for one in range(5)]
    graph = PhraseGraph(phrases)
    for text in ([1, 2, 10, 90], [1, 2, 14, 94], [1, 2, 14, 90], [1, 1, 2, 12]):
        assert walked(graph, text) == naive(phrases, text)
    assert len(graph.advance(graph.advance((), 1), 2)) == 1


def test_alternatives_cost_their_words_and_not_their_product():
    many = tuple((word,) for word in range(1, 201))
    two, four = PhraseGraph([([many] * 2, 0)]), PhraseGraph([([many] * 4, 0)])
    assert four.nbytes < 2 * two.nbytes
    assert walked(four, [7, 200, 1, 9]) == {(4, 4, 0)}
    assert walked(four, [7, 201, 1, 9]) == walked(four, [7, 200, 1, 0]) == set()


def test_words_that_lead_to_the_same_crowd_share_it():
    phrases = [([((1,), (2,)), ((10 + one,),)], one) for one in range(SPREAD[0] + 1)]
    graph = PhraseGraph(phrases)
    for text in ([1, 10], [2, 10], [1, 18], [2, 2, 14], [1, 2]):
        assert walked(graph, text) == naive(phrases, text)
    assert graph.advance((), 1) == graph.advance((), 2)


@given(PHRASES, TEXT)
def test_one_that_is_made_of_its_arrays_finds_the_same(rows, text):
    phrases = [(row, number) for number, row in enumerate(rows)]
    again = PhraseGraph.of(PhraseGraph(phrases).arrays())
    assert walked(again, text) == naive(phrases, text)


def test_phrases_share_how_they_end():
    end = [((50,),), ((51,),), ((52,),)]
    one = PhraseGraph([([((1,),), *end], 0)])
    six = PhraseGraph([([((word,),), *end], 0) for word in range(1, 7)])
    assert len(six.meant_from) == len(one.meant_from)


def test_an_optional_end_means_as_much_as_the_whole():
    phrases = [([((1,),), ((2,), ()), ((3,), ())], 4)]
    assert walked(PhraseGraph(phrases), [1, 2, 3]) == {(1, 1, 4), (2, 2, 4), (3, 3, 4)}
    assert walked(PhraseGraph(phrases), [1, 3]) == {(1, 1, 4), (2, 2, 4)}


def test_a_graph_of_nothing_finds_nothing():
    graph = PhraseGraph([])
    assert graph.advance((), 1) == ()
    assert not graph.ends(())
    assert graph.nbytes > 0


def test_a_word_that_is_not_known_ends_all_walks():
    graph = PhraseGraph([([((1,),), ((2,),)], 0)])
    assert graph.advance(graph.advance((), 1), 0) == ()


def test_a_phrase_that_signs_cut_into_too_many_words_does_no_harm():
    """One word as it is written, and more than a walk can count as it is seen."""
    for length in range(SPAN - 1, SPAN + 20):
        phrase = ".".join(f"{'abcdefghij'[at % 10]}{'klm'[at // 10 % 3]}" for at in range(length))
        matcher = trial_matcher(
            f'[[term]]\nphrases = ["{phrase}", "go on"]\n[[term]]\nphrases = ["x"]\nnear = ["{phrase}"]'
        )
        found = [match.term.id for match in matcher.find(f"{phrase} x, go on")]
        assert found == (["term-0", "term-1", "term-0"] if length < SPAN else ["term-0"])
