"""Where the agent's parts are put together: real by default, each injectable."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from agent.local import Listener, listen
from agent.service import identity as ids
from agent.service.fence import close_up
from agent.service.identity import Files, Identity
from agent.service.intake import Intake, Rates
from agent.service.keeper import SessionKeeper
from agent.service.policy import PolicyKeeper
from agent.service.record import DeviceScribe
from agent.service.roll import Roll
from agent.service.seal import Offset, Sealer
from agent.service.settings import Settings
from agent.service.shelf import Shelf
from agent.service.spool import Spool
from agent.service.spool_file import SpoolFile
from agent.service.spool_rescue import noted
from agent.service.status import status_json
from agent.service.uplink import Timing, Uplink
from agent.service.watch import Patience, Watchkeeper, signed_in_users, system_uptime
from agent.service.who import Place
from agent.session import memory
from wire import tls
from wire.clock import Clock, SystemClock
from wire.local import Settings as SessionSettings

_log = logging.getLogger(__name__)


def own_command(*words: str) -> tuple[str, ...]:
    """How this program is started again, frozen or not."""
    if getattr(sys, "frozen", False):
        return (sys.executable, *words)
    return (sys.executable, "-m", "agent", *words)


def _no_session() -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the service takes from outside."""

    clock: Clock = field(default_factory=SystemClock)
    users: Callable[[], set[str]] = signed_in_users
    uptime: Callable[[], float] = system_uptime
    timing: Timing = field(default_factory=Timing)
    rates: Rates = field(default_factory=Rates)
    patience: Patience = field(default_factory=Patience)
    session_command: Sequence[str] = field(default_factory=_no_session)
    """The session process to keep running; empty: sessions come by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service, put together. `run` returns after `stop`."""

    identity: Identity
    spool: Spool
    policy: PolicyKeeper
    roll: Roll
    uplink: Uplink
    watch: Watchkeeper
    intake: Intake
    listener: Listener
    keeper: SessionKeeper | None

    def run(self) -> None:
        """Serve until `stop`."""
        self.watch.started()
        self.intake.remember()
        self.spool.call_when_written(self.uplink.nudge)
        self.policy.call_when_changed(self._policy_changed)
        self.policy.start()
        threads = [
            threading.Thread(target=self.listener.serve, args=(self.intake.serve,), name="listen"),
            threading.Thread(target=self.uplink.run, name="uplink"),
        ]
        if self.keeper is not None:
            threads.append(threading.Thread(target=self.keeper.run, name="keeper"))
        for thread in threads:
            thread.daemon = True
            thread.start()
        _log.info("the service runs", extra={"event": "started"})
        try:
            self.watch.run()
        finally:
            self.listener.close()
            if self.keeper is not None:
                self.keeper.stop()
            self.uplink.stop()
            self.policy.stop()
            for thread in threads:
                thread.join(10)
            self.spool.close()
            _log.info("the service has stopped", extra={"event": "stopped"})

    def _policy_changed(self, settings: SessionSettings) -> None:
        self.roll.push(settings)
        self.uplink.beat_soon()

    def stop(self) -> None:
        """Have `run` return; any thread may call it, but no signal's handler."""
        self.watch.stop()

    def status(self) -> str:
        """How it stands, as JSON."""
        return status_json(
            identity=self.uplink.identity,
            spool=self.spool,
            policy=self.policy,
            roll=self.roll,
            report=self.uplink.report,
            clock=SystemClock(),
        )


def build_service(settings: Settings, parts: Parts | None = None) -> Service:
    """Put the service together.

    Raises:
        IdentityError: this PC is not enrolled, or its identity cannot be read.
        SpoolError: the spool cannot be opened.
        LocalError: another service listens, or the socket cannot be made.
    """
    tls.require_tls13()
    parts = parts or Parts()
    files = Files(Path(settings.state))
    identity = ids.load(files)
    was_open = close_up(files)
    key = ids.load_key(files)
    policy = PolicyKeeper(
        files,
        root_public=ids.root_public(identity),
        school=identity.school,
        clock=parts.clock,
        shelf=Shelf(settings.books_folder),
    )
    scribe = DeviceScribe(key, school=identity.school, device=identity.device, clock=parts.clock)
    spool = Spool(SpoolFile.open(files.spool, scribe=scribe, limits=settings.limits))
    try:
        for words in was_open:
            _log.error(words, extra={"event": "rights"})
            spool.keep(partial(noted, words=words))
        return _wired(settings, parts, identity=identity, policy=policy, spool=spool)
    except BaseException:
        spool.close()
        raise


def _wired(
    settings: Settings,
    parts: Parts,
    *,
    identity: Identity,
    policy: PolicyKeeper,
    spool: Spool,
) -> Service:
    roll, offset = Roll(), Offset()
    uplink = Uplink(
        files=Files(Path(settings.state)),
        identity=identity,
        spool=spool,
        policy=policy,
        roll=roll,
        offset=offset,
        clock=parts.clock,
        request_command=own_command("make-request"),
        timing=parts.timing,
        give_back=memory.give_back,
    )
    intake = Intake(
        spool=spool,
        policy=policy,
        sealer=Sealer(school=identity.school, device=identity.device, policy=policy, offset=offset),
        roll=roll,
        place=Place(device=identity.device, host=identity.host, realm=settings.realm),
        clock=parts.clock,
        status=lambda: status_json(
            identity=uplink.identity,
            spool=spool,
            policy=policy,
            roll=roll,
            report=uplink.report,
            clock=parts.clock,
        ),
        may_ask=_is_technician,
        rates=parts.rates,
    )
    return Service(
        identity=identity,
        spool=spool,
        policy=policy,
        roll=roll,
        uplink=uplink,
        watch=Watchkeeper(
            spool=spool,
            roll=roll,
            clock=parts.clock,
            users=_users(parts),
            uptime=parts.uptime,
            patience=parts.patience,
        ),
        intake=intake,
        listener=listen(_place_for(settings.socket)),
        keeper=SessionKeeper(parts.session_command) if parts.session_command else None,
    )


def _users(parts: Parts) -> Callable[[], set[str]]:
    """Who sits at the PC; with a session process of our own also whoever runs us."""
    if not parts.session_command or sys.platform == "win32":
        return parts.users
    own = str(os.geteuid())
    return lambda: parts.users() | {own}


def _place_for(socket: str) -> str:
    """Make the socket's directory, which everybody may enter and only we may write."""
    if sys.platform != "win32":
        directory = Path(socket).parent
        if not directory.exists():
            directory.mkdir(parents=True, mode=0o755)
            directory.chmod(0o755)
    return socket


def _is_technician(user: str) -> bool:
    """Whether an account may see the status: the administrator, and the service's own."""
    if sys.platform == "win32":
        return user in {"S-1-5-18", "S-1-5-32-544"} or user.endswith("-500")
    return user in {"0", str(os.geteuid())}
