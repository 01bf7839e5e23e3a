import os
import resource
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.local import ChannelClosed, FrameRefused, LocalError, connect, listen
from agent.local.unix import session_of
from wire.local import StatusAsk, StatusReply

ROOT = Path(__file__).parents[3]


@pytest.fixture
def place(tmp_path):
    listener = listen(str(tmp_path / "s"))
    channels = []
    thread = threading.Thread(target=listener.serve, args=(channels.append,))
    thread.start()
    yield tmp_path / "s", channels, listener
    listener.close()
    thread.join(5)
    assert not thread.is_alive()
    for channel in channels:
        channel.close()


def until(ready):
    end = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_session_knows_whose_the_service_is(place):
    client = connect(str(place[0]))
    assert client.service == str(os.geteuid())
    client.close()


def test_whoever_does_not_read_loses_the_connection_and_not_our_time(place, monkeypatch):
    monkeypatch.setattr("agent.local.unix._SEND_TIMEOUT", 0.2)
    path, channels, _ = place
    client = connect(str(path))
    until(lambda: channels)
    began = time.monotonic()

    def send_for_ever():
        while True:
            channels[0].send(StatusReply(json="x" * 500_000))

    with pytest.raises(ChannelClosed, match="does not take"):
        send_for_ever()
    assert time.monotonic() - began < 2
    client.close()


def test_a_frame_of_a_policys_size_goes_down_and_none_of_that_size_comes_up(place):
    path, channels, _ = place
    client = connect(str(path))
    until(lambda: channels)
    big = StatusReply(json="x" * (1 << 20))
    got = []
    reader = threading.Thread(target=lambda: got.append(client.receive(10)))
    reader.start()
    channels[0].send(big)
    reader.join(10)
    assert got == [big]
    client.close()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        until(lambda: len(channels) == 2)
        sock.sendall(struct.pack(">I", (1 << 20) + 1))
        with pytest.raises(FrameRefused):
            channels[1].receive(5)


def test_a_frame_that_never_ends_is_waited_for_without_a_thread_of_others(place):
    path, channels, _ = place
    with socket.socket(socket.AF_UNIX) as slow:
        slow.connect(str(path))
        slow.sendall(struct.pack(">I", 1000) + b"x")
        until(lambda: channels)
        assert channels[0].receive(0.05) is None
        client = connect(str(path))
        client.send(StatusAsk())
        until(lambda: len(channels) == 2)
        assert channels[1].receive(5) == StatusAsk()
        client.close()
    with pytest.raises(ChannelClosed):
        channels[0].receive(5)


def test_closing_ends_a_wait(place):
    path, channels, _ = place
    client = connect(str(path))
    until(lambda: channels)
    ended = []

    def wait():
        try:
            client.receive(None)
        except ChannelClosed as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.05)
    client.close()
    thread.join(5)
    assert ended
    with pytest.raises(ChannelClosed):
        client.receive(0)


def test_out_of_file_descriptors_a_client_waits_and_the_service_goes_on(place):
    path, channels, _ = place
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # An `accept` that waits may hold its descriptor already: so one of the two may get in.
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        with socket.socket(socket.AF_UNIX) as probe:
            lowest_free = probe.fileno()
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
        try:
            first.connect(str(path))
            second.connect(str(path))
            time.sleep(0.3)
            came = len(channels)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        until(lambda: len(channels) == 2)
    assert came < 2


def test_out_of_threads_a_client_is_turned_away_and_the_service_goes_on(place, monkeypatch):
    path, channels, _ = place

    def none_left(_thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none_left)
        turned_away = connect(str(path))
        with pytest.raises(ChannelClosed):
            turned_away.receive(5)
    turned_away.close()
    client = connect(str(path))
    until(lambda: channels)
    client.close()


def test_what_is_not_a_socket_is_left_alone(tmp_path):
    (tmp_path / "s").write_text("mine")
    with pytest.raises(LocalError, match="not a socket"):
        listen(str(tmp_path / "s"))
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(LocalError, match="not a socket"):
        listen(str(tmp_path / "link"))
    assert (tmp_path / "s").read_text() == "mine"


def test_a_place_where_others_could_put_their_own_socket_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    with pytest.raises(LocalError, match="written by other accounts"):
        listen(str(tmp_path / "s"))
    tmp_path.chmod(0o1777)
    listen(str(tmp_path / "s")).close()


def test_a_place_that_is_not_there(tmp_path):
    with pytest.raises(LocalError, match="cannot look at"):
        listen(str(tmp_path / "no" / "s"))
    with pytest.raises(LocalError, match="no service"):
        connect(str(tmp_path / "s"))
    with pytest.raises(LocalError, match="too long"):
        connect(str(tmp_path / ("s" * 200)))
    with pytest.raises(LocalError, match="too long"):
        listen(str(tmp_path / ("s" * 200)))


def test_a_socket_put_in_our_place_is_not_removed_when_we_end(tmp_path):
    path = tmp_path / "s"
    listener = listen(str(path))
    path.unlink()
    path.write_text("another's")
    listener.close()
    assert path.read_text() == "another's"


def test_a_session_is_named_by_its_birth_where_no_audit_session_is():
    assert session_of(os.getpid())
    assert session_of(2**22 + 1) == ""


ORPHAN = """
import os, sys, time
if os.fork():
    time.sleep(0.2)
    os._exit(0)
print(os.getpid(), os.getsid(0), flush=True)
sys.stdin.read()
"""


def test_a_session_is_named_where_its_first_process_has_ended():
    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as leader:
        pid, session = map(int, leader.stdout.readline().split())
        assert leader.wait(10) == 0
        assert session == leader.pid
        assert session_of(pid) == str(session)
        leader.stdin.close()
