"""A sighting to what is said of it: the finding, and the details that will be sealed. Pure."""

from dataclasses import dataclass

from agent.session.sources.events import Window
from agent.session.text import MARK, Sighting
from agent.session.venue import venue
from keywords.grade import Grade, Place, grade
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


def judge(sighting: Sighting, scene: Scene, source: Source) -> tuple[Finding, Grade, Place]:
    """What was found, how it is graded, and in what kind of place."""
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
    graded = grade(match, sighting.text, place=place)
    finding = Finding(
        source=source,
        category=match.pack.category,
        severity=Severity(int(graded.severity)),
        score=round(graded.score * 1000),
        reasons=graded.reasons[:_MOST_REASONS],
        term_id=match.term.id,
        pack=match.pack.name,
        pack_version=match.pack.version,
    )
    return finding, graded, place


def details(sighting: Sighting, scene: Scene, graded: Grade, place: Place) -> Details:
    """What is sealed: the words around the match, and where it was."""
    start, end = sighting.match.start, sighting.match.end
    text, window = sighting.text, scene.window
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
