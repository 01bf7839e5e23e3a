import pytest

from keywords.matcher import Matcher
from keywords.pack import Pack, load_packs, shipped_packs


@pytest.fixture(scope="session")
def shipped() -> tuple[Pack, ...]:
    return load_packs(shipped_packs())


@pytest.fixture(scope="session")
def matcher(shipped) -> Matcher:
    return Matcher(shipped)
