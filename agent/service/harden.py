"""Keep what the process holds in memory from others, and from the disk."""

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def harden() -> None:
    """No core dumps; and no tracing by the same account, where the system can refuse it.

    A process that is not dumpable belongs to root in /proc: neither ptrace nor
    /proc/PID/mem is open to its own account. Source: prctl(2), PR_SET_DUMPABLE.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # not on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
