"""A thread for one writer, and the natural group commit.

There is no window to wait for: each commit takes whatever queued during the
last one. With little to do a job commits alone and at once; under load, or on a
slow disk, the transactions grow by themselves.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection

from collector.errors import CommitFailed, StoreClosed
from collector.store.writer import FileWriter, Job, Outcome

T = TypeVar("T")
_MOST_JOBS = 512  # in one transaction, so that none waits for ever


class WriterQueue:
    """Takes jobs from any thread or loop, and answers each once it is durable."""

    def __init__(self, writer: FileWriter) -> None:
        """Start the writer's thread."""
        self._writer = writer
        self._jobs: deque[tuple[Job | None, Callable[[Outcome], None]]] = deque()
        self._something = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(
            target=self._work,
            name=f"writer of {writer.path.name}",
            daemon=True,
        )
        self._thread.start()

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run the job in the next transaction; return its value once that is durable.

        Raises:
            CommitFailed: the transaction did not become durable.
            StoreClosed: the store is closing.
            Exception: whatever the job itself raised; then its own changes are undone.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def settle(outcome: Outcome) -> None:
            loop.call_soon_threadsafe(_settle, future, outcome)

        self._put(job, settle)
        value: T = await future
        return value

    def write_now(self, job: Callable[[Connection], T]) -> T:
        """Do the same for a caller without a loop, who waits."""
        future: Future[Outcome] = Future()
        self._put(job, future.set_result)
        value: T = future.result().result()
        return value

    def truncate_log_now(self) -> None:
        """Cut the log between two transactions; raises `CommitFailed` if it is held."""
        future: Future[Outcome] = Future()
        self._put(None, future.set_result)
        future.result().result()

    def close(self) -> None:
        """Finish what is queued, then close the file."""
        with self._something:
            if self._closed:
                return
            self._closed = True
            self._something.notify()
        self._thread.join()
        self._writer.close()

    def _put(self, job: Job | None, settle: Callable[[Outcome], None]) -> None:
        with self._something:
            if self._closed:
                raise StoreClosed("the store is closing")
            self._jobs.append((job, settle))
            self._something.notify()

    def _take(self) -> list[tuple[Job | None, Callable[[Outcome], None]]]:
        with self._something:
            while not self._jobs and not self._closed:
                self._something.wait()
            taken: list[tuple[Job | None, Callable[[Outcome], None]]] = []
            while self._jobs and len(taken) < _MOST_JOBS:
                if self._jobs[0][0] is None:  # the log is cut between transactions
                    if not taken:
                        taken.append(self._jobs.popleft())
                    break
                taken.append(self._jobs.popleft())
            return taken

    def _work(self) -> None:
        while taken := self._take():
            jobs = [job for job, _ in taken if job is not None]
            outcomes = self._writer.commit(jobs) if jobs else [self._truncate()]
            for (_, settle), outcome in zip(taken, outcomes, strict=True):
                settle(outcome)

    def _truncate(self) -> Outcome:
        try:
            self._writer.truncate_log()
        except CommitFailed as error:
            return Outcome(error=error)
        return Outcome()


def _settle(future: asyncio.Future[Any], outcome: Outcome) -> None:
    if future.cancelled():
        return
    if outcome.error is not None:
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome.value)
