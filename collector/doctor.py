"""Says in words what keeps a collector from starting, or soon will."""

from collections.abc import Iterator
from dataclasses import dataclass

from collector.build import build
from collector.chores import find_warnings
from collector.control import ControlError, ask
from collector.desk_certificate import check_pair, in_utc
from collector.errors import CollectorError, StoreLocked
from collector.listeners import bind
from collector.secrets import check_closed
from collector.settings import Settings
from wire.clock import SystemClock

_LISTENERS = ("desk_listen", "enrol_listen", "uplink_listen", "ops_listen")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    words: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything that can be wrong before a start."""
    try:
        running = ask(settings.control_path, "status", {})
    except ControlError as error:
        running = {}
        yield Finding(ok=True, words=f"not running: {error}")
    if running:
        yield Finding(
            ok=True,
            words=f"running for {running['name']}, {running['online']} of {running['devices']}"
            " PCs connected",
        )
    yield from _desk(settings)
    if not running:
        yield from _ports(settings)
        yield from _parts(settings)


def _desk(settings: Settings) -> Iterator[Finding]:
    try:
        found = check_pair(*settings.desk_files, now=in_utc(SystemClock().now()))
        check_closed(settings.desk_files[1])
    except CollectorError as error:
        yield Finding(ok=False, words=str(error))
    else:
        until = f"{found.not_valid_after_utc:%d %B %Y}"
        yield Finding(ok=True, words=f"the desk's certificate is in force until {until}")


def _ports(settings: Settings) -> Iterator[Finding]:
    for setting in _LISTENERS:
        address = getattr(settings, setting)
        try:
            bind(setting, address).close()
        except CollectorError as error:
            yield Finding(ok=False, words=str(error))
        else:
            yield Finding(ok=True, words=f"{setting}: {address} is free")


def _parts(settings: Settings) -> Iterator[Finding]:
    try:
        parts = build(settings)
    except StoreLocked as error:
        yield Finding(ok=False, words=f"{error} It does not answer commands.")
        return
    except CollectorError as error:
        yield Finding(ok=False, words=str(error))
        return
    try:
        yield Finding(ok=True, words=f"keys and database of {parts.school.name} are whole")
        for words in find_warnings(parts):
            yield Finding(ok=False, words=words)
    finally:
        parts.store.close()
