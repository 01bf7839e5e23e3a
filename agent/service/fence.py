"""The state directory is the service's alone: what stands open is closed, and said."""

import os
import stat
import sys
from pathlib import Path

from agent.service.identity import Files, IdentityError


def close_up(files: Files) -> tuple[str, ...]:
    """Take others' rights to the state directory and the key away; what was open, in words.

    The PC goes on watching: whether its key was read meanwhile nobody can know, so the
    words say what a technician should do.

    Raises:
        IdentityError: the directory is another account's, or its rights cannot be changed.
    """
    if sys.platform == "win32":
        return ()  # the installer's access list holds there
    found: list[str] = []
    try:
        owner = files.state.stat().st_uid
        if owner not in {0, os.geteuid()}:
            raise IdentityError(
                f"{files.state} belongs to another account (uid {owner}): chown it to the service's"
            )
        if _close(files.state, stat.S_IWGRP | stat.S_IWOTH):
            found.append(
                f"{files.state} could be written by other accounts, and was closed to them"
            )
        if _close(files.key, stat.S_IRWXG | stat.S_IRWXO):
            found.append(
                "the device's key could be read by other accounts, and was closed to them: revoke "
                "this PC and enrol it again"
            )
    except OSError as error:
        raise IdentityError(
            f"the rights of {files.state} are wrong and cannot be set: {error.strerror}"
        ) from error
    return tuple(found)


def _close(path: Path, rights: int) -> bool:
    mode = path.stat().st_mode
    if not mode & rights:
        return False
    path.chmod(stat.S_IMODE(mode) & ~rights)
    return True
