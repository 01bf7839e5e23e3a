"""`python -m training`: from labelled texts to `keywords/ranker/weights.bin`."""

import argparse
from pathlib import Path

import numpy as np

from keywords.ranker.reading import words_of
from keywords.ranker.weights import SHIPPED
from training import deep, pieces, vectors, wide
from training.calibrate import join, leave_out
from training.export import Joint, write
from training.texts import Labelled, read

VOCABULARY = 11_000
SIZE = 64
"""Numbers in a piece's vector while it is trained."""
MOST_PIECES = 160
EVERYDAY = ("nq-", "mmlu", "openbook", "social-", "gsm8k", "davidson", "rmhd-", "own-ordinary")


def main() -> int:
    """Train, join, write."""
    options = _options()
    texts = [
        one
        for one in read([options.lines, *options.data], besides=options.besides)
        if not one.held_out
    ]
    print(f"{len(texts)} texts, {sum(one.concern for one in texts)} of them a concern")
    told = _labels(texts)
    worded = [words_of(one.text) for one in texts]
    names = vectors.vocabulary(options.teacher)
    rows = pieces.choose(names, worded, VOCABULARY)
    start = vectors.static_vectors(options.teacher, rows, SIZE)
    known = pieces.Pieces([names[row].replace("##", pieces.JOINT, 1) for row in rows])
    cut = [(known.of(words) or [0])[:MOST_PIECES] for words in worded]
    counted = wide.matrix([one.text for one in texts]).tocsr()

    def trained(rows: np.ndarray, seeds: int) -> tuple[np.ndarray, list[dict[str, np.ndarray]]]:
        labels = deep.Labels(*(part[rows] for part in told))
        coefficients = wide.train(counted[rows], labels.concern, labels.weight)
        those = [cut[row] for row in rows]
        return coefficients, [
            {name: np.asarray(part) for name, part in one.items()}
            for one in (
                deep.train(those, labels, start, epochs=options.epochs, seed=seed)
                for seed in range(seeds)
            )
        ]

    def answer(rows: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        coefficients, models = trained(rows, 1)
        said = deep.read(models[0], [cut[row] for row in asked])[:, 0]
        return wide.answer(coefficients, counted[asked]), said

    joint = Joint(*options.joint) if options.joint else None
    if joint is None:
        said = leave_out([_fold(one) for one in texts], answer)
        left = np.array([bool(_fold(one)) for one in texts])
        everyday = left & np.array(
            [not one.concern and one.source.startswith(EVERYDAY) for one in texts]
        )
        joint = join(type(said)(said.wide[left], said.deep[left]), told[0][left], everyday[left])
        print(f"joint: --joint {joint.wide:.4f} {joint.deep:.4f} {joint.bias:.4f}")
    coefficients, models = trained(np.arange(len(texts)), 1)
    write(
        options.out,
        version=options.version,
        categories=_categories(texts),
        pieces=known,
        wide=coefficients,
        deep=models[0],
        joint=joint,
    )
    print(f"{options.out}: {options.out.stat().st_size:,} bytes")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--lines", type=Path, default=Path("tests/data"), help="our own texts")
    parser.add_argument(
        "--data", type=Path, action="append", default=[], help="a folder of other texts"
    )
    parser.add_argument(
        "--besides", action="append", default=["evasion", "mhc_"], help="files to leave out"
    )
    parser.add_argument(
        "--teacher", type=Path, required=True, help="a sentence model: model.safetensors, vocab.txt"
    )
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument(
        "--joint", type=float, nargs=3, help="shares and bias, instead of fitting them"
    )
    parser.add_argument("--out", type=Path, default=SHIPPED)
    return parser.parse_args()


def _categories(texts: list[Labelled]) -> list[str]:
    """Those of our own texts: other hands draw other lines between categories."""
    return sorted({one.category for one in texts if one.concern and _is_own(one)})


def _labels(texts: list[Labelled]) -> tuple[np.ndarray, ...]:
    number = {name: place for place, name in enumerate(_categories(texts))}
    return (
        np.array([one.concern for one in texts], np.float32),
        np.array([one.grave for one in texts], np.float32),
        np.array([number[one.category] if one.concern and _is_own(one) else -1 for one in texts]),
        np.ones(len(texts), np.float32),
    )


def _is_own(one: Labelled) -> bool:
    return one.source.startswith("own-")


def _fold(one: Labelled) -> str:
    """What is left out together: a source, and with it its kin."""
    return "" if _is_own(one) else one.source.partition("-")[0]


if __name__ == "__main__":
    raise SystemExit(main())
