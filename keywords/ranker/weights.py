"""The ranker's weights: one file of arrays, mapped and never copied (`keywords.arrayfile`).

Its header has `version` (raised with every training), `categories`, `shape` (names to whole
numbers) and `scale` (names to what one unit of an array is worth). `training/` makes it.
"""

from pathlib import Path
from typing import Final

from keywords.arrayfile import ArrayFile, ArrayFileError

MAGIC: Final = b"RSRANK1\n"
MOST_BYTES: Final = 4 * 2**20
SHIPPED: Final = Path(__file__).parent / "weights.bin"
SHAPE: Final = frozenset({"detectors", "hidden"})
SCALE: Final = frozenset(
    {"bias", "deep_share", "detector", "mean", "nothing", "wide", "wide_length", "wide_share"}
)
"""What the model needs of `shape` and `scale`."""


class WeightsError(Exception):
    """A weights file that cannot be used, and what mends it."""


class Weights:
    """A weights file that is mapped into memory."""

    def __init__(self, path: Path = SHIPPED) -> None:
        """Map the file.

        Raises:
            WeightsError: it is not there, not whole, or of another layout.
        """
        try:
            self._file = ArrayFile(path, MAGIC)
            header = self._file.header
            self.version = int(header["version"])
            self.categories: tuple[str, ...] = tuple(header["categories"])
            self.shape: dict[str, int] = dict(header["shape"])
            self.scale: dict[str, float] = dict(header["scale"])
        except (ArrayFileError, KeyError, TypeError, ValueError) as error:
            raise WeightsError(f"{path}: {error}; install the package anew") from error
        lacking = sorted((SHAPE - self.shape.keys()) | (SCALE - self.scale.keys()))
        if lacking or not self.categories:
            names = ", ".join(lacking) or "categories"
            raise WeightsError(f"{path}: its header lacks {names}; install the package anew")

    def array(self, name: str) -> memoryview:
        """One of the arrays, not copied.

        Raises:
            WeightsError: the file does not hold it.
        """
        try:
            return self._file.array(name)
        except ArrayFileError as error:
            raise WeightsError(f"weights: {error}; install the package anew") from error
