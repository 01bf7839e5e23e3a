import json
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.automaton import Trie
from keywords.ranker import Ranker, Weights, WeightsError
from keywords.ranker.reading import LONGEST, MOST_WORDS, WORD_LONGEST, words_of
from keywords.ranker.weights import MAGIC

CATEGORIES = ("suicide", "bullying")
DETECTORS, HIDDEN, BUCKETS = 3, 2, 64
PIECES = ("go", "home", "sad", "\x01ly")
"""The last goes on a word."""
SCALE = {
    "wide": 0.01,
    "wide_length": 0.02,
    "wide_share": 1.0,
    "deep_share": 1.0,
    "bias": -0.5,
    "nothing": -5.0,
    "detector": 0.02,
    "mean": 0.01,
}


def some(count, *, most=127):
    """Numbers that differ, in a fixed order."""
    return [(place * 37 + 11) % (2 * most + 1) - most for place in range(count)]


def small_arrays():
    trie = Trie(sorted(PIECES), [PIECES.index(one) + 1 for one in sorted(PIECES)], size=128)
    rows = (len(PIECES) + 1) * DETECTORS
    return {
        "wide": ("b", some(BUCKETS)),
        "left": ("b", some(rows)),
        "middle": ("b", some(rows, most=100)),
        "right": ("b", some(rows, most=90)),
        "mean": ("b", some((len(PIECES) + 1) * HIDDEN)),
        "detector_bias": ("f", [0.1] * DETECTORS),
        "loud": ("f", [0.5, -0.25, 0.75] * HIDDEN),
        "hidden_bias": ("f", [0.25, 0.5]),
        "out": ("f", [0.5, -0.5] * (2 + len(CATEGORIES))),
        "out_bias": ("f", [0.0, 0.1, 0.2, 0.3]),
        "base": ("i", list(trie.base)),
        "check": ("i", list(trie.check)),
        "ends": ("H", list(trie.ends)),
    }


def small_header():
    return {
        "version": 7,
        "categories": list(CATEGORIES),
        "shape": {"detectors": DETECTORS, "hidden": HIDDEN},
        "scale": dict(SCALE),
    }


def laid_out(header, arrays):
    """The file as its layout says."""
    at, places, body = 4096, {}, b""
    for name, (code, values) in arrays.items():
        raw = struct.pack(f"<{len(values)}{code}", *values)
        places[name] = [code, at + len(body), len(values)]
        body += raw + bytes(-len(raw) % 8)
    text = json.dumps({"arrays": places, **header}).encode()
    front = MAGIC + len(text).to_bytes(4, "little") + text
    return front + bytes(at - len(front)) + body


@pytest.fixture(scope="module")
def whole():
    return laid_out(small_header(), small_arrays())


@pytest.fixture(scope="module")
def ranker(whole, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "weights.bin"
    path.write_bytes(whole)
    return Ranker(Weights(path))


def refused(path, raw):
    path.write_bytes(raw)
    with pytest.raises(WeightsError, match="install the package anew"):
        Ranker(Weights(path))


def test_a_whole_file_is_read(ranker):
    assert ranker.version == 7
    assert ranker.rank("go home").category in CATEGORIES


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.bin.*install the package anew"):
        Weights(tmp_path / "none.bin")


@pytest.mark.parametrize("kept", [0, 4, len(MAGIC), len(MAGIC) + 3, 40, 300, 4095, 4100, -1, -9])
def test_a_file_that_is_cut_is_refused(tmp_path, whole, kept):
    cut = whole[:kept]
    refused(tmp_path / "weights.bin", cut)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (MAGIC, b"RSRANK9\n"),
        (MAGIC + b"\x00", MAGIC + b"\xff"),
        (b'{"arrays"', b'["arrays"'),
        (b'{"arrays"', b'{"array\xff"'),
        (
            b'["b", ',
            b'["?!',
        ),
        (b'["b", ', b'["b" , -'),
        (b'"scale": {', b'"scale": ['),
    ],
)
def test_bytes_of_another_kind_are_refused(tmp_path, whole, good, bad):
    at = len(MAGIC)
    length = int.from_bytes(whole[at : at + 4], "little")
    raw = whole.replace(good, bad, 1) if good in whole else MAGIC + b"\xff" + whole[at + 1 :]
    if len(raw) > len(whole):
        raw = raw[:at] + (length + len(raw) - len(whole)).to_bytes(4, "little") + raw[at + 4 :]
    assert raw != whole
    refused(tmp_path / "weights.bin", raw)


@pytest.mark.parametrize("name", list(small_arrays()))
def test_an_array_that_is_missing_is_refused(tmp_path, name):
    arrays = small_arrays()
    del arrays[name]
    refused(tmp_path / "weights.bin", laid_out(small_header(), arrays))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("version", value) for value in (None, [], {}, "x")),
        *(("categories", value) for value in (None, [], 0.5)),
        *(("shape", value) for value in (None, [], 0.5, "x", {"a": 1})),
        *(("scale", value) for value in (None, [], 0.5, "x", {"a": 1})),
        *(("arrays", value) for value in (None, [], 0.5, "x", {"a": 1}, {"wide": ["b", 4096]})),
    ],
)
def test_a_header_of_another_kind_is_refused(tmp_path, field, value):
    refused(tmp_path / "weights.bin", laid_out(small_header() | {field: value}, small_arrays()))


@pytest.mark.parametrize("name", ["detectors", "hidden"])
def test_a_shape_that_lacks_a_number_is_refused(tmp_path, name):
    header = small_header()
    del header["shape"][name]
    refused(tmp_path / "weights.bin", laid_out(header, small_arrays()))


