"""What the packs say to the DSL: a category's title, and what to do now."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

import structlog

from collector.web.parts import Guidance
from keywords.pack import Pack, PackError, read_head, shipped_packs

_STEP_ENDS = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\s*\n\s*")
"""A sentence is a step."""
_log = structlog.get_logger(__name__)


@cache
def shipped() -> Mapping[str, Guidance]:
    """The guidance of the packs that come with the product.

    A pack that cannot be read leaves its category without guidance: an alert must be
    seen all the same.
    """
    packs = []
    for path in shipped_packs():
        try:
            packs.append(read_head(path))
        except PackError as error:
            _log.error("pack not read", pack=path.stem, why=str(error))
    return by_category(packs)


def by_category(packs: Iterable[Pack]) -> Mapping[str, Guidance]:
    """Each category's guidance; of several languages the English pack's, if there is one."""
    found: dict[str, Guidance] = {}
    for pack in sorted(packs, key=lambda pack: pack.language != "en"):
        steps = tuple(step for step in _STEP_ENDS.split(pack.guidance.strip()) if step)
        found.setdefault(pack.category, Guidance(title=pack.title, steps=steps))
    return MappingProxyType(found)
