"""A link that went dead without a word: bytes go in, and nothing comes out."""

import contextlib
import socket
import threading
import time
from dataclasses import replace

import pytest

from agent.service import line
from agent.service.uplink import Timing
from tests.agent.service.conftest import Pc, found
from wire.local import Taken

PATIENCE = {
    "grpc.keepalive_time_ms": 3_000,
    "grpc.keepalive_timeout_ms": 1_000,
    "grpc.http2.ping_timeout_ms": 1_000,
}
PATIENT = Timing(beat=60.0, answer=60.0, scale=0.02)
QUICK = Timing(beat=60.0, answer=1.0, scale=0.02)


class Swallower:
    """A TCP relay that can swallow whatever comes, both ways, and stay open."""

    def __init__(self, port):
        self.swallows = False
        self._port = port
        self._open = []
        self._listener = socket.create_server(("localhost", 0))
        self.port = self._listener.getsockname()[1]
        self._thread(self._accept)

    def _thread(self, run, *arguments):
        threading.Thread(target=run, args=arguments, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("localhost", self._port))
                self._open += [near, far]
                self._thread(self._pump, near, far)
                self._thread(self._pump, far, near)

    def _pump(self, source, target):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if not self.swallows:
                    target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for one in (self._listener, *self._open):
            one.close()


@pytest.fixture
def relay(collector):
    made = Swallower(collector.port)
    yield made
    made.close()


def test_the_patience_that_ships_notices_within_forty_seconds():
    ships = dict(line._OPTIONS)
    assert set(PATIENCE) <= set(ships)
    noticed = ships["grpc.keepalive_time_ms"] + max(
        ships["grpc.keepalive_timeout_ms"], ships["grpc.http2.ping_timeout_ms"]
    )
    assert noticed < 40_000


@pytest.mark.parametrize("busy", [False, True])
def test_it_is_noticed_and_what_was_swallowed_is_sent_again(  # noqa: PLR0917  # five fixtures
    school, place, collector, relay, monkeypatch, busy
):
    options = tuple((name, PATIENCE.get(name, value)) for name, value in line._OPTIONS)
    monkeypatch.setattr(line, "_OPTIONS", options)
    school.enrol(place, port=relay.port)
    pc = Pc(place)
    pc.parts = replace(pc.parts, timing=QUICK if busy else PATIENT)
    pc.start()
    try:
        collector.wait(lambda c: c.beats)
        session = pc.session()
        session.hello()
        relay.swallows = True
        began = time.monotonic()
        one = found()
        if busy:
            assert isinstance(session.ask(one), Taken)
        pc.until(lambda said: said["uplink"]["phase"] != "flowing", 20)
        assert time.monotonic() - began < 8
        relay.swallows = False
        if not busy:
            assert isinstance(session.ask(one), Taken)
        session.close()
        collector.wait(lambda c: c.records, 30)
        pc.until(lambda said: said["spool"]["records"] == 0)
        assert [header.event for header in collector.headers()] == [one.event]
    finally:
        pc.stop()
