"""The floor's agent: an X RECORD callback -> one message on an mTLS gRPC stream.

`python -m benchmarks.floor.agent FOLDER PORT` prints `ready`, and sends 1 kB for each
press of the space bar until it is killed: no matcher is faster than one comparison.
"""

import contextlib
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from Xlib import XK, X, display
from Xlib.ext import record
from Xlib.protocol import rq

from benchmarks.floor.certificates import Files
from benchmarks.floor.server import METHOD

BODY = bytes(1000)


def connect(folder: Path, port: int) -> "queue.SimpleQueue[bytes]":
    """A queue whose messages go up the stream."""
    files = Files.in_folder(folder)
    credentials = grpc.ssl_channel_credentials(
        files.authority.read_bytes(), files.client_key.read_bytes(), files.client.read_bytes()
    )
    channel = grpc.secure_channel(f"localhost:{port}", credentials)
    grpc.channel_ready_future(channel).result(timeout=10)
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def messages() -> Iterator[bytes]:
        while True:
            yield waiting.get()

    answers = channel.stream_stream(METHOD)(messages())

    def listen_to_answers() -> None:
        with contextlib.suppress(grpc.RpcError):  # the server was ended first
            list(answers)

    threading.Thread(target=listen_to_answers, daemon=True).start()
    return waiting


def listen(waiting: "queue.SimpleQueue[bytes]") -> None:
    """Send for each press of the space bar, for ever."""
    screen = display.Display()
    space = screen.keysym_to_keycode(XK.string_to_keysym("space"))
    field = rq.EventField(None)

    def pressed(reply: Any) -> None:
        data = reply.data
        while len(data):
            event, data = field.parse_binary_value(data, screen.display, None, None)
            if event.type == X.KeyPress and event.detail == space:
                waiting.put(BODY)

    nothing = (0, 0)
    kinds = {
        "core_requests": nothing,
        "core_replies": nothing,
        "ext_requests": (0, 0, 0, 0),
        "ext_replies": (0, 0, 0, 0),
        "delivered_events": nothing,
        "device_events": (X.KeyPress, X.KeyPress),
        "errors": nothing,
        "client_started": False,
        "client_died": False,
    }
    context = screen.record_create_context(0, [record.AllClients], [kinds])
    print("ready", flush=True)
    screen.record_enable_context(context, pressed)


if __name__ == "__main__":
    listen(connect(Path(sys.argv[1]), int(sys.argv[2])))
