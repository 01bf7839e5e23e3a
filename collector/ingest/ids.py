"""Ids that the collector itself gives, to alerts and warnings."""

import os

_MILLISECONDS = (1 << 48) - 1
_RANDOM = (1 << 62) - 1


def new_id(now: int) -> bytes:
    """Give a UUIDv7 (RFC 9562) of a time in microseconds since 1970."""
    noise = int.from_bytes(os.urandom(10), "big")
    number = (now // 1000 & _MILLISECONDS) << 80 | 0x7 << 76 | (noise >> 62 & 0xFFF) << 64
    return (number | 0b10 << 62 | noise & _RANDOM).to_bytes(16, "big")
