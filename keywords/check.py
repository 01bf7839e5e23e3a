"""Check packs beyond their format: every term finds its line, and leaves its innocent one alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from keywords.matcher import Matcher
from keywords.pack import Pack, PackError, Term, inspect_file
from keywords.phrases import expand
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
    """What is wrong with a pack's terms."""
    file = file or f"{pack.name}.toml"
    matcher = Matcher([pack])
    for term in pack.terms:
        for field, mend in _wrong_lines(term, matcher):
            yield PackError(file, term.line, f"{term.id}.{field}", mend)
        for plain in _plain(pack, term):
            if plain and not spell(plain):
                mend = f"{plain!r} has nothing that can be seen; take it out"
                yield PackError(file, term.line, f"{term.id}.phrases", mend)


def _plain(pack: Pack, term: Term) -> Iterator[str]:
    """All plain phrases of all segments of a term."""
    for phrase in expand(term.phrases, dict(pack.sets)):
        for segment in phrase:
            yield from segment


def _wrong_lines(term: Term, matcher: Matcher) -> Iterator[tuple[str, str]]:
    found = [match.term for match in matcher.find(term.match)]
    if term not in found:
        instead = f" (found is {', '.join(one.id for one in found)})" if found else ""
        yield "match", f"is not found by this term{instead}; mend the line, phrases or conditions"
    if any(match.term is term for match in matcher.find(term.innocent)):
        yield "innocent", "is found by this term; mend the line, the phrases or the conditions"
