"""What the packs say to the DSL: a category's title, and what to do now."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from collector.web.parts import Guidance
from keywords.pack import Pack, load_packs, shipped_packs


def shipped() -> Mapping[str, Guidance]:
    """The guidance of the packs that come with the product."""
    return by_category(load_packs(shipped_packs()))


def by_category(packs: Iterable[Pack]) -> Mapping[str, Guidance]:
    """Each category's guidance; of several languages the first pack's."""
    found: dict[str, Guidance] = {}
    for pack in packs:
        lines = (line.strip(" -•\t") for line in pack.guidance.splitlines())
        steps = tuple(line for line in lines if line)
        found.setdefault(pack.category, Guidance(title=pack.title, steps=steps))
    return MappingProxyType(found)