@pytest.mark.parametrize("name", list(SCALE))
def test_a_scale_that_lacks_a_unit_is_refused(tmp_path, name):
    header = small_header()
    del header["scale"][name]
    refused(tmp_path / "weights.bin", laid_out(header, small_arrays()))


@given(st.data())
def test_any_flipped_byte_of_the_header_is_read_or_refused(whole, tmp_path_factory, data):
    raw = bytearray(whole)
    raw[data.draw(st.integers(0, 900))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("flipped") / "weights.bin"
    path.write_bytes(raw)
    try:
        weights = Weights(path)
    except WeightsError:
        return
    assert weights.version is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I want to go home", ["i", "want", "to", "go", "home"]),
        ("i'm DONE", ["im", "done"]),
        ("g0 h0me", ["go", "home"]),
        ("s4d and @lone", ["sad", "and", "alone"]),
        ("f33l b@d!", ["feel", "bad", "!"]),
        ("w o r s t day", ["worst", "day"]),
        ("w.o.r.s.t day", ["worst", "day"]),
        ("soooooo saaaad", ["soo", "saad"]),
        ("sad 😭", ["sad", "😭"]),
        ("why?", ["why", "?"]),
        ("“go”", ['"', "go", '"']),
        ("room 204 at 10", ["room", "204", "at", "10"]),
        ("born 2011", ["born", "2011"]),
        ("see https://example.org/x?y now", ["see", "url", "now"]),
        ("\uff27\uff4f h\u00f4me", ["go", "home"]),
        ("a\u200bb", ["ab"]),
        ("\ud800", []),
        ("", []),
        ("x" * 40, ["xx"]),
        ("abcdefgh" * 5, [("abcdefgh" * 5)[:WORD_LONGEST]]),
    ],
)
def test_words_are_read_plainly(text, words):
    assert words_of(text) == words


def test_of_a_long_text_both_ends_are_read():
    words = words_of("first " + "middling " * 3000 + "last")
    assert (words[0], words[-1]) == ("first", "last")
    assert len(words) < LONGEST / len("middling")
    assert len(words_of("go on " * LONGEST)) == MOST_WORDS


def test_what_each_character_is_read_as_is_remembered_within_bounds():
    for point in range(0x4E00, 0x4E00 + 5000):
        assert words_of(chr(point)) == [chr(point)]


ANY = st.text(st.characters(), max_size=200)  # lone surrogates too


@given(ANY)
def test_any_text_has_words_within_bounds(text):
    words = words_of(text)
    assert len(words) <= MOST_WORDS
    assert all(0 < len(word) <= WORD_LONGEST for word in words)
    assert words_of(text) == words


@given(ANY, ANY)
def test_rank_is_a_pure_function(ranker, text, between):
    rank = ranker.rank(text)
    ranker.rank(between)
    assert ranker.rank(text) == rank
    assert -1000 < rank.logit < 1000
    assert rank.category in CATEGORIES or not words_of(text)


def test_a_text_without_words_is_nothing(ranker):
    assert ranker.rank("") == ranker.rank("\u200b...") == ranker.rank("\ud800")
    assert ranker.rank("").logit == SCALE["nothing"]
    assert ranker.rank("").category == ""


def test_every_word_and_its_order_count(ranker):
    ranks = [ranker.rank(text).logit for text in ("go home sad", "sad go home", "go home", "home")]
    assert len(set(ranks)) == len(ranks)


def test_pieces_are_the_longest_known_from_the_front(ranker):
    pieces = ranker._pieces
    assert pieces("gohome") == (1, 0)  # "home" is known at a word's front alone
    assert pieces("goly") == (1, 4)
    assert pieces("golyly") == (1, 4, 4)
    assert pieces("sad") == (3,)
    assert pieces("xgo") == (0,)
    assert pieces("gö") == (0,)
    assert pieces("") == ()


def test_a_vocabulary_without_pieces_that_go_on(tmp_path):
    arrays = small_arrays()
    trie = Trie(["go"], [1], size=128)
    arrays |= {
        "base": ("i", list(trie.base)),
        "check": ("i", list(trie.check)),
        "ends": ("H", list(trie.ends)),
    }
    path = tmp_path / "weights.bin"
    path.write_bytes(laid_out(small_header(), arrays))
    ranker = Ranker(Weights(path))
    assert ranker._pieces("gogo") == (1, 0)
    assert ranker._pieces("go") == (1,)


@pytest.mark.parametrize(
    "unit",
    ["x", "go home ", "a b c d e ", "a.", "@1", "!?", "\ud800", "😭", "\u0301", "a" * 99 + " "],
)
def test_a_text_of_a_megabyte_takes_bounded_time(ranker, unit):
    text = unit * (2**20 // len(unit))
    began = time.perf_counter()
    ranker.rank(text)
    assert time.perf_counter() - began < 2


def test_the_shipped_weights_tell_a_cry_for_help_from_homework():
    ranker = Ranker()
    assert ranker.version >= 1
    grave, plain = (
        ranker.rank("i want to kill myself tonight"),
        ranker.rank("maths homework page 4"),
    )
    assert grave.logit > plain.logit


def test_the_shipped_weights_rank_any_text():
    ranker = Ranker()
    for text in ("", "\ud800", "🔪" * 5000, "x" * 2**20, "ж" * 300):
        assert ranker.rank(text) == ranker.rank(text)
