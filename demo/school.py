"""A school in miniature, from the installed commands: a collector, and PCs enrolled at it.

    with School(say=print) as school:
        school.set_up()
        school.serve()
        pc = school.enrol("pc-1")
        with pc.running(screen.environment):
            ...
        school.desk            # https://localhost:PORT
        school.login, school.password, school.passphrase

Everything runs as a child process on free ports of this machine, with its data in one
new folder; leaving the `with` block ends the processes and removes the folder. What
is done is told to `say`, in plain words, as it happens.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LOOPBACK = "127.0.0.1:0"
BOOKS = Path(__file__).resolve().parents[1] / "build" / "books"
"""The packs made ready, once for all schools of this checkout."""
LISTENERS = ("desk", "enrol", "uplink", "ops")


class SchoolError(Exception):
    """A command failed or did not start; the message holds its last words."""


class School:
    """One collector and its PCs."""

    login = "dsl"
    name = "Marsh Lane School"
    dsl_name = "Sam Okafor"

    def __init__(
        self,
        *,
        say: Callable[[str], None] = lambda _words: None,
        folder: Path | None = None,
        host: str = "localhost",
    ) -> None:
        self._say = say
        self._made = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="school-"))
        self.folder.chmod(0o711)  # so that another account reaches its own PC's folder
        self.data = self.folder / "collector"
        self.sheet = self.folder / "sheet.html"
        self.host = host
        # Made anew each time: nothing in this repository opens any school.
        self.password = secrets.token_urlsafe(12)
        self.passphrase = " ".join(secrets.token_hex(3) for _ in range(4))
        self.addresses: dict[str, str] = {}
        self._server: Program | None = None
        self.pcs: list[Pc] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End everything and leave nothing behind."""
        for pc in self.pcs:
            pc.stop()
        self.stop()
        if self._made:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def desk(self) -> str:
        """The desk's address, once it is served."""
        return f"https://{self.host}:{_port(self.addresses['desk'])}"

    @property
    def ops(self) -> str:
        """Where health and figures are."""
        return f"http://{self.addresses['ops']}"

    @property
    def server_pid(self) -> int:
        """The collector's process."""
        assert self._server is not None
        return self._server.pid

    def set_up(self, *, packs: Path | None = None) -> None:
        """Make the school: its keys, its first DSL, its first policy."""
        began = time.monotonic()
        with (
            _secret_file(self.folder, self.password) as password,
            _secret_file(self.folder, self.passphrase) as passphrase,
        ):
            words = ["setup", "--school", self.name, "--id", "marsh-lane", "--host", self.host]
            words += ["--dsl-login", self.login, "--dsl-name", self.dsl_name]
            words += ["--data", str(self.data), "--sheet", str(self.sheet)]
            words += ["--password-file", str(password), "--passphrase-file", str(passphrase)]
            if packs is not None:
                words += ["--packs", str(packs)]
            for name in LISTENERS:
                words += [f"--{name}-listen", LOOPBACK]
            self._collector(*words, data=False)
        self._say(f"the school is set up ({time.monotonic() - began:.1f} s)")

    def serve(self, *, prefix: tuple[str, ...] = (), **environment: str) -> None:
        """Start the collector and wait until it serves; `prefix` goes before the command.

        A second time it serves on the ports that it had.
        """
        began = time.monotonic()
        command = [*prefix, _command("redshank-collector"), "serve", "--data", str(self.data)]
        for name, address in self.addresses.items():
            command += [f"--{name}-listen", address]
        self._server = Program(command, self.folder / "collector.log", environment)
        line = self._server.wait_for_line('"serving"', seconds=60)
        said = json.loads(line[line.index("{") :])
        self.addresses = {name: _on_loopback(_address(said, name)) for name in LISTENERS}
        self._say(f"the collector serves {self.desk} ({time.monotonic() - began:.1f} s)")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop the collector; its data stays."""
        if self._server is not None:
            self._server.stop(how)
            self._server = None

    def collector_log(self) -> str:
        """What the collector said so far."""
        return (self.folder / "collector.log").read_text(errors="replace")

    def ask(self, *words: str) -> Any:
        """Run one of the collector's commands with --json; what it answers."""
        return json.loads(self._collector(*words, "--json"))

    def token(self, *, room: str = "IT 1", uses: int = 1) -> dict[str, Any]:
        """An enrolment token, with the server to use it at."""
        said: dict[str, Any] = self.ask("enrol-token", "--room", room, "--uses", str(uses))
        return said

    def enrol(self, name: str = "pc-1", *, room: str = "IT 1") -> "Pc":
        """Enrol a PC: a state folder of its own, and the agent's real command."""
        began = time.monotonic()
        pc = Pc(self.folder / name, say=self._say)
        said = self.token(room=room)
        pc.command("enrol", "--server", said["server"], "--token", said["token"], "--host", name)
        self.pcs.append(pc)
        self._say(f"{name} is enrolled ({time.monotonic() - began:.1f} s)")
        return pc

    def wait_until_online(self, count: int = 1, *, seconds: float = 30) -> None:
        """Wait until so many PCs are connected."""
        end = time.monotonic() + seconds
        while self.ask("status")["online"] < count:
            if time.monotonic() > end:
                raise SchoolError(f"no {count} PCs are connected: {self.last_words()}")
            time.sleep(0.1)

    def last_words(self) -> str:
        """The ends of all logs, for a message."""
        logs = [self.folder / "collector.log", *(pc.folder / "agent.log" for pc in self.pcs)]
        return "\n".join(f"{log.name}: {_tail(log)}" for log in logs if log.exists())

    def _collector(self, *words: str, data: bool = True) -> str:
        command = [_command("redshank-collector"), *words]
        return _run([*command, "--data", str(self.data)] if data else command)


