"""The collector's durable memory: three SQLite files in one directory.

A **file** is one SQLite database, its one **writer** and its **readers**. A
**job** is a function of a connection; the writer runs whatever jobs queued
during its last commit in one transaction, each in a savepoint, and answers them
once that transaction is durable: the natural group commit. A **failed commit**
is fatal to the connection: its jobs fail, and the file is opened anew. An
**orphan** is a key or a picture of which no record speaks; the **sweeper**
removes it. The tables, and what must hold between the files, are in `schema`.
"""

from collector.store.store import Store

__all__ = ["Store"]
