"""Flat arrays in one file that is mapped and never copied: weights, and packs made ready.

Layout: eight bytes of magic; the header's length, four bytes little-endian; the header, JSON
with `arrays` (names to [type code of `struct`, offset, count]) and whatever its kind needs; then
each array at its offset, counted from the file's start, little-endian, 8-aligned.

Invariant: a file is written whole and then only read; one that is not whole is refused.
"""

import json
import mmap
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

_LENGTH: Final = 4
_ALIGNED: Final = 8


class ArrayFileError(Exception):
    """A file of arrays that cannot be used, and why."""


def lay_out(
    magic: bytes, header: Mapping[str, Any], arrays: Mapping[str, tuple[str, bytes]]
) -> bytes:
    """The bytes of a file; each array is its type code and its own bytes."""
    places: dict[str, list[Any]] = {}
    room = len(magic) + _LENGTH + len(_text(header, arrays, {})) + 32 * len(arrays)
    at = start = _up(room)
    for name, (code, raw) in arrays.items():
        places[name] = [code, at, len(raw) // struct.calcsize(code)]
        at += _up(len(raw))
    text = _text(header, arrays, places)
    whole = bytearray(at)
    head = magic + len(text).to_bytes(_LENGTH, "little") + text
    if len(head) > start:
        raise ArrayFileError("the header has no room")
    whole[: len(head)] = head
    for name, (_, raw) in arrays.items():
        place = places[name][1]
        whole[place : place + len(raw)] = raw
    return bytes(whole)


def _text(
    header: Mapping[str, Any], arrays: Mapping[str, object], places: Mapping[str, list[Any]]
) -> bytes:
    return json.dumps(
        {**header, "arrays": {name: places.get(name, []) for name in arrays}}
    ).encode()


def _up(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED


def mapped(path: Path) -> memoryview:
    """A file's bytes, not copied.

    Raises:
        ArrayFileError: it is not there, cannot be read, or is empty.
    """
    try:
        with path.open("rb") as file:
            return mapped_open(file)
    except OSError as error:
        raise ArrayFileError(f"{path}: {error}") from error


def mapped_open(file: BinaryIO) -> memoryview:
    """An open file's bytes, not copied.

    Raises:
        ArrayFileError: it cannot be mapped, or is empty.
    """
    try:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise ArrayFileError(f"{file.name}: {error}") from error


class ArrayFile:
    """A file of arrays, mapped."""

    def __init__(self, source: Path | memoryview, magic: bytes) -> None:
        """Map the file, or take it as it was mapped.

        Raises:
            ArrayFileError: it is not there, not whole, or of another kind.
        """
        path = source if isinstance(source, Path) else "it"
        if sys.byteorder != "little":
            raise ArrayFileError(f"{path}: is little-endian; this machine is not")
        self._view = source if isinstance(source, memoryview) else mapped(source)
        start = len(magic) + _LENGTH
        length = int.from_bytes(self._view[len(magic) : start], "little")
        if self._view[: len(magic)] != magic or start + length > len(self._view):
            raise ArrayFileError(f"{path}: is no such file of this release, or is cut")
        try:
            self.header: dict[str, Any] = json.loads(bytes(self._view[start : start + length]))
            self._places: dict[str, list[Any]] = self.header["arrays"]
            for name in self._places:
                self.array(name)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ArrayFileError(f"{path}: its header is not whole: {error}") from error

    def array(self, name: str) -> memoryview:
        """One of the arrays, not copied.

        Raises:
            ArrayFileError: the file does not hold it whole.
        """
        try:
            code, offset, count = self._places[name]
            size = memoryview(b"").cast(code).itemsize * count
            is_whole = 0 <= offset <= offset + size <= len(self._view)
            part = self._view[offset : offset + size].cast(code)
        except (KeyError, ValueError, TypeError) as error:
            raise ArrayFileError(f"an array is missing or cut: {error}") from error
        if not is_whole:
            raise ArrayFileError(f"an array is cut: {name} reaches beyond the end")
        return part