class Pc:
    """One enrolled PC: its state folder and its agent."""

    def __init__(self, folder: Path, *, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir(parents=True, mode=0o700)
        self._say = say
        self._agent: Program | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What tells the agent's commands which PC they are on."""
        return {
            "REDSHANK_STATE": str(self.state),
            "REDSHANK_SOCKET": str(self.folder / "agent.sock"),
            "REDSHANK_BOOKS": str(BOOKS),
        }

    @property
    def agent_pid(self) -> int:
        """The process that was started; the session is its child."""
        assert self._agent is not None
        return self._agent.pid

    def command(self, *words: str, check: bool = True) -> str:
        """Run one of the agent's commands on this PC; what it prints."""
        return _run([_command("redshank-agent"), *words], self.environment, check=check)

    def status(self) -> dict[str, Any]:
        """What `redshank-agent status --json` says."""
        said: dict[str, Any] = json.loads(self.command("status", "--json", check=False))
        return said

    def start(self, environment: Mapping[str, str], *, prefix: tuple[str, ...] = ()) -> None:
        """Start service and session on the screen of this environment."""
        command = [*prefix, _command("redshank-agent"), "run", "--both"]
        full = {**environment, **self.environment}
        self._agent = Program(command, self.folder / "agent.log", full)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop the agent; its state stays."""
        if self._agent is not None:
            self._agent.stop(how)
            self._agent = None

    @contextlib.contextmanager
    def running(self, environment: Mapping[str, str], *, seconds: float = 30) -> Iterator["Pc"]:
        """Run the agent, from when it watches and is connected until the block ends."""
        began = time.monotonic()
        self.start(environment)
        try:
            self.wait_until_watching(seconds=seconds)
            self._say(f"the agent watches ({time.monotonic() - began:.1f} s)")
            yield self
        finally:
            self.stop()

    def wait_until_watching(self, *, seconds: float = 30) -> None:
        """Wait until the hook is alive and the uplink stands."""
        assert self._agent is not None
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(SchoolError, json.JSONDecodeError):
                if watching(self.status()):
                    return
            if self._agent.ended:
                raise SchoolError(f"the agent ended: {self.log()[-2000:]}")
            if time.monotonic() > end:
                raise SchoolError(f"the agent does not watch: {self.log()[-2000:]}")
            time.sleep(0.1)

    def log(self) -> str:
        """What the agent said so far."""
        path = self.folder / "agent.log"
        return path.read_text(errors="replace") if path.exists() else ""


def watching(status: Mapping[str, Any]) -> bool:
    """Whether this status tells of a session that is watched and a collector that hears."""
    ready = status["uplink"]["phase"] == "flowing" and status["book"]["ready"]
    return bool(ready and any(session["hook_alive"] for session in status["sessions"]))


class Program:
    """A child process with its log, and all that it starts."""

    def __init__(self, command: list[str], log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        with log.open("ab") as out:
            self._start = out.tell()
            self._process = subprocess.Popen(
                command,
                cwd=log.parent,
                env=_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self._process.poll() is not None

    def wait_for_line(self, words: str, *, seconds: float) -> str:
        """The first whole line of the log with these words."""
        end = time.monotonic() + seconds
        while True:
            with self._log.open("rb") as log:
                log.seek(self._start)
                lines = log.read().decode(errors="replace").splitlines(keepends=True)
            for line in lines:
                if words in line and line.endswith("\n"):
                    return line
            if self.ended or time.monotonic() > end:
                raise SchoolError(f"{self._log.stem} did not start: {_tail(self._log)}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, and whatever of its group is left."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _command(name: str) -> str:
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise SchoolError(f"{name} is not installed beside {sys.executable}: ./run setup")
    return str(path)


def _environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    # The tools' own settings must not leak in from whoever runs this.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REDSHANK_")}
    return {**kept, "PYTHONUNBUFFERED": "1", **(more or {})}


def _run(
    command: list[str], environment: Mapping[str, str] | None = None, *, check: bool = True
) -> str:
    done = subprocess.run(
        command,
        env=_environment(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if check and done.returncode != 0:
        shown = " ".join([Path(command[0]).name, command[1]])
        raise SchoolError(f"{shown} failed ({done.returncode}): {done.stderr[-2000:].strip()}")
    return done.stdout


@contextlib.contextmanager
def _secret_file(folder: Path, secret: str) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secret)
        yield Path(name)
    finally:
        Path(name).unlink()


def _address(said: Mapping[str, Any], name: str) -> str:
    return str(said[f"redshank.{name}_address"])


def _on_loopback(address: str) -> str:
    return f"127.0.0.1:{_port(address)}"


def _port(address: str) -> str:
    return address.rpartition(":")[2]


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-1500:].strip()
