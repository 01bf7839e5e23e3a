"""How serious a match is and how sure, with reasons: pure.

The score is the logistic of a sum: a base from the term's severity, a weight for each
reason that its words carry or that stands around it, and what the learned ranker makes of
the whole text. So each share can be shown.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import exp

from keywords import hints
from keywords.matcher import Match
from keywords.pack import Severity
from keywords.surroundings import Surroundings, look_around


class Place(StrEnum):
    """Where the text was typed, as far as the agent knows."""

    SEARCH = "search"
    CHAT = "chat"
    DOCUMENT = "document"
    TITLE = "title"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Grade:
    """Severity, a score from 0 to 1, and the codes of its reasons, gravest first."""

    severity: Severity
    score: float
    reasons: tuple[str, ...]


BASES = {
    Severity.LOW: -1.4,
    Severity.MEDIUM: -0.2,
    Severity.HIGH: 0.8,
    Severity.CRITICAL: 1.9,
}

WEIGHTS = {
    "underway": 0.8,
    "imminent": 0.7,
    "plan": 0.6,
    "goodbye": 0.6,
    "intent": 0.5,
    "first_person": 0.5,
    "urging": 0.4,
    "threat": 0.4,
    "victim": 0.4,
    "directed": 0.3,
    "means": 0.3,
    "group": 0.3,
    "burden": 0.3,
    "hopeless": 0.2,
    "concealment": 0.2,
    "disguised": 0.2,
    "worried_about_other": 0.0,
    "help_seeking": 0.0,
    "in_search": 0.0,
    "in_chat": 0.0,
    "in_document": -0.2,
    "past": -0.4,
    "about_other": -0.5,
    "in_title": -0.6,
    "quotation": -0.7,
    "ambiguous": -0.9,
    "general_topic": -1.2,
    "negated": -1.5,
    "hyperbole": -1.6,
    "fiction": -1.6,
    "schoolwork": -2.0,
}
"""Each reason's summand; codes without one are only told."""

RANKER_WEIGHT = 0.9
RANKER_MOST = 3.5
TOLD_FROM = 0.9
"""From this share on the ranker's part in it is told as a reason; its doubt is told always,
since it makes an alert less urgent."""
READS_GRAVE = "reads_as_concern"
READS_HARMLESS = "reads_as_ordinary"

HINTS_READ = "en"
"""The language of `keywords.hints`: "no" denies in English, and in Polish says yes."""

SOFTENED = -1.4
"""A sum of lessening reasons from which the severity falls by one, and from twice it by two."""

_PLACES = {
    Place.SEARCH: "in_search",
    Place.CHAT: "in_chat",
    Place.DOCUMENT: "in_document",
    Place.TITLE: "in_title",
}
_SPOKEN_FOR_ONESELF = 0.4
"""What is left of a lessening when the writer speaks of themselves: essays hold cries for help."""


def grade(
    match: Match,
    text: str,
    *,
    place: Place = Place.UNKNOWN,
    age: str = "",
    ranked: float | None = None,
) -> Grade | None:
    """Grade a match by what stands around it; `match` points into `text`.

    `age` is the pupil's, one of `keywords.pack.AGES`, empty if not known; `ranked` is the
    ranker's logit for the text, none if there is no ranker. None comes back if the term's own
    conditions (`only_in`, `first_person`, `ages`) do not hold.
    """
    term = match.term
    if term.only_in and place not in term.only_in:
        return None
    if term.ages and age and age not in term.ages:
        return None
    around = look_around(text, match.start, match.end)
    if term.first_person and not hints.FIRST_PERSON.stand_in(around.clause):
        return None
    reasons = _reasons(match, around, place)
    if ranked is not None and ranked < 0:
        reasons.add(READS_HARMLESS)
    elif ranked is not None and ranker_share(ranked) >= TOLD_FROM:
        reasons.add(READS_GRAVE)
    total = BASES[match.term.severity]
    lessening = 0.0
    for reason in sorted(reasons):
        weight = summand(reason, reasons)
        total += weight
        lessening += min(0.0, weight)
    if ranked is not None:
        total += ranker_share(ranked)
        lessening += min(0.0, ranker_share(ranked))
    severity = Severity(max(Severity.LOW, match.term.severity - int(lessening / SOFTENED)))
    ordered = sorted(reasons, key=lambda code: (-abs(WEIGHTS.get(code, 0.0)), code))
    return Grade(severity, round(1 / (1 + exp(-total)), 3), tuple(ordered))


