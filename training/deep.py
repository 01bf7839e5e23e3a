"""The deep model: static vectors of pieces, detectors of three in a row, a hidden layer.

The vectors begin as a sentence model's own answer to each piece alone (model2vec's method:
principal components, common pieces weighed less) and are trained on with the rest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

DETECTORS = 64
HIDDEN = 40
WIDTHS = (8, 16, 24, 32, 48, 64, 96, 128, 160)
"""Lengths that texts are filled up to, so that few shapes are compiled."""
BATCH = 64
TOLD_WEIGHT = 3.0
"""What a label counts against a word of the teacher."""
DROPPED_PIECES, DROPPED_ANSWERS = 0.15, 0.3

Weights = dict[str, jax.Array]


@dataclass(frozen=True)
class Labels:
    """What is known of each text; of a spliced one only what the teacher says of it."""

    concern: np.ndarray
    """From 0 to 1."""
    grave: np.ndarray
    category: np.ndarray
    """-1 where it is not known."""
    told: np.ndarray
    """1 where a person said it, 0 where the teacher did."""


def begin(vectors: np.ndarray, categories: int, seed: int) -> Weights:
    """Weights before training."""
    draw = np.random.default_rng(seed)
    size = vectors.shape[1]

    def normal(spread: float, *shape: int) -> jax.Array:
        return jnp.asarray(draw.normal(0, spread, shape), jnp.float32)

    return {
        "vectors": jnp.asarray(vectors, jnp.float32),
        "around": normal(1 / np.sqrt(3 * size), 3, size, DETECTORS),
        "detector_bias": jnp.zeros(DETECTORS),
        "loud": normal(1 / np.sqrt(DETECTORS), DETECTORS, HIDDEN),
        "mean": normal(1 / np.sqrt(size), size, HIDDEN),
        "hidden_bias": jnp.zeros(HIDDEN),
        "out": normal(0.1, HIDDEN, 2 + categories),
        "out_bias": jnp.zeros(2 + categories),
    }


def answer(w: Weights, pieces: jax.Array, key: jax.Array | None = None) -> jax.Array:
    """Log-odds of a concern, of a grave one, and of each category. Piece -1 is no piece."""
    here = (pieces >= 0)[..., None]
    vectors = w["vectors"][jnp.maximum(pieces, 0)] * here
    if key is not None:
        one, two = jax.random.split(key)
        vectors *= jax.random.bernoulli(one, 1 - DROPPED_PIECES, pieces.shape)[..., None]
    nothing = jnp.zeros_like(vectors[:, :1])
    heard = (
        jnp.concatenate([nothing, vectors[:, :-1]], 1) @ w["around"][0]
        + vectors @ w["around"][1]
        + jnp.concatenate([vectors[:, 1:], nothing], 1) @ w["around"][2]
    )
    loud = jax.nn.relu(jnp.where(here, heard, -1e9).max(1) + w["detector_bias"])
    mean = vectors.sum(1) / jnp.sqrt(here.sum(1) + 3)
    if key is not None:
        keep = jax.random.bernoulli(two, 1 - DROPPED_ANSWERS, loud.shape)
        loud = loud * keep / (1 - DROPPED_ANSWERS)
    layer = jax.nn.relu(loud @ w["loud"] + mean @ w["mean"] + w["hidden_bias"])
    return layer @ w["out"] + w["out_bias"]


def _loss(
    w: Weights, pieces: jax.Array, labels: tuple[jax.Array, ...], key: jax.Array
) -> jax.Array:
    concern, grave, category, told = labels
    said = answer(w, pieces, key)
    weight = 1 + (TOLD_WEIGHT - 1) * told
    loss = jnp.mean(weight * (jax.nn.softplus(said[:, 0]) - said[:, 0] * concern))
    loss += jnp.mean(told * concern * (jax.nn.softplus(said[:, 1]) - said[:, 1] * grave))
    named = jax.nn.log_softmax(said[:, 2:])
    chosen = jnp.take_along_axis(named, jnp.maximum(category, 0)[:, None], 1)[:, 0]
    loss -= jnp.mean(told * concern * (category >= 0) * chosen)
    return loss + 1e-4 * sum(jnp.sum(w[name] ** 2) for name in ("around", "loud", "mean"))


@jax.jit
def _step(  # noqa: PLR0917 - jax traces them apart
    state: tuple[Weights, Weights, Weights],
    start: jax.Array,
    time: float,
    rate: float,
    pieces: jax.Array,
    labels: tuple[jax.Array, ...],
    key: jax.Array,
) -> tuple[Weights, Weights, Weights]:
    """One step of Adam; the vectors are drawn back to where they began."""
    w, first, second = state
    slope = jax.grad(_loss)(w, pieces, labels, key)
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slope)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, slope)

    def moved(p: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
        return p - rate * (m / (1 - 0.9**time)) / (jnp.sqrt(v / (1 - 0.999**time)) + 1e-8)

    w = jax.tree.map(moved, w, first, second)
    w["vectors"] -= rate * 0.05 * (w["vectors"] - start)
    return w, first, second


def train(
    texts: Sequence[Sequence[int]],
    labels: Labels,
    vectors: np.ndarray,
    *,
    epochs: int = 5,
    seed: int = 0,
    rate: float = 2e-3,
) -> Weights:
    """Train on texts as rows of pieces."""
    state = begin(vectors, int(labels.category.max()) + 1, seed)
    start = state["vectors"]
    adam = (state, jax.tree.map(jnp.zeros_like, state), jax.tree.map(jnp.zeros_like, state))
    draw = np.random.default_rng(seed)
    key = jax.random.PRNGKey(seed)
    steps = epochs * (len(texts) // BATCH)
    done = 0
    for _ in range(epochs):
        for chosen, pieces in _batches(texts, draw):
            done += 1
            key, one = jax.random.split(key)
            now = rate * min(1.0, done / 100) * (1 - 0.95 * done / steps)
            known = (labels.concern, labels.grave, labels.category, labels.told)
            taken = tuple(jnp.asarray(part[chosen]) for part in known)
            adam = _step(adam, start, float(done), now, pieces, taken, one)
    return adam[0]


def read(w: Weights, texts: Sequence[Sequence[int]]) -> np.ndarray:
    """The answers to all texts."""
    ask = jax.jit(partial(answer))
    said = np.zeros((len(texts), w["out_bias"].shape[0]), np.float32)
    order = np.argsort([len(text) for text in texts], kind="stable")
    order = np.concatenate([order, order[: (-len(order)) % BATCH]])
    for at in range(0, len(order), BATCH):
        chosen = order[at : at + BATCH]
        said[chosen] = np.asarray(ask(w, _filled(texts, chosen)))
    return said


def _batches(
    texts: Sequence[Sequence[int]], draw: np.random.Generator
) -> Iterator[tuple[np.ndarray, jax.Array]]:
    """Texts of about one length together, the batches in a random order."""
    lengths = np.array([len(text) for text in texts])
    order = np.argsort(lengths + draw.normal(0, 3, len(texts)), kind="stable")
    starts = list(range(0, len(order) - BATCH + 1, BATCH))
    draw.shuffle(starts)
    for at in starts:
        chosen = order[at : at + BATCH]
        yield chosen, _filled(texts, chosen)


def _filled(texts: Sequence[Sequence[int]], chosen: np.ndarray) -> jax.Array:
    longest = max(len(texts[number]) for number in chosen)
    width = next((one for one in WIDTHS if one >= longest), WIDTHS[-1])
    rows = np.full((len(chosen), width), -1, np.int32)
    for row, number in enumerate(chosen):
        text = texts[number][:width]
        rows[row, : len(text)] = text
    return jnp.asarray(rows)
