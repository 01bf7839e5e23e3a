"""The floor's server: an mTLS gRPC stream -> one durable commit -> server-sent events.

`python -m benchmarks.floor.server FOLDER` prints `uplink PORT` and `page PORT`, and
runs until it is killed. The events go out by hand-written HTTP/1.1 over TLS 1.3.
"""

import asyncio
import sqlite3
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import uvloop

from benchmarks.floor.certificates import Files

METHOD = "/floor.Floor/Session"
PAGE = b"""<!doctype html><meta charset="utf-8"><title>floor</title><ul id="alerts"></ul>
<script>
new EventSource("/live").onmessage = (event) => {
  const row = document.createElement("li");
  row.dataset.change = event.data;
  row.textContent = event.data;
  document.getElementById("alerts").prepend(row);
};
</script>"""


class Server:
    """One table and the browsers that listen."""

    def __init__(self, folder: Path) -> None:
        self._browsers: set[asyncio.StreamWriter] = set()
        self._db = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("CREATE TABLE event (number INTEGER PRIMARY KEY, body BLOB)")

    async def session(self, messages: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
        """Commit each message, tell the browsers, acknowledge it."""
        async for message in messages:
            number = self._db.execute("INSERT INTO event (body) VALUES (?)", (message,)).lastrowid
            line = b"data: %d\n\n" % number
            for browser in self._browsers:
                browser.write(b"%x\r\n%s\r\n" % (len(line), line))
            yield b"%d" % number

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve the page, or the stream."""
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            if not request.startswith(b"GET /live"):
                head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
                writer.write(head + b"Content-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE))
                await writer.drain()
                writer.close()
                return
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                b"Cache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            self._browsers.add(writer)
            await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._browsers.discard(writer)


async def serve(folder: Path) -> None:
    """Listen on two free ports, for ever."""
    files = Files.in_folder(folder)
    server = Server(folder)
    uplink = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handler = grpc.stream_stream_rpc_method_handler(server.session)
    uplink.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("floor.Floor", {"Session": handler}),)
    )
    credentials = grpc.ssl_server_credentials(
        [(files.server_key.read_bytes(), files.server.read_bytes())],
        root_certificates=files.authority.read_bytes(),
        require_client_auth=True,
    )
    port = uplink.add_secure_port("127.0.0.1:0", credentials)
    await uplink.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(files.server, files.server_key)
    page = await asyncio.start_server(server.answer, "127.0.0.1", 0, ssl=context)
    print("uplink", port, flush=True)
    print("page", page.sockets[0].getsockname()[1], flush=True)
    await uplink.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
