"""Frames, without a socket: bytes in whatever pieces they come, frames out.

A frame is a four-byte big-endian length, at least 1 and at most `limit`, and that
many bytes. A length outside those bounds is refused before a byte of it is kept.
"""

import struct
from collections.abc import Iterator

from agent.local.interface import MAX_FRAME, FrameRefused

_LENGTH = struct.Struct(">I")


def frame(body: bytes, *, limit: int = MAX_FRAME) -> bytes:
    """Put the length before a message's bytes.

    Raises:
        FrameRefused: empty, or longer than `limit`.
    """
    if not 0 < len(body) <= limit:
        raise FrameRefused(f"a frame of {len(body)} bytes; 1 to {limit} are carried")
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Collects the bytes of one connection into frames."""

    def __init__(self, *, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._kept = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take what came and give each frame that is now whole.

        Raises:
            FrameRefused: a length outside the bounds. The connection is lost then:
                where its next frame would begin is not known.
        """
        self._kept += piece
        while len(self._kept) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._kept)
            if not 0 < length <= self._limit:
                raise FrameRefused(
                    f"a frame of {length} bytes was announced; 1 to {self._limit} are taken"
                )
            end = _LENGTH.size + length
            if len(self._kept) < end:
                return
            body = bytes(self._kept[_LENGTH.size : end])
            del self._kept[:end]
            yield body

    @property
    def unfinished(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._kept)
