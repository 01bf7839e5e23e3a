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
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.faults.disk import Disk


class PowerLostError(Exception):
    """A write failed because the disk was gone: where a subject stops."""


class Subject(Protocol):
    """Writes numbered items, one after the other."""

    def write(self, number: int, acknowledge: Callable[[int], None]) -> None:
        """Write an item and acknowledge it. Raises PowerLostError (or what the disk said)."""
        ...

    def present(self) -> Collection[int]:
        """The numbers that are there and whole."""
        ...

    def close(self) -> None:
        """Let go of every file; may fail after a cut."""
        ...


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


def power_cuts(
    disk: Disk,
    make: Callable[[Path], Subject],
    *,
    cycles: int,
    seed: int,
    longest: float = 0.012,
    fresh_each: int = 50,
    stop_when_lost: bool = False,
    disk_errors: tuple[type[Exception], ...] = (OSError, PowerLostError),
) -> Outcome:
    """Cut the power `cycles` times.

    The cut falls up to `longest` seconds after the first write begins. After each
    `fresh_each` cycles the subject starts in a new folder, so that a trial does not
    slow down as its files grow. `disk_errors` are what a subject may raise when the
    disk is gone; anything else ends the trial.
    """
    chance = random.Random(seed)
    outcome = Outcome()
    acknowledged: set[int] = set()
    number = 0
    folder = disk.root / "0"
    for cycle in range(cycles):
        if cycle % fresh_each == 0:
            folder = disk.root / str(cycle)
            folder.mkdir()
            # A folder that a restart must find has to be durable before the trial begins.
            sync_folder(disk.root)
            acknowledged = set()
        try:
            subject = make(folder)
        except Exception as error:  # noqa: BLE001  # any failure to start is a finding
            outcome.repairs.append(f"cycle {cycle}: does not open: {error!r}")
            break
        number = _until_cut(
            disk, subject, number, acknowledged, chance, longest, disk_errors, outcome
        )
        disk.restart()
        outcome.cycles += 1
        try:
            again = make(folder)
        except Exception as error:  # noqa: BLE001  # any failure to start is a finding
            outcome.repairs.append(f"cycle {cycle}: does not open: {error!r}")
            break
        lost = acknowledged - set(again.present())
        again.close()
        outcome.lost.extend(sorted(lost))
        acknowledged -= lost
        if outcome.lost and stop_when_lost:
            break
    outcome.written = number
    return outcome


def _until_cut(
    disk: Disk,
    subject: Subject,
    number: int,
    acknowledged: set[int],
    chance: random.Random,
    longest: float,
    disk_errors: tuple[type[Exception], ...],
    outcome: Outcome,
) -> int:
    """Write until the power is cut; returns the last number tried."""
    gone = threading.Event()
    deciding = threading.Lock()
    moment = chance.uniform(0, longest)

    def cut() -> None:
        time.sleep(moment)
        with deciding:
            gone.set()
        disk.cut()

    def acknowledge(item: int) -> None:
        with deciding:
            if not gone.is_set():
                acknowledged.add(item)
                outcome.acknowledged += 1

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        # One more write after the flag, so that the subject itself meets the dead disk.
        while cutter.is_alive() or not gone.is_set():
            number += 1
            subject.write(number, acknowledge)
    except disk_errors:
        outcome.cut_while_writing += 1
    finally:
        cutter.join()
        with contextlib.suppress(*disk_errors):
            subject.close()
    return number


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to the device."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
