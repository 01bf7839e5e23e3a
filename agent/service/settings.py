"""The agent's settings: a TOML file, and the environment over it.

Every setting has a default that is right for a school PC. `REDSHANK_STATE`, `REDSHANK_SOCKET` and
`REDSHANK_BOOKS` override `state`, `socket` and `books`, for a developer's machine.
"""

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from agent.service.spool_file import Limits

_MIB = 1 << 20
_SMALLEST_SPOOL = 4


class SettingsError(Exception):
    """The settings file cannot be used; the words name file and setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that can be set."""

    state: str = ""
    """Where key, spool and policy are; the service account's alone."""
    socket: str = ""
    """Where sessions connect: a Unix socket's path, or a named pipe."""
    books: str = ""
    """Where the packs made ready are; every account may read it, the service's alone may write it.
    On Windows there is none: each session makes them ready for itself."""
    realm: str = ""
    """The directory's realm, for accounts that are not of this PC alone."""
    spool_mib: int = 512
    """How large the spool may grow, MiB."""
    spool_reserve_mib: int = 32
    """The part of it in which text goes on when pictures are given up, MiB."""
    log_level: str = "info"
    """debug, info, warning or error."""

    @property
    def books_folder(self) -> Path | None:
        """The folder of the packs made ready, if there is to be one."""
        return Path(self.books) if self.books and sys.platform != "win32" else None

    @property
    def limits(self) -> Limits:
        """The spool's limits."""
        return Limits(
            size=self.spool_mib * _MIB,
            reserve=self.spool_reserve_mib * _MIB,
            allocated=min(2, self.spool_reserve_mib) * _MIB,
        )


def default_file() -> Path:
    """Where the settings file is looked for."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "Redshank" / "agent.toml"
    return Path("/etc/redshank/agent.toml")


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    state: str = "",
    socket: str = "",
) -> Settings:
    """Read the settings: a flag over the environment over the file over the default.

    Raises:
        SettingsError: the file cannot be read, or says what is not a setting.
    """
    environ = os.environ if environ is None else environ
    path = path or Path(environ.get("REDSHANK_AGENT_CONFIG") or default_file())
    is_named = path != default_file()
    settings = Settings()
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if is_named:
            raise SettingsError(f"there is no settings file {path}") from error
        said = {}
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error
    settings = _checked(settings, said, path)
    settings = replace(
        settings,
        state=state or environ.get("REDSHANK_STATE") or settings.state or _default_state(),
    )
    return replace(
        settings,
        books=environ.get("REDSHANK_BOOKS") or settings.books or f"{settings.state}-books",
        socket=socket
        or environ.get("REDSHANK_SOCKET")
        or settings.socket
        or _default_socket(settings.state),
    )


def _checked(settings: Settings, said: Mapping[str, Any], path: Path) -> Settings:
    known = {field.name: type(getattr(settings, field.name)) for field in fields(settings)}
    for name, value in said.items():
        if name not in known:
            raise SettingsError(f"{path}: {name}: there is no such setting")
        if type(value) is not known[name]:
            kind = "a whole number" if known[name] is int else "a text"
            raise SettingsError(f"{path}: {name}: must be {kind}")
    settings = replace(settings, **said)
    if settings.spool_mib < _SMALLEST_SPOOL:
        raise SettingsError(f"{path}: spool_mib: at least {_SMALLEST_SPOOL}")
    if not 1 <= settings.spool_reserve_mib < settings.spool_mib:
        raise SettingsError(f"{path}: spool_reserve_mib: at least 1, and less than spool_mib")
    if settings.log_level not in {"debug", "info", "warning", "error"}:
        raise SettingsError(f"{path}: log_level: debug, info, warning or error")
    return settings


def _default_state() -> str:
    if sys.platform == "win32":
        return str(Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "Redshank" / "agent")
    return "/var/lib/redshank-agent"


def _default_socket(state: str) -> str:
    if sys.platform == "win32":
        return r"\\.\pipe\redshank-agent"
    if state == _default_state():
        return "/run/redshank-agent/agent.sock"
    return str(Path(state) / "agent.sock")
