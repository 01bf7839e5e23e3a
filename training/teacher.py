"""The teacher: a hidden layer on a sentence model's vectors, trained on the labels.

It is too large for a PC (90 MB), and is asked only while the weights are made: of the labelled
texts, and of many that are spliced from them, so that the deep model learns its mind.
"""

import numpy as np
from sklearn.neural_network import MLPClassifier

SPREAD = 8.0
"""What unit vectors are multiplied by, so that their numbers are near one."""
SEEDS = 3
_EDGE = 1e-4


class Teacher:
    """Several small networks whose log-odds are averaged."""

    def __init__(self, vectors: np.ndarray, concern: np.ndarray) -> None:
        self._models = [
            MLPClassifier((128,), alpha=1e-3, early_stopping=True, max_iter=30, random_state=seed)
            for seed in range(SEEDS)
        ]
        for model in self._models:
            model.fit(vectors * SPREAD, concern)

    def answer(self, vectors: np.ndarray) -> np.ndarray:
        """The log-odds of a concern."""
        said = [model.predict_proba(vectors * SPREAD)[:, 1] for model in self._models]
        return np.mean([_logit(one) for one in said], 0)


def _logit(chance: np.ndarray) -> np.ndarray:
    kept = chance.clip(_EDGE, 1 - _EDGE)
    return np.log(kept / (1 - kept))
