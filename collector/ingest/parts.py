"""What ingest is made of, as the one place that builds the collector gives it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from collector.devices import Device, DeviceBook
from collector.feed import Feed
from collector.ingest.limits import Limits
from collector.priority import Rules
from collector.store import Store
from wire.clock import Clock
from wire.event import SignedPolicy


@dataclass(slots=True)
class Tally:
    """What ingest counted since it started, for the metrics."""

    stored: int = 0
    again: int = 0
    warnings: int = 0
    failed_commits: int = 0
    heartbeats: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By the reason's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkParts:
    """Everything that the uplink needs of the rest of the collector."""

    school: str
    clock: Clock
    store: Store
    feed: Feed
    devices: DeviceBook
    pseudonym_key: bytes = field(repr=False)
    policy: Callable[[], SignedPolicy | None]
    """The policy in force, as it is sent."""
    policy_version: Callable[[], int]
    renew: Callable[[Device, bytes], tuple[bytes, ...]]
    """A newer chain (DER) for a device's request (DER); raises `CollectorError` in words."""
    version: str
    """The collector's own, as the welcome says it."""
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    tally: Tally = field(default_factory=Tally)
