"""`redshank-agent`: what a technician types. Exit codes: 0 done, 1 failed, 2 usage, 78 settings."""

import argparse
import contextlib
import json
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import VERSION
from agent.local import Channel, LocalError, connect
from agent.service import settings as settings_of
from agent.service.settings import Settings, SettingsError
from wire.clock import SystemClock

if TYPE_CHECKING:
    from agent.build import Service

DONE, FAILED, USAGE, CONFIGURATION = 0, 1, 2, 78


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and give the exit code."""
    given = parser().parse_args(arguments)
    try:
        settings = settings_of.load(
            given.config, state=given.state or "", socket=given.socket or ""
        )
    except SettingsError as error:
        print(f"redshank-agent: {error}", file=sys.stderr)
        return CONFIGURATION
    command: Callable[[argparse.Namespace, Settings], int] = given.command
    return command(given, settings)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    outer = argparse.ArgumentParser(
        prog="redshank-agent",
        description="The Redshank agent of this PC.",
        epilog="Settings come from /etc/redshank/agent.toml, over it the environment "
        "(REDSHANK_STATE, REDSHANK_SOCKET, REDSHANK_BOOKS), over it the flags.",
    )
    outer.add_argument("--version", action="version", version=f"redshank-agent {VERSION}")
    outer.add_argument("--config", type=Path, help="the settings file")
    outer.add_argument("--state", help="where key, spool and policy are kept")
    outer.add_argument("--socket", help="where sessions meet the service")
    commands = outer.add_subparsers(required=True, metavar="COMMAND")

    enrol = commands.add_parser("enrol", help="get this PC's certificate from the school's server")
    enrol.add_argument("--server", required=True, help="https://HOST:PORT of enrolment")
    enrol.add_argument("--token", required=True, help="the technician's token, rs1…")
    enrol.add_argument("--host", default=socket.gethostname(), help="this PC's name on the desk")
    enrol.set_defaults(command=_enrol)

    run = commands.add_parser("run", help="run the agent")
    which = run.add_mutually_exclusive_group()
    which.add_argument("--service", action="store_true", help="the service alone (the default)")
    which.add_argument("--session", action="store_true", help="a session process alone")
    which.add_argument("--both", action="store_true", help="both as one user, for a developer")
    run.set_defaults(command=_run)

    status = commands.add_parser("status", help="say how this PC stands")
    status.add_argument("--json", action="store_true", help="all of it, for programs")
    status.set_defaults(command=_status)

    doctor = commands.add_parser("doctor", help="say what is wrong, and what to do")
    doctor.set_defaults(command=_doctor)

    canary = commands.add_parser("canary", help="send a harmless event through the whole chain")
    canary.add_argument("--wait", type=float, default=60.0, help="seconds to wait for the receipt")
    canary.set_defaults(command=_canary)

    request = commands.add_parser("make-request")
    request.add_argument("directory", type=Path)
    request.set_defaults(command=_make_request)
    return outer


def _enrol(given: argparse.Namespace, settings: Settings) -> int:
    from agent.service import enrol  # noqa: PLC0415  # each command loads what it needs
    from agent.service.identity import Files, IdentityError  # noqa: PLC0415
    from agent.service.shelf import Shelf  # noqa: PLC0415
    from wire.token import TokenError  # noqa: PLC0415

    files = Files(Path(settings.state))
    try:
        identity, policy = enrol.enrol(
            files, server=given.server, token_text=given.token, host=given.host
        )
        problem = enrol.keep_policy(files, identity, policy, Shelf(settings.books_folder))
    except (enrol.EnrolError, TokenError, IdentityError) as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"cannot write to {settings.state}: {error.strerror or error}")
    print(f"This PC is enrolled as {identity.device} at {identity.school}.")
    if problem:
        print(f"Its first policy was not taken: {problem}")
    return DONE


def _run(given: argparse.Namespace, settings: Settings) -> int:
    if given.session:
        from agent.session.watcher import main as watch  # noqa: PLC0415  # not in the service

        return watch(settings.socket)
    from agent.service.harden import harden  # noqa: PLC0415
    from agent.service.logs import set_up  # noqa: PLC0415

    harden()
    set_up(settings.log_level)
    from agent.session import memory  # noqa: PLC0415

    memory.prepare()
    from agent import build  # noqa: PLC0415  # the service's parts are heavy
    from agent.service.identity import IdentityError  # noqa: PLC0415
    from agent.service.spool_file import SpoolError  # noqa: PLC0415

    command: tuple[str, ...] = ()
    if given.both:
        command = build.own_command(
            "--state", settings.state, "--socket", settings.socket, "run", "--session"
        )
    try:
        service = build.build_service(settings, build.Parts(session_command=command))
    except IdentityError as error:
        _failed(str(error))
        return CONFIGURATION
    except (SpoolError, LocalError) as error:
        return _failed(str(error))
    return _until_told(service)


def _until_told(service: "Service") -> int:
    """Run the service until a signal ends it; FAILED if it ended by itself."""
    # A handler runs in the midst of whatever the main thread does, so the main thread does
    # nothing but wait, and the handler nothing but put: that is safe at any moment.
    told: queue.SimpleQueue[int] = queue.SimpleQueue()
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: told.put(DONE))

    def run() -> None:
        try:
            service.run()
        finally:
            told.put(FAILED)

    worker = threading.Thread(target=run, name="service")
    worker.start()
    # Windows does not let a signal interrupt a wait without an end.
    wait = 1.0 if sys.platform == "win32" else None
    while True:
        with contextlib.suppress(queue.Empty):
            code = told.get(timeout=wait)
            break
    service.stop()
    worker.join()
    return code


def _status(given: argparse.Namespace, settings: Settings) -> int:
    try:
        text = _ask_status(settings)
    except LocalError as error:
        return _failed(str(error))
    if given.json:
        print(text)
        return DONE
    said = json.loads(text)
    for line in status_lines(said):
        print(line)
    return DONE if said["uplink"]["phase"] == "flowing" else FAILED


def status_lines(said: dict[str, Any]) -> list[str]:
    """The status for people."""
    uplink, spool, policy = said["uplink"], said["spool"], said["policy"]
    book = said["book"]
    watched = sum(one["hook_alive"] for one in said["sessions"])
    lines = [
        f"device      {said['device']} at {said['school']}, agent {said['version']}",
        f"collector   {said['server']}: {uplink['phase']}"
        + (f" ({uplink['cause']}: {uplink['words']})" if uplink["words"] else ""),
        f"clock       {uplink['clock_offset_us'] / 1e6:+.1f} s to the collector's",
        f"policy      version {policy['version']}"
        + (f"; {policy['problem']}" if policy["problem"] else "")
        + ("; its packs are being made ready" if policy["version"] and not book["ready"] else ""),
        f"spool       {spool['records']} records wait, {spool['bytes'] / (1 << 20):.1f} MiB"
        + (f", {spool['quarantined']} in quarantine" if spool["quarantined"] else "")
        + (f"; {spool['problem']}" if spool["problem"] else ""),
        f"sessions    {len(said['sessions'])} connected, {watched} watched",
    ]
    lines += [f"book        {words}" for words in (book["problem"], *book["refused"]) if words]
    lines += [f"integrity   {note}" for note in spool["notes"]]
    lines += [
        f"gap         {gap['reason']}, still open" for gap in said["gaps"] if not gap["ended_at"]
    ]
    return lines


def _ask_status(settings: Settings) -> str:
    from wire.local import Rejected, StatusAsk, StatusReply  # noqa: PLC0415

    channel = connect(settings.socket)
    try:
        channel.send(StatusAsk())
        answer = channel.receive(10.0)
    finally:
        channel.close()
    if isinstance(answer, StatusReply):
        return answer.json
    words = answer.words if isinstance(answer, Rejected) else "the service did not answer"
    raise LocalError(words)


def _doctor(_given: argparse.Namespace, settings: Settings) -> int:
    from agent.service import doctor  # noqa: PLC0415
    from agent.service import identity as ids  # noqa: PLC0415
    from agent.service.reach import reach  # noqa: PLC0415

    files = ids.Files(Path(settings.state))
    enrolled, barred, service, status, reached = "", False, "", None, None
    try:
        identity = ids.load(files)
        reached = reach(files, identity, SystemClock().now())
    except ids.IdentityError as error:
        enrolled, barred = str(error), isinstance(error, ids.NotReadable)
    else:
        try:
            status = json.loads(_ask_status(settings))
        except LocalError as error:
            service = str(error)
    found = doctor.diagnose(
        doctor.Facts(
            enrolled=enrolled,
            barred=barred,
            service=service,
            status=status,
            reach=reached,
            spool_limit=settings.limits.size - settings.limits.reserve,
            here=doctor.blinds_here(),
        )
    )
    for one in found:
        print(f"✗ {one.what}\n  → {one.do}")
    if not found:
        print("Nothing is wrong.")
    return FAILED if found else DONE


def _canary(given: argparse.Namespace, settings: Settings) -> int:
    from agent.service.canary import CanaryError, sing  # noqa: PLC0415

    channel: Channel | None = None
    try:
        channel = connect(settings.socket)
        for link in sing(channel, SystemClock(), given.wait):
            print(f"{link.seconds * 1000:8.1f} ms  {link.words}")
    except (CanaryError, LocalError) as error:
        return _failed(str(error))
    finally:
        if channel is not None:
            channel.close()
    return DONE


def _make_request(given: argparse.Namespace, _settings: Settings) -> int:
    """What the service asks of a process of its own, so that x509 does not stay in it."""
    from agent.service import enrol  # noqa: PLC0415
    from agent.service import identity as ids  # noqa: PLC0415
    from agent.service.harden import harden  # noqa: PLC0415

    harden()
    files = ids.Files(given.directory)
    try:
        sys.stdout.buffer.write(enrol.request(files, ids.load(files)))
    except ids.IdentityError as error:
        return _failed(str(error))
    return DONE


def _failed(words: str) -> int:
    print(f"redshank-agent: {words}", file=sys.stderr)
    return FAILED
