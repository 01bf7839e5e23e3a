"""Tell in plain words what a text raises: each finding, its grade, its reasons, its priority."""

from collections.abc import Iterator
from typing import Any

from keywords.decide import PATTERN_PACK, PATTERN_TERM, Decision, Detector, Found
from keywords.grade import BASES, READS_GRAVE, READS_HARMLESS, Place, ranker_share, summand
from keywords.reasons import words

LONGEST = 80
"""Characters of a match that are shown."""


def explain(detector: Detector, text: str, *, place: Place = Place.UNKNOWN) -> Iterator[str]:
    """Lines for a person to read."""
    decision = detector.decide(text, place=place)
    for one in decision.found:
        yield from _explain(one, text)
    if not decision.found:
        yield "No term of the packs stands in this text: no alert."
    if detector.ranker is not None:
        yield (
            f"ranker    {decision.rank.logit:+.1f}"
            f" (above 0 it reads like a concern, nearest to {decision.rank.category})"
        )
        yield f"score     {decision.score:.3f}: what ranks it among all texts"
    priority = decision.priority
    yield f"decision  {priority.name if priority else 'no alert'}"


def told(decision: Decision, text: str) -> dict[str, Any]:
    """A decision as JSON for other programs."""
    lead = decision.lead if decision.priority else None
    return {
        "score": round(decision.score, 4),
        "severity": lead.grade.severity.name.lower() if lead else None,
        "priority": decision.priority.name if decision.priority else None,
        "category": lead.category if lead else None,
        "matches": [_match(one, text) for one in decision.found],
        "reasons": [words(code) for code in (*lead.grade.reasons, *lead.why)] if lead else [],
    }


def _match(one: Found, text: str) -> dict[str, Any]:
    match = one.match
    if match is None:
        return {"pack": PATTERN_PACK, "term": PATTERN_TERM, "start": 0, "end": len(text)}
    return {
        "pack": match.pack.name,
        "term": match.term.id,
        "start": match.start,
        "end": match.end,
    }


def _explain(one: Found, text: str) -> Iterator[str]:
    graded, match = one.grade, one.match
    if match is None:
        yield "the sentence as a whole"
        yield f"  grade     {graded.severity.name.lower()}, score {graded.score:.3f}"
    else:
        typed = " ".join(text[match.start : match.end][:LONGEST].split())
        yield f"“{typed}” (characters {match.start} to {match.end})"
        yield f"  term      {match.pack.name}/{match.term.id}, version {match.pack.version}"
        yield (
            f"  grade     {graded.severity.name.lower()}, score {graded.score:.3f}"
            f" (the term alone: {match.term.severity.name.lower()},"
            f" {BASES[match.term.severity]:+.1f})"
        )
    for code in graded.reasons:
        share = summand(code, set(graded.reasons))
        if code in {READS_GRAVE, READS_HARMLESS}:
            share = ranker_share(one.ranked)
        yield f"  {share:+5.1f}     {words(code)} [{code}]"
    name = one.priority.name if one.priority else "no alert"
    yield f"  priority  {name}: {' '.join(words(code) for code in one.why)}"
