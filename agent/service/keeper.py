"""Start a session process, and start it again when it ends (`run --both`)."""

import logging
import subprocess
import threading
import time
from collections.abc import Sequence

_log = logging.getLogger(__name__)
_FIRST, _LONGEST, _STEADY = 0.5, 30.0, 60.0
_GRACE = 5.0


class SessionKeeper:
    """Keeps one child running until it is stopped."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self.started = 0
        """How often it was started."""

    def run(self) -> None:
        """Keep it running until `stop`."""
        wait = _FIRST
        while not self._stopping.is_set():
            child = self._start()
            if child is not None:
                began = time.monotonic()
                child.wait()  # with a time limit it would look twenty times a second
                if time.monotonic() - began >= _STEADY:
                    wait = _FIRST
                if not self._stopping.is_set():
                    _log.warning(
                        "the session process ended (%s), and is started again", child.returncode
                    )
            self._stopping.wait(wait)
            wait = min(wait * 2, _LONGEST)

    def _start(self) -> "subprocess.Popen[bytes] | None":
        # Under the lock, so that none is started after `stop` has looked for it.
        with self._lock:
            if self._stopping.is_set():
                return None
            try:
                self._child = subprocess.Popen(self._command)  # noqa: S603  # our own command
            except OSError as error:
                _log.error("the session process cannot be started: %s", error)
                return None
            self.started += 1
            return self._child

    def stop(self) -> None:
        """End it."""
        with self._lock:
            self._stopping.set()
            child = self._child
        if child is not None and child.poll() is None:
            child.terminate()
            try:
                child.wait(_GRACE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
