"""What may be captured, and what never is: the evidence rules, their defaults, their file.

The file is TOML, all of its fields are optional:

    no_picture = ["sexual", "nudes"]     # categories of which no picture is taken
    all_monitors = []                    # categories for which every monitor is taken
    never_places = ["childline.org.uk"]  # parts of addresses and titles, never captured
    excluded_applications = ["keepassxc"]
    held_applications = []               # typed text is not matched there
    shared_accounts = ["guest"]          # accounts that are nobody's own
    picture_max_bytes = 600000
    patterns = false                     # alert on sentences without a listed word (profiling:
                                         # say so in the impact assessment and the notice first)

A field that the file leaves out keeps its default; the desk's own address is always
among the places that are never captured.
"""

import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from collector.errors import CollectorError
from wire.event import EvidenceRules

_FILE_MAX: Final = 262_144
_PICTURE_MIN: Final = 20_000
_PICTURE_MAX: Final = 900_000

NO_PICTURE: Final = ("sexual", "nudes", "csam")
NEVER_PLACES: Final = (
    # Help that a pupil may seek in confidence: addresses, and titles where no address is known.
    "childline.org.uk",
    "Childline",
    "samaritans.org",
    "Samaritans",
    "kooth.com",
    "Kooth",
    "papyrus-uk.org",
    "Papyrus UK",
    "Prevention of Young Suicide",
    "HOPELINE247",
    "nhs.uk",
    "NHS 111",
    "- NHS",
    "giveusashout.org",
    "Shout 85258",
    "themix.org.uk",
    "The Mix - Essential support",
    # Where staff write about pupils, this desk included.
    "Redshank desk",
    "cpoms.net",
    "CPOMS",
    "myconcern.education",
    "myconcern.co.uk",
    "thesafeguardingcompany.com",
    "MyConcern",
)
PASSWORD_MANAGERS: Final = (
    "1password",
    "bitwarden",
    "dashlane",
    "enpass",
    "gnome-keyring",
    "keepass",
    "keepassx",
    "keepassxc",
    "kwalletmanager",
    "kwalletmanager5",
    "lastpass",
    "nordpass",
    "protonpass",
    "roboform",
    "seahorse",
)
SHARED_ACCOUNTS: Final = ("guest", "exam", "kiosk")


class RulesError(CollectorError):
    """The file of rules cannot be used; the message names the field."""


def default_rules(desk: str) -> EvidenceRules:
    """The rules that a school starts with; `desk` is what `desk_place` says."""
    return EvidenceRules(
        no_picture=NO_PICTURE,
        never_places=_with_desk(NEVER_PLACES, desk),
        excluded_applications=PASSWORD_MANAGERS,
        shared_accounts=SHARED_ACCOUNTS,
    )


def read_rules(path: Path, desk: str) -> EvidenceRules:
    """The rules of a file over the defaults.

    Raises:
        RulesError: it cannot be read, or a field is unknown or wrong.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > _FILE_MAX:
            raise RulesError(f"{path}: is larger than {_FILE_MAX} bytes")
        said = tomllib.loads(raw.decode())
    except OSError as error:
        raise RulesError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RulesError(f"{path}: is not TOML: {error}") from None
    known = {field.name for field in fields(EvidenceRules)}
    values: dict[str, Any] = {}
    for name, value in said.items():
        if name not in known:
            raise RulesError(f"{path}: {name}: there is no such rule")
        values[name] = _check(path, name, value)
    rules = replace(default_rules(desk), **values)
    return replace(rules, never_places=_with_desk(rules.never_places, desk))


def _check(path: Path, name: str, value: object) -> object:
    if name == "picture_max_bytes":
        if type(value) is not int or not _PICTURE_MIN <= value <= _PICTURE_MAX:
            raise RulesError(f"{path}: {name}: a number from {_PICTURE_MIN} to {_PICTURE_MAX}")
        return value
    if name == "patterns":
        if not isinstance(value, bool):
            raise RulesError(f"{path}: {name}: true or false")
        return value
    if not isinstance(value, list):
        raise RulesError(f"{path}: {name}: a list of texts")
    texts = tuple(text.strip() for text in value if isinstance(text, str))
    if len(texts) != len(value) or not all(texts):
        raise RulesError(f"{path}: {name}: a list of texts, none of them empty")
    return texts


def desk_place(host: str, port: int) -> str:
    """The part of an address by which the desk is known.

    A machine that serves itself is told from all else on it by the port.
    """
    return f"{host}:{port}" if host == "localhost" or host.startswith("127.") else host


def _with_desk(places: tuple[str, ...], desk: str) -> tuple[str, ...]:
    return places if desk in places else (*places, desk)
