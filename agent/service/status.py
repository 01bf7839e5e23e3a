"""How this PC stands, as `status` prints it. No captured text, no account's name."""

import json
from collections.abc import Callable
from typing import Any

from agent import VERSION
from agent.service.identity import Identity
from agent.service.policy import PolicyKeeper
from agent.service.roll import Roll
from agent.service.spool import Spool
from agent.service.uplink import Report
from wire.clock import Clock
from wire.event import LaneHead


def status_json(
    *,
    identity: Identity,
    spool: Spool,
    policy: PolicyKeeper,
    roll: Roll,
    report: Callable[[], Report],
    clock: Clock,
) -> str:
    """All of it as JSON."""
    uplink = report()
    written, receipted = spool.heads()
    depth = spool.depth()
    kept = spool.state()
    said: dict[str, Any] = {
        "version": VERSION,
        "now": clock.now(),
        "school": identity.school,
        "device": identity.device,
        "server": identity.uplink,
        "certificate": {"begins": identity.begins, "ends": identity.ends},
        "uplink": {
            "phase": uplink.phase,
            "cause": uplink.cause,
            "words": uplink.words,
            "since": uplink.since,
            "collector_version": uplink.collector_version,
            "clock_offset_us": uplink.clock_offset,
        },
        "policy": {"version": policy.version, "problem": policy.problem},
        "book": {
            "ready": policy.in_force is not None and policy.in_force.settings is not None,
            "problem": policy.shelf.problem,
            "refused": list(roll.books_refused()),
        },
        "spool": {
            "records": depth.records,
            "bytes": depth.bytes,
            "quarantined": depth.quarantined,
            "problem": spool.problem,
            "notes": list(kept.notes),
        },
        "lanes": {
            head.lane.name.lower(): {"written": _head(head), "receipted": _head(last)}
            for head, last in zip(written, receipted, strict=True)
        },
        "heartbeat": kept.heartbeat,
        "gaps": [
            {
                "reason": gap.reason.name.lower(),
                "started_at": gap.started_at,
                "ended_at": gap.ended_at,
                "dropped": gap.dropped,
            }
            for _, gap in kept.gaps
        ],
        "sessions": [
            {
                "hook_alive": one.hook_alive,
                "blind": one.blind.name.lower() if one.blind else "",
            }
            for one in roll.signed_in()
        ],
    }
    return json.dumps(said, separators=(",", ":"))


def _head(head: LaneHead) -> dict[str, Any]:
    return {"epoch": head.epoch.hex(), "sequence": head.sequence, "hash": head.hash.hex()}
