"""Check packs beyond their format: every term finds its line, and leaves its innocent one alone.

Both lines are tried as `Detector.decide` would take them, under the term's own conditions: in
the first of its places, and at the first of its ages.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from keywords.decide import Detector
from keywords.grade import Place
from keywords.matcher import Matcher
from keywords.pack import Pack, PackError, Term, inspect_file
from keywords.phrases import MOST_WORDS, expand
from keywords.termbook import spell


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked, and what is wrong."""

    told: tuple[str, ...]
    problems: tuple[PackError, ...]


def check_files(paths: Iterable[Path]) -> Report:
    """Check each file; a file with a wrong format is told, and the others go on."""
    told: list[str] = []
    problems: list[PackError] = []
    for path in paths:
        pack, wrong = inspect_file(path)
        problems += wrong
        if pack is None:
            continue
        wrong = tuple(check_pack(pack, file=str(path)))
        problems += wrong
        if not wrong:
            phrases = sum(1 for term in pack.terms for _ in _plain(pack, term))
            told.append(
                f"{path}: {len(pack.terms)} terms, {phrases} phrases, version {pack.version},"
                f" {pack.fingerprint[:16]}"
            )
    return Report(tuple(told), tuple(problems))


def check_pack(pack: Pack, *, file: str = "") -> Iterator[PackError]:
    """What is wrong with a pack's terms; a pack that waits for its list has none."""
    file = file or f"{pack.name}.toml"
    hidden = list(_hidden(pack, file))
    if hidden:
        yield from hidden
        return
    detector = Detector(Matcher([pack]))
    for term in pack.terms:
        for field, mend in _wrong_lines(term, detector):
            yield PackError(file, term.line, f"{term.id}.{field}", mend)


def _hidden(pack: Pack, file: str) -> Iterator[PackError]:
    """Phrases that are seen as no words, or as more of them than they are written in."""
    for term in pack.terms:
        for phrase in expand(term.phrases, dict(pack.sets)):
            spelt = [[spell(plain) for plain in segment] for segment in phrase]
            for segment, ways in zip(phrase, spelt, strict=True):
                for plain, words in zip(segment, ways, strict=True):
                    if plain and not words:
                        mend = f"{plain!r} has nothing that can be seen; take it out"
                        yield PackError(file, term.line, f"{term.id}.phrases", mend)
            most = sum(max(map(len, ways)) for ways in spelt)
            if most > MOST_WORDS:
                mend = f"signs between letters make {most} words of one; at most {MOST_WORDS}"
                yield PackError(file, term.line, f"{term.id}.phrases", mend)


def _plain(pack: Pack, term: Term) -> Iterator[str]:
    """All plain phrases of all segments of a term."""
    for phrase in expand(term.phrases, dict(pack.sets)):
        for segment in phrase:
            yield from segment


def _wrong_lines(term: Term, detector: Detector) -> Iterator[tuple[str, str]]:
    found = _found(term, term.match, detector)
    if term not in found:
        instead = f" (found is {', '.join(one.id for one in found)})" if found else ""
        if any(match.term is term for match in detector.matcher.find(term.match)):
            instead = " (its words are, but not in the first person)"
        yield "match", f"is not found by this term{instead}; mend the line, phrases or conditions"
    if term in _found(term, term.innocent, detector):
        yield "innocent", "is found by this term; mend the line, the phrases or the conditions"


def _found(term: Term, line: str, detector: Detector) -> list[Term]:
    """The terms that raise something in a line that is typed as this term asks for."""
    place = Place(term.only_in[0]) if term.only_in else Place.UNKNOWN
    decision = detector.decide(line, place=place, age=term.ages[0] if term.ages else "")
    return [one.match.term for one in decision.found if one.match]
