"""What the desk asks of the rest of the collector."""

from collections.abc import AsyncIterator, Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from collector.vault import Vault
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

    async def read_pictures(self, query: Callable[[Connection], T]) -> T:
        """Run a query on the file of pictures."""
        ...


class Feed(Protocol):
    """What changed, as it changes."""

    def subscribe(self) -> AsyncIterator[tuple[int, bytes]]:
        """Each change's number and its line."""
        ...


class Parts(Protocol):
    """What `create_app` needs; `collector.build.Parts` has it."""

    @property
    def school(self) -> str:
        """The school's id."""
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
