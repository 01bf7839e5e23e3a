"""Captured text, so that it can only be read.

Jinja escapes markup; a `<bdi>` keeps the direction of what stands around it; and what
has no shape of its own (control characters, overrides of direction, line and paragraph
separators) is shown as a symbol: its number, which every font can write.
"""

import unicodedata
from typing import Final

from markupsafe import Markup, escape

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_KEPT: Final = frozenset({"\u200c", "\u200d"})  # scripts and emoji need them


def visible(text: str, *, limit: int = 12_000) -> str:
    """The text with a symbol for each character that has no shape, cut at `limit`."""
    shown = "".join(_symbol(char) for char in text[:limit])
    return shown if len(text) <= limit else f"{shown} … ({len(text) - limit} more characters)"


def inert(text: str | None, limit: int = 12_000) -> Markup:
    """The text as a page shows it: escaped, visible, and isolated."""
    return Markup("<bdi>{}</bdi>").format(visible(text or "", limit=limit))


def marked(before: str, matched: str, after: str) -> Markup:
    """What was typed, the match marked, in one isolate."""
    return Markup("<bdi>{}<mark>{}</mark>{}</bdi>").format(
        *(escape(visible(part)) for part in (before, matched, after))
    )


def _symbol(char: str) -> str:
    if char == "\n":
        return "\u21b5\n"
    if char in _KEPT or unicodedata.category(char) not in _HIDDEN:
        return char
    return f"[U+{ord(char):04X}]"
