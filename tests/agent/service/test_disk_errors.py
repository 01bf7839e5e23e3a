"""The disk answers EIO under the running service, then works again (strace, attached)."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from agent import cli
from tests.agent.service.conftest import Session, found
from tests.agent.service.simulator import Collector
from tests.faults.inject import why_not
from wire.local import Rejected, StatusAsk, Taken

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.root


@contextlib.contextmanager
def service(state):
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "run", "--service"],
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
            "REDSHANK_STATE": str(state),
        },
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    try:
        end = time.monotonic() + 20
        while not (state / "agent.sock").exists():
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


@contextlib.contextmanager
def failing(process, calls, error):
    """Have these system calls of a running process fail."""
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(process.pid),
         "-e", f"trace={calls}", "-e", "signal=none", "-e", f"inject={calls}:error={error}"],
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        end = time.monotonic() + 10
        tasks = Path(f"/proc/{process.pid}/task")
        while any(
            not re.search(r"TracerPid:\s*[1-9]", (task / "status").read_text())
            for task in tasks.iterdir()
        ):
            assert time.monotonic() < end
            time.sleep(0.02)
        yield
    finally:
        tracer.terminate()
        tracer.communicate(timeout=20)


@pytest.mark.parametrize(
    ("calls", "error"),
    [("fdatasync,fsync", "EIO"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("openat", "EMFILE")],
)
def test_what_is_refused_is_said_and_taken_later_and_nothing_is_lost_or_doubled(
    school, place, capsys, calls, error
):
    if why_not():
        pytest.skip(why_not())
    first = Collector(school)
    port = first.port
    first.stop()
    state = place / "state"
    school.enrol(state, port=port)
    wanted = []
    with service(state) as process:
        session = Session(str(state / "agent.sock"))
        session.hello()
        for _ in range(3):
            one = found()
            assert isinstance(session.ask(one), Taken)
            wanted.append(one.event)
        refused = [found() for _ in range(3)]
        with failing(process, calls, error):
            answers = [session.ask(one) for one in refused]
            said = json.loads(session.ask(StatusAsk()).json)
            code = cli.main(["--state", str(state), "doctor"])
            words = capsys.readouterr().out
        if calls != "openat":  # a file that is open needs no further one
            assert all(isinstance(answer, Rejected) for answer in answers)
            assert all(answer.retry_after_ms for answer in answers)
            assert said["spool"]["problem"]
            assert code == cli.FAILED
            assert "the disk refuses what this PC records" in words
        for one in refused:
            assert isinstance(session.ask(one), Taken)
            wanted.append(one.event)
        said = json.loads(session.ask(StatusAsk()).json)
        assert said["spool"]["problem"] == ""
        session.close()
    second = Collector(school, port=port)
    try:
        with service(state):
            second.wait(lambda c: len(c.records) >= len(wanted), 60)
            time.sleep(0.5)
            events = Counter(header.event for header in second.headers())
            assert events == Counter(wanted)
    finally:
        second.stop()
