"""Join the two models: train both with each source left out, and fit their shares on the rest.

A source's label is often half its style, so a model that has seen the source knows too much;
only what it says of sources that it has not seen tells how far it may be trusted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from training.export import Joint

FALSE_ALARMS = 0.01


@dataclass(frozen=True)
class LeftOut:
    """What both models say of texts whose source they have not seen."""

    wide: np.ndarray
    deep: np.ndarray

    def at(self, chosen: np.ndarray) -> "LeftOut":
        """Of the chosen texts alone."""
        return LeftOut(self.wide[chosen], self.deep[chosen])


def leave_out(
    folds: Sequence[str],
    answer: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> LeftOut:
    """Have `answer` train on the first rows and read the second, for each fold; "" is none."""
    names = np.asarray(folds)
    said = LeftOut(np.zeros(len(names)), np.zeros(len(names)))
    for name in sorted(set(folds) - {""}):
        here = np.flatnonzero(names == name)
        said.wide[here], said.deep[here] = answer(np.flatnonzero(names != name), here)
        print(f"left out {name}: {len(here)} texts")
    return said


def join(said: LeftOut, concern: np.ndarray, everyday: np.ndarray) -> Joint:
    """The shares, and a bias by which one in a hundred everyday texts lies above zero."""
    both = np.stack([said.wide, said.deep], 1)
    fitted = LogisticRegression(class_weight="balanced").fit(both, concern)
    wide, deep = (float(share) for share in fitted.coef_[0])
    logits = both @ fitted.coef_[0]
    above = np.sort(logits[everyday])[::-1][int(FALSE_ALARMS * everyday.sum())]
    return Joint(wide, deep, -float(above))
