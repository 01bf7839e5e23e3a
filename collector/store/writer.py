"""The one writer of one file: a transaction of many jobs, durable or failed as a whole.

It is synchronous and knows no thread and no loop, so that the fault tests drive
exactly what the collector runs.

Invariants:
- Nothing is reported as done before `COMMIT` returned under `synchronous=FULL`.
- A job that raises is rolled back to its savepoint; the others go on.
- When the file itself fails (EIO, ENOSPC, a failed fsync, a transaction that
  SQLite ended by itself) every job of the transaction fails, the connection is
  closed, and the next transaction opens the file anew. A failed fsync is never
  tried again on the same connection: the kernel may have dropped the dirty pages.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from collector.errors import CommitFailed

Job = Callable[[Connection], Any]
Synchronous = Literal["FULL", "OFF"]

# SQLite's primary result codes after which a connection is not to be trusted.
_FATAL = frozenset(
    {
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    },
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job: its value, or the error that it or its transaction met."""

    value: Any = None
    error: BaseException | None = None

    def result(self) -> Any:
        """Give the job's value, or raise its error."""
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How a file is written. `OFF` exists for the test that must catch it."""

    synchronous: Synchronous = "FULL"
    secure_delete: bool = False
    page_size: int = 4096
    """Bytes; counts only when the file is made."""
    checkpoint_pages: int = 2000
    """After how many pages of log the writer moves them into the file."""


class FileWriter:
    """Commits jobs to one SQLite file. To be called from one thread at a time."""

    def __init__(self, path: Path, options: FileOptions | None = None) -> None:
        """Open the file, which is made if it is not there."""
        self.path = path
        self.options = options or FileOptions()
        self.reopened = 0
        self._engine: Engine = create_engine(
            "sqlite://",
            creator=self._connect,
            poolclass=NullPool,
            hide_parameters=True,  # an error's text ends in the log, and must not name values
        )
        event.listen(self._engine, "begin", _begin_immediate)
        self._connection: Connection | None = None
        self._raw: sqlite3.Connection | None = None
        self._open()

    def commit(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run the jobs in one transaction and make it durable.

        Never raises for a job's or the file's sake: each outcome says what became of its job.
        """
        try:
            connection, raw = self._open()
            connection.begin()
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing is durable
            return self._fail(jobs, error)
        outcomes: list[Outcome] = []
        for job in jobs:
            try:
                outcomes.append(_run(connection, raw, job))
            except Exception as error:  # noqa: BLE001
                return self._fail(jobs, error)
        try:
            connection.commit()
        except Exception as error:  # noqa: BLE001
            return self._fail(jobs, error)
        return outcomes

    def truncate_log(self) -> None:
        """Move the log into the file and cut it to nothing, so that no copy of a page stays.

        Raises:
            CommitFailed: a reader held on, or the file failed; try again later.
        """
        _, raw = self._open()
        try:
            busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            self._drop()
            raise CommitFailed(f"{self.path.name}: the log could not be cut: {error}") from error
        if busy:
            raise CommitFailed(f"{self.path.name}: a reader holds the log; it was not cut")

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._drop()
        self._engine.dispose()

    def _connect(self) -> sqlite3.Connection:
        options = self.options
        raw = sqlite3.connect(
            self.path,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            raw.execute(f"PRAGMA page_size={options.page_size:d}")
            raw.execute(f"PRAGMA secure_delete={'ON' if options.secure_delete else 'OFF'}")
            (mode,) = raw.execute("PRAGMA journal_mode=WAL").fetchone()
            assert mode == "wal", "this file system has no write-ahead log"
            raw.execute(f"PRAGMA synchronous={options.synchronous}")
            raw.execute(f"PRAGMA wal_autocheckpoint={options.checkpoint_pages:d}")
            raw.execute("PRAGMA busy_timeout=10000")
            raw.execute("PRAGMA foreign_keys=ON")
            raw.execute("PRAGMA temp_store=MEMORY")
            raw.execute("PRAGMA cache_size=-32000")
        except BaseException:
            raw.close()
            raise
        return raw

    def _open(self) -> tuple[Connection, sqlite3.Connection]:
        if self._connection is None or self._raw is None:
            connection = self._engine.connect()
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, sqlite3.Connection)
            self._connection, self._raw = connection, raw
        return self._connection, self._raw

    def _fail(self, jobs: Sequence[Job], error: BaseException) -> list[Outcome]:
        self._drop()
        self.reopened += 1
        failure = CommitFailed(f"{self.path.name} did not take the records: {error}")
        failure.__cause__ = error
        return [Outcome(error=failure) for _ in jobs]

    def _drop(self) -> None:
        connection, raw = self._connection, self._raw
        self._connection = self._raw = None
        if connection is not None:
            connection.invalidate()
            connection.close()
        if raw is not None:
            raw.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _run(connection: Connection, raw: sqlite3.Connection, job: Job) -> Outcome:
    raw.execute("SAVEPOINT job")
    try:
        value = job(connection)
    except Exception as error:
        if _fatal(error) or not raw.in_transaction:
            raise
        raw.execute("ROLLBACK TO job")
        raw.execute("RELEASE job")
        return Outcome(error=error)
    if not raw.in_transaction:
        raise CommitFailed("a job ended the transaction that it shares with others")
    raw.execute("RELEASE job")
    return Outcome(value=value)


def _fatal(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        code = getattr(cause, "sqlite_errorcode", None)
        if code is not None and (code & 0xFF) in _FATAL:
            return True
        cause = getattr(cause, "orig", None) or cause.__cause__
    return False
