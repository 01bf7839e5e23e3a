"""What the collector is made of, as `collector.build` puts it together.

A room that needs several parts takes `Parts`; one that needs two takes those two.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collector.school import School
from collector.settings import Settings
from wire.clock import Clock

if TYPE_CHECKING:  # the rooms may name Parts, so Parts must not load the rooms
    from collector.audit import Audit
    from collector.ca import CertificateAuthority
    from collector.devices import DeviceBook
    from collector.feed import Feed
    from collector.metrics import Metrics
    from collector.policy import Policies
    from collector.store import Store
    from collector.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that a running collector holds, each made once."""

    settings: Settings
    school: School
    clock: Clock
    store: "Store"
    feed: "Feed"
    devices: "DeviceBook"
    policies: "Policies"
    ca: "CertificateAuthority"
    vault: "Vault"
    audit: "Audit"
    metrics: "Metrics"
    pseudonym_key: bytes = field(repr=False)
    """32 bytes; lies in the secrets directory, never in the database."""
