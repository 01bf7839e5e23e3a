"""What the desk asks of the rest of the collector, and what it makes of it for itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from collector.audit import Audit
from collector.feed import Feed
from collector.reveal import Reveal
from collector.school import School
from collector.sealed import Words
from collector.settings import Settings
from collector.signin import SignIn
from collector.vault import Vault
from collector.web.templating import Templates
from wire.clock import Clock

T = TypeVar("T")


class Store(Protocol):
    """The three files: each job is one transaction, durable on return."""

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the main file."""
        ...

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job on the main file; it is durable when this returns."""
        ...

    async def read_keys(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the file of encapsulated keys."""
        ...

    async def write_keys(self, job: Callable[[Connection], T]) -> T:
        """Run a job on the file of encapsulated keys; it is durable when this returns."""
        ...

    async def read_pictures(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the file of pictures."""
        ...


class Parts(Protocol):
    """What `create_app` needs; `collector.parts.Parts` has it."""

    @property
    def settings(self) -> Settings:
        """How the collector runs."""
        ...

    @property
    def school(self) -> School:
        """Whom it serves."""
        ...

    @property
    def clock(self) -> Clock:
        """What time it is."""
        ...

    @property
    def store(self) -> Store:
        """The three files."""
        ...

    @property
    def feed(self) -> Feed:
        """What changed."""
        ...

    @property
    def vault(self) -> Vault:
        """What opens evidence."""
        ...

    @property
    def audit(self) -> Audit:
        """Who did what."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """What a category is called, and what to do now."""

    title: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the desk's routes work with."""

    parts: Parts
    signin: SignIn
    reveal: Reveal
    words: Words
    """Seals and opens what staff write."""
    templates: Templates
    guidance: Mapping[str, Guidance]
    """By category."""

    @property
    def school(self) -> str:
        """The school's id."""
        return self.parts.school.id

    @property
    def store(self) -> Store:
        """The three files."""
        return self.parts.store

    @property
    def now(self) -> int:
        """µs since 1970."""
        return self.parts.clock.now()
