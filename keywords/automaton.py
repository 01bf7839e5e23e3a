"""A trie of words, and Aho-Corasick on it, over small integer symbols in flat arrays.

A node is an integer; 0 is the root. The child of node s by symbol c is
t = base[s] + c if check[t] == s (a double array). `ends[s]` is the number of the pattern
that ends at s, 0 if none. Symbol 0 stands for everything that no pattern holds.

A trie's walks can end `DEAD`. An automaton goes on at fail[s] where there is no child, and
`link[s]` is the nearest node on that way where another pattern ends (0: none).

Source: Aho and Corasick 1975; Aoe 1989.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

ROOT = 0
DEAD = -1
"""Where a walk without failures ends that left the trie; it stays there."""
_FREE = -3
_PATIENCE = 16
"""Places tried for several children before the crowded ones are left to single children."""


class Trie:
    """Immutable once built; all its state is the node that the caller keeps."""

    __slots__ = ("base", "check", "ends", "size")
    ARRAYS: ClassVar[tuple[str, ...]] = ("base", "check", "ends")

    def __init__(
        self, patterns: Sequence[str], numbers: Sequence[int] = (), *, size: int = 0
    ) -> None:
        """Build from sorted, distinct, non-empty patterns whose characters are the symbols.

        `numbers` are what `ends` holds for each, where it is not one more than its place;
        `size` is one more than the greatest symbol that will be asked for.
        """
        self.base = array("i")
        self.check = array("i")
        self.ends = array("i")
        self.size = max(size, max((ord(max(one)) for one in patterns), default=0) + 1)
        """Symbols, 0 among them."""
        self._grow(2 * self.size)
        self.check[ROOT] = -2
        self._build(patterns, numbers or range(1, len(patterns) + 1))
        self._trim()

    @classmethod
    def of(cls, arrays: Mapping[str, Any], size: int) -> Self:
        """One that was built before: the arrays that `arrays` gave, and its `size`."""
        made = cls.__new__(cls)
        for name in cls.ARRAYS:
            setattr(made, name, arrays[name])
        made.size = size
        return made

    def arrays(self) -> "dict[str, array[int]]":
        """The arrays by name."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    def follow(self, node: int, symbol: int) -> int:
        """The node after one more symbol: a child or `DEAD`."""
        child = self.base[node] + symbol
        return child if self.check[child] == node else DEAD

    @property
    def nbytes(self) -> int:
        """The arrays' memory in bytes."""
        return sum(part.itemsize * len(part) for part in self.arrays().values())

    def _build(self, patterns: Sequence[str], numbers: Sequence[int]) -> None:
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
                    base = holes.base_for([symbol for symbol, _, _ in groups])
                    if base + self.size > len(self.check):
                        self._grow(base + self.size + len(self.check) // 2)
                    self.base[node] = base
                    for symbol, start, end in groups:
                        self._place(node, symbol)
                        below.append((base + symbol, start, end))
            level = below
            depth += 1

    def _place(self, node: int, symbol: int) -> None:
        self.check[self.base[node] + symbol] = node

    def _trim(self) -> None:
        """Give back what was grown and not used; a step may look `size` beyond the last node."""
        used = next((n for n in range(len(self.check) - 1, 0, -1) if self.check[n] != _FREE), 0)
        for part in self.arrays().values():
            del part[used + self.size + 1 :]

    def _grow(self, length: int) -> None:
        more = length - len(self.check)
        for part in self.arrays().values():
            part.extend([_FREE if part is self.check else 0] * more)


class Automaton(Trie):
    """Finds every pattern that ends with the last symbol."""

    __slots__ = ("fail", "link")
    ARRAYS = (*Trie.ARRAYS, "fail", "link")

    def __init__(
        self, patterns: Sequence[str], numbers: Sequence[int] = (), *, size: int = 0
    ) -> None:
        """Build as a trie, with the ways to go on where there is no child."""
        self.fail = array("i")
        self.link = array("i")
        super().__init__(patterns, numbers, size=size)

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

    def found(self, node: int) -> Iterator[int]:
        """The numbers, less one, of all patterns that end at this node, longest first."""
        if not self.ends[node]:
            node = self.link[node]
        while node:
            yield self.ends[node] - 1
            node = self.link[node]

    def _place(self, node: int, symbol: int) -> None:
        super()._place(node, symbol)
        child = self.base[node] + symbol
        target = ROOT if node == ROOT else self.step(self.fail[node], symbol)
        self.fail[child] = target
        self.link[child] = target if self.ends[target] else self.link[target]


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
