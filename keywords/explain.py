"""Tell in plain words what a text raises: each match, its grade, its reasons, its priority."""

from collections.abc import Iterator

from keywords.grade import BASES, Place, grade, summand
from keywords.matcher import Match, Matcher
from keywords.priority import base
from keywords.reasons import words

LONGEST = 80
"""Characters of a match that are shown."""


def explain(matcher: Matcher, text: str, *, place: Place = Place.UNKNOWN) -> Iterator[str]:
    """Lines for a person to read."""
    found = matcher.find(text)
    if not found:
        yield "No term of the packs stands in this text: no alert."
        return
    for match in found:
        yield from _explain(match, text, place)


def _explain(match: Match, text: str, place: Place) -> Iterator[str]:
    graded = grade(match, text, place=place)
    priority, why = base(graded, match.pack.category)
    typed = " ".join(text[match.start : match.end][:LONGEST].split())
    yield f"“{typed}” (characters {match.start} to {match.end})"
    yield f"  term      {match.pack.name}/{match.term.id}, version {match.pack.version}"
    yield (
        f"  grade     {graded.severity.name.lower()}, score {graded.score:.3f}"
        f" (the term alone: {match.term.severity.name.lower()}, {BASES[match.term.severity]:+.1f})"
    )
    for code in graded.reasons:
        share = summand(code, set(graded.reasons))
        yield f"  {share:+5.1f}     {words(code)} [{code}]"
    name = priority.name if priority else "no alert"
    yield f"  priority  {name}: {' '.join(words(code) for code in why)}"
