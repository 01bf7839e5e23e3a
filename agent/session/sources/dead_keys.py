"""Dead keys where the platform names only the accent: accent and letter to one character. Pure."""

import unicodedata

_COMBINING = {
    "\u00b4": "\u0301",
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    "¨": "\u0308",
    '"': "\u0308",
    "~": "\u0303",
    "\u00b8": "\u0327",
    "ˇ": "\u030c",
    "˚": "\u030a",
    "°": "\u030a",
    "\u02db": "\u0328",
    "¯": "\u0304",
    "˝": "\u030b",
    "˘": "\u0306",
    "˙": "\u0307",
}


def compose(dead: str, typed: str) -> str:
    """What a dead key and the key after it type: é, or both where no such letter exists."""
    if typed == " ":
        return dead
    combining = _COMBINING.get(dead)
    if combining is not None:
        composed = unicodedata.normalize("NFC", typed + combining)
        if len(composed) == len(typed):
            return composed
    return dead + typed
