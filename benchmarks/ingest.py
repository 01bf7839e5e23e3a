"""Events that the collector takes durably on one core, and how fast a browser hears of them.

Ours and the floor take turns in one run, each on a fresh file: the server on the first
core, the load on the second. `with 5 ms` means that a preloaded library adds 5 ms to
each fsync, as a school's disk does.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.ingest_parts import school
from benchmarks.table import Figures, figure, spread

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("floor", "ours")
VERIFYING = "verifying"  # the floor that checks signatures and digests, as ours must
SLOW_FSYNC = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
int fsync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
  usleep(5000);
  return real(fd);
}
int fdatasync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
  usleep(5000);
  return real(fd);
}
"""
_LONGEST = 180.0  # seconds
_TICKS = os.sysconf("SC_CLK_TCK")


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure; prints what it measures as it goes."""
    turns = 1 if quick else 3
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="redshank-ingest-") as folder:
        bench = Bench(Path(folder))
        school.make(bench.folder, 1000)
        slow = bench.slow_fsync()
        for name, each, picture in (("1 kB", 600, 0), ("100 kB picture", 40, 100_000)):
            for disk, preload in (("", None), (", 5 ms added to fsync", slow)):
                if disk and preload is None:
                    print("no gcc: not measured with 5 ms added to each fsync")
                    continue
                took: dict[str, list[tuple[float, float]]] = {
                    kind: [] for kind in (*KINDS, VERIFYING)
                }
                for _ in range(turns):
                    for kind, runs in took.items():
                        runs.append(bench.saturate(kind, each, picture, preload))
                figures |= _rates(name + disk, took)
        figures |= _delays(bench, quick=quick)
        figures |= _memory(bench, 200 if quick else 1000)
    return {"figures": figures}


def _rates(name: str, took: dict[str, list[tuple[float, float]]]) -> Figures:
    rate = {kind: statistics.median(one[0] for one in runs) for kind, runs in took.items()}
    cost = {kind: statistics.median(one[1] for one in runs) for kind, runs in took.items()}
    for kind, runs in took.items():
        rates = sorted(one[0] for one in runs)
        print(
            f"{name:45} {kind:9} {rate[kind]:8.0f} events/s ({rates[0]:.0f} to {rates[-1]:.0f}),"
            f" {cost[kind]:7.0f} µs CPU each",
            flush=True,
        )
    return {
        f"{name}, durable and receipted": figure(rate["ours"], "events/s", floor=rate["floor"]),
        f"{name}, beside a floor that verifies": figure(
            rate["ours"], "events/s", floor=rate[VERIFYING]
        ),
        f"{name}, CPU": figure(cost["ours"], "µs/event", floor=cost["floor"]),
    }


def _delays(bench: "Bench", *, quick: bool) -> Figures:
    p99 = {}
    p50 = {}
    for kind in KINDS:
        found = spread(bench.watch(kind, seconds=5 if quick else 20))
        p50[kind], p99[kind] = found.p50, found.p99
        print(
            f"commit to 50 browsers at 200 events/s         {kind:6}"
            f" p50 {found.p50:.2f} p99 {found.p99:.2f} most {found.most:.2f} ms"
            f" of {found.count} lines",
            flush=True,
        )
    return {
        "commit to 50 browsers at 200 events/s, p50": figure(p50["ours"], "ms", floor=p50["floor"]),
        "commit to 50 browsers at 200 events/s, p99": figure(p99["ours"], "ms", floor=p99["floor"]),
    }


def _memory(bench: "Bench", streams: int) -> Figures:
    each = {kind: bench.idle(kind, streams) for kind in KINDS}
    for kind, size in each.items():
        print(f"{streams} idle PCs                                 {kind:6} {size:.0f} KiB each")
    return {"memory of one idle PC": figure(each["ours"], "KiB", floor=each["floor"])}


class Bench:
    """The directory, the servers and the load of one run."""

    def __init__(self, folder: Path) -> None:
        """Use a directory that somebody else removes."""
        self.folder = folder
        self._count = 0

    def slow_fsync(self) -> Path | None:
        """The library that makes a disk slow; None without a compiler."""
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            return None
        source, library = self.folder / "slow.c", self.folder / "slow.so"
        source.write_text(SLOW_FSYNC)
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True
        )
        return library

    def saturate(
        self, kind: str, each: int, picture: int, preload: Path | None
    ) -> tuple[float, float]:
        """Events a second, and µs of the server's CPU for each."""
        with self.server(kind, preload) as (process, ports):
            asked = {"do": "saturate", "streams": 32, "each": each, "picture": picture}
            with self.load(kind, asked | {"port": ports["port"]}) as load:
                _until_ready(load)
                before = _cpu(process.pid)
                result = json.loads(load.stdout.readline())
                used = _cpu(process.pid) - before
        return result["rate"], used / result["events"] * 1e6

    def watch(self, kind: str, seconds: int) -> list[float]:
        """Milliseconds from commit to browser, of every line at every browser."""
        with self.server(kind, None) as (_, ports):
            asked = {"do": "watch", "streams": 20, "each": 10 * seconds, "rate": 200}
            asked |= {"browsers": 50, "port": ports["port"], "lines": ports["lines"]}
            with self.load(kind, asked) as load:
                _until_ready(load)
                result = json.loads(load.stdout.readline())
        return result["delays"]

    def idle(self, kind: str, streams: int) -> float:
        """KiB of the server's memory for each idle stream."""
        with self.server(kind, None) as (process, ports):
            with self.load(kind, {"do": "idle", "streams": 20, "port": ports["port"]}) as load:
                _until_ready(load)
                print(file=load.stdin, flush=True)
                load.stdout.readline()
            before = _rss(process.pid)
            with self.load(kind, {"do": "idle", "streams": streams, "port": ports["port"]}) as load:
                _until_ready(load)
                grown = _rss(process.pid) - before
                print(file=load.stdin, flush=True)
                load.stdout.readline()
        return grown / streams

    @contextmanager
    def server(
        self, kind: str, preload: Path | None
    ) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
        """A server on the first core, with a fresh file."""
        self._count += 1
        data = self.folder / f"data{self._count}"
        data.mkdir()
        environment = _environment() | ({"LD_PRELOAD": str(preload)} if preload else {})
        module = "ours" if kind == "ours" else "floor"
        command = [sys.executable, "-m", f"benchmarks.ingest_parts.{module}", self.folder, data]
        if kind == VERIFYING:
            command.append("--verify")
        process = subprocess.Popen(
            [*_on(0), *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield process, json.loads(process.stdout.readline())
            process.stdin.close()
            process.wait(30)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            shutil.rmtree(data)

    @contextmanager
    def load(self, kind: str, asked: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
        """The load on the second core."""
        asked = asked | {"floor": kind != "ours"}
        command = [sys.executable, "-m", "benchmarks.ingest_parts.load", self.folder]
        process = subprocess.Popen(
            [*_on(1), *command, json.dumps(asked)],
            cwd=ROOT,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        # A load that waits for a receipt that never comes must not hold everything up.
        limit = threading.Timer(_LONGEST, process.kill)
        limit.start()
        try:
            yield process
            process.stdin.close()
            process.wait(30)
        finally:
            limit.cancel()
            process.kill()
            process.wait()
            process.stdout.close()


def _on(core: int) -> list[str]:
    taskset = shutil.which("taskset")
    return [taskset, "-c", str(core)] if taskset and (os.cpu_count() or 1) > 1 else []


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{ROOT / 'proto'}{os.pathsep}{ROOT}"}


def _until_ready(load: subprocess.Popen[str]) -> None:
    if load.stdout.readline() != "ready\n":
        raise RuntimeError("the load did not get ready; what it says is above")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _rss(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


if __name__ == "__main__":
    run(quick="--quick" in sys.argv)
