"""Small files that must be whole after a power cut."""

import os
from pathlib import Path

from agent.service.spool_rescue import sync_directory


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace a file: after a power cut it is the old one or the new one, never a part.

    Raises:
        OSError: the disk refused; the old file is as it was.
    """
    new = path.with_name(path.name + ".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
