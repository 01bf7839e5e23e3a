"""Small packs for one test each."""

from keywords.matcher import Matcher
from keywords.pack import Pack, parse_pack

HEAD = """
format = 1
category = "trial"
language = "en"
version = 3
title = "Trial"
four_c = "conduct"
illegal = "no"
see = ["dsl"]
guidance = "Nothing is to be done."
"""


def trial_pack(terms: str, *, head: str = HEAD) -> Pack:
    """A pack from its terms' TOML; what a term does not say is filled in."""
    blocks = terms.split("[[term]]")
    filled = []
    for number, block in enumerate(blocks[1:]):
        lines = block.strip("\n")
        for field, value in (
            ("id", f'"term-{number}"'),
            ("severity", "3"),
            ("match", '"x"'),
            ("innocent", '"y"'),
        ):
            if f"{field} =" not in block:
                lines += f"\n{field} = {value}"
        filled.append(f"[[term]]\n{lines}\n")
    return parse_pack(head + blocks[0] + "\n".join(filled), name="en/trial")


def trial_matcher(terms: str) -> Matcher:
    return Matcher([trial_pack(terms)])
