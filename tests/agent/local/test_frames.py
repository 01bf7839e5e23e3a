import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.local import ChannelClosed, FrameRefused, LocalError, connect, listen
from agent.local.frames import Frames, frame
from wire import ids
from wire.clock import SystemClock
from wire.event import Kind
from wire.local import CanaryAsk, StatusAsk, Taken

bodies = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


@given(bodies, st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_frames_come_out_as_they_went_in_however_they_are_cut(sent, cuts):
    stream = b"".join(map(frame, sent))
    frames, got, at, turn = Frames(), [], 0, 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        got += frames.feed(stream[at : at + step])
        at, turn = at + step, turn + 1
    assert got == sent
    assert not frames.unfinished


@given(st.binary(max_size=2000))
def test_any_bytes_are_frames_or_refused_and_never_kept_beyond_the_limit(raw):
    frames = Frames(limit=500)
    try:
        for body in frames.feed(raw):
            assert 0 < len(body) <= 500
    except FrameRefused:
        return
    assert len(frames._kept) < 504


@pytest.mark.parametrize("body", [b"", bytes(501)])
def test_what_is_not_a_frame_is_not_sent(body):
    with pytest.raises(FrameRefused):
        frame(body, limit=500)


@pytest.fixture
def pair(tmp_path):
    listener = listen(str(tmp_path / "s"))
    channels, came = [], threading.Event()

    def each(channel):
        channels.append(channel)
        came.set()

    thread = threading.Thread(target=listener.serve, args=(each,))
    thread.start()
    client = connect(str(tmp_path / "s"))
    assert came.wait(5)
    yield client, channels[0]
    client.close()
    channels[0].close()
    listener.close()
    thread.join(5)
    assert not thread.is_alive()


def test_messages_go_both_ways_and_the_peer_is_the_kernels_word(pair):
    client, service = pair
    event = ids.new_event(SystemClock())
    client.send(CanaryAsk(event=event))
    assert service.receive(5) == CanaryAsk(event=event)
    service.send(Taken(event=event, kind=Kind.EVENT))
    assert client.receive(5) == Taken(event=event, kind=Kind.EVENT)
    assert service.peer.user == str(os.geteuid())
    assert service.peer.pid == os.getpid()
    assert service.peer.session


def test_a_timeout_gives_none_and_an_end_is_said(pair):
    client, service = pair
    assert service.receive(0.01) is None
    client.send(StatusAsk())
    client.close()
    assert service.receive(5) == StatusAsk()
    with pytest.raises(ChannelClosed):
        service.receive(5)


def test_two_services_do_not_share_a_place_and_a_dead_ones_is_taken_over(tmp_path):
    path = tmp_path / "s"
    first = listen(str(path))
    with pytest.raises(LocalError, match="another service"):
        listen(str(path))
    first._sock.close()
    second = listen(str(path))
    second.close()
    assert not path.exists()
    path.write_text("mine")
    with pytest.raises(LocalError, match="not a socket"):
        listen(str(path))


def test_nobody_there_is_said(tmp_path):
    with pytest.raises(LocalError, match="no service"):
        connect(str(tmp_path / "nothing"))
