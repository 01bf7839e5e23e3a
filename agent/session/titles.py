"""Window titles as a signal of their own: a term is told when it comes, not while it stays. Pure."""

from collections import OrderedDict

from keywords.matcher import Match, Matcher

MOST_CHARACTERS = 2000
"""Characters of a title that are looked at."""
_MOST_WINDOWS = 128

_Terms = frozenset[tuple[str, str]]


class Titles:
    """Which terms each window's title holds."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[int, int], _Terms] = OrderedDict()

    def see(self, window: tuple[int, int], title: str, matcher: Matcher) -> list[Match]:
        """The matches of terms that this title has and the window's last title had not."""
        before = self._held.pop(window, frozenset())
        new: dict[tuple[str, str], Match] = {}
        terms = set()
        for match in matcher.find(title[:MOST_CHARACTERS]):
            term = (match.pack.name, match.term.id)
            terms.add(term)
            if term not in before:
                new.setdefault(term, match)
        self._held[window] = frozenset(terms)
        if len(self._held) > _MOST_WINDOWS:
            self._held.popitem(last=False)
        return list(new.values())

    def forget(self) -> None:
        """Begin anew: other packs, or the session was locked."""
        self._held.clear()
