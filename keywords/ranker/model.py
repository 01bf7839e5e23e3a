"""The learned ranker: a text to the log-odds that it is a concern. Pure but for its weights.

Two models look at it, and their log-odds are added:

- *wide*: a logistic regression on hashed character n-grams, words and pairs of words. It
  knows spellings, and a misspelt word by its parts.
- *deep*: pieces of words as static vectors, distilled from a sentence model; detectors of
  three pieces in a row, of which each keeps its loudest answer; a hidden layer. It knows
  meanings. What a piece adds to each detector, left, in the middle and right, is worked out
  when the weights are made, so that reading a text is additions of small integers alone.

Both were trained by `training/`; docs/model-card.md has data, figures and limits. Sources:
Kim 2014 (convolution over words), Joulin and others 2016 (hashed n-grams).
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import log1p, sqrt
from operator import add, mul
from typing import Final
from zlib import crc32

from keywords.decide import Rank
from keywords.ranker.reading import words_of
from keywords.ranker.weights import Weights

WORDS_KEPT: Final = 2048
"""Words whose n-grams and pieces are remembered."""
MOST_PIECES: Final = 160
_SHORTEST_GRAM: Final = 2
_LONGEST_GRAM: Final = 5
_JOINT: Final = 1
"""The symbol before a piece that goes on a word."""
_SYMBOLS: Final = 128


class Ranker:
    """Ranks texts. Immutable but for a bounded memory of words."""

    def __init__(self, weights: Weights | None = None) -> None:
        """Take the weights; those shipped, if none are given."""
        weights = weights or Weights()
        self._categories = weights.categories
        self._wide = weights.array("wide")
        self._mask = len(self._wide) - 1
        self._detectors = weights.shape["detectors"]
        self._hidden = weights.shape["hidden"]
        self._left = weights.array("left")
        self._middle = weights.array("middle")
        self._right = weights.array("right")
        self._mean = weights.array("mean")
        self._trie = tuple(weights.array(name) for name in ("base", "check", "ends"))
        scale = weights.scale
        self._scale = scale
        self._bias = [value / scale["detector"] for value in weights.array("detector_bias")]
        self._loud = _rows(weights.array("loud"), self._detectors, scale["detector"])
        self._hidden_bias = list(weights.array("hidden_bias"))
        self._out = _rows(weights.array("out"), self._hidden, 1.0)
        self._out_bias = list(weights.array("out_bias"))
        self.version = weights.version
        self._word = lru_cache(maxsize=WORDS_KEPT)(self._read_word)

    def rank(self, text: str) -> Rank:
        """The rank of a text."""
        words = words_of(text)
        if not words:
            return Rank(self._scale["nothing"])
        known = [self._word(word) for word in words]
        deep = self._read_deep([piece for _, _, pieces in known for piece in pieces])
        scale = self._scale
        logit = (
            scale["wide_share"] * self._read_wide(words, known)
            + scale["deep_share"] * deep[0]
            + scale["bias"]
        )
        best = max(range(len(self._categories)), key=lambda number: deep[2 + number])
        return Rank(logit, self._categories[best], deep[1])

    def _read_word(self, word: str) -> tuple[int, int, tuple[int, ...]]:
        """What a word adds to the wide sum, the number of its features, and its pieces."""
        spelt = f"<{word}>".encode("utf-8", "surrogatepass")
        total, count = self._wide[crc32(b"w" + spelt) & self._mask], 1
        for length in range(_SHORTEST_GRAM, _LONGEST_GRAM + 1):
            for at in range(len(spelt) - length + 1):
                total += self._wide[crc32(spelt[at : at + length]) & self._mask]
                count += 1
        return total, count, self._pieces(word)

    def _read_wide(
        self, words: Sequence[str], known: Sequence[tuple[int, int, tuple[int, ...]]]
    ) -> float:
        wide, mask = self._wide, self._mask
        total = sum(one for one, _, _ in known)
        count = sum(one for _, one, _ in known) + len(words) + 1 + max(0, len(words) - 2)
        for one, other in pairwise(["^", *words, "$"]):
            total += wide[crc32(f"b{one} {other}".encode("utf-8", "surrogatepass")) & mask]
        for one, other in zip(words, words[2:], strict=False):
            total += wide[crc32(f"s{one} {other}".encode("utf-8", "surrogatepass")) & mask]
        return total * self._scale["wide"] / sqrt(count) + self._scale["wide_length"] * log1p(count)

    def _pieces(self, word: str) -> tuple[int, ...]:
        """The longest known pieces of a word, from its front; a part that none knows is 0."""
        base, check, ends = self._trie
        found: list[int] = []
        at = 0
        while at < len(word):
            node, longest, piece = 0, at, 0
            if at:
                node = _JOINT + base[0]
                if check[node] != 0:
                    return (*found, 0)
            for ahead in range(at, len(word)):
                symbol = ord(word[ahead])
                if symbol >= _SYMBOLS:
                    break
                child = base[node] + symbol
                if check[child] != node:
                    break
                node = child
                if ends[node]:
                    longest, piece = ahead + 1, ends[node]
            found.append(piece)
            if not piece:
                return tuple(found)
            at = longest
        return tuple(found)

    def _read_deep(self, pieces: Sequence[int]) -> list[float]:
        """Log-odds of a concern, of a grave one, and of each category."""
        detectors, hidden = self._detectors, self._hidden
        left, middle, right, mean = self._left, self._middle, self._right, self._mean
        pieces = pieces[:MOST_PIECES]
        loudest: Sequence[float] = [-1e9] * detectors
        total: Sequence[int] = [0] * hidden
        last = len(pieces) - 1
        for place, piece in enumerate(pieces):
            at = piece * detectors
            answer: Sequence[int] = middle[at : at + detectors]
            if place:
                before = pieces[place - 1] * detectors
                answer = list(map(add, answer, left[before : before + detectors]))
            if place < last:
                after = pieces[place + 1] * detectors
                answer = list(map(add, answer, right[after : after + detectors]))
            loudest = list(map(max, loudest, answer))
            total = list(map(add, total, mean[piece * hidden : (piece + 1) * hidden]))
        heard = [max(0.0, one) for one in map(add, loudest, self._bias)]
        share = self._scale["mean"] / sqrt(len(pieces) + 3)
        layer = [
            max(0.0, sum(map(mul, row, heard)) + share * one + bias)
            for row, one, bias in zip(self._loud, total, self._hidden_bias, strict=True)
        ]
        return [
            sum(map(mul, row, layer)) + bias
            for row, bias in zip(self._out, self._out_bias, strict=True)
        ]


def _rows(flat: Sequence[float], width: int, scale: float) -> list[list[float]]:
    return [[value * scale for value in flat[at : at + width]] for at in range(0, len(flat), width)]
