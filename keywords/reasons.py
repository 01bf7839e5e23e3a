"""The fixed list of reasons: codes travel and are stored, their plain words are what staff read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # What the words say
        "first_person": "The writer speaks of themselves.",
        "directed": "The words are aimed at another person.",
        "intent": "The writer says that they want or mean to.",
        "plan": "The words speak of a plan or of getting ready.",
        "means": "The words speak of a means or ask about a way.",
        "imminent": "The words speak of now, tonight or very soon.",
        "underway": "The words say that it is happening or has just happened.",
        "goodbye": "The words read as a goodbye.",
        "burden": "The writer says that others would be better off without them.",
        "hopeless": "The writer sees no way on.",
        "concealment": "The words speak of hiding it from others.",
        "victim": "The writer says that it is being done to them.",
        "group": "Several people act against one.",
        "threat": "The words threaten someone.",
        "urging": "The words urge another person to harm themselves.",
        "about_other": "The words are about somebody else.",
        "worried_about_other": "The writer is worried about somebody else.",
        "help_seeking": "The writer asks for help.",
        "past": "The words speak of the past.",
        # What makes it less serious
        "negated": "The words deny it.",
        "hyperbole": "It reads as exaggeration or a joke.",
        "quotation": "The words are quoted or reported.",
        "schoolwork": "It reads as schoolwork.",
        "fiction": "It reads as a game, a film, a song or a story.",
        "general_topic": "It reads as a topic, a campaign or general information.",
        "ambiguous": "These words are often harmless.",
        # What the sentence as a whole reads like, whatever words it holds
        "reads_as_concern": "Sentences like this one were mostly found to be a concern.",
        "reads_as_ordinary": "Sentences like this one were mostly found to be harmless.",
        "pattern_only": "No listed word stands here: the sentence alone reads like a concern.",
        # How it was found
        "disguised": "The letters were disguised.",
        "in_search": "It was typed as a search.",
        "in_chat": "It was typed as a message.",
        "in_document": "It was typed into a document.",
        "in_title": "It stands in a window's title, which the pupil may not have written.",
        # Why it has its priority
        "danger_to_life": "Someone's life may be in danger now.",
        "grave": "The words are grave.",
        "serious": "The words are serious.",
        "look_today": "It should be looked at today.",
        "weekly_digest": "Alone it says little: it goes into the weekly digest.",
        "not_sure": "The words are serious, but what stands around them makes it less sure.",
        "too_unsure": "What stands around the words makes a concern unlikely.",
        "canary": "A check that the PC's chain works: nobody is at risk.",
    }
)
"""Code to plain words. A code is `[a-z_]{1,40}`; one that was ever shipped is never reused."""


def words(code: str) -> str:
    """The plain words of a code; the code itself, if a newer agent sent one not known here."""
    return REASONS.get(code, code)
