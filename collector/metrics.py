"""Figures for Prometheus: what the collector does, and never about whom.

No label names a person, a pseudonym, a device or a room; the labels' values are fixed
lists of codes. Counters are raised where the thing happens; gauges that the database
knows are read when someone asks.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import Connection, func, select

from collector.store import schema

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
DEVICE_STATES: Final = ("pending", "active", "denied")
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclass(frozen=True, slots=True)
class Counts:
    """What the database can count in one look."""

    devices: Mapping[str, int]
    """By state."""
    alerts: Mapping[int, int]
    """Open ones by priority, drills left out."""


class Metrics:
    """All figures, in a registry of their own, so that nothing else slips in."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.envelopes = Counter(
            "redshank_envelopes", "Envelopes made durable.", ["kind"], registry=registry
        )
        self.refusals = Counter(
            "redshank_refusals", "Messages refused, by reason.", ["reason"], registry=registry
        )
        self.warnings = Counter(
            "redshank_integrity_warnings",
            "Integrity warnings, by kind.",
            ["kind"],
            registry=registry,
        )
        self.streams = Gauge("redshank_streams", "Open streams of agents.", registry=registry)
        self.commit_seconds = Histogram(
            "redshank_commit_seconds",
            "From an envelope's arrival to its durable commit.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.enrolments = Counter(
            "redshank_enrolments",
            "Enrolments and renewals, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.devices = Gauge("redshank_devices", "Devices, by state.", ["state"], registry=registry)
        self.alerts = Gauge(
            "redshank_open_alerts",
            "Alerts not yet dealt with, by priority.",
            ["priority"],
            registry=registry,
        )
        self.policy_version = Gauge(
            "redshank_policy_version", "Version of the policy in force.", registry=registry
        )
        self.certificate_seconds = Gauge(
            "redshank_certificate_seconds_left",
            "Seconds until a certificate runs out.",
            ["certificate"],
            registry=registry,
        )
        self.disk_free = Gauge(
            "redshank_disk_free_bytes", "Free bytes where the data lies.", registry=registry
        )

    def note_counts(self, counts: Counts, data: Path) -> None:
        """Set the gauges that the database and the disk know."""
        for state in DEVICE_STATES:
            self.devices.labels(state).set(counts.devices.get(state, 0))
        for priority in range(1, 5):
            self.alerts.labels(f"P{priority}").set(counts.alerts.get(priority, 0))
        self.disk_free.set(shutil.disk_usage(data).free)

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)


def count(conn: Connection, school: str) -> Counts:
    """Devices by state, and open alerts by priority."""
    devices, alerts = schema.devices, schema.alerts
    by_state = conn.execute(
        select(devices.c.state, func.count())
        .where(devices.c.school == school)
        .group_by(devices.c.state)
    )
    by_priority = conn.execute(
        select(alerts.c.priority, func.count())
        .where(alerts.c.school == school, alerts.c.state == "open", ~alerts.c.drill)
        .group_by(alerts.c.priority)
    )
    return Counts({row[0]: row[1] for row in by_state}, {row[0]: row[1] for row in by_priority})
