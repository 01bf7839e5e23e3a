"""Places that are never captured: confidential help, and what a school adds. Pure.

A rule is a line of text:

- `childline.org.uk` or `nhs.uk/mental-health`: a host with all below it, and a
  path with all below it, wherever the page's address is known;
- `title:Childline`: these words, as whole words, in a window's title; with `*` at
  its start, its end or between, a pattern for the whole title (`title:* - NHS`);
- `!title:Childline`: takes that rule of `DEFAULT` away.

A rule without prefix and without a dot is one for the title too.
"""

import fnmatch
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

DEFAULT = (
    "childline.org.uk",
    "samaritans.org",
    "kooth.com",
    "papyrus-uk.org",
    "giveusashout.org",
    "themix.org.uk",
    "youngminds.org.uk",
    "nspcc.org.uk",
    "ceop.police.uk",
    "reportharmfulcontent.com",
    "report-remove.org.uk",
    "mind.org.uk",
    "beateatingdisorders.org.uk",
    "nationaldahelpline.org.uk",
    "switchboard.lgbt",
    "nhs.uk",
    "title:Childline",
    "title:Samaritans",
    "title:Kooth",
    "title:Papyrus UK",
    "title:PAPYRUS Prevention of Young Suicide",
    "title:HOPELINE247",
    "title:Shout 85258",
    "title:NSPCC",
    "title:YoungMinds",
    "title:Report Remove",
    "title:* - NHS",
    "title:* - NHS *",
    "title:NHS 111*",
    "title:CPOMS*",
    "title:MyConcern*",
    "title:Redshank*",
)
"""What applies unless policy takes it away."""

_TITLE = "title:"


class Places:
    """The rules in force, ready to be asked at each change of window or address."""

    def __init__(self, policy: Iterable[str] = ()) -> None:
        rules = [rule.strip() for rule in policy if rule.strip()]
        taken = {rule[1:].strip().casefold() for rule in rules if rule.startswith("!")}
        rules = [
            *(rule for rule in DEFAULT if rule.casefold() not in taken),
            *(rule for rule in rules if not rule.startswith("!")),
        ]
        self._titles = [_title_pattern(rule) for rule in rules if _is_title(rule)]
        self._hosts = [_split(rule) for rule in rules if not _is_title(rule)]

    def never(self, *, title: str, address: str) -> bool:
        """Whether a window with this title and page is not to be captured."""
        if address:
            host, path = _split(address)
            for rule_host, rule_path in self._hosts:
                if (host == rule_host or host.endswith("." + rule_host)) and _below(
                    path, rule_path
                ):
                    return True
        return any(pattern.search(title) for pattern in self._titles)


def _is_title(rule: str) -> bool:
    return rule.startswith(_TITLE) or "." not in rule or " " in rule


def _title_pattern(rule: str) -> re.Pattern[str]:
    words = rule.removeprefix(_TITLE).strip()
    if "*" in words:
        parts = (re.escape(part) for part in words.split("*"))
        return re.compile(r"\A" + ".*".join(parts) + r"\Z", re.IGNORECASE | re.DOTALL)
    return re.compile(rf"(?<!\w){re.escape(words)}(?!\w)", re.IGNORECASE)


def _split(address: str) -> tuple[str, str]:
    """Host and path, in lower case; an address that cannot be read has neither."""
    if "//" not in address:
        address = f"//{address}"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return "", ""
    return host.rstrip(".").casefold(), parts.path.rstrip("/").casefold()


def _below(path: str, rule: str) -> bool:
    return not rule or path == rule or path.startswith(rule + "/")


class Applications:
    """Programs by name or path, as `keepassxc`, `KeePass.exe` or `*/games/*`."""

    def __init__(self, names: Iterable[str]) -> None:
        self._patterns = [
            re.compile(fnmatch.translate(name.strip().casefold())) for name in names if name.strip()
        ]

    def has(self, name: str, path: str) -> bool:
        """Whether this program is one of them."""
        known = {name.casefold(), path.casefold(), re.split(r"[\\/]", path)[-1].casefold()} - {""}
        return any(pattern.match(one) for pattern in self._patterns for one in known)
