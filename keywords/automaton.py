"""Aho-Corasick over small integer symbols, in four flat arrays (a double-array trie).

A node is an integer; 0 is the root. The child of node s by symbol c is
t = base[s] + c if check[t] == s; if there is none, the walk goes on at fail[s].
`ends[s]` is one more than the number of the pattern that ends at s (0: none), and
`link[s]` the nearest node on the way of failures where another pattern ends (0: none).
Symbol 0 stands for everything that no pattern holds: it leads to the root.

The same arrays without failures are a plain trie (`follow`), whose walks can end `DEAD`.

Source: Aho and Corasick 1975; Aoe 1989.
"""

from array import array
from collections.abc import Iterator, Sequence

ROOT = 0
DEAD = -1
"""Where a walk without failures ends that left the trie; it stays there."""
_FREE = -3
_PATIENCE = 16
"""Places tried for several children before the crowded ones are left to single children."""


class Automaton:
    """Immutable once built; all its state is the node that the caller keeps."""

    __slots__ = ("base", "check", "depth", "ends", "fail", "link", "size")

    def __init__(
        self, patterns: Sequence[str], numbers: Sequence[int] = (), *, size: int = 0
    ) -> None:
        """Build from sorted, distinct, non-empty patterns whose characters are the symbols.

        `numbers` are what `ends` holds for each, where it is not one more than its place;
        `size` is one more than the greatest symbol that will be asked for.
        """
        self.base = array("i")
        self.check = array("i")
        self.fail = array("i")
        self.ends = array("i")
        self.link = array("i")
        self.depth = array("H")
        self.size = max(size, max((ord(max(one)) for one in patterns), default=0) + 1)
        """Symbols, 0 among them."""
        self._build(patterns, numbers or range(1, len(patterns) + 1))

    def step(self, node: int, symbol: int) -> int:
        """The node after one more symbol."""
        base, check = self.base, self.check
        while True:
            child = base[node] + symbol
            if check[child] == node:
                return child
            if not node:
                return ROOT
            node = self.fail[node]

    def follow(self, node: int, symbol: int) -> int:
        """The node after one more symbol, without failures: a child or `DEAD`."""
        child = self.base[node] + symbol
        return child if self.check[child] == node else DEAD

    def found(self, node: int) -> Iterator[int]:
        """The numbers of all patterns that end at this node, longest first."""
        if not self.ends[node]:
            node = self.link[node]
        while node:
            yield self.ends[node] - 1
            node = self.link[node]

    def covers(self, node: int, other: int) -> bool:
        """Whether all that `other` can still find, `node` finds too."""
        if not other:
            return True
        while node != other:
            if not node:
                return False
            node = self.fail[node]
        return True

    @property
    def nbytes(self) -> int:
        """The arrays' memory in bytes."""
        arrays = (self.base, self.check, self.fail, self.ends, self.link, self.depth)
        return sum(part.itemsize * len(part) for part in arrays)

    def _build(self, patterns: Sequence[str], numbers: Sequence[int]) -> None:
        self._grow(2 * self.size)
        self.check[ROOT] = -2
        holes = _Holes(self.check, self.size)
        level = [(ROOT, 0, len(patterns))]
        depth = 0
        while level:
            below: list[tuple[int, int, int]] = []
            for number, (node, low, high) in enumerate(level):
                if low < high and len(patterns[low]) == depth:
                    self.ends[node] = numbers[low]
                    level[number] = (node, low + 1, high)
            for node, low, high in level:
                if groups := _groups(patterns, low, high, depth):
                    self._place(node, [symbol for symbol, _, _ in groups], depth, holes)
                    base = self.base[node]
                    below += [(base + symbol, start, end) for symbol, start, end in groups]
            level = below
            depth += 1
        self._trim()

    def _place(self, node: int, symbols: list[int], depth: int, holes: "_Holes") -> None:
        base = holes.base_for(symbols)
        if base + self.size > len(self.check):
            self._grow(base + self.size + len(self.check) // 2)
        self.base[node] = base
        fail = self.fail[node]
        for symbol in symbols:
            child = base + symbol
            self.check[child] = node
            self.depth[child] = depth + 1
            target = ROOT if node == ROOT else self.step(fail, symbol)
            self.fail[child] = target
            self.link[child] = target if self.ends[target] else self.link[target]

    def _trim(self) -> None:
        """Give back what was grown and not used; a step may look `size` beyond the last node."""
        used = next((n for n in range(len(self.check) - 1, 0, -1) if self.check[n] != _FREE), 0)
        for part in (self.base, self.check, self.fail, self.ends, self.link, self.depth):
            del part[used + self.size + 1 :]

    def _grow(self, length: int) -> None:
        more = length - len(self.check)
        self.check.extend([_FREE] * more)
        for part in (self.base, self.fail, self.ends, self.link, self.depth):
            part.extend([0] * more)


class _Holes:
    """Finds free places for a node's children; one child fits in the first hole."""

    def __init__(self, check: "array[int]", size: int) -> None:
        self._check = check
        self._size = size
        self._single = size
        self._several = size

    def base_for(self, symbols: list[int]) -> int:
        check = self._check
        if len(symbols) == 1:
            while self._single < len(check) and check[self._single] != _FREE:
                self._single += 1
            return self._single - symbols[0]
        place = self._several
        lead = symbols[0]
        tried = 0
        while not self._fits(place, lead, symbols):
            place += 1
            tried += 1
            if tried > _PATIENCE:
                self._several = place
        return place - lead

    def _fits(self, place: int, lead: int, symbols: list[int]) -> bool:
        check = self._check
        length = len(check)
        if place < length and check[place] != _FREE:
            return False
        for symbol in symbols:
            child = place - lead + symbol
            if child < length and check[child] != _FREE:
                return False
        return True


def _groups(patterns: Sequence[str], low: int, high: int, depth: int) -> list[tuple[int, int, int]]:
    """The runs of patterns that go on with the same symbol at this depth."""
    groups: list[tuple[int, int, int]] = []
    start = low
    while start < high:
        symbol = patterns[start][depth]
        end = start + 1
        while end < high and patterns[end][depth] == symbol:
            end += 1
        groups.append((ord(symbol), start, end))
        start = end
    return groups
