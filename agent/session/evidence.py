"""A sighting to what is said of it: the finding, and the details that will be sealed. Pure."""

from dataclasses import dataclass

from agent.session.sources.events import Window
from agent.session.text import MARK, Sighting
from agent.session.venue import venue
from keywords.decide import PATTERN_PACK, PATTERN_TERM, Detector
from keywords.grade import Grade, Place
from keywords.reasons import REASONS
from wire.details import MOST_AROUND, MOST_MATCHED, Details
from wire.event import EvidenceRules, Finding, PictureState, Severity, Source

MOST_TITLE = 1000
_MOST_ADDRESS = 2000
_MOST_NAME = 1000
_MOST_REASONS = 16
_SHOWN_MARK = "⋯"
"""How an unknown move of the caret is shown among the words."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where something was seen."""

    window: Window
    address: str = ""
    address_unknown_because: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A sighting that is told: what was found, how it is graded, and in what kind of place."""

    finding: Finding
    grade: Grade
    place: Place
    alerts: bool
    """Whether it raises an alert by itself."""


def judge(sighting: Sighting, scene: Scene, source: Source, detector: Detector) -> Judged | None:
    """Judge a sighting; none if its term's conditions do not hold, or its pattern says nothing."""
    place = (
        Place.TITLE
        if source is Source.TITLE
        else venue(
            application=scene.window.application,
            title=scene.window.title,
            address=scene.address,
        )
    )
    match = sighting.match
    if match is None:
        found = detector.pattern(sighting.text, place=place)
    else:
        found = detector.match(match, sighting.text, place=place)
    if found is None:
        return None
    graded = found.grade
    finding = Finding(
        source=source,
        category=found.category,
        severity=Severity(int(graded.severity)),
        score=round(graded.score * 1000),
        reasons=graded.reasons[:_MOST_REASONS],
        term_id=match.term.id if match else PATTERN_TERM,
        pack=match.pack.name if match else PATTERN_PACK,
        pack_version=match.pack.version if match else detector.ranker_version,
    )
    return Judged(finding, graded, place, found.priority is not None)


def details(sighting: Sighting, scene: Scene, graded: Grade, place: Place) -> Details:
    """What is sealed: the words around the match, and where it was."""
    text, window = sighting.text, scene.window
    match = sighting.match
    start, end = (match.start, match.end) if match else (0, len(text))
    return Details(
        application=_clean(window.application, _MOST_NAME),
        process_path=_clean(window.process_path, _MOST_NAME),
        window_title=_clean(window.title, MOST_TITLE),
        address=_clean(scene.address, _MOST_ADDRESS),
        address_unknown_because="" if scene.address else scene.address_unknown_because,
        before=_clean(text[max(0, start - MOST_AROUND) : start], MOST_AROUND),
        matched=_clean(text[start:end], MOST_MATCHED),
        after=_clean(text[end : end + MOST_AROUND], MOST_AROUND),
        pasted=sighting.pasted,
        notes=sighting.notes,
        place=place.value,
        reasons=tuple(REASONS[code] for code in graded.reasons[:_MOST_REASONS] if code in REASONS),
    )


def picture_state(finding: Finding, rules: EvidenceRules) -> PictureState:
    """Whether a picture is to be taken."""
    if finding.category in rules.no_picture:
        return PictureState.BY_POLICY
    return PictureState.FOLLOWS


def _clean(text: str, most: int) -> str:
    """At most `most` characters that UTF-8 can hold; everything else stands as it came."""
    shown = text[:most].replace(MARK, _SHOWN_MARK)
    return shown.encode("utf-8", "replace").decode("utf-8")
