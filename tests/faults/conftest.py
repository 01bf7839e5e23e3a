"""Where the tests of this room lay their files: in memory, where there is enough of it.

A kill leaves the page cache, an injected error never reaches a device, and a power cut
throws away what was not yet handed to the loop device: none of them asks what lies under
it. A real disk below would only add its own waits, to most of the run.
"""

import shutil
import tempfile
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")  # a folder of our own is made in it
_ENOUGH = 1 << 30


@pytest.fixture
def tmp_path(tmp_path):
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ENOUGH:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=_MEMORY, prefix="redshank-faults-") as folder:
        yield Path(folder)
