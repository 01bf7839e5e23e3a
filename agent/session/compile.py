"""Packs to a matcher: `python -m agent.session.compile`, a process that lives for one policy.

Building takes several times the memory of what is built, and Python does not give
it back; so it is done apart, and the session only loads what stands at the end.
Input and output are pickles between a session and its own child, never stored.
"""

import pickle
import sys
from collections.abc import Mapping
from typing import NamedTuple

from keywords.matcher import Matcher
from keywords.pack import Pack, PackError, parse_pack


class Wanted(NamedTuple):
    """What is to be built."""

    texts: Mapping[str, bytes]
    """Packs by name, as policy gave them."""
    last_good: Mapping[str, bytes]
    """What to build in place of a malformed one."""


class Built(NamedTuple):
    """What was built."""

    matcher: Matcher
    good: frozenset[str]
    """The packs that are built as policy gave them."""
    problems: tuple[str, ...]
    """What is wrong with the others, in words."""


def build(wanted: Wanted) -> Built:
    """Build the matcher of all packs that are in order, or were so before."""
    packs: list[Pack] = []
    good, problems = set(), []
    for name, text in wanted.texts.items():
        try:
            packs.append(parse_pack(text, name=name))
            good.add(name)
        except PackError as error:
            problems.append(f"{name}: {error}")
            if name in wanted.last_good:
                packs.append(parse_pack(wanted.last_good[name], name=name))
    return Built(Matcher(packs), frozenset(good), tuple(problems))


def main() -> int:
    """One `Wanted` from standard input, one `Built` to standard output."""
    wanted = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the session that started us
    pickle.dump(build(wanted), sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
    return 0


if __name__ == "__main__":
    # Under its own name, so that what is pickled is found again where it is loaded.
    from agent.session.compile import main as run

    sys.exit(run())
