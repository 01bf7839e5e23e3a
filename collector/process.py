"""What the collector asks of the operating system for its own process."""

import ctypes
import gc
import os
import socket
import sys
from typing import Final

from collector.errors import CollectorError

_PR_SET_DUMPABLE: Final = 4
_MOST_FILES: Final = 65_536


class ProcessError(CollectorError):
    """The process cannot be made safe to hold keys."""


def forbid_core_dumps() -> None:
    """Have no core image of this process written, and none of its memory read by its own user.

    An opened vault's key is in memory. Root can read it still: nothing in a process can
    keep root out.

    Raises:
        ProcessError: the system refuses.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - exists on Unix alone

    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as error:
        raise ProcessError(f"core dumps cannot be switched off: {error}") from None
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        if library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            words = os.strerror(ctypes.get_errno())
            raise ProcessError(f"the process cannot be made undumpable: {words}")


def allow_many_files() -> int:
    """Let the process hold as many sockets as the system lets it: one for each PC and page.

    Gives how many that is; 0 where the system does not say.
    """
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415 - exists on Unix alone

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft


def settle_memory() -> None:
    """Have the garbage collector leave alone what was built at the start, and come seldom.

    Records on their way are thousands of small objects and no cycle. With Python's own
    thresholds each few hundred of them cost a look at everything that lives: a fifth of
    the processor's time under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def notify(state: str) -> bool:
    """Tell systemd (`READY=1`, `STOPPING=1`, `WATCHDOG=1`); False where nobody asked."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if sys.platform == "win32" or not address.startswith(("/", "@")):
        return False
    name = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect(name)
            channel.sendall(state.encode())
    except OSError:
        return False
    return True


def watchdog_seconds() -> float | None:
    """How often systemd wants a sign of life, halved as it advises; None where it does not."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    meant_for = os.environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (meant_for and meant_for != str(os.getpid())):
        return None
    return int(microseconds) / 2_000_000 or None
