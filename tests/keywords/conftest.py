import os
import subprocess
import sys
from pathlib import Path

import pytest

from keywords.bookfile import read_book
from keywords.matcher import Matcher
from keywords.pack import Pack, load_packs, shipped_packs

MAKE = """
import sys
from pathlib import Path
from keywords.bookfile import write_book
from keywords.pack import load_packs, shipped_packs
from keywords.termbook import make_book
path, *languages = sys.argv[1:]
Path(path).write_bytes(write_book(make_book(load_packs(shipped_packs(*languages)))))
"""


@pytest.fixture(scope="session")
def shipped() -> tuple[Pack, ...]:
    return load_packs(shipped_packs())


@pytest.fixture(scope="session")
def matcher(tmp_path_factory) -> Matcher:
    """All shipped packs of all languages, made ready."""
    return made_ready(tmp_path_factory)


@pytest.fixture(scope="session")
def english(tmp_path_factory) -> Matcher:
    """The packs of a school that names no language, made ready."""
    return made_ready(tmp_path_factory, "en")


def made_ready(tmp_path_factory, *languages: str) -> Matcher:
    """In a process whose lines are not counted: that takes thrice."""
    path: Path = tmp_path_factory.mktemp("books") / "shipped.book"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    subprocess.run([sys.executable, "-c", MAKE, str(path), *languages], env=plain, check=True)
    return Matcher(read_book(path))
