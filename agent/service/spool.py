"""The spool as the service uses it: many threads put, one at a time writes for all.

Natural group commit: each commit takes whatever queued during the last one. There is
no window to wait in, and no thread to wake: a lone record is committed at once, by
the thread that brings it.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

from agent.service.record import Draft, Written
from agent.service.spool_file import Depth, SpoolError, SpoolFailed, SpoolFile, SpoolFull
from agent.service.spool_frame import State
from wire.event import Lane, LaneHead

MOST_IN_ONE = 64
_Job = tuple[Draft, "Future[Written]"]


class Spool:
    """Shares one SpoolFile between threads."""

    def __init__(self, file: SpoolFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._jobs: deque[_Job] = deque()
        self._closed = False
        self._problem = ""
        self._called: Callable[[], None] = lambda: None

    def call_when_written(self, call: Callable[[], None]) -> None:
        """Have `call` called after each commit of records, by a thread that puts."""
        self._called = call

    @property
    def problem(self) -> str:
        """Why the disk last refused; empty: it takes what is written."""
        return self._problem

    @contextlib.contextmanager
    def _held(self, *, writes: bool = True) -> Iterator[SpoolFile]:
        """The file, one thread at a time; whether the disk refuses is noted."""
        with self._lock:
            try:
                yield self._file
            except SpoolError as error:
                self._problem = str(error)
                raise
            if writes:
                self._problem = ""

    def put(self, draft: Draft) -> Written:
        """Write a record: it is durable when this returns.

        Raises:
            SpoolFull: there is no room.
            SpoolFailed: the disk refused, or the spool is closed.
        """
        done: Future[Written] = Future()
        self._jobs.append((draft, done))
        while not done.done():
            with self._lock:
                # Whoever had the lock before may have written this one too.
                wrote = not done.done() and self._write()
            if wrote:
                self._called()
        return done.result()

    def read(self, lane: Lane, after: int, most: int) -> list[Written]:
        """Give at most `most` records of a lane that come after a number.

        Raises:
            SpoolFailed: the disk refused.
        """
        with self._held(writes=False) as file:
            found: list[Written] = []
            if most > 0:
                for written in file.pending(lane, after):
                    found.append(written)
                    if len(found) == most:
                        break
            return found

    def receipted(self, head: LaneHead) -> bool:
        """Forget up to and with `head`; False if it is not ours. Raises SpoolFailed."""
        with self._held() as file:
            return file.receipted(head)

    def knows(self, head: LaneHead) -> bool:
        """Whether `head` is one of ours. Raises SpoolFailed."""
        with self._held(writes=False) as file:
            return file.knows(head)

    def new_epoch(self, lane: Lane, why: str) -> LaneHead:
        """Begin a lane anew. Raises SpoolFailed."""
        with self._held() as file:
            return file.new_epoch(lane, why)

    def give_up(self, lane: Lane, sequence: int, why: str) -> None:
        """Quarantine a record that the collector will not take. Raises SpoolFailed."""
        with self._held() as file:
            file.give_up(lane, sequence, why)

    def keep(self, change: Callable[[State], State]) -> State:
        """Change what stands besides the records. Raises SpoolFailed."""
        with self._held(writes=False) as file:
            before = file.state
            after = file.keep(change)
            if after is not before:
                self._problem = ""
            return after

    def state(self) -> State:
        """What stands besides the records."""
        with self._lock:
            return self._file.state

    def heads(self) -> tuple[tuple[LaneHead, ...], tuple[LaneHead, ...]]:
        """The written heads, and the receipted ones."""
        with self._lock:
            return self._file.heads(), self._file.receipted_heads()

    def depth(self) -> Depth:
        """How much waits."""
        with self._lock:
            return self._file.depth()

    def close(self) -> None:
        """Write what is queued, and close."""
        with self._lock:
            while self._jobs:
                self._write()
            self._closed = True
            self._file.close()

    def _write(self) -> bool:
        """Commit what is queued, with the lock held. Returns whether anything was written."""
        group = [self._jobs.popleft() for _ in range(min(len(self._jobs), MOST_IN_ONE))]
        if not self._closed:
            return self._commit(group)
        for _, done in group:
            done.set_exception(SpoolFailed("the spool is closed"))
        return False

    def _commit(self, group: Sequence[_Job]) -> bool:
        try:
            written = self._file.append([draft for draft, _ in group])
        except SpoolFull as error:
            self._problem = str(error)
            if len(group) == 1:
                group[0][1].set_exception(error)
                return False
            # One that does not fit must not take the others with it.
            alone = [self._commit([job]) for job in group]
            return any(alone)
        except SpoolError as error:
            self._problem = str(error)
            for _, done in group:
                done.set_exception(error)
            return False
        except Exception as error:  # noqa: BLE001  # a caller must never wait for ever
            for _, done in group:
                done.set_exception(SpoolFailed(f"a record could not be written: {error}"))
            return False
        self._problem = ""
        for (_, done), one in zip(group, written, strict=True):
            done.set_result(one)
        return True
