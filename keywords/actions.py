"""What a school's policy calls unacceptable or illegal, and the category that finds it.

A policy lists actions, packs have categories; here each action has its categories, or the reason
why it is not detected. `tests/keywords/test_keyword_actions.py` holds the two together.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ACTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "child sexual abuse imagery": ("csam", "nudes"),
        "grooming, incitement or facilitation of sexual acts against children": ("grooming",),
        "extreme pornography": ("sexual",),
        "criminally racist material and hate crime": ("hate",),
        "incitement to and threats of violence": ("violence",),
        "harassment and stalking": ("harassment",),
        "revenge pornography": ("nudes",),
        "weapons": ("weapons",),
        "drugs": ("drugs",),
        "fraud and financial crime": ("fraud",),
        "threatening behaviour": ("violence", "bullying"),
        "extremism and terrorism": ("extremism",),
        "discrimination": ("hate", "misogyny"),
        "offensive material that breaches the school's ethos": ("profanity", "bullying", "sexual"),
        "running a private business": (),
        "bypassing the filter": ("bypass",),
        "infringing copyright": ("copyright",),
        "revealing confidential information (personal data, access codes, passwords)": (
            "personal_data",
        ),
        "viruses and harmful files": ("hacking",),
        "pornography, gambling, drugs as inappropriate material": ("sexual", "gambling", "drugs"),
    }
)
"""Actions and their categories; none where the action is not detected."""

NOT_DETECTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "running a private business": (
            "Words of trade are those of enterprise lessons and of pupils who sell cakes for a"
            " charity; an alert would be a false one nearly always. What harms in it is found as"
            " fraud, drugs or gambling."
        ),
    }
)
"""Why an action has no category."""
