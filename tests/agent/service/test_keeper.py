import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from agent.service import keeper
from agent.service.keeper import SessionKeeper

ENDS = (sys.executable, "-c", "raise SystemExit(3)")
STAYS = (sys.executable, "-c", "import time; time.sleep(60)")
DEAF = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
)


def until(ready, seconds=15):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.01)


def ignores(pid, number):
    status = Path(f"/proc/{pid}/status").read_text()
    (mask,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    return int(mask, 16) & 1 << number - 1


@pytest.fixture
def keep(monkeypatch):
    made = []

    def start(command, *, steady=60.0):
        monkeypatch.setattr(keeper, "_FIRST", 0.05)
        monkeypatch.setattr(keeper, "_STEADY", steady)
        monkeypatch.setattr(keeper, "_GRACE", 1.0)
        kept = SessionKeeper(command)
        thread = threading.Thread(target=kept.run)
        thread.start()
        made.append((kept, thread))
        return kept

    yield start
    for kept, thread in made:
        kept.stop()
        thread.join(10)
        assert not thread.is_alive()
        assert kept._child is None or kept._child.poll() is not None


def test_what_ends_is_started_again_after_longer_and_longer_rests(keep):
    began = time.monotonic()
    kept = keep(ENDS)
    until(lambda: kept.started == 4)
    assert time.monotonic() - began > 0.05 + 0.1 + 0.2


def test_what_is_killed_after_it_ran_well_is_started_at_once(keep):
    kept = keep(STAYS, steady=0.1)
    until(lambda: kept.started == 1 and kept._child is not None)
    time.sleep(0.3)
    first = kept._child
    first.kill()
    until(lambda: kept.started == 2)
    assert kept._child.pid != first.pid


def test_what_cannot_be_started_is_tried_again_and_said(keep, caplog):
    kept = keep(("/no/such/program",))
    until(lambda: caplog.text.count("cannot be started") >= 2)
    assert kept.started == 0


def test_one_that_does_not_listen_is_killed_when_it_is_to_end(keep):
    kept = keep(DEAF)
    until(lambda: kept.started == 1)
    child = psutil.Process(kept._child.pid)
    until(lambda: ignores(child.pid, signal.SIGTERM))
    kept.stop()
    assert not child.is_running()


def test_none_is_started_after_the_end(keep):
    kept = keep(ENDS)
    kept.stop()
    number = kept.started
    time.sleep(0.3)
    assert kept.started == number
