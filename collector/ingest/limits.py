"""What one device may ask of the collector."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every bound of ingest, with its unit."""

    message_bytes: int = 4 * 1024 * 1024
    """gRPC itself ends a stream that sends more at once."""
    details_bytes: int = 64 * 1024
    """Of a sealed details part."""
    picture_bytes: int = 1024 * 1024
    """Of a sealed picture; its pixels cannot be seen here, and are bounded where it is opened."""
    records_per_second: float = 500.0
    """Of one device, over time; a picture counts as one and one more per 16 KiB."""
    burst: float = 1000.0
    """Records that one device may send at once after a rest."""
    hello_seconds: float = 10.0
    """A stream that has said nothing by then is ended."""
    queued_records: int = 4096
    """Of all devices, waiting for the commit; beyond it streams are not read."""
    queued_bytes: int = 64 * 1024 * 1024
    batch_records: int = 500
    """At most in one transaction."""
    batch_bytes: int = 8 * 1024 * 1024
    unread_answers: int = 256
    """A device that does not read its answers is cut off beyond this number."""


class Bucket:
    """A token bucket: so many a second, and some at once after a rest."""

    __slots__ = ("_at", "_most", "_per_second", "_tokens")

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        """Start full. `now` and the others are seconds of a monotonic clock."""
        self._per_second = per_second
        self._most = burst
        self._tokens = burst
        self._at = now

    def take(self, cost: float, now: float) -> float:
        """Take tokens, going into debt if need be; give the seconds to wait until it is paid."""
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._per_second) - cost
        self._at = now
        return max(0.0, -self._tokens / self._per_second)
