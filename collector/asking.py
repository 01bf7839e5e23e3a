"""Secrets asked for on the terminal, or read from where an automation put them."""

import getpass
import sys
from pathlib import Path

from pydantic import SecretStr

from collector.settings import SettingsError, read_secret


def chosen_secret(path: Path | None, from_environment: SecretStr | None) -> str:
    """A secret from the file a flag named, else from the environment, else nothing.

    Raises:
        SettingsError: the file cannot be read, or is empty.
    """
    if path is not None:
        return read_secret(path)
    return "" if from_environment is None else from_environment.get_secret_value()


def ask_secret(what: str, rule: str, *, twice: bool = True) -> str:
    """A secret typed on the terminal, without showing it.

    Raises:
        SettingsError: there is no terminal, or the two do not match.
    """
    if not sys.stdin.isatty():
        raise SettingsError(
            f"{what}: there is no terminal to ask on; name a file instead (see --help)"
        )
    first = getpass.getpass(f"{what} ({rule}): ")
    if twice and getpass.getpass(f"{what}, again: ") != first:
        raise SettingsError(f"{what}: the two are not the same")
    return first
