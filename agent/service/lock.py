"""One writer: a lock that the system drops when its holder dies."""

import os
import sys
from pathlib import Path


class Lock:
    """An exclusive lock on a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> bool:
        """Take the lock; False if another has it.

        Raises:
            OSError: the file cannot be made.
        """
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if sys.platform == "win32":
                import msvcrt  # noqa: PLC0415  # Windows alone has it

                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl  # noqa: PLC0415  # Windows has none

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let go."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
