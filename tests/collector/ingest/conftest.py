"""One event loop for all of these tests, since gRPC keeps one poller for a process."""

from pathlib import Path

import pytest
import pytest_asyncio

from tests.collector.school import Rig


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("asyncio"):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def rigs(tmp_path):
    """Makes schools with a running uplink; they end with the test, however it ends."""
    made = []

    async def make(*, recorder=None, **options):
        rig = Rig(tmp_path / f"data{len(made)}", **options)
        made.append(rig)
        return await rig.start(recorder)

    yield make
    for rig in made:
        await rig.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def rig(rigs):
    return await rigs()
