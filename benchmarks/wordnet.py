"""The example sentences of WordNet: ordinary English that nobody here wrote.

About 48,000 short sentences and phrases of general, mostly adult, English, among them some
of crime, illness and war. They come with Debian's package `wordnet-base`, which is fetched
and unpacked into `build/` and installed nowhere. WordNet 3.0, Princeton University; its
licence allows use for any purpose.
"""

import re
import subprocess
from pathlib import Path

_EXAMPLE = re.compile(r'"([^"]{8,300})"')
_PARTS = ("noun", "verb", "adj", "adv")


def sentences(folder: Path) -> list[str]:
    """The example sentences, in WordNet's order; fetched into `folder` the first time.

    Raises:
        OSError: this is no Debian, or its archive cannot be reached.
    """
    data = folder / "usr" / "share" / "wordnet"
    if not data.is_dir():
        _fetch(folder)
    found: list[str] = []
    for part in _PARTS:
        for line in (data / f"data.{part}").read_text(encoding="latin-1").splitlines():
            if not line.startswith(" "):  # the licence
                found += _EXAMPLE.findall(line.partition("|")[2])
    return found


def _fetch(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["apt-get", "download", "wordnet-base"], cwd=folder, check=True, capture_output=True
        )
        package = next(folder.glob("wordnet-base_*.deb"))
        subprocess.run(["dpkg", "-x", package, folder], check=True)
    except (subprocess.CalledProcessError, StopIteration) as error:
        raise OSError(f"Debian's package wordnet-base cannot be fetched: {error}") from None
