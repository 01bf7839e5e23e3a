"""What to type so that each event comes from exactly one key.

The lines are the packs' own: each term carries one in which it must be found. The
matcher itself, fed with all that was typed into the window before, says which key
completes it; where another term would fire earlier, or two at once, the line is left out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from keywords.matcher import Matcher, State
from keywords.pack import Pack, Term


@dataclass(frozen=True, slots=True)
class Phrase:
    """`lead` is typed first, and says nothing; then the key `fires`; then Enter."""

    window: str
    lead: str
    fires: str


def plan(
    packs: Sequence[Pack], windows: Sequence[str], typable: Callable[[str], bool]
) -> Iterator[Phrase]:
    """Each term once in each window: a second time would be folded into the first."""
    matcher = Matcher(packs)
    for window in windows:
        state = matcher.start
        for term in (term for pack in packs for term in pack.terms):
            line = f"{term.match} "
            fires = _fires(matcher, state, line, term)
            if fires is None or not typable(line[: fires + 1]):
                continue
            yield Phrase(window, line[:fires], line[fires])
            for character in f"{line[: fires + 1]}\n":
                state, _ = matcher.step(state, character)


def _fires(matcher: Matcher, state: State, line: str, term: Term) -> int | None:
    """The key that completes this term and nothing else; None if there is none."""
    for index, character in enumerate(line):
        state, found = matcher.step(state, character)
        if found:
            return index if [match.term.id for match in found] == [term.id] else None
    return None
