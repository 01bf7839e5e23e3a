"""What a text raises: where matcher, grade, ranker and priority come together. Pure.

The agent decides while somebody types: a **finding** falls when a term is complete, by what
stands there so far (`Detector.match`); when the writer pauses, the whole line may raise one
by its pattern alone, if the school's policy has switched that on (`Detector.pattern`).
`Detector.decide` does both to a text as if it were typed alone and left, so that what is
measured is what would be decided.
"""

from dataclasses import dataclass
from math import exp, log
from typing import Protocol

from keywords import hints
from keywords.grade import Grade, Place, grade
from keywords.matcher import Match, Matcher
from keywords.pack import Severity
from keywords.priority import Priority, base
from keywords.surroundings import look_around

REACH = 300
"""Characters either side of a match that the ranker reads; time does not grow with the text."""
PATTERN_TERM = "by-pattern"
"""The term's id under which a pattern's event travels."""
PATTERN_PACK = "en/patterns"
P3_PATTERN_FROM = 4.5
P4_PATTERN_FROM = 2.4
"""Logits of the ranker from which a pattern alone raises an alert."""
IDENTITY_MORE = 1.2
"""What more a text needs that says who somebody is."""
KEYWORD_SHARE = 1.0
KEYWORD_FROM = -2.5
RANK_SHARE = 1.0
"""How the score that ranks all texts is made of the ranker's logit and the gravest match."""


@dataclass(frozen=True, slots=True)
class Rank:
    """What the ranker makes of a text."""

    logit: float
    """Log-odds of a concern, calibrated on labelled texts."""
    category: str = ""
    """The category it would most likely be."""
    grave: float = 0.0
    """Log-odds that it is grave, if it is a concern."""


class Ranker(Protocol):
    """Reads a whole text; `keywords.ranker.Ranker` is the real one."""

    @property
    def version(self) -> int:
        """Raised with every training; at least 1."""
        ...

    def rank(self, text: str, /) -> Rank:
        """The rank of a text."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """One finding: a match or a pattern, graded, with the priority that it has by itself."""

    grade: Grade
    category: str
    priority: Priority | None
    why: tuple[str, ...]
    """Codes of the reasons for the priority."""
    match: Match | None = None
    """None for a pattern."""
    ranked: float = 0.0
    """The ranker's logit of what stood there when it fell."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a text typed alone comes to."""

    score: float
    """From 0 to 1, for every text: what ranks."""
    found: tuple[Found, ...]
    """Gravest first."""
    rank: Rank

    @property
    def priority(self) -> Priority | None:
        """The most urgent of what was found; none if nothing is to be shown."""
        return min((one.priority for one in self.found if one.priority), default=None)

    @property
    def lead(self) -> Found | None:
        """The finding that the priority is from."""
        return self.found[0] if self.found else None


class Detector:
    """Packs and a ranker, ready to decide. Immutable but for the matcher's bounded memory."""

    def __init__(
        self, matcher: Matcher, ranker: Ranker | None = None, *, patterns: bool = False
    ) -> None:
        """Take the parts; `patterns` says whether a pattern alone may raise an alert."""
        self.matcher = matcher
        self.ranker = ranker
        self.patterns = patterns

    @property
    def ranker_version(self) -> int:
        """The version of the ranker's weights; 1 without a ranker."""
        return self.ranker.version if self.ranker else 1

    def match(
        self, match: Match, text: str, *, place: Place = Place.UNKNOWN, age: str = ""
    ) -> Found | None:
        """Grade one match in the text that it points into; none if its conditions do not hold."""
        near = text[max(0, match.start - REACH) : match.end + REACH]
        # The ranker has read English alone.
        reads = self.ranker if match.pack.language == "en" else None
        ranked = reads.rank(near).logit if reads else None
        graded = grade(match, text, place=place, age=age, ranked=ranked)
        if graded is None:
            return None
        priority, why = base(graded, match.pack.category)
        return Found(graded, match.pack.category, priority, why, match, ranked or 0.0)

    def pattern(self, text: str, *, place: Place = Place.UNKNOWN) -> Found | None:
        """Judge a finished line by the ranker alone; none if it raises nothing or may not.

        Not asked of a line in which a listed word has raised an alert already.
        """
        if self.ranker is None or not self.patterns:
            return None
        return by_pattern(self.ranker.rank(text), text, place)

    def decide(self, text: str, *, place: Place = Place.UNKNOWN, age: str = "") -> Decision:
        """All that a text raises, typed from nothing and then left."""
        found: dict[tuple[str, str, int], Found] = {}
        state = self.matcher.start
        for at, char in enumerate(text, 1):
            state, matches = self.matcher.step(state, char)
            for match in matches:
                self._take(found, match, text[:at], place, age)
        for match in self.matcher.settle(state):
            self._take(found, match, text, place, age)
        rank = self.ranker.rank(text) if self.ranker else Rank(0.0)
        raised = list(found.values())
        alerts = any(one.priority for one in raised)
        if self.ranker and self.patterns and not alerts and (one := by_pattern(rank, text, place)):
            raised.append(one)
        raised.sort(key=lambda one: (one.priority or len(Priority) + 1, -one.grade.score))
        score = overall(rank, tuple(raised), ranked=self.ranker is not None)
        return Decision(score, tuple(raised), rank)

    def _take(
        self,
        found: dict[tuple[str, str, int], Found],
        match: Match,
        so_far: str,
        place: Place,
        age: str,
    ) -> None:
        key = (match.pack.name, match.term.id, match.start)
        if key not in found and (one := self.match(match, so_far, place=place, age=age)):
            found[key] = one


def by_pattern(rank: Rank, text: str, place: Place) -> Found | None:
    """What a text raises that reads like a concern, though no listed word stands in it."""
    around = look_around(text, 0, len(text))
    logit = rank.logit - (IDENTITY_MORE if hints.IDENTITY.stand_in(around.near) else 0.0)
    if logit < P4_PATTERN_FROM:
        return None
    severity = Severity.MEDIUM if logit >= P3_PATTERN_FROM else Severity.LOW
    reasons = ("pattern_only", *((f"in_{place.value}",) if place is not Place.UNKNOWN else ()))
    graded = Grade(severity, round(_logistic(logit - P4_PATTERN_FROM), 3), reasons)
    priority, why = base(graded, rank.category)
    return Found(graded, rank.category, priority, why)


def overall(rank: Rank, found: tuple[Found, ...], *, ranked: bool) -> float:
    """The score that ranks a text among all others, alert or not."""
    matched = [one.grade.score for one in found if one.match is not None]
    gravest = max(map(_log_odds, matched), default=KEYWORD_FROM)
    words = KEYWORD_SHARE * max(0.0, gravest - KEYWORD_FROM)
    if not ranked:
        return _logistic(words + KEYWORD_FROM) if matched else 0.0
    return _logistic(RANK_SHARE * rank.logit + words)


def _log_odds(score: float) -> float:
    """Of a score with three digits, which may be rounded to 0 or 1."""
    kept = max(0.0005, min(0.9995, score))
    return log(kept / (1 - kept))


def _logistic(logit: float) -> float:
    return 1 / (1 + exp(-max(-30.0, min(30.0, logit))))
