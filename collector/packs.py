"""Where the packs of a policy are found."""

from pathlib import Path

from collector.errors import CollectorError
from keywords.pack import shipped_packs


def find_packs(folder: Path | None) -> tuple[Path, ...]:
    """The packs of a folder (LANGUAGE/CATEGORY.toml), or those that came with the program.

    Raises:
        CollectorError: the folder holds none.
    """
    if folder is None:
        return shipped_packs()
    paths = tuple(sorted(folder.glob("*/*.toml")))
    if not paths:
        raise CollectorError(f"{folder}: holds no pack (LANGUAGE/CATEGORY.toml)")
    return paths
