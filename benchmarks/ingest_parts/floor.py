"""The barest program that does the same work: mTLS stream, durable commit, receipt, line.

One process, one loop, one writer's thread; plain sqlite3 with `executemany`. A stream's
messages are numbered as they come; the receipt is that number as eight bytes. With
`--verify` it also does what no honest program leaves out: the device's signature and
the sealed part's digest.
"""

import asyncio
import gc
import hashlib
import json
import sqlite3
import sys
import time
from pathlib import Path

from wire.tls import require_tls13

require_tls13()

import grpc  # noqa: E402
import uvloop  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from grpc import aio  # noqa: E402

from benchmarks.ingest_parts import school  # noqa: E402
from benchmarks.ingest_parts.lines import serve_lines  # noqa: E402
from wire.sign import HEADER_DOMAIN  # noqa: E402
from wire.v1 import uplink_pb2 as pb  # noqa: E402

_WAITING = 4096
_ECDSA = ec.ECDSA(hashes.SHA256())


class Floor:
    """What came, what is durable, who listens."""

    def __init__(self, path: Path, *, verify: bool) -> None:
        """Open the file."""
        self.verify = verify
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.execute("PRAGMA wal_autocheckpoint=2000")
        self.db.execute("CREATE TABLE events (stream INTEGER, number INTEGER, body BLOB)")
        self.queue: list = []
        self.something = asyncio.Event()
        self.room = asyncio.Event()
        self.room.set()
        self.listeners: set = set()
        self.owed: dict = {}
        self.tasks: set = set()
        self.streams = 0

    def commit(self, batch: list) -> int:
        """Make a batch durable; when it was."""
        self.db.execute("BEGIN IMMEDIATE")
        rows = ((stream, number, body) for _, stream, number, body in batch)
        self.db.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
        self.db.execute("COMMIT")
        return time.monotonic_ns()

    async def work(self) -> None:
        """Commit whatever queued during the last commit; then receipt it."""
        loop = asyncio.get_running_loop()
        while True:
            await self.something.wait()
            self.something.clear()
            batch, self.queue = self.queue, []
            if not batch:
                continue
            self.room.set()
            at = await loop.run_in_executor(None, self.commit, batch)
            last = {context: number for context, _, number, _ in batch}
            for context, number in last.items():
                if context not in self.owed:
                    task = asyncio.ensure_future(self.receipt(context))
                    self.tasks.add(task)
                    task.add_done_callback(self.tasks.discard)
                self.owed[context] = number
            if self.listeners:
                line = b"".join(
                    b"id: %d\nevent: alert\ndata: %d\n\n" % (number, at)
                    for _, _, number, _ in batch
                )
                for listener in self.listeners:
                    listener.put_nowait(line)

    async def receipt(self, context: aio.ServicerContext) -> None:
        """Write one stream's newest number until it is written: one write at a time."""
        written = 0
        while (number := self.owed[context]) != written:
            written = number
            await context.write(number.to_bytes(8, "big"))
        del self.owed[context]

    async def session(self, _: object, context: aio.ServicerContext) -> None:
        """One device's stream."""
        self.streams += 1
        stream, number = self.streams, 0
        key = None
        if self.verify:
            leaf = context.auth_context()["x509_pem_cert"][0]
            key = x509.load_pem_x509_certificate(leaf).public_key()
        while (body := await context.read()) is not aio.EOF:
            number += 1
            if key is not None:
                verify(key, body)
            self.queue.append((context, stream, number, body))
            self.something.set()
            if len(self.queue) >= _WAITING:
                self.room.clear()
                await self.room.wait()

    async def lines(self):  # noqa: ANN201
        """One browser's stream."""
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self.listeners.discard(queue)


def verify(key: ec.EllipticCurvePublicKey, body: bytes) -> None:
    """Refuse what the device did not sign, or what was sealed otherwise."""
    message = pb.AgentMessage.FromString(body)
    envelope = message.picture if message.HasField("picture") else message.envelope
    key.verify(envelope.signature, HEADER_DOMAIN + envelope.header, _ECDSA)
    part = pb.Header.FromString(envelope.header).part
    if hashlib.sha256(envelope.sealed).digest() != part.sealed_digest:
        raise ValueError("altered")


async def main(directory: Path, data: Path) -> None:
    """Serve until standard input closes."""
    known = school.read(directory)
    floor = Floor(data / "floor.db", verify="--verify" in sys.argv)
    server = aio.server(options=(("grpc.so_reuseport", 0),))
    handler = grpc.stream_stream_rpc_method_handler(floor.session)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("redshank.v1.Uplink", {"Session": handler}),)
    )
    credentials = grpc.ssl_server_credentials(
        [(known["server_key"].encode(), (known["server"] + known["issuer"]).encode())],
        root_certificates=(known["root"] + known["issuer"]).encode(),
        require_client_auth=True,
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    working = asyncio.ensure_future(floor.work())
    lines, lines_port = await serve_lines(floor.lines, directory)
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)  # as ours does
    print(json.dumps({"port": port, "lines": lines_port}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    working.cancel()
    lines.should_exit = True
    await server.stop(0)


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
