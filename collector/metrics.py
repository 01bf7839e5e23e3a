"""Figures for Prometheus: what the collector does, and never about whom.

No label names a person, a pseudonym, a device or a room; the labels' values are fixed
lists of codes. Counters are raised where the thing happens; gauges that the database
knows are read when someone asks.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from collector.ingest.parts import Tally
from collector.store import schema

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
DEVICE_STATES: Final = ("pending", "active", "denied")


class _Ingested(Collector):
    """The uplink's own count, as Prometheus reads it."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        tally = self._tally
        for name, words, value in (
            ("redshank_records_stored", "Records made durable.", tally.stored),
            ("redshank_records_again", "Records that were durable already.", tally.again),
            ("redshank_heartbeats", "Heartbeats taken.", tally.heartbeats),
            ("redshank_integrity_warnings", "Integrity warnings raised.", tally.warnings),
            (
                "redshank_failed_commits",
                "Commits that did not become durable.",
                tally.failed_commits,
            ),
        ):
            yield CounterMetricFamily(name, words, value=value)
        refused = CounterMetricFamily(
            "redshank_refusals", "Messages refused, by reason.", labels=["reason"]
        )
        for reason, value in sorted(tally.refused.items()):
            refused.add_metric([reason], value)
        yield refused


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
        self.tally = Tally()
        """What the uplink counts for itself; read at each scrape."""
        registry.register(_Ingested(self.tally))
        self.streams = Gauge("redshank_streams", "Open streams of agents.", registry=registry)
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
