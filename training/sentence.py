"""A BERT-like sentence model: what it says of whole texts, and of each piece alone.

Of whole texts the **teacher** learns the labels, and the deep model learns from the teacher.
The answers to single pieces are where the deep model's vectors begin (model2vec's method):
principal components keep what matters, and common pieces weigh less (a WordPiece vocabulary
is in the order of frequency, so Zipf's law stands in for it).
"""

from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

HEADS = 12
FIRST, LAST = 101, 102
LONGEST = 96
"""Pieces of a text that are read."""
_SPECIAL = 999
"""Rows of the vocabulary before the first real piece."""
_AT_ONCE = 64
_WIDTHS = (4, 12, 16, 24, 32, 48, 64, 96)


class SentenceModel:
    """Reads texts. Source: Devlin and others 2019; Reimers and Gurevych 2019."""

    def __init__(self, folder: Path) -> None:
        self.vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)
        weights = {
            name.removeprefix("bert."): jnp.asarray(part)
            for name, part in load_file(folder / "model.safetensors").items()
            if "position_ids" not in name
        }
        self._ask = jax.jit(lambda pieces: _mean(weights, pieces))

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """A unit vector for each text."""
        said = self._read([one.ids for one in self._tokenizer.encode_batch(list(texts))])
        return said / np.linalg.norm(said, axis=1, keepdims=True)

    def static(self, rows: Sequence[int], size: int) -> np.ndarray:
        """A vector for each of these rows of the vocabulary, after one of zeros for the unknown."""
        full = self._read([[FIRST, row, LAST] for row in range(len(self.vocabulary))])
        centred = full - full[_SPECIAL:].mean(0)
        components = np.linalg.svd(centred[_SPECIAL:], full_matrices=False)[2]
        kept = (centred @ components[:size].T)[list(rows)]
        rank = np.maximum(np.asarray(rows) - _SPECIAL, 1)
        kept *= np.sqrt(1 / (1 + 3000 / rank))[:, None]
        return np.vstack([np.zeros((1, size)), kept * 0.5 / kept.std()]).astype(np.float32)

    def _read(self, texts: Sequence[Sequence[int]]) -> np.ndarray:
        order = np.argsort([len(text) for text in texts], kind="stable")
        order = np.concatenate([order, order[: (-len(order)) % _AT_ONCE]])
        said: list[np.ndarray] = [np.empty(0)] * len(texts)
        for at in range(0, len(order), _AT_ONCE):
            chosen = order[at : at + _AT_ONCE]
            longest = max(len(texts[number]) for number in chosen)
            width = next(one for one in _WIDTHS if one >= longest)
            filled = np.zeros((_AT_ONCE, width), np.int32)
            for row, number in enumerate(chosen):
                filled[row, : len(texts[number])] = texts[number]
            for number, vector in zip(chosen, np.asarray(self._ask(filled)), strict=True):
                said[number] = vector
        return np.stack(said)


def _mean(weights: dict[str, jax.Array], pieces: jax.Array) -> jax.Array:
    here = (pieces > 0)[:, :, None]
    return (_encode(weights, pieces) * here).sum(1) / here.sum(1)


def _norm(weights: dict[str, jax.Array], name: str, x: jax.Array) -> jax.Array:
    spread = jnp.sqrt(((x - x.mean(-1, keepdims=True)) ** 2).mean(-1, keepdims=True) + 1e-12)
    scaled = (x - x.mean(-1, keepdims=True)) / spread
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _linear(weights: dict[str, jax.Array], name: str, x: jax.Array) -> jax.Array:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _encode(weights: dict[str, jax.Array], pieces: jax.Array) -> jax.Array:
    """The encoder's answer to each piece; piece 0 is none and is not heeded."""
    unheeded = jnp.where(pieces > 0, 0.0, -1e9)[:, None, None, :]
    x = weights["embeddings.word_embeddings.weight"][pieces]
    x += weights["embeddings.position_embeddings.weight"][: pieces.shape[1]]
    x += weights["embeddings.token_type_embeddings.weight"][0]
    x = _norm(weights, "embeddings.LayerNorm", x)
    rows, length, width = x.shape
    layers = len({name.split(".")[2] for name in weights if name.startswith("encoder.layer.")})
    for layer in range(layers):
        at = f"encoder.layer.{layer}"
        query, key, value = (
            _linear(weights, f"{at}.attention.self.{part}", x)
            .reshape(rows, length, HEADS, width // HEADS)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        heed = jax.nn.softmax(
            query @ key.transpose(0, 1, 3, 2) / np.sqrt(width / HEADS) + unheeded, -1
        )
        heard = (heed @ value).transpose(0, 2, 1, 3).reshape(x.shape)
        heard = _linear(weights, f"{at}.attention.output.dense", heard)
        x = _norm(weights, f"{at}.attention.output.LayerNorm", x + heard)
        inner = jax.nn.gelu(_linear(weights, f"{at}.intermediate.dense", x), approximate=False)
        inner = _linear(weights, f"{at}.output.dense", inner)
        x = _norm(weights, f"{at}.output.LayerNorm", x + inner)
    return x
