"""Power cuts at random moments against anything that writes and acknowledges.

One cycle: open the subject, let it write numbered items while a second thread waits a
random moment and cuts the power, take the disk away, mount it, open the subject again
as a restart would, and ask which of the acknowledged items are missing. Nobody repairs
anything: a subject that will not open is itself a finding.

Acknowledgements are kept outside the disk, by the test, as the other end would. Only
those given before the cut began count. A machine without power answers nobody, but
here the process lives on for a moment, and an fsync that was under way may still say
yes: ext4 drops the error when its shut-down overtakes the conversion of an extent.
"""

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.faults.disk import Disk


class Subject(Protocol):
    """Writes numbered items, one after the other."""

    def write(self, number: int, acknowledge: Callable[[int], None]) -> None:
        """Write an item and acknowledge it. Raises what the disk said."""
        ...

    def present(self) -> Collection[int]:
        """The numbers that are there and whole."""
        ...

    def close(self) -> None:
        """Let go of every file; may fail after a cut."""
        ...


Make = Callable[[Path], Subject]


@dataclass
class Outcome:
    """What a trial found."""

    cycles: int = 0
    written: int = 0
    acknowledged: int = 0
    cut_while_writing: int = 0
    lost: list[int] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing acknowledged was lost, and nothing had to be repaired by hand."""
        return not self.lost and not self.repairs


class Trial:
    """Cuts the power of `disk` under the subjects that `make` opens in a folder of it.

    The cut falls up to `longest` seconds after the first write begins. After each
    `fresh_each` cycles the subject starts in a new folder, so that a trial does not
    slow down as its files grow. `disk_errors` are what a subject may raise when the
    disk is gone; anything else ends the trial.
    """

    def __init__(
        self,
        disk: Disk,
        make: Make,
        *,
        seed: int,
        disk_errors: tuple[type[Exception], ...],
        longest: float = 0.012,
        fresh_each: int = 50,
        stop_when_lost: bool = False,
    ) -> None:
        self.outcome = Outcome()
        self._disk = disk
        self._make = make
        self._chance = random.Random(seed)
        self._errors = disk_errors
        self._longest = longest
        self._fresh_each = fresh_each
        self._stop_when_lost = stop_when_lost
        self._acknowledged: set[int] = set()
        self._folder = disk.root
        self._subject: Subject | None = None
        self._gone = threading.Event()
        self._deciding = threading.Lock()

    def run(self, cycles: int) -> Outcome:
        """Do it `cycles` times, or until something does not open."""
        for cycle in range(cycles):
            if cycle % self._fresh_each == 0:
                self._start_anew(self._disk.root / str(cycle))
            if self._subject is None:
                break
            self._write_until_cut(self._subject)
            self._disk.restart()
            self.outcome.cycles += 1
            self._subject = self._open()
            if self._subject is None:
                break
            lost = self._acknowledged - set(self._subject.present())
            self.outcome.lost.extend(sorted(lost))
            self._acknowledged -= lost
            if lost and self._stop_when_lost:
                break
        if self._subject is not None:
            self._subject.close()
        return self.outcome

    def _start_anew(self, folder: Path) -> None:
        if self._subject is not None:
            self._subject.close()
        folder.mkdir()
        # What a restart must find has to be durable before the trial begins.
        force(self._disk.root)
        self._folder = folder
        self._acknowledged = set()
        self._subject = self._open()

    def _open(self) -> Subject | None:
        try:
            return self._make(self._folder)
        except Exception as error:  # noqa: BLE001  # whatever keeps it from starting is a finding
            self.outcome.repairs.append(f"cycle {self.outcome.cycles}: does not open: {error!r}")
            return None

    def _write_until_cut(self, subject: Subject) -> None:
        self._gone.clear()
        cutter = threading.Thread(target=self._cut, args=(self._chance.uniform(0, self._longest),))
        cutter.start()
        try:
            while cutter.is_alive():
                self.outcome.written += 1
                subject.write(self.outcome.written, self._acknowledge)
        except self._errors:
            self.outcome.cut_while_writing += 1
        finally:
            cutter.join()
            with contextlib.suppress(*self._errors):
                subject.close()

    def _cut(self, moment: float) -> None:
        time.sleep(moment)
        with self._deciding:
            self._gone.set()
        self._disk.cut()

    def _acknowledge(self, number: int) -> None:
        with self._deciding:
            if not self._gone.is_set():
                self._acknowledged.add(number)
                self.outcome.acknowledged += 1


def lay(files: Mapping[str, bytes], folder: Path) -> None:
    """Put files into a folder and force them to the device, so that no cut takes them."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    force(folder)


def force(folder: Path) -> None:
    """Force a folder, and the files directly in it, to the device."""
    for path in (*(entry for entry in folder.iterdir() if entry.is_file()), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
