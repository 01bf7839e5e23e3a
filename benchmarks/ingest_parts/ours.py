"""The collector's own store, ingest and feed, put together as it does, with nothing else."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import uvloop
from cryptography.hazmat.primitives import serialization
from sqlalchemy import insert

from benchmarks.ingest_parts import school
from benchmarks.ingest_parts.lines import serve_lines
from collector.alerts import changed_since
from collector.devices import Device, DeviceBook, DeviceState, insert_device
from collector.feed import Feed
from collector.ingest.limits import Limits
from collector.ingest.parts import UplinkParts
from collector.ingest.record import Recorded
from collector.ingest.server import serve_uplink, uplink_credentials
from collector.process import settle_memory
from collector.store import Store, schema
from collector.store.files import Files
from collector.store.writer import FileWriter
from wire import certs, seal
from wire.clock import SystemClock
from wire.event import Purpose

committed: dict[int, int] = {}


class Timed(FileWriter):
    """Notes when each change became durable."""

    def commit(self, jobs):  # noqa: ANN001, ANN201
        """Commit, then look at the clock."""
        outcomes = super().commit(jobs)
        at = time.monotonic_ns()
        for outcome in outcomes:
            if isinstance(outcome.value, Recorded):
                committed.update((row.change, at) for row in outcome.value.alerts)
        return outcomes


async def main(directory: Path, data: Path) -> None:
    """Serve until standard input closes."""
    known = school.read(directory)
    files = Files.open(data)
    files.main.close()
    store = Store(replace(files, main=Timed(files.main.path, files.main.options)))
    evidence = bytes.fromhex(known["evidence"])

    def fill(conn) -> None:  # noqa: ANN001
        conn.execute(
            insert(schema.schools).values(
                school=school.SCHOOL, name="", created_at=0, root_certificate=b""
            )
        )
        conn.execute(
            insert(schema.school_keys).values(
                school=school.SCHOOL,
                key_id=seal.key_id(evidence),
                purpose=int(Purpose.EVIDENCE),
                epoch=1,
                statement=b"",
                signature=b"",
            )
        )
        for device in known["devices"]:
            leaf = certs.read_certificate(device["certificate"])
            insert_device(
                conn,
                school=school.SCHOOL,
                device=Device(
                    device=device["device"],
                    name="pc",
                    room="R1",
                    state=DeviceState.ACTIVE,
                    public_key=_spki(leaf),
                    certificate=certs.der(leaf),
                    enrolled_at=0,
                ),
            )

    await store.write(fill)
    book = DeviceBook(store, school.SCHOOL)
    await book.load()
    feed = Feed(
        lambda row: b"id: %d\nevent: alert\ndata: %d\n\n" % (row.change, committed.pop(row.change)),
        lambda since: store.read(lambda conn: changed_since(conn, school.SCHOOL, since)),
    )
    parts = UplinkParts(
        school=school.SCHOOL,
        clock=SystemClock(),
        store=store,
        feed=feed,
        devices=book,
        pseudonym_key=bytes(32),
        policy=lambda: None,
        policy_version=lambda: 0,
        renew=lambda _, __: (),
        version="0",
        # One device of the load stands for many, so its own bound is out of the way.
        limits=Limits(records_per_second=1e6, burst=1e6),
    )
    credentials = uplink_credentials(
        key_pem=known["server_key"].encode(),
        chain_pem=(known["server"] + known["issuer"]).encode(),
        trusted_pem=(known["root"] + known["issuer"]).encode(),
    )
    uplink = await serve_uplink(parts, credentials, "127.0.0.1:0")

    async def lines() -> AsyncIterator[bytes]:
        with feed.subscribe() as subscription:
            async for _, piece in subscription:
                yield piece

    served, lines_port = await serve_lines(lines, directory)
    settle_memory()
    print(json.dumps({"port": uplink.port, "lines": lines_port}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    feed.close()
    served.should_exit = True
    await uplink.stop()
    store.close()


def _spki(leaf) -> bytes:  # noqa: ANN001
    return leaf.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
