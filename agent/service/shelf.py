"""Where books are kept: each made once, in a process apart, and there for every session.

In its folder, which everybody may read and the service's account alone may write (0755):

    SHA256.book     of the packs' names and texts and the release that made it; 0644
    NUMBER.new      one that is being made

A book is written as a new file, put on the disk whole, then renamed. One that is not whole, of
another account, or open to others' writing is made anew. What nobody used for a week is removed.
Without a folder, or with one that cannot be used, there are no books: sessions get the packs.
"""

import contextlib
import hashlib
import logging
import os
import secrets
import stat
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.books.make import COMMAND, MakeError, Maker, Report, Wanted, read_packs
from agent.books.opening import BookRefused, open_book
from agent.service.spool_rescue import sync_directory
from keywords.bookfile import RELEASE
from wire.event import PackText

_log = logging.getLogger(__name__)
_MODE = 0o755
UNUSED_FOR = 7 * 86_400
"""Seconds after which a book is removed that nobody used, counted from the last that was."""


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a policy's packs."""

    book: str = ""
    """The path of their book; empty: sessions need the packs themselves."""
    problems: tuple[str, ...] = ()
    """The packs that cannot be read, in words. They are not in the book."""


class Shelf:
    """Makes and keeps books. One thread at a time may `make`; any may ask for the rest."""

    def __init__(self, folder: Path | None = None, *, command: tuple[str, ...] = COMMAND) -> None:
        self._folder = folder
        self._maker = Maker(command)
        self._making = threading.Lock()
        self._stopped = False
        self.problem = ""
        """Why the packs last given have no book, though there should be one; empty: nothing."""

    def find(self, packs: Sequence[PackText]) -> Made | None:
        """The book of these packs, if it is there."""
        if self._folder is None:
            return None
        path = self._folder / name_of(packs)
        try:
            open_book(str(path), self._owners(), whole=True)
        except BookRefused:
            return None
        with contextlib.suppress(OSError):  # it may be root's, who enrolled this PC
            os.utime(path)
        self.problem = ""
        return Made(str(path))

    def make(self, packs: Sequence[PackText]) -> Made:
        """Make the book of these packs, unless it is there; many seconds for thousands of terms."""
        with self._making:
            return self.find(packs) or self._make(packs)

    def stop(self) -> None:
        """End what is being made, and make no more."""
        self._stopped = True
        self._maker.stop()

    def _make(self, packs: Sequence[PackText]) -> Made:
        wanted = Wanted({pack.name: pack.text for pack in packs}, {})
        self.problem = ""
        new = None
        try:
            new = self._new_file()
            if new is None:
                return Made(problems=self._maker.look(wanted).problems)
            report, _ = self._maker.make(wanted, new)
            return self._keep(packs, report, new)
        except (OSError, MakeError, BookRefused) as error:
            if self._stopped:
                return Made()
            words = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
            self.problem = f"the packs' book cannot be kept in {self._folder}: {words}"
            _log.error(self.problem, extra={"event": "book"})
            return Made(problems=self._look(wanted))
        finally:
            if new is not None:
                new.unlink(missing_ok=True)

    def _look(self, wanted: Wanted) -> tuple[str, ...]:
        """What is wrong with packs that have no book; here, if no process can be started."""
        try:
            return self._maker.look(wanted).problems
        except MakeError:
            return () if self._stopped else read_packs(wanted)[1].problems

    def _new_file(self) -> Path | None:
        """Where a book can be written; None where none is to be kept. Raises OSError."""
        folder = self._folder
        if folder is None:
            return None
        folder.mkdir(parents=True, mode=_MODE, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(0, "it is not a folder")
        if sys.platform != "win32":
            if found.st_uid not in self._owners():
                raise PermissionError(0, f"it belongs to another account (uid {found.st_uid})")
            if stat.S_IMODE(found.st_mode) != _MODE and found.st_uid == os.geteuid():
                folder.chmod(_MODE)
        return folder / f"{secrets.token_hex(8)}.new"

    def _keep(self, packs: Sequence[PackText], report: Report, new: Path) -> Made:
        """Put a new book in its place. Raises OSError and BookRefused."""
        # If another release was installed while this one runs, it made the book.
        open_book(str(new), self._owners())
        # Under the name of what is in it: of a malformed pack, nothing is.
        path = new.with_name(name_of([pack for pack in packs if pack.name in report.good]))
        new.replace(path)
        sync_directory(path.parent)
        self._sweep(path)
        _log.info("the packs' book is made", extra={"event": "book"})
        return Made(str(path), report.problems)

    def _sweep(self, used: Path) -> None:
        """Remove what was not used for long; a folder may be shared, and a clock be wrong."""
        try:
            now = used.stat().st_mtime
            for other in (*used.parent.glob("*.book"), *used.parent.glob("*.new")):
                if other != used and other.lstat().st_mtime < now - UNUSED_FOR:
                    other.unlink()
        except OSError as error:
            _log.warning("old books are not removed: %s", error.strerror)

    @staticmethod
    def _owners() -> set[int]:
        if sys.platform == "win32":
            return set()
        return {0, os.geteuid()}


def name_of(packs: Sequence[PackText]) -> str:
    """The name of these packs' book."""
    digest = hashlib.sha256(RELEASE.encode())
    for part in (part for pack in packs for part in (pack.name.encode(), pack.text)):
        digest.update(len(part).to_bytes(8, "big") + part)
    return f"{digest.hexdigest()}.book"
