"""One collector at a time on one directory of data."""

import os
import sys
from pathlib import Path
from typing import IO

from collector.errors import StoreLocked


class DirectoryLock:
    """Holds `collector.lock` of a directory until closed or the process ends."""

    def __init__(self, directory: Path) -> None:
        """Take the lock, or raise `StoreLocked` in words for an operator."""
        self._path = directory / "collector.lock"
        self._file: IO[bytes] = self._path.open("a+b")
        try:
            _lock(self._file)
        except OSError:
            self._file.seek(0)
            holder = self._file.read(32).decode("ascii", "replace").strip() or "unknown"
            self._file.close()
            raise StoreLocked(
                f"Another collector (process {holder}) already works on {directory}. "
                "Stop it first, or give this one a directory of its own.",
            ) from None
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()).encode("ascii"))
        self._file.flush()

    def close(self) -> None:
        """Let another collector have the directory."""
        self._file.close()


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - exists on one platform alone

        # Past the process id, since Windows keeps others from reading what is locked.
        file.seek(1024)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - exists on one platform alone

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
