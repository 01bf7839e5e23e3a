"""The ranker's weights: one file, mapped and never copied.

Layout: `MAGIC`; the length of the header, four bytes little-endian; the header, JSON; then
each array at the offset that the header gives, counted from the file's start, little-endian,
8-aligned. The header: `version` (raised with every training), `categories`, `shape` (names to
whole numbers), `scale` (names to what one unit of an array is worth), `arrays` (names to
[type code of `struct`, offset, count]).

Invariant: the file is read only and made by `training/`; a file that is not whole is refused.
"""

import json
import mmap
import sys
from pathlib import Path
from typing import Any, Final

MAGIC: Final = b"RSRANK1\n"
MOST_BYTES: Final = 4 * 2**20
SHIPPED: Final = Path(__file__).parent / "weights.bin"


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
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise WeightsError(f"{path}: {error}; install the package anew") from error
        header = self._header(path)
        self.version: int = header["version"]
        self.categories: tuple[str, ...] = tuple(header["categories"])
        self.shape: dict[str, int] = header["shape"]
        self.scale: dict[str, float] = header["scale"]
        self._arrays: dict[str, list[Any]] = header["arrays"]
        self._view = memoryview(self._map)
        for name in self._arrays:
            self.array(name)

    def array(self, name: str) -> memoryview:
        """One of the arrays, not copied.

        Raises:
            WeightsError: the file does not hold it whole.
        """
        try:
            code, offset, count = self._arrays[name]
            size = memoryview(b"").cast(code).itemsize * count
            if offset + size > len(self._view):
                raise ValueError(f"{name} reaches beyond the end")
            return self._view[offset : offset + size].cast(code)
        except (KeyError, ValueError, TypeError) as error:
            raise WeightsError(f"weights: {error}; install the package anew") from error

    def _header(self, path: Path) -> dict[str, Any]:
        if sys.byteorder != "little":
            raise WeightsError("the ranker's weights are little-endian; this machine is not")
        start = len(MAGIC) + 4
        length = int.from_bytes(self._map[len(MAGIC) : start], "little")
        if self._map[: len(MAGIC)] != MAGIC or start + length > len(self._map):
            raise WeightsError(f"{path}: is no weights file of this release; install it anew")
        try:
            header = json.loads(self._map[start : start + length])
            needed = {"version", "categories", "shape", "scale", "arrays"}
            if not isinstance(header, dict) or not needed <= header.keys():
                raise ValueError("the header lacks a field")
        except ValueError as error:
            raise WeightsError(f"{path}: {error}; install the package anew") from error
        return header
