"""Event ids (UUIDv7, RFC 9562) and the form of school and device ids.

Layout of an event id, 16 bytes: 48 bits of milliseconds since 1970, the version
(7), 12 bits of the millisecond's fraction (RFC 9562, section 6.2, method 3), the
variant (binary 10), 62 random bits from the operating system. So ids of one PC sort by time even within a
millisecond. Nothing relies on it: order is the lane's sequence, since clocks jump.

`uuid` and `secrets` would load OpenSSL into every session process.
"""

import os
import re

from wire.clock import Clock

EVENT_SIZE = 16
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""What a school's or a device's id looks like: it travels in a certificate's URN."""

_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MILLISECONDS = (1 << 48) - 1


def new_event(clock: Clock) -> bytes:
    """An id for an event that happens now, 16 bytes."""
    milliseconds, microseconds = divmod(max(clock.now(), 0), 1000)
    fraction = (microseconds << 12) // 1000
    number = (milliseconds & _MILLISECONDS) << 80
    random = int.from_bytes(os.urandom(8), "big") >> 2
    number |= 0x7 << 76 | fraction << 64 | 0b10 << 62 | random
    return number.to_bytes(EVENT_SIZE, "big")


def event_text(event: bytes) -> str:
    """The id as people and logs see it. Raises ValueError unless it has 16 bytes."""
    if len(event) != EVENT_SIZE:
        raise ValueError(f"an event id has {EVENT_SIZE} bytes, not {len(event)}")
    digits = event.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def event_bytes(text: str) -> bytes:
    """The id from its canonical text. Raises ValueError for any other spelling."""
    if _TEXT.fullmatch(text) is None:
        raise ValueError("an event id is a UUID, as 8-4-4-4-12 hexadecimal digits")
    return bytes.fromhex(text.replace("-", ""))
