"""One session process per screen and service: a second one waits until the first has ended.

When a service is killed its session process lives on and meets the next service, with
all that it had not told yet. The one that the next service starts must not watch beside
it: each match would be told twice. The lock ends with the process that holds it.
"""

import hashlib
import logging
import os
import stat
import sys
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)


def wait_until_alone(socket_path: str) -> object:
    """Wait for the lock of this screen and service, and give what holds it while it is kept."""
    if sys.platform == "win32":
        from agent.session import alone_win32  # noqa: PLC0415 - one platform's code is loaded

        return alone_win32.wait_until_alone(_name(socket_path, ""))
    display = os.environ.get("DISPLAY", "")
    if not display:  # nothing can be watched, so nothing can be told twice
        return None
    import fcntl  # noqa: PLC0415 - not on Windows

    folder = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    path = Path(folder) / f"{_name(socket_path, display)}-{os.getuid()}.lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        log.warning("no lock against a second session: %s", error.strerror)
        return None
    found = os.fstat(lock)
    if found.st_uid != os.getuid() or not stat.S_ISREG(found.st_mode):
        # Put there by another account, to keep this one from being watched.
        os.close(lock)
        return None
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _name(socket_path: str, display: str) -> str:
    told = hashlib.sha256(f"{socket_path}\0{display}".encode()).hexdigest()[:16]
    return f"redshank-session-{told}"
