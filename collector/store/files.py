"""The three files of one directory, opened, migrated and locked; no thread yet."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from collector.store.lock import DirectoryLock
from collector.store.migrate import upgrade
from collector.store.writer import FileOptions, FileWriter, Synchronous


@dataclass(frozen=True, slots=True)
class Files:
    """The writers of `main.db`, `pictures.db` and `keys.db`, under one lock."""

    directory: Path
    main: FileWriter
    pictures: FileWriter
    keys: FileWriter
    lock: DirectoryLock

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        synchronous: Synchronous = "FULL",
        migrate: bool = True,
    ) -> Self:
        """Open the files of a directory, making what is not there.

        Args:
            directory: made if it is not there, readable by its owner alone.
            synchronous: `OFF` is for the test that shows what `FULL` is for.
            migrate: bring the tables up to date first; without it they must be.

        Raises:
            StoreLocked: another collector has the directory.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = DirectoryLock(directory)
        opened: list[FileWriter] = []
        try:
            for name, options in (
                ("main", FileOptions(synchronous=synchronous)),
                ("pictures", FileOptions(synchronous=synchronous, page_size=16384)),
                ("keys", FileOptions(synchronous=synchronous, secure_delete=True)),
            ):
                writer = FileWriter(_private(directory / f"{name}.db"), options)
                opened.append(writer)
                if migrate:
                    upgrade(writer, name)
            _sync_directory(directory)
        except BaseException:
            for writer in opened:
                writer.close()
            lock.close()
            raise
        main, pictures, keys = opened
        return cls(directory, main, pictures, keys, lock)

    def close(self) -> None:
        """Close the files and give the lock back."""
        for writer in (self.main, self.pictures, self.keys):
            writer.close()
        self.lock.close()


def _private(path: Path) -> Path:
    # SQLite gives a log the mode of its file, so this covers both.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return path


def _sync_directory(directory: Path) -> None:
    if os.name == "nt":  # a directory cannot be opened there, and NTFS journals its entries
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
