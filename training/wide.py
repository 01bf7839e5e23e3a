"""The wide model: logistic regression on hashed n-grams of characters and words."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log1p, sqrt
from zlib import crc32

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from keywords.ranker.reading import words_of

BITS = 19
STRENGTH = 4.0
"""Inverse of the penalty on weights."""


def features(words: Sequence[str]) -> list[int]:
    """The buckets of a text's features, one for each occurrence, as the product counts them."""
    mask = (1 << BITS) - 1
    found: list[int] = []
    for word in words:
        spelt = f"<{word}>".encode("utf-8", "surrogatepass")
        found.append(crc32(b"w" + spelt) & mask)
        for length in range(2, 6):
            found += [
                crc32(spelt[at : at + length]) & mask for at in range(len(spelt) - length + 1)
            ]
    for one, other in pairwise(["^", *words, "$"]):
        found.append(crc32(f"b{one} {other}".encode("utf-8", "surrogatepass")) & mask)
    for one, other in zip(words, words[2:], strict=False):
        found.append(crc32(f"s{one} {other}".encode("utf-8", "surrogatepass")) & mask)
    return found


def matrix(texts: Sequence[str]) -> csr_matrix:
    """A row for each text: its counts over the root of their sum, and the length's logarithm."""
    starts, columns, values = [0], [], []
    for text in texts:
        words = words_of(text)
        counts = Counter(features(words))
        total = sum(counts.values()) or 1
        columns += [*counts, 1 << BITS]
        values += [count / sqrt(total) for count in counts.values()]
        values.append(log1p(total) / 10)
        starts.append(len(columns))
    return csr_matrix((values, columns, starts), shape=(len(texts), (1 << BITS) + 1))


def train(rows: csr_matrix, concern: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The coefficients, the length's after the buckets', and the intercept last."""
    model = LogisticRegression(C=STRENGTH, max_iter=400)
    model.fit(rows, concern, sample_weight=weight)
    return np.append(model.coef_[0], model.intercept_[0])


def answer(coefficients: np.ndarray, rows: csr_matrix) -> np.ndarray:
    """The log-odds of each row."""
    return rows @ coefficients[:-1] + coefficients[-1]
