"""The three files with their writers' threads and their readers: what the other rooms call."""

from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection

from collector.store.files import Files
from collector.store.queue import WriterQueue
from collector.store.readers import Readers
from collector.store.writer import Synchronous

T = TypeVar("T")


class Store:
    """`await write(job)` returns once the job is durable; `await read(query)` sees what is.

    A job or query is a plain function of a SQLAlchemy connection. It runs in
    another thread: it takes values and returns values, and ends no transaction.
    """

    def __init__(self, files: Files) -> None:
        """Give each file its writer's thread and its readers."""
        self.directory = files.directory
        self._lock = files.lock
        self._main = WriterQueue(files.main)
        self._pictures = WriterQueue(files.pictures)
        self._keys = WriterQueue(files.keys)
        self._main_readers = Readers(files.main.path)
        self._pictures_readers = Readers(files.pictures.path, threads=2)
        self._keys_readers = Readers(files.keys.path, threads=1)

    @classmethod
    def open(
        cls,
        directory: Path | str,
        *,
        synchronous: Synchronous = "FULL",
        migrate: bool = True,
    ) -> Self:
        """Open the store of a directory, made and migrated as needed.

        Raises:
            StoreLocked: another collector has the directory.
        """
        return cls(Files.open(Path(directory), synchronous=synchronous, migrate=migrate))

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run the job on `main.db`; its value comes back once it is durable.

        Raises:
            CommitFailed: it did not become durable.
            Exception: what the job raised; its changes are undone, others' are not.
        """
        return await self._main.write(job)

    async def write_pictures(self, job: Callable[[Connection], T]) -> T:
        """Do as `write` does, on `pictures.db`."""
        return await self._pictures.write(job)

    async def write_keys(self, job: Callable[[Connection], T]) -> T:
        """Do as `write` does, on `keys.db`."""
        return await self._keys.write(job)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run the query on a snapshot of `main.db`."""
        return await self._main_readers.read(query)

    async def read_pictures(self, query: Callable[[Connection], T]) -> T:
        """Run the query on a snapshot of `pictures.db`."""
        return await self._pictures_readers.read(query)

    async def read_keys(self, query: Callable[[Connection], T]) -> T:
        """Run the query on a snapshot of `keys.db`."""
        return await self._keys_readers.read(query)

    def write_now(self, job: Callable[[Connection], T]) -> T:
        """Do as `write` does, for a command that has no event loop."""
        return self._main.write_now(job)

    def read_now(self, query: Callable[[Connection], T]) -> T:
        """Do as `read` does, for a command that has no event loop."""
        return self._main_readers.read_now(query)

    def truncate_keys_log(self) -> None:
        """Cut the log of `keys.db`, so that a destroyed key is in no copy of a page.

        Raises:
            CommitFailed: a reader holds the log; nothing is lost, try again.
        """
        self._keys.truncate_log_now()

    def close(self) -> None:
        """Finish what is queued, close the files, and let another collector have them."""
        for readers in (self._main_readers, self._pictures_readers, self._keys_readers):
            readers.close()
        for queue in (self._main, self._pictures, self._keys):
            queue.close()
        self._lock.close()
