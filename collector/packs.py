"""Where the packs of a policy are found."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from collector.errors import CollectorError
from keywords.pack import shipped_packs

FIRST: Final = "en"
"""The language of a school that names none. The others are for it to switch on: no native speaker
has reviewed them, and what nobody there can read is of little use to a lead."""


def find_packs(folder: Path | None, languages: Sequence[str] = ()) -> tuple[Path, ...]:
    """The packs of a folder (LANGUAGE/CATEGORY.toml), or those that came with the program.

    Raises:
        CollectorError: the folder holds none, there are none of a language, or both were given.
    """
    if folder is None:
        return _shipped(languages or (FIRST,))
    if languages:
        raise CollectorError("give a folder of packs or languages of those that came along")
    paths = tuple(sorted(folder.glob("*/*.toml")))
    if not paths:
        raise CollectorError(f"{folder}: holds no pack (LANGUAGE/CATEGORY.toml)")
    return paths


def _shipped(languages: Sequence[str]) -> tuple[Path, ...]:
    found = shipped_packs(*languages)
    there = {path.parent.name for path in found}
    if missing := sorted(set(languages) - there):
        known = ", ".join(sorted({path.parent.name for path in shipped_packs()}))
        raise CollectorError(f"no packs came along in {', '.join(missing)}; there are: {known}")
    return found
