"""What an agent remembers of policies, so that nothing it accepted can be taken back.

Layout, JSON (UTF-8, one object), kept by the agent beside its policy:

    {"schema": 1, "version": 7, "digest": HEX, "keys": {"evidence": [2, HEX], ...},
     "packs": {"en/suicide": [3, HEX], ...}}

`digest` is SHA-256 of the policy's bytes; of keys and packs the epoch or version
and the SHA-256 of key or text are kept, also when a later policy leaves them out.

Invariants: every number only rises, and one number never stands for two contents.
Failure rules: a file that does not have this form raises `TrustDamaged`; it is
never taken for a fresh start, since that would undo the memory.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeGuard

from wire.codec.checks import LARGEST

_SCHEMA = 1
_DIGEST = re.compile(r"[0-9a-f]{64}")


class TrustDamaged(ValueError):
    """The memory of policies cannot be read."""


@dataclass(frozen=True, slots=True)
class Known:
    """The highest number seen, and the digest of what it stood for."""

    number: int
    digest: str


@dataclass(frozen=True, slots=True)
class TrustState:
    """The memory; empty on a PC that has never had a policy."""

    version: int = 0
    digest: str = ""
    keys: Mapping[str, Known] = field(default_factory=lambda: MappingProxyType({}))
    """By purpose: "evidence", "policy", "referral"."""
    packs: Mapping[str, Known] = field(default_factory=lambda: MappingProxyType({}))
    """By name."""

    def to_json(self) -> str:
        """The text to keep."""
        return json.dumps(
            {
                "schema": _SCHEMA,
                "version": self.version,
                "digest": self.digest,
                "keys": {name: [seen.number, seen.digest] for name, seen in self.keys.items()},
                "packs": {name: [seen.number, seen.digest] for name, seen in self.packs.items()},
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> "TrustState":
        """The memory from its text. Raises TrustDamaged."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            raise TrustDamaged("the memory of policies is not JSON") from None
        if not isinstance(data, dict) or data.get("schema") != _SCHEMA:
            raise TrustDamaged("the memory of policies has another form")
        version, digest = data.get("version"), data.get("digest")
        if not _is_number(version) or not (_is_digest(digest) or (version == 0 and digest == "")):
            raise TrustDamaged("the memory of policies does not say which was the last")
        return cls(
            version=version,
            digest=digest,
            keys=_known(data.get("keys")),
            packs=_known(data.get("packs")),
        )


def _known(data: Any) -> Mapping[str, Known]:
    if not isinstance(data, dict):
        raise TrustDamaged("the memory of policies lacks a table")
    known = {}
    for name, pair in data.items():
        if not (
            isinstance(pair, list)
            and len(pair) == len(("number", "digest"))
            and _is_number(pair[0])
            and _is_digest(pair[1])
        ):
            raise TrustDamaged("the memory of policies has a wrong entry")
        known[name] = Known(pair[0], pair[1])
    return MappingProxyType(known)


def _is_number(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= LARGEST


def _is_digest(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
