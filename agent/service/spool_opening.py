"""Open a spool's file and bring it to order: make it, check it, rescue it once.

The rules are those of `spool_file`, under "Recovery".
"""

import contextlib
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

from agent.service import spool_tables
from agent.service.record import Scribe
from agent.service.spool_check import Broken, Checked, check
from agent.service.spool_rescue import clear_rescue, fresh_state, rescue, sync_directory
from agent.service.spool_room import Limits, is_broken, is_full_disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How one spool is opened."""

    path: Path
    scribe: Scribe
    limits: Limits
    synchronous: str

    def open(self) -> tuple[sqlite3.Connection, Checked]:
        """Give the open file and what was found in it; the caller closes it.

        Raises:
            sqlite3.Error, OSError: the disk refuses.
        """
        clear_rescue(self.path)
        if not self.path.exists() or self.path.stat().st_size == 0:
            self._create()
        try:
            return self._connect_and_check()
        except (Broken, UnicodeDecodeError, sqlite3.Error) as error:
            # Python cannot even word SQLite's complaint where a name in the schema is damaged.
            if isinstance(error, sqlite3.Error) and not is_broken(error):
                raise
        rescue(self.path, self.scribe, self._aside(), self._connect)
        try:
            return self._connect_and_check()
        except Broken as error:
            raise sqlite3.DatabaseError("the rescued file is not sound") from error

    def _connect(self, path: Path) -> sqlite3.Connection:
        return spool_tables.connect(path, self.synchronous)

    def _create(self) -> None:
        with contextlib.closing(self._connect(self.path)) as db:
            db.execute("BEGIN IMMEDIATE")
            spool_tables.create(db, fresh_state(), 1)
            db.execute("COMMIT")
        self.path.chmod(0o600)
        sync_directory(self.path.parent)

    def _connect_and_check(self) -> tuple[sqlite3.Connection, Checked]:
        db = self._connect(self.path)
        try:
            checked = check(db)
            # The first write shows whether the file takes one at all.
            db.execute("BEGIN IMMEDIATE")
            spool_tables.write_state(db, checked.state, checked.generation + 1)
            db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
        return db, replace(checked, generation=checked.generation + 1)

    def reserve(self, db: sqlite3.Connection) -> bool:
        """Take room in advance; False if the disk is too full for it: it keeps no spool shut.

        Raises:
            sqlite3.Error: the disk refuses for another reason.
        """
        journal = self.path.with_name(self.path.name + "-journal")
        try:
            db.execute("BEGIN IMMEDIATE")
            spool_tables.allocate(db, self.limits.allocated)
            db.execute("COMMIT")
            if not journal.exists() or journal.stat().st_size < spool_tables.JOURNAL:
                db.execute("BEGIN IMMEDIATE")
                spool_tables.stretch_journal(db)
                db.execute("COMMIT")
        except sqlite3.Error as error:
            if not is_full_disk(error):
                raise
            if db.in_transaction:
                db.execute("ROLLBACK")
            return False
        return True

    def _aside(self) -> Path:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists():
            number += 1
        return aside
