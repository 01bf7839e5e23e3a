"""Open a book, if nobody can have written it but those who may."""

import os
import stat
import sys
from collections.abc import Collection

from keywords.arrayfile import ArrayFileError, mapped_open
from keywords.bookfile import check_whole, read_book
from keywords.termbook import TermBook


class BookRefused(Exception):
    """A book that is not used, and why."""


def open_book(path: str, owners: Collection[int], *, whole: bool = False) -> TermBook:
    """Map the book at `path`; with `whole` every byte of it is looked at.

    It is judged as it was opened, so that nothing can be put in its place meanwhile.

    Raises:
        BookRefused: it is not there, not a file of one of `owners` (uids) alone, not whole, or
            of another release.
    """
    if sys.platform == "win32":
        raise BookRefused("on Windows each session makes its own")
    try:
        # A pipe put in its place would be waited for.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            _check(path, os.fstat(handle), owners)
            view = mapped_open(file)
        if whole:
            check_whole(view)
        return read_book(view)
    except OSError as error:
        raise BookRefused(f"{path}: {error.strerror or error}") from error
    except ArrayFileError as error:
        raise BookRefused(f"{path}: {error}") from error


def _check(path: str, found: os.stat_result, owners: Collection[int]) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise BookRefused(f"{path}: is not a file")
    if found.st_uid not in owners:
        raise BookRefused(f"{path}: belongs to another account (uid {found.st_uid})")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise BookRefused(f"{path}: other accounts may write it")
