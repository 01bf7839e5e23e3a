"""Find frames in a spool whose own structure is broken.

Each frame is the last column of a row `(n INTEGER PRIMARY KEY, frame BLOB)`, so that
the place of its bytes in the file follows from its length alone: the first part lies
in the row's leaf page, the rest in a chain of overflow pages.
Source: "Database File Format", sqlite.org/fileformat2.html, sections 1.6 and 2.1.
"""

import contextlib
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from agent.service.spool_frame import MAGIC, OVERHEAD, Frame, FrameDamaged, decode, length_at

PAGE = 4096
_POINTER = struct.Struct(">I")
_MAX_LOCAL = PAGE - 35
_MIN_LOCAL = (PAGE - 12) * 32 // 255 - 23


def carve(path: Path) -> Iterator[Frame]:
    """Give every frame of the file that is whole, old copies in free pages included."""
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
        at = image.find(MAGIC)
        while at >= 0:
            with contextlib.suppress(FrameDamaged):
                yield decode(_bytes_at(image, at))
            at = image.find(MAGIC, at + 1)


def _bytes_at(image: mmap.mmap, at: int) -> bytes:
    length = length_at(image[at : at + OVERHEAD])
    local = _local(length)
    parts = [image[at : at + min(local, length)]]
    left = length - local
    end = at + local
    if left > 0 and end + 4 > len(image):
        raise FrameDamaged("cut at the end of the file")
    page = _POINTER.unpack(image[end : end + 4])[0] if left > 0 else 0
    while left > 0:
        start = (page - 1) * PAGE
        if page < 1 or start + PAGE > len(image):
            raise FrameDamaged("its chain of pages leads out of the file")
        take = min(left, PAGE - 4)
        parts.append(image[start + 4 : start + 4 + take])
        left -= take
        page = _POINTER.unpack(image[start : start + 4])[0]
    return b"".join(parts)


def _local(length: int) -> int:
    """How many of a blob's bytes lie in the row's own page."""
    serial = 12 + 2 * length
    head = 2 + (serial.bit_length() + 6) // 7
    payload = head + length
    if payload <= _MAX_LOCAL:
        return length
    kept = _MIN_LOCAL + (payload - _MIN_LOCAL) % (PAGE - 4)
    return (kept if kept <= _MAX_LOCAL else _MIN_LOCAL) - head
