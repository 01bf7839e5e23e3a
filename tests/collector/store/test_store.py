import asyncio
import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, update

from collector.alerts import raise_change
from collector.errors import CommitFailed, StoreClosed, StoreLocked
from collector.store import Store, schema
from collector.store.files import Files
from collector.store.migrate import METADATA
from collector.store.writer import FileOptions, FileWriter


def school(name="oak"):
    return insert(schema.schools).values(school=name, name="", created_at=1, root_certificate=b"")


def names(conn):
    return sorted(conn.scalars(select(schema.schools.c.school)))


@pytest.fixture
def store(tmp_path):
    store = Store.open(tmp_path)
    yield store
    store.close()


@pytest.mark.parametrize("name", list(METADATA))
def test_the_migrations_make_what_the_schema_says(tmp_path, name):
    files = Files.open(tmp_path)
    writer = getattr(files, name)

    def job(conn):
        return compare_metadata(MigrationContext.configure(conn), METADATA[name])

    found = writer.commit([job])[0].result()
    files.close()
    assert found == []


def test_opening_again_changes_nothing(tmp_path):
    first = Store.open(tmp_path)
    first.write_now(lambda conn: conn.execute(school()) and None)
    first.close()
    again = Store.open(tmp_path)
    assert again.read_now(names) == ["oak"]
    again.close()


def test_a_second_collector_is_refused_in_words(tmp_path, store):
    with pytest.raises(StoreLocked, match=r"Another collector .* already works"):
        Store.open(tmp_path)


def test_the_files_are_the_owners_alone(tmp_path, store):
    store.write_now(lambda conn: conn.execute(school()) and None)
    for path in tmp_path.glob("*.db*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize(("name", "secure"), [("main", 0), ("pictures", 0), ("keys", 1)])
def test_every_commit_is_synchronous_and_keys_are_overwritten(tmp_path, name, secure):
    files = Files.open(tmp_path)

    def job(conn):
        return [
            conn.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            for pragma in ("journal_mode", "synchronous", "secure_delete")
        ]

    assert getattr(files, name).commit([job])[0].result() == ["wal", 2, secure]
    files.close()


async def test_a_failing_job_is_undone_and_the_others_go_on(store):
    def bad(conn):
        conn.execute(school("bad"))
        raise ValueError("its own fault")

    jobs = [store.write(lambda conn, n=n: conn.execute(school(f"s{n}")) and n) for n in range(20)]
    failed, *others = await asyncio.gather(store.write(bad), *jobs, return_exceptions=True)
    assert isinstance(failed, ValueError)
    assert others == list(range(20))
    assert await store.read(names) == sorted(f"s{n}" for n in range(20))


async def test_a_job_that_breaks_a_constraint_fails_alone(store):
    def good(conn):
        return raise_change(conn, "oak")

    await store.write(lambda conn: conn.execute(school()) and None)
    twice, change = await asyncio.gather(
        store.write(lambda conn: conn.execute(school()) and None),
        store.write(good),
        return_exceptions=True,
    )
    assert "UNIQUE" in str(twice)
    assert change == 1


async def test_what_queues_during_a_commit_is_one_commit(tmp_path):
    commits = []

    class Counting(FileWriter):
        def commit(self, jobs):
            commits.append(len(jobs))
            return super().commit(jobs)

    files = Files.open(tmp_path)
    files.main.close()
    store = Store(
        Files(tmp_path, Counting(tmp_path / "main.db"), files.pictures, files.keys, files.lock)
    )
    await asyncio.gather(
        *(store.write(lambda conn, n=n: conn.execute(school(f"s{n}")) and None) for n in range(200))
    )
    store.close()
    assert sum(commits) == 200
    assert len(commits) < 100


async def test_the_change_counter_numbers_commits_in_order(store):
    await store.write(lambda conn: conn.execute(school()) and None)
    changes = await asyncio.gather(
        *(store.write(lambda conn: raise_change(conn, "oak")) for _ in range(50))
    )
    assert changes == list(range(1, 51))


async def test_a_reader_cannot_write(store):
    with pytest.raises(Exception, match=r"readonly|read-only|query_only"):
        await store.read(lambda conn: conn.execute(school()))


async def test_a_query_sees_one_commit(store):
    await store.write(lambda conn: conn.execute(school()) and None)

    def query(conn):
        first = conn.scalar(select(schema.schools.c.change))
        store.write_now(
            lambda other: other.execute(update(schema.schools).values(change=7)) and None
        )
        return first, conn.scalar(select(schema.schools.c.change))

    assert await store.read(query) == (0, 0)
    assert (await store.read(lambda conn: conn.scalar(select(schema.schools.c.change)))) == 7


async def test_after_close_nothing_is_taken(tmp_path):
    store = Store.open(tmp_path)
    store.close()
    with pytest.raises(StoreClosed):
        await store.write(names)


def test_a_full_disk_fails_every_job_and_the_next_commit_starts_anew(tmp_path):
    writer = FileWriter(tmp_path / "a.db", FileOptions(checkpoint_pages=0))
    writer.commit([lambda conn: conn.exec_driver_sql("CREATE TABLE t (b BLOB)") and None])

    def small(conn):
        conn.exec_driver_sql("INSERT INTO t VALUES (x'00')")

    def too_much(conn):
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
        conn.exec_driver_sql(f"PRAGMA max_page_count={pages + 3}")
        conn.exec_driver_sql("INSERT INTO t VALUES (zeroblob(1000000))")

    outcomes = writer.commit([small, too_much, small])
    assert all(isinstance(outcome.error, CommitFailed) for outcome in outcomes)
    assert writer.reopened == 1
    assert writer.commit([small])[0].error is None

    def count(conn):
        return conn.exec_driver_sql("SELECT count(*) FROM t").scalar()

    assert writer.commit([count])[0].result() == 1
    writer.close()


def test_a_job_that_ends_the_shared_transaction_fails_it(tmp_path):
    writer = FileWriter(tmp_path / "a.db")
    outcomes = writer.commit([lambda conn: conn.exec_driver_sql("COMMIT") and None, lambda _: None])
    assert all(isinstance(outcome.error, CommitFailed) for outcome in outcomes)
    assert writer.commit([lambda _: 5])[0].result() == 5
    writer.close()


def test_a_destroyed_key_is_in_no_file(tmp_path, store):
    secret = bytes(range(100, 132))

    def keep(conn):
        conn.execute(
            insert(schema.part_keys).values(
                school="oak", event=b"e", part=1, digest=b"d", enc=secret, received_at=1
            )
        )

    store._keys.write_now(keep)
    assert any(secret in path.read_bytes() for path in tmp_path.glob("keys.db*"))
    store._keys.write_now(lambda conn: conn.execute(schema.part_keys.delete()) and None)
    store.truncate_keys_log()
    assert not any(secret in path.read_bytes() for path in tmp_path.glob("keys.db*"))


def test_the_log_is_not_cut_under_a_reader(tmp_path, store):
    store._keys.write_now(lambda conn: conn.execute(schema.part_keys.delete()) and None)
    reader = sqlite3.connect(tmp_path / "keys.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM part_keys").fetchall()

    def keep(conn):
        conn.exec_driver_sql("PRAGMA busy_timeout=50")
        conn.execute(
            insert(schema.part_keys).values(
                school="oak", event=b"e", part=1, digest=b"d", enc=b"x", received_at=1
            )
        )

    store._keys.write_now(keep)
    with pytest.raises(CommitFailed, match="not cut"):
        store.truncate_keys_log()
    reader.close()
    store.truncate_keys_log()
