"""Packs to a book: `python -m agent.books.make [FILE | --look]`, a process that lives for one policy.

Making takes several times the memory of what is made, and Python does not give it back; so it
is done apart. What is wanted comes as JSON on standard input, each pack's bytes as Latin-1. A
line of JSON goes out, `good` and `problems`; the book after it, or into the new FILE, or nowhere.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from keywords.bookfile import write_book
from keywords.pack import Pack, PackError, parse_pack
from keywords.termbook import make_book

COMMAND = (sys.executable, "-P", "-m", "agent.books.make")
MOST_SECONDS = 300.0
_LOOK = "--look"


class Wanted(NamedTuple):
    """What is to be made."""

    texts: Mapping[str, bytes]
    """Packs by name, as policy gave them."""
    last_good: Mapping[str, bytes]
    """What to take in place of a malformed one."""

    def to_json(self) -> bytes:
        """As it is told to the process."""
        told = [{name: text.decode("latin-1") for name, text in one.items()} for one in self]
        return json.dumps(told).encode()

    @classmethod
    def from_json(cls, told: bytes) -> "Wanted":
        """As the process is told."""
        ones = (
            {name: text.encode("latin-1") for name, text in one.items()} for one in json.loads(told)
        )
        return cls(*ones)


class Report(NamedTuple):
    """What became of the packs."""

    good: frozenset[str]
    """Those that are in order as policy gave them."""
    problems: tuple[str, ...]
    """What is wrong with the others, in words."""


class MakeError(Exception):
    """The process apart did not do it."""


def read_packs(wanted: Wanted) -> tuple[list[Pack], Report]:
    """The packs that are in order, or were so before."""
    packs: list[Pack] = []
    good, problems = set(), []
    for name, text in wanted.texts.items():
        try:
            packs.append(parse_pack(text, name=name))
            good.add(name)
        except PackError as error:
            problems.append(f"{name}: {error}")
            if name in wanted.last_good:
                packs.append(parse_pack(wanted.last_good[name], name=name))
    return packs, Report(frozenset(good), tuple(problems))


def make(wanted: Wanted) -> tuple[Report, bytes]:
    """A book's bytes, made here."""
    packs, report = read_packs(wanted)
    return report, write_book(make_book(packs))


class Maker:
    """Makes books, each in a process apart."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def make(self, wanted: Wanted, file: Path | None = None) -> tuple[Report, bytes]:
        """A book's bytes; none where the process writes them into the new `file`.

        Raises:
            MakeError: it could not be started, took too long, failed, or was stopped.
        """
        return self._run(wanted, *([str(file)] if file else []))

    def look(self, wanted: Wanted) -> Report:
        """What would become of the packs. Raises MakeError."""
        return self._run(wanted, _LOOK)[0]

    def _run(self, wanted: Wanted, *words: str) -> tuple[Report, bytes]:
        try:
            child = self._start([*self._command, *words])
            try:
                out, _ = child.communicate(wanted.to_json(), MOST_SECONDS)
            finally:
                child.kill()  # what has ended is not there to be killed
                child.wait()
            if child.returncode:
                raise MakeError(f"the process that makes it ended with {child.returncode}")
            line, _, book = out.partition(b"\n")
            told = json.loads(line)
            return Report(frozenset(told["good"]), tuple(told["problems"])), book
        except subprocess.TimeoutExpired:
            raise MakeError(f"it took more than {MOST_SECONDS:.0f} s") from None
        except OSError as error:
            raise MakeError(f"no process can be started: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise MakeError("the process that makes it said nothing of use") from error

    def stop(self) -> None:
        """End what is being made, and make no more; any thread may call it."""
        with self._lock:
            self._stopped = True
            if self._child is not None:
                self._child.kill()

    def _start(self, command: list[str]) -> "subprocess.Popen[bytes]":
        # Under the lock, so that none is started after `stop` has looked for it.
        with self._lock:
            if self._stopped:
                raise MakeError("it was stopped")
            self._child = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            return self._child


def main(arguments: list[str]) -> int:
    """Make one book."""
    wanted = Wanted.from_json(sys.stdin.buffer.read())
    report, book = (read_packs(wanted)[1], b"") if arguments == [_LOOK] else make(wanted)
    if arguments and book:
        _write(Path(arguments[0]), book)
        book = b""
    told = {"good": sorted(report.good), "problems": report.problems}
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + book)
    return 0


def _write(path: Path, book: bytes) -> None:
    """Write a new file for everybody to read, and see it onto the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(handle, "wb") as file:
        if sys.platform != "win32":
            os.fchmod(handle, 0o644)  # whatever the umask says
        file.write(book)
        file.flush()
        os.fsync(handle)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
