"""Kill a process, or fail it, at a chosen system call, by strace.

One strace holds one Python that has imported its subject already and forks a writer
for each blow (`child.py`): so a blow costs some 20 ms instead of a start of Python.
strace counts each system call per thread and strikes at a fixed count; the writer is
told how many calls to spend beforehand.

A kill proves that what is written is whole at every moment (the page cache outlives
the process). That it is durable is for `trial.py`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.trial import Make, Subject

STRIKE = 200
"""The count of calls at which strace strikes; a writer spends the rest."""
ROOT = Path(__file__).resolve().parents[2]


def why_not() -> str | None:
    """Why nothing can be injected here, in words; None where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(
        ["strace", "-f", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False
    )
    return None if tried.returncode == 0 else "strace may not trace here"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the struck call: `signal=KILL`, or `error=EIO` and its like."""

    call: str
    effect: str = "signal=KILL"
    ever_after: bool = False


@dataclass
class Blows:
    """What a series of blows did."""

    struck: int = 0
    killed: int = 0
    acknowledged: int = 0
    failures: list[str] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing acknowledged was lost, and nothing had to be repaired by hand."""
        return not self.lost and not self.repairs


class Runner:
    """Runs writers under one strace while the `with` block lasts."""

    def __init__(self, subject: str, fault: Fault) -> None:
        self._subject = subject
        self._fault = fault

    def __enter__(self) -> Self:
        when = f"{STRIKE}+" if self._fault.ever_after else str(STRIKE)
        command = ["strace", "-f", "-qq", "-o", "/dev/null"]
        command += ["-e", f"trace={self._fault.call}", "-e", "signal=none"]
        command += ["-e", f"inject={self._fault.call}:{self._fault.effect}:when={when}"]
        command += [sys.executable, "-m", "tests.faults.child", self._subject]
        path = os.pathsep.join([str(ROOT), str(ROOT / "proto")])
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._expect("ready")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()
        self._errors.close()

    def blow(
        self, folder: Path, *, at: int, first: int, count: int
    ) -> tuple[list[int], list[str], int]:
        """One writer, struck at its call number `at`: what it acknowledged, what failed, how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        task = {"folder": str(folder), "burn": STRIKE - at, "from": first, "count": count}
        task["call"] = self._fault.call
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        acknowledged: list[int] = []
        failed: list[str] = []
        for line in self._process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "ack":
                acknowledged.append(int(rest))
            elif word == "failed":
                failed.append(rest)
            elif word == "end":
                return acknowledged, failed, int(rest)
        raise AssertionError(f"the writers' parent ended: {self._words()}")

    def strike_each(
        self,
        place: Path,
        make: Make,
        moments: Iterable[int],
        *,
        count: int = 16,
        after: Callable[[], None] = lambda: None,
    ) -> Blows:
        """Strike at each of the moments in one folder, as one machine that dies again and again.

        `after` runs between a blow and the restart: there the power may be cut as well.
        """
        make(place).close()
        blows = Blows()
        expected: set[int] = set()
        number = 1
        for at in moments:
            acknowledged, failed, status = self.blow(place, at=at, first=number, count=count)
            number += count
            blows.struck += 1
            blows.killed += status == -9
            blows.acknowledged += len(acknowledged)
            blows.failures += failed
            expected |= set(acknowledged)
            after()
            expected -= self._lost(place, make, expected, blows)
            if blows.repairs:
                break
        return blows

    @staticmethod
    def _lost(place: Path, make: Make, expected: set[int], blows: Blows) -> set[int]:
        try:
            subject: Subject = make(place)
        except Exception as error:  # noqa: BLE001  # whatever keeps it from starting is a finding
            blows.repairs.append(f"blow {blows.struck}: does not open: {error!r}")
            return set()
        lost = expected - set(subject.present())
        subject.close()
        blows.lost.extend(sorted(lost))
        return lost

    def _expect(self, word: str) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if line != word:
            raise AssertionError(f"the writers' parent did not start: {self._words()}")

    def _words(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-2000:]