def ranker_share(ranked: float) -> float:
    """What the ranker's logit adds to the sum: bounded, so that words of their own stay heard."""
    return max(-RANKER_MOST, min(RANKER_MOST, RANKER_WEIGHT * ranked))


def summand(reason: str, reasons: set[str]) -> float:
    """What one reason adds to the sum, the others being known."""
    weight = WEIGHTS.get(reason, 0.0)
    if reason in {"schoolwork", "fiction", "general_topic"} and "first_person" in reasons:
        return weight * _SPOKEN_FOR_ONESELF
    return weight


def _reasons(match: Match, around: Surroundings, place: Place) -> set[str]:
    """What the term says of itself, and what its surroundings do."""
    reasons = set(match.term.says)
    if match.disguised:
        reasons.add("disguised")
    if place in _PLACES:
        reasons.add(_PLACES[place])
    if match.pack.language == HINTS_READ:
        reasons |= _speaker(around, reasons)
        reasons |= _manner(around)
        reasons |= _setting(around, reasons)
    return reasons


def _speaker(around: Surroundings, says: set[str]) -> set[str]:
    """Who speaks of whom. What the term says of itself goes before what is guessed."""
    found: set[str] = set()
    own, clause = around.own, around.clause
    if hints.WORRIED.stand_in(clause) and hints.OTHERS.stand_in(clause):
        found.add("worried_about_other")
    if says & {"first_person", "victim", "directed", "urging", "worried_about_other"}:
        return found
    if hints.FIRST_PERSON.stand_in(own):
        found.add("first_person")
    elif hints.DIRECTED.stand_in(own):
        found.add("directed")
    elif hints.OTHERS.stand_in(own):
        found.add("about_other")
    elif hints.FIRST_PERSON.stand_in(clause):
        found.add("first_person")
    elif hints.DIRECTED.stand_in(clause):
        found.add("directed")
    elif hints.OTHERS.stand_in(clause):
        found.add("about_other")
    return found


def _manner(around: Surroundings) -> set[str]:
    """How it is said."""
    found: set[str] = set()
    clause = around.clause
    if hints.NEGATION.stand_in(f" {' '.join(around.before[-3:])} "):
        found.add("negated")
    if hints.INTENT.stand_in(clause):
        found.add("intent")
    if hints.IMMINENT.stand_in(clause):
        found.add("imminent")
    if hints.PAST.stand_in(clause):
        found.add("past")
    if hints.HELP.stand_in(around.near):
        found.add("help_seeking")
    if hints.HYPERBOLE.stand_in(clause) or any(
        icon in around.raw for icon in hints.HYPERBOLE_ICONS
    ):
        found.add("hyperbole")
    if around.quoted or hints.REPORTED.stand_in(f" {' '.join(around.before[-3:])} "):
        found.add("quotation")
    return found


def _setting(around: Surroundings, so_far: set[str]) -> set[str]:
    """What the text is: schoolwork, a story, a topic."""
    found: set[str] = set()
    outside = around.near.replace(around.own, "  ", 1)
    if hints.SCHOOLWORK.stand_in(outside):
        found.add("schoolwork")
    if hints.FICTION.stand_in(outside):
        found.add("fiction")
    if hints.TOPIC.stand_in(outside):
        found.add("general_topic")
    if "first_person" in so_far and hints.SCHOOL_GRUMBLE.stand_in(around.clause):
        found.add("hyperbole")
    return found
