"""What a running collector does by itself, once an hour and at its start."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from collector.ca import ISSUER_WARNED_BEFORE, ServerIdentity
from collector.desk_certificate import DeskCertificateError, check_pair, in_utc
from collector.errors import CollectorError
from collector.logs import logger
from collector.ops import disk_words
from collector.parts import Parts
from collector.store.sweep import sweep

PERIOD_SECONDS = 3600.0
_DESK_WARNED_DAYS = 21
_LOG = logger("collector.chores")


@dataclass(frozen=True, slots=True)
class Chores:
    """Renewals and warnings."""

    parts: Parts
    identity: Callable[[], ServerIdentity]
    """The certificate that the agents' listeners show now."""
    renew: Callable[[], None]
    """Has those listeners show a new one."""

    async def run(self) -> None:
        """Do all of it every hour until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(PERIOD_SECONDS)

    async def once(self) -> None:
        """Each chore once; one that fails is logged and keeps none of the others from running."""
        for chore in (self.reissue_policy, self.renew_certificate, self.sweep_orphans, self.warn):
            await _attempt(chore)

    async def reissue_policy(self) -> None:
        """Issue the policy anew before it runs out."""
        if await self.parts.policies.reissue_if_due():
            _LOG.info("policy issued anew", version=self.parts.policies.version)

    async def renew_certificate(self) -> None:
        """Renew the agents' listeners' certificate before it runs out."""
        if self.parts.ca.is_due(self.identity()):
            self.renew()
            _LOG.info("server certificate renewed", not_after=str(self.identity().not_after))

    async def sweep_orphans(self) -> None:
        """Remove what a crash left in the files of keys and pictures."""
        parts = self.parts
        swept = await sweep(parts.store, parts.school.id, now=parts.clock.now())
        if swept.keys or swept.pictures:
            _LOG.info("orphans removed", keys=swept.keys, pictures=swept.pictures)

    async def warn(self) -> None:
        """Say what will need a person soon."""
        for words in find_warnings(self.parts):
            _LOG.warning(words)


def find_warnings(parts: Parts) -> list[str]:
    """What will stop working unless somebody does something, in words."""
    now = in_utc(parts.clock.now())
    found = []
    left = parts.ca.issuer.not_valid_after_utc - now
    if left < ISSUER_WARNED_BEFORE:
        found.append(
            f"the issuer of the agents' certificates runs out in {left.days} days; PCs cannot renew"
            " beyond that. A new issuer needs the recovery sheet"
        )
    try:
        desk = check_pair(*parts.settings.desk_files, now=now)
    except DeskCertificateError as error:
        found.append(str(error))
    else:
        days = (desk.not_valid_after_utc - now).days
        if days < _DESK_WARNED_DAYS:
            found.append(f"the desk's certificate runs out in {days} days")
    low = disk_words(parts)
    return [*found, low] if low else found


async def _attempt(chore: Callable[[], Awaitable[None]]) -> None:
    name = getattr(chore, "__name__", "?")
    try:
        await chore()
    except CollectorError as error:
        _LOG.error("chore failed", chore=name, why=str(error))
    except Exception:  # noqa: BLE001 - a chore that fails must not end the taking in of events
        _LOG.exception("chore failed", chore=name)
