"""A few read-only connections to one file, each in a thread of its own."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool

T = TypeVar("T")


class Readers:
    """Runs queries against what is committed, beside the writer."""

    def __init__(self, path: Path, *, threads: int = 3) -> None:
        """Connections are opened as they are first needed."""
        self._path = path
        self._mine = threading.local()
        self._all: list[Connection] = []
        # An error that names a statement's values would bring them into the log.
        self._engine = create_engine(
            "sqlite://", creator=self._connect, poolclass=NullPool, hide_parameters=True
        )
        # A snapshot: all statements of one query see the same commit.
        event.listen(self._engine, "begin", _begin)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"reader of {path.name}")

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run the query on one snapshot; it cannot write."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, query)

    def read_now(self, query: Callable[[Connection], T]) -> T:
        """Do the same for a caller without a loop."""
        return self._threads.submit(self._read, query).result()

    def close(self) -> None:
        """Let the running queries end, then close the connections."""
        self._threads.shutdown()
        for connection in self._all:
            connection.close()
        self._engine.dispose()

    def _read(self, query: Callable[[Connection], T]) -> T:
        connection: Connection | None = getattr(self._mine, "connection", None)
        if connection is None or connection.closed or connection.invalidated:
            connection = self._engine.connect()
            self._mine.connection = connection
            self._all.append(connection)
        try:
            return query(connection)
        finally:
            connection.rollback()

    def _connect(self) -> sqlite3.Connection:
        raw = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        raw.execute("PRAGMA query_only=ON")
        raw.execute("PRAGMA busy_timeout=10000")
        raw.execute("PRAGMA temp_store=MEMORY")
        return raw


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
