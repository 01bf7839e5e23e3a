"""What a user would run instead, started so that its cost can be measured.

First ActivityWatch's window and idle watchers, which watch as ours does; where they are
not to be had, Debian's zabbix-agent2, which reports on a PC but watches no window and no
key: it does less than ours, and the table says so.
"""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from demo.screen import Screen

PEERS = Path(__file__).resolve().parents[1] / "build" / "bench" / "peers"
WATCHERS = ("aw-watcher-window", "aw-watcher-afk")
ZABBIX = "zabbix-agent2"
_SETTLES = 5.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer that runs."""

    name: str
    processes: tuple[psutil.Process, ...]


@contextlib.contextmanager
def running(screen: Screen) -> Iterator[Peer | None]:
    """The first peer that can be had; None, with the reasons printed, where there is none."""
    venv = PEERS / "activitywatch"
    problem = _install_watchers(venv)
    if not problem:
        commands = [[str(venv / "bin" / name), "--testing"] for name in WATCHERS]
        name = "ActivityWatch's watchers"
    else:
        print(f"ActivityWatch's watchers could not be had: {problem}")
        name = f"{ZABBIX} (no window, no key)"
        binary = PEERS / ZABBIX / "usr" / "sbin" / "zabbix_agent2"
        problem = _unpack(ZABBIX, binary)
        if problem:
            print(f"Nor could {ZABBIX}: {problem}\n")
            yield None
            return
        commands = [[str(binary), "-f", "-c", str(_settings(screen.folder))]]
    programs = [screen.run(*command, HOME=str(screen.folder)) for command in commands]
    try:
        time.sleep(_SETTLES)
        if any(program.poll() is not None for program in programs):
            print(f"{name} did not stay up: {screen.logs()[-300:]}\n")
            yield None
            return
        found = [psutil.Process(program.pid) for program in programs]
        yield Peer(name, tuple(p for one in found for p in (one, *one.children(recursive=True))))
    finally:
        for program in programs:
            screen.stop(program)


def _install_watchers(venv: Path) -> str:
    """Put the watchers into an environment of their own; what went wrong, or nothing."""
    if all((venv / "bin" / name).exists() for name in WATCHERS):
        return ""
    problem = _ran([sys.executable, "-m", "venv", str(venv)])
    problem = problem or _ran([str(venv / "bin" / "pip"), "install", "--quiet", *WATCHERS])
    missing = [name for name in WATCHERS if not (venv / "bin" / name).exists()]
    return problem or (f"no command {', '.join(missing)} in the package" if missing else "")


def _unpack(package: str, program: Path) -> str:
    """Unpack a package of Debian's without installing it; what went wrong, or nothing."""
    if program.exists():
        return ""
    folder = PEERS / package
    folder.mkdir(parents=True, exist_ok=True)
    problem = _ran(["apt-get", "download", package], folder)
    archives = list(folder.glob("*.deb"))
    if problem or not archives:
        return problem or "apt gave no package"
    return _ran(["dpkg", "-x", str(archives[0]), str(folder)])


def _ran(command: list[str], folder: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return (done.stderr.strip().splitlines() or [f"{command[0]} failed"])[-1][:300]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _settings(folder: Path) -> Path:
    port = next(port for port in range(20_000, 32_000) if _is_free(port))  # it takes none above
    path = folder / "zabbix.conf"
    path.write_text(
        f"Server=127.0.0.1\nListenIP=127.0.0.1\nListenPort={port}\nHostname=bench\n"
        f"LogType=console\nControlSocket={folder}/zabbix.sock\n"
        f"PluginSocket={folder}/plugin.sock\nPidFile={folder}/zabbix.pid\n"
    )
    return path
