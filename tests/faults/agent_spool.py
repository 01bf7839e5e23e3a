"""The subject at the agent's end: its spool, as the service drives it.

An item is an event in the text lane and its picture in the other, in one commit; after
it the session is told that the event is taken. What a collector has receipted is
forgotten by the spool, and remembered here.
"""

import tempfile
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from agent.service.record import DeviceScribe, Draft
from agent.service.spool_file import Limits, SpoolError, SpoolFile
from tests.faults.trial import lay
from wire import codec
from wire.clock import SystemClock
from wire.event import (
    AccountKind,
    Finding,
    Kind,
    Lane,
    Part,
    PartKind,
    PictureState,
    Severity,
    Source,
)

SCHOOL = "marsh-lane"
DEVICE = "0f0f0f0f-0000-4000-8000-000000000001"
DISK_ERRORS = (OSError, SpoolError)
LONGEST = 0.012
"""Seconds of writing before the power is cut, at most."""
STRIKES = {"pwrite64": 160, "fdatasync": 40}
"""After how many calls of a kind the last blow falls: sixteen items make more."""
LIMITS = Limits(size=64 << 20, reserve=4 << 20, allocated=64 << 10)

_KEY = ec.generate_private_key(ec.SECP256R1())
SCRIBE = DeviceScribe(_KEY, school=SCHOOL, device=DEVICE, clock=SystemClock())
PUBLIC_KEY = _KEY.public_key()


class EarlySpool(SpoolFile):
    """A mutant: it says 'taken' when a commit is about to be made."""

    taken: Callable[[], None] = staticmethod(lambda: None)

    def _before_commit(self) -> None:
        self.taken()


class AgentSpool:
    """Writes items through the agent's own spool; with `forget`, receipts come in as well."""

    receipted: dict[Path, set[int]] = {}  # noqa: RUF012  # the collector's memory outlives the PC

    def __init__(
        self, folder: Path, *, synchronous: str = "FULL", early: bool = False, forget: bool = False
    ) -> None:
        path = folder / "spool.db"
        self._forget = forget
        self._early = early
        self._had = self.receipted.setdefault(folder, set())
        kind = EarlySpool if early else SpoolFile
        self._spool: Any = kind.open(path, scribe=SCRIBE, limits=LIMITS, synchronous=synchronous)

    def write(self, number: int, acknowledge: Callable[[int], None]) -> None:
        drafts = [event(number), picture(number)]
        if self._early:
            self._spool.taken = lambda: acknowledge(number)
        self._spool.append(drafts)
        acknowledge(number)
        if self._forget and number % 7 == 0:
            self._receipt()

    def present(self) -> Collection[int]:
        """What is in both lanes, together with what the collector had.

        A lane with a hole, or an item in one lane only, ends the test.
        """
        text, pictures = (self._lane(lane) for lane in Lane)
        assert text | self._had == pictures | self._had, "half of a commit"
        return text | self._had

    def close(self) -> None:
        self._spool.close()

    def _receipt(self) -> None:
        for lane in Lane:
            waiting = list(self._spool.pending(lane))
            if lane is Lane.TEXT:
                self._had |= {_number(written) for written in waiting[:-2]}
            if len(waiting) > 2:
                assert self._spool.receipted(waiting[-3].head)

    def _lane(self, lane: Lane) -> set[int]:
        return {_number(written) for written in self._spool.pending(lane)}


def event(number: int) -> Draft:
    """A match, with details of 600 sealed bytes."""
    return Draft(
        lane=Lane.TEXT,
        kind=Kind.EVENT,
        event=number.to_bytes(16),
        matched_at=number,
        account_kind=AccountKind.PERSON,
        account_digest=bytes(32),
        account="S-1-5-21-1-2-3-1001",
        account_salt=bytes(32),
        finding=FINDING,
        picture=PictureState.FOLLOWS,
        part=_part(PartKind.DETAILS, 600),
        sealed=number.to_bytes(16) + bytes(584),
    )


def picture(number: int, size: int = 9_000) -> Draft:
    """A screenshot, small enough that a trial is quick."""
    return Draft(
        lane=Lane.PICTURE,
        kind=Kind.PICTURE,
        event=number.to_bytes(16),
        matched_at=number,
        part=_part(PartKind.PICTURE, size),
        sealed=number.to_bytes(16) + bytes(size - 16),
    )


FINDING = Finding(
    source=Source.TYPED,
    category="bullying",
    severity=Severity.MEDIUM,
    score=500,
    reasons=(),
    term_id="a-term",
    pack="en/bullying",
    pack_version=1,
)


def _part(kind: PartKind, size: int) -> Part:
    return Part(
        kind=kind, key_id=bytes(16), sealed_digest=bytes(32), plain_digest=bytes(32), size=size
    )


def _number(written: Any) -> int:
    return int.from_bytes(codec.decode_header(written.envelope.header).event)


@cache
def _empty() -> dict[str, bytes]:
    """An empty spool's files, by name."""
    with tempfile.TemporaryDirectory(prefix="empty-spool-") as folder:
        AgentSpool(Path(folder)).close()
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def power(folder: Path) -> AgentSpool:
    if not (folder / "spool.db").exists():
        lay(_empty(), folder)
    return AgentSpool(folder, forget=True)


def durable(folder: Path) -> AgentSpool:
    return AgentSpool(folder)


def first_start(folder: Path) -> AgentSpool:
    return AgentSpool(folder)


def synchronous_off(folder: Path) -> AgentSpool:
    return AgentSpool(folder, synchronous="OFF")


def early(folder: Path) -> AgentSpool:
    return AgentSpool(folder, early=True)
