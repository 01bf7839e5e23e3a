"""`python -m training`: from labelled texts to `keywords/ranker/weights.bin`.

First `splice`, as often as wished, each time with another seed; then `train`.
"""

import argparse
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

from keywords.ranker.reading import words_of
from keywords.ranker.weights import SHIPPED
from training import deep, pieces, splice, wide
from training.calibrate import join, leave_out
from training.export import Joint, write
from training.sentence import SentenceModel
from training.teacher import Teacher
from training.texts import Labelled, read

VOCABULARY = 11_000
SIZE = 64
"""Numbers in a piece's vector while it is trained."""
MOST_PIECES = 160
FOLDS = 4
EVERYDAY = ("nq-", "mmlu", "openbook", "social-", "gsm8k", "davidson", "rmhd-")


@dataclass
class Material:
    """Everything that is trained on, read once."""

    texts: list[Labelled]
    model: SentenceModel
    folder: Path
    """Where spliced texts and vectors are kept."""

    @cached_property
    def spliced(self) -> splice.Spliced:
        """Texts without labels."""
        return splice.kept(self.folder)

    @cached_property
    def vectors(self) -> np.ndarray:
        """The sentence model's vectors of the labelled texts, kept beside the spliced ones."""
        texts = [one.text for one in self.texts]
        name = sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        path = self.folder / f"labelled-{name}.npy"
        if not path.exists():
            np.save(path, self.model.read(texts))
        return np.load(path)

    @cached_property
    def counted(self) -> object:
        """The wide model's rows."""
        return wide.matrix([one.text for one in self.texts]).tocsr()

    @cached_property
    def rows(self) -> list[int]:
        """The rows of the sentence model's vocabulary that are kept."""
        worded = [words_of(one.text) for one in self.texts]
        return pieces.choose(self.model.vocabulary, worded, VOCABULARY)

    @cached_property
    def pieces(self) -> pieces.Pieces:
        """The vocabulary that is kept."""
        names = (self.model.vocabulary[row] for row in self.rows)
        return pieces.Pieces([name.replace("##", pieces.JOINT, 1) for name in names])

    @cached_property
    def start(self) -> np.ndarray:
        """Where the pieces' vectors begin."""
        return self.model.static(self.rows, SIZE)

    @cached_property
    def cut(self) -> list[list[int]]:
        """The labelled texts in pieces, then the spliced ones."""
        every = [*(one.text for one in self.texts), *self.spliced.texts]
        return [(self.pieces.of(words_of(text)) or [0])[:MOST_PIECES] for text in every]

    @cached_property
    def concern(self) -> np.ndarray:
        """1 where a person saw a concern."""
        return np.array([one.concern for one in self.texts], np.float32)

    @cached_property
    def categories(self) -> list[str]:
        """Those of our own texts: other hands draw other lines between categories."""
        return sorted({one.category for one in self.texts if one.concern and _is_own(one)})

    @cached_property
    def numbers(self) -> np.ndarray:
        """The category of each text, -1 where it is not known."""
        known = {name: place for place, name in enumerate(self.categories)}
        named = (one.category if one.concern and _is_own(one) else "" for one in self.texts)
        return np.array([known.get(name, -1) for name in named])

    def train(
        self, rows: np.ndarray, epochs: int, seed: int = 0
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The wide coefficients and the deep weights from these rows of the labelled texts."""
        concern = self.concern[rows]
        coefficients = wide.train(self.counted[rows], concern, np.ones(len(rows)))
        teacher = Teacher(self.vectors[rows], concern)
        taught = 1 / (1 + np.exp(-teacher.answer(self.spliced.vectors)))
        more = len(taught)
        grave = np.array([one.grave for one in self.texts], np.float32)
        labels = deep.Labels(
            concern=np.concatenate([concern, taught]).astype(np.float32),
            grave=np.concatenate([grave[rows], np.zeros(more, np.float32)]),
            category=np.concatenate([self.numbers[rows], np.full(more, -1)]),
            told=np.concatenate([np.ones(len(rows)), np.zeros(more)]).astype(np.float32),
        )
        those = [self.cut[row] for row in rows] + self.cut[len(self.texts) :]
        weights = deep.train(those, labels, self.start, epochs=epochs, seed=seed)
        return coefficients, {name: np.asarray(part) for name, part in weights.items()}


def main() -> int:
    """Splice, or train, join and write."""
    options = _options()
    folders = [options.lines, *options.data]
    texts = [one for one in read(folders, besides=options.besides) if not one.held_out]
    print(f"{len(texts)} texts, {sum(one.concern for one in texts)} of them a concern")
    model = SentenceModel(options.teacher)
    if options.verb == "splice":
        those = [one.text for one in texts]
        splice.make(options.spliced, those, options.count, options.seed, model)
        return 0
    material = Material(texts, model, options.spliced)
    joint = Joint(*options.joint) if options.joint else _joint(material, options.epochs)
    print(f"joint: --joint {joint.wide:.4f} {joint.deep:.4f} {joint.bias:.4f}")
    coefficients, weights = material.train(np.arange(len(texts)), options.epochs)
    write(
        options.out,
        version=options.version,
        categories=material.categories,
        pieces=material.pieces,
        wide=coefficients,
        deep=weights,
        joint=joint,
    )
    print(f"{options.out}: {options.out.stat().st_size:,} bytes")
    return 0


def _joint(material: Material, epochs: int) -> Joint:
    """Fit the shares on what the models say of sources that they have not seen."""

    def answer(rows: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        coefficients, weights = material.train(rows, epochs)
        said = deep.read(weights, [material.cut[row] for row in asked])[:, 0]
        return wide.answer(coefficients, material.counted[asked]), said

    folds = _folds(material.texts)
    said = leave_out(folds, answer)
    left = np.array([bool(fold) for fold in folds])
    everyday = np.array(
        [not one.concern and one.source.startswith(EVERYDAY) for one in material.texts]
    )
    return join(said.at(left), material.concern[left], everyday[left])


def _folds(texts: list[Labelled]) -> list[str]:
    """Sources dealt to a few folds, kin together; our own texts are always trained on."""
    kin = {one.source: "" if _is_own(one) else one.source.partition("-")[0] for one in texts}
    dealt = {name: str(1 + n % FOLDS) for n, name in enumerate(sorted({*kin.values()} - {""}))}
    return [dealt.get(kin[one.source], "") for one in texts]


def _is_own(one: Labelled) -> bool:
    return one.source.startswith("own-")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("verb", choices=("splice", "train"))
    parser.add_argument("--lines", type=Path, default=Path("tests/data"), help="our own texts")
    parser.add_argument(
        "--data", type=Path, action="append", default=[], help="a folder of other texts"
    )
    parser.add_argument(
        "--besides", action="append", default=["evasion", "mhc_"], help="files to leave out"
    )
    parser.add_argument("--teacher", type=Path, required=True, help="a sentence model's folder")
    parser.add_argument(
        "--spliced", type=Path, default=Path("build/spliced"), help="where spliced texts are kept"
    )
    parser.add_argument("--count", type=int, default=60_000, help="texts to splice")
    parser.add_argument("--seed", type=int, default=0, help="of the splicing")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument(
        "--joint", type=float, nargs=3, help="shares and bias, instead of fitting them"
    )
    parser.add_argument("--out", type=Path, default=SHIPPED)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
