import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
STORY = """
import logging, threading
from agent.service import logs

logs.set_up("info")
try:
    int("nobody likes you")
except ValueError:
    logging.getLogger("x").exception("it went wrong", extra={"event": "e-1"})


def fail():
    raise RuntimeError("nobody likes you")


thread = threading.Thread(target=fail, name="session")
thread.start()
thread.join()
"""


def test_what_an_exception_says_is_never_logged_and_its_kind_is():
    done = subprocess.run(
        [sys.executable, "-c", STORY],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "nobody" not in done.stderr
    caught, ended = map(json.loads, done.stderr.splitlines())
    assert (caught["error.type"], caught["event.id"]) == ("ValueError", "e-1")
    assert ended["message"] == "the thread session ended by an error (RuntimeError)"
