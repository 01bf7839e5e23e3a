"""What another account of the same PC can do: nothing, but speak about itself."""

import contextlib
import os
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.books.opening import BookRefused, open_book
from agent.local.interface import Peer
from agent.service.bucket import Rate
from agent.service.intake import Rates
from agent.service.who import Place, who_is
from keywords.bookfile import write_book
from keywords.termbook import make_book
from tests.agent.service.conftest import Pc, Session, found
from tests.agent.service.simulator import Collector
from wire import ids
from wire.clock import SystemClock
from wire.event import AccountKind, GapReason, Kind, PictureState
from wire.local import Rejected, Shot, StatusAsk, Taken, encode_from_session
from wire.v1 import local_pb2

ROOT = Path(__file__).parents[3]
PUPIL, OTHER = 61_001, 61_002
FAST = Rates(frames=Rate(per_second=1e6, burst=1e6), bytes=Rate(per_second=1e9, burst=1e9))


def as_account(uid, verb, *words):
    """Try something under another account; give what came of it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.agent.service.pupil", str(uid), verb, *map(str, words)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def frames(*messages):
    return [encode_from_session(message).hex() for message in messages]


@pytest.fixture
def apart(school, collector, tmp_path_factory, place):
    """The service as a process of its own, its state and its socket where an installer puts them."""
    place.chmod(0o755)
    state = place / "state"
    school.enrol(state, port=collector.port)
    environ = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
        "REDSHANK_STATE": str(state),
        "REDSHANK_SOCKET": str(place / "run" / "agent.sock"),
        "REDSHANK_BOOKS": str(place / "books"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "run", "--service"],
        env=environ,
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    collector.wait(lambda c: c.beats, 30)
    yield process, state, environ
    process.terminate()
    process.communicate(timeout=20)


@pytest.mark.root
def test_another_account_reads_neither_key_nor_spool_nor_memory(apart):
    process, state, _ = apart
    assert (state / "device.key").stat().st_mode & 0o777 == 0o600
    assert as_account(PUPIL, "steal", state, process.pid) == "[]"
    assert as_account(0, "steal", state, process.pid) != "[]"


@pytest.mark.root
def test_another_account_reads_the_packs_book_and_cannot_change_it(apart):
    _, state, environ = apart
    session = Session(environ["REDSHANK_SOCKET"])
    assert session.hello().book
    session.close()
    (book,) = (state.parent / "books").iterdir()
    before = book.read_bytes()
    assert as_account(PUPIL, "spoil", book.parent) == "['read']"
    assert list(book.parent.iterdir()) == [book]
    assert book.read_bytes() == before
    assert stat.S_IMODE(book.parent.stat().st_mode) == 0o755


@pytest.mark.root
def test_a_book_that_another_account_wrote_is_refused(tmp_path):
    path = tmp_path / "x.book"
    path.write_bytes(write_book(make_book(())))
    path.chmod(0o644)
    assert open_book(str(path), {0, PUPIL})
    os.chown(path, OTHER, OTHER)
    with pytest.raises(BookRefused, match=f"uid {OTHER}"):
        open_book(str(path), {0, PUPIL})


@pytest.mark.root
def test_another_account_neither_traces_nor_kills_the_service(apart):
    process, _, _ = apart
    assert as_account(PUPIL, "attack", process.pid) == "ptrace -1, not killed"
    assert process.poll() is None


@pytest.mark.root
def test_even_its_own_account_may_not_trace_it_or_make_it_dump_core(apart):
    process, _, _ = apart
    status = Path(f"/proc/{process.pid}/limits").read_text()
    (core,) = (line for line in status.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    # What is not dumpable belongs to root in /proc, whoever runs it; the flag shows in coredump.
    assert Path(f"/proc/{process.pid}/environ").stat().st_uid == 0


@pytest.mark.root
def test_who_is_the_kernels_word_and_events_stay_apart(apart, collector, school):
    _, _, environ = apart
    path = environ["REDSHANK_SOCKET"]
    event = ids.new_event(SystemClock())
    shot = Shot(event=event, webp=b"x" * 100, width=1, height=1, taken_at=1, of="window")
    assert as_account(PUPIL, "send", path, *frames(found(event))) == "Taken"
    answers = as_account(OTHER, "send", path, *frames(found(event), shot)).splitlines()
    assert answers == ["Rejected: this event is another account's"] * 2
    collector.wait(lambda c: c.records)
    header, envelope = collector.records[0]
    assert school.details(envelope, header).who.account == f"linux:pc-1:{PUPIL}"
    assert envelope.account == f"linux:pc-1:{PUPIL}"
    assert len(collector.records) == 1


@pytest.mark.root
def test_status_is_not_for_pupils(apart):
    _, _, environ = apart
    assert "technician" in as_account(
        PUPIL, "send", environ["REDSHANK_SOCKET"], *frames(StatusAsk())
    )


@pytest.mark.root
def test_a_flood_is_counted_and_others_are_served(school, collector, place):
    place.chmod(0o755)
    school.enrol(place, port=collector.port)
    place.chmod(0o755)
    slow = Rates(frames=Rate(per_second=1, burst=20), bytes=Rate(per_second=1e6, burst=1e6))
    pc = Pc(place, rates=slow).start()
    try:
        said = as_account(PUPIL, "send", pc.settings.socket, *frames(*(found() for _ in range(60))))
        taken, rejected = said.count("Taken"), said.count("Rejected: too fast")
        assert 19 <= taken <= 25
        assert taken + rejected == 60
        session = pc.session()
        session.hello()
        began = time.monotonic()
        assert isinstance(session.ask(found()), Taken)
        assert time.monotonic() - began < 1
        session.close()
        collector.wait(
            lambda c: any(
                gap.reason is GapReason.RATE_LIMITED and gap.dropped == rejected
                for beat in c.beats
                for gap in beat.gaps
            )
        )
    finally:
        pc.stop()


@pytest.fixture(scope="module")
def standing(school, tmp_path_factory):
    """One service for many forged frames."""
    collector = Collector(school)
    with tempfile.TemporaryDirectory(prefix="rs") as name:
        place = Path(name)
        school.enrol(place, port=collector.port)
        pc = Pc(place, rates=FAST).start()
        yield pc
        pc.stop()
    collector.stop()


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=400), framed=st.booleans())
def test_whatever_is_sent_the_service_stands(standing, raw, framed):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(standing.settings.socket)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall((struct.pack(">I", len(raw)) if framed else b"") + raw)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):
                pass
    session = standing.session()
    assert session.hello().policy_version == 1
    session.close()


def test_a_frame_over_the_limit_ends_the_connection_and_keeps_nothing(standing):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(standing.settings.socket)
        sock.sendall(struct.pack(">I", (1 << 20) + 1))
        assert sock.recv(1) == b""


def test_a_session_that_says_who_it_is_is_refused(standing):
    message = local_pb2.FromSession.FromString(encode_from_session(found()))
    message.found.details.who.account = "linux:pc-1:0"
    message.found.details.who.kind = 1
    raw = message.SerializeToString()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(standing.settings.socket)
        sock.sendall(struct.pack(">I", len(raw)) + raw)
        assert sock.recv(1) == b""


def test_a_match_sent_twice_is_one(standing):
    session = standing.session()
    session.hello()
    before = standing.status()["lanes"]["text"]["written"]["sequence"]
    one = found()
    assert session.ask(one) == session.ask(one) == Taken(event=one.event, kind=Kind.EVENT)
    assert standing.status()["lanes"]["text"]["written"]["sequence"] == before + 1
    session.close()


def test_a_picture_beyond_the_policys_limit_becomes_a_tombstone(standing):
    session = standing.session()
    session.hello()
    one = found(picture=PictureState.FOLLOWS)
    session.ask(one)
    shot = Shot(event=one.event, webp=bytes(700_000), width=1, height=1, taken_at=1, of="window")
    assert session.ask(shot).kind is Kind.TOMBSTONE
    session.close()


def test_a_match_of_another_age_gets_the_services_time(standing):
    session = standing.session()
    session.hello()
    one = replace(found(), matched_at=1)
    assert not isinstance(session.ask(one), Rejected)
    session.close()


PC = Place(device="pc-1", host="lab-1", realm="SCHOOL.EXAMPLE")


def peer(user, session="7"):
    return Peer(user=user, pid=1, session=session)


def test_a_local_account_is_the_devices_and_a_directorys_is_the_realms():
    assert who_is(peer("0"), PC).account == "linux:pc-1:0"
    assert who_is(peer("987654"), PC).account == "linux:SCHOOL.EXAMPLE:987654"
    assert who_is(peer("987654"), replace(PC, realm="")).account == "linux:pc-1:987654"
    assert who_is(peer("S-1-5-21-1-2-3-1104"), PC).account == "windows:S-1-5-21-1-2-3-1104"


@pytest.mark.parametrize("name", ["root", "ROOT", "0", "linux:pc-1:0"])
def test_a_shared_account_is_one_sign_in_and_never_a_person(name):
    one, two = (who_is(peer("0", at), PC, [name]) for at in ("7", "8"))
    assert one.kind is two.kind is AccountKind.SHARED
    assert one.account == "shared:pc-1:7"
    assert two.account == "shared:pc-1:8"


def test_windows_guest_is_shared():
    assert who_is(peer("S-1-5-21-1-2-3-501"), PC).kind is AccountKind.SHARED


@pytest.mark.root
def test_after_a_restart_disk_and_memory_give_none_of_200_planted_items(school, collector, place):
    school.enrol(place, port=collector.port)
    collector.stop()
    pc = Pc(place, rates=FAST).start()
    planted = [f"planted sentence {os.urandom(6).hex()}" for _ in range(200)]
    try:
        session = pc.session()
        session.hello()
        for sentence in planted:
            while isinstance(session.ask(found(before=sentence)), Rejected):
                time.sleep(0.05)
        session.close()
        assert pc.status()["spool"]["records"] >= 200
    finally:
        pc.stop()
    environ = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
        "REDSHANK_STATE": str(place),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "run", "--service"],
        env=environ,
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + 20
        while not (place / "s").exists() and not (place / "agent.sock").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1)
        everything = b"".join(memory_of(process.pid)) + b"".join(
            path.read_bytes() for path in place.rglob("*") if path.is_file()
        )
    finally:
        process.terminate()
        _, log = process.communicate(timeout=20)
    assert school.name.encode() in everything
    assert not [one for one in planted if one.encode() in everything + log]


def memory_of(pid):
    """What a core image would hold, page by page."""
    with Path(f"/proc/{pid}/mem").open("rb", 0) as mem:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, mode, *_ = line.split()
            if "r" not in mode or line.endswith(("[vvar]", "[vsyscall]")):
                continue
            start, end = (int(at, 16) for at in span.split("-"))
            with contextlib.suppress(OSError, ValueError, OverflowError):
                mem.seek(start)
                yield mem.read(end - start)
