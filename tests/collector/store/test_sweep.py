"""The sweeper beside an ingest that goes on."""

import pytest
from sqlalchemy import insert, select, update

from collector.store import Store, schema
from collector.store.sweep import GRACE, Swept, sweep

NOW = 10 * GRACE


class Racing(Store):
    """A store in which something happens just before the sweeper deletes."""

    meanwhile = None

    async def write_keys(self, job):
        if self.meanwhile:
            await super().write_keys(self.meanwhile)
        return await super().write_keys(job)

    async def write_pictures(self, job):
        if self.meanwhile:
            await super().write_pictures(self.meanwhile)
        return await super().write_pictures(job)


@pytest.fixture
def store(tmp_path):
    made = Racing.open(tmp_path)
    yield made
    made.close()


async def orphan(store, table, **more):
    row = {"school": "oak", "event": b"e" * 16, "digest": b"d" * 16, "received_at": 1} | more
    write = store.write_keys if table is schema.part_keys else store.write_pictures
    await write(lambda conn: conn.execute(insert(table).values(**row)) and None)


@pytest.mark.parametrize("comes_again", [False, True])
async def test_what_comes_again_during_a_sweep_is_left_alone(store, comes_again):
    await orphan(store, schema.part_keys, part=1, enc=b"k" * 32)
    await orphan(store, schema.picture_parts, device="pc", ciphertext=b"c")

    def again(conn):
        tables = conn.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
        for table in (schema.part_keys, schema.picture_parts):
            if table.name in tables:
                conn.execute(update(table).values(received_at=NOW))

    store.meanwhile = again if comes_again else None
    swept = await sweep(store, "oak", now=NOW)
    left = len(await store.read_keys(lambda conn: conn.execute(select(schema.part_keys)).all()))
    left += len(
        await store.read_pictures(lambda conn: conn.execute(select(schema.picture_parts)).all())
    )
    assert (swept, left) == ((Swept(0, 0), 2) if comes_again else (Swept(1, 1), 0))
