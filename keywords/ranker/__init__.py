"""A small learned model of what concerns read like. Standard library only, no effects.

A text is **read** as plain words (`reading`), and **ranked** (`model`) with the **weights**
that `training/` made (`weights`).
"""

from keywords.ranker.model import Ranker
from keywords.ranker.weights import Weights, WeightsError

__all__ = ["Ranker", "Weights", "WeightsError"]
