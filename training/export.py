"""Write the ranker's weights as the product maps them: whole bytes, one scale for each table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keywords.arrayfile import lay_out
from keywords.automaton import Trie
from keywords.ranker.weights import MAGIC, MOST_BYTES
from training.pieces import Pieces

CODES = {"int8": "b", "int32": "i", "float32": "f", "uint16": "H"}
CLIPPED = 99.98
"""Percentile of a table's values from which they are clipped, so that one does not flatten all."""


@dataclass(frozen=True)
class Joint:
    """How the two models' log-odds are added."""

    wide: float
    deep: float
    bias: float


def write(
    path: Path,
    *,
    version: int,
    categories: Sequence[str],
    pieces: Pieces,
    wide: np.ndarray,
    deep: Mapping[str, np.ndarray],
    joint: Joint,
) -> None:
    """Write the file. Raises ValueError if it would be too large."""
    vectors, around = deep["vectors"], deep["around"]
    sides = [vectors @ around[side] for side in range(3)]
    detector = _unit(np.concatenate([side.ravel() for side in sides]))
    mean, mean_unit = _bytes(vectors @ deep["mean"])
    buckets, bucket_unit = _bytes(wide[:-2])
    base, check, ends = _trie(pieces)
    arrays = {
        "wide": buckets,
        "left": _whole(sides[0], detector),
        "middle": _whole(sides[1], detector),
        "right": _whole(sides[2], detector),
        "mean": mean,
        "detector_bias": deep["detector_bias"],
        "loud": deep["loud"].T,
        "hidden_bias": deep["hidden_bias"],
        "out": deep["out"].T,
        "out_bias": deep["out_bias"],
        "base": base,
        "check": check,
        "ends": ends,
    }
    scale = {
        "detector": detector,
        "mean": mean_unit,
        "wide": bucket_unit,
        "wide_length": float(wide[-2]) / 10,
        "wide_share": joint.wide,
        "deep_share": joint.deep,
        "bias": joint.bias + joint.wide * float(wide[-1]),
        "nothing": joint.bias - 5.0,
    }
    shape = {"detectors": around.shape[2], "hidden": deep["hidden_bias"].shape[0]}
    header = {
        "version": version,
        "categories": list(categories),
        "shape": shape,
        "scale": {name: round(value, 9) for name, value in scale.items()},
    }
    whole = lay_out(MAGIC, header, {name: _plain(part) for name, part in arrays.items()})
    if len(whole) > MOST_BYTES:
        raise ValueError(f"the weights are {len(whole):,} bytes; at most {MOST_BYTES:,} may be")
    path.write_bytes(whole)


def _plain(part: np.ndarray) -> tuple[str, bytes]:
    kept = part.astype(np.float32) if part.dtype.kind == "f" else part
    return CODES[str(kept.dtype)], np.ascontiguousarray(kept).tobytes()


def _trie(pieces: Pieces) -> tuple[np.ndarray, ...]:
    order = sorted(range(len(pieces.known)), key=lambda number: pieces.known[number])
    trie = Trie([pieces.known[n] for n in order], [n + 1 for n in order], size=128)
    return (
        np.array(trie.base, np.int32),
        np.array(trie.check, np.int32),
        np.array(trie.ends, np.uint16),
    )


def _unit(values: np.ndarray) -> float:
    return float(np.percentile(np.abs(values), CLIPPED)) / 127


def _bytes(values: np.ndarray) -> tuple[np.ndarray, float]:
    unit = _unit(values[values != 0])
    return _whole(values, unit), unit


def _whole(values: np.ndarray, unit: float) -> np.ndarray:
    return np.clip(np.round(values / unit), -127, 127).astype(np.int8)
