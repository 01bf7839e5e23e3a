"""A small pack of harmless phrases for the session's tests."""

from keywords.pack import Pack, parse_pack
from wire.event import PackText

NAME = "en/canary"
TEXT = """
format = 1
category = "canary"
language = "en"
version = 3
title = "Canary (a drill)"
four_c = "conduct"
illegal = "no"
see = ["technician", "dsl"]
guidance = "Nobody is at risk: this is a test."

[[term]]
id = "walk"
phrases = ["redshank walks the tideline"]
severity = 1
match = "redshank walks the tideline at dawn"
innocent = "a redshank walks along the shore"

[[term]]
id = "heron"
phrases = ["blue heron"]
severity = 3
match = "a blue heron stood there"
innocent = "the heron is blue"

[[term]]
id = "gull"
phrases = ["zesty gull"]
severity = 2
match = "the zesty gull"
innocent = "a gull with zest"
"""


def pack_text(text: str = TEXT, version: int = 3) -> PackText:
    """The pack as it travels in a policy."""
    return PackText(name=NAME, version=version, text=text.encode())


def pack() -> Pack:
    """The pack."""
    return parse_pack(TEXT, name=NAME)
