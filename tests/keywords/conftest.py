import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.school import BOOKS
from keywords.bookfile import read_book
from keywords.matcher import Matcher
from keywords.pack import Pack, load_packs, shipped_packs

MAKE = """
import sys
from pathlib import Path
from keywords.bookfile import write_book
from keywords.pack import load_packs, shipped_packs
from keywords.termbook import make_book
Path(sys.argv[1]).write_bytes(write_book(make_book(load_packs(shipped_packs()))))
"""


@pytest.fixture(scope="session")
def shipped() -> tuple[Pack, ...]:
    return load_packs(shipped_packs())


@pytest.fixture(scope="session")
def matcher() -> Matcher:
    """All shipped packs, made ready in a process whose lines are not counted: that takes thrice."""
    path: Path = BOOKS / "all-shipped-for-tests.book"
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    subprocess.run([sys.executable, "-c", MAKE, str(path)], env=plain, check=True)
    return Matcher(read_book(path))
