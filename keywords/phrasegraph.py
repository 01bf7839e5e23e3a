"""All phrases as one minimal graph over words, walked from every word at once.

An edge is a word; a node that ends phrases holds what they mean. Alternatives share their
words on both sides, so that `{who} (just|) {want} die` costs its words, not their product.
Nodes are interned while the graph is built, from the phrases' ends to their beginnings, so
what is alike is one node: the graph is minimal.

A **walk** is an integer, the node times `SPAN` plus the words it has gone; the walks under
way are a tuple, the longest first. Each dies at the first word that continues no phrase.

The edges lie in two flat arrays, those of a node together and in the order of their words.

Sources: Daciuk and others 2000 (minimal acyclic automata); Bryant 1986 (interned unions).
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

SPAN: Final = 16
"""More than the words of the longest phrase."""
ROOT: Final = 0

Walks = tuple[int, ...]
Alternatives = Sequence[tuple[int, ...]]
"""Rows of words, any of which may stand; an empty row means that none needs to."""


class PhraseGraph:
    """Immutable once built; all its state is the walks that the caller keeps."""

    __slots__ = ("by", "edges_from", "meant", "meant_from", "to")

    def __init__(self, phrases: Iterable[tuple[Sequence[Alternatives], int]]) -> None:
        """Build from phrases, each a row of alternatives and a meaning."""
        nodes = _Nodes()
        root = nodes.union_of([nodes.phrase(row, meaning) for row, meaning in phrases])
        order = nodes.reachable(root)
        number = {node: place for place, node in enumerate(order)}
        self.by = array("i")
        """The words of all edges."""
        self.to = array("i")
        """The nodes that they lead to."""
        self.edges_from = array("i", [0])
        """Where each node's edges begin, and at last their number."""
        self.meant = array("i")
        """The meanings of all nodes, one after the other."""
        self.meant_from = array("i", [0])
        for node in order:
            for word, target in sorted(nodes.edges[node].items()):
                self.by.append(word)
                self.to.append(number[target])
            self.edges_from.append(len(self.by))
            self.meant.extend(nodes.meanings[node])
            self.meant_from.append(len(self.meant))

    def advance(self, walks: Walks, word: int) -> Walks:
        """The walks after one more word, a new one begun before it."""
        by, edges_from = self.by, self.edges_from
        gone: list[int] = []
        for walk in (*walks, ROOT):
            node = walk // SPAN
            last = edges_from[node + 1]
            edge = bisect_left(by, word, edges_from[node], last)
            if edge < last and by[edge] == word:
                gone.append(self.to[edge] * SPAN + walk % SPAN + 1)
        return tuple(gone)

    def ends(self, walks: Walks) -> bool:
        """Whether a phrase ends with any of the walks."""
        meant_from = self.meant_from
        return any(meant_from[walk // SPAN] < meant_from[walk // SPAN + 1] for walk in walks)

    def found(self, walk: int) -> "array[int]":
        """What the phrases mean that end with this walk."""
        node = walk // SPAN
        return self.meant[self.meant_from[node] : self.meant_from[node + 1]]

    @property
    def nbytes(self) -> int:
        """The arrays' memory in bytes."""
        arrays = (self.by, self.to, self.edges_from, self.meant, self.meant_from)
        return sum(part.itemsize * len(part) for part in arrays)


class _Nodes:
    """Interned nodes: two that mean and continue the same are one."""

    def __init__(self) -> None:
        self.meanings: list[tuple[int, ...]] = []
        self.edges: list[dict[int, int]] = []
        self._known: dict[tuple[tuple[int, ...], tuple[tuple[int, int], ...]], int] = {}
        self._unions: dict[tuple[int, int], int] = {}
        self.empty = self._node((), {})

    def phrase(self, row: Sequence[Alternatives], meaning: int) -> int:
        """The node from which this phrase alone is found."""
        rest = self._node((meaning,), {})
        for alternatives in reversed(row):
            ways = [self._chain(words, rest) for words in alternatives if words]
            if len(ways) < len(alternatives):
                ways.append(rest)
            rest = self.union_of(ways)
        return rest

    def union_of(self, nodes: Sequence[int]) -> int:
        """A node that finds all that these find. In pairs, so that large ones merge seldom."""
        level = list(nodes) or [self.empty]
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            left = level[-1:] if len(level) % 2 else []
            level = [self._union(one, other) for one, other in pairs] + left
        return level[0]

    def reachable(self, root: int) -> list[int]:
        """All nodes that can be reached, nearest first."""
        queue = [root]
        seen = {root}
        for node in queue:  # it grows while it is walked
            new = [target for target in self.edges[node].values() if target not in seen]
            seen.update(new)
            queue += dict.fromkeys(new)
        return queue

    def _node(self, meanings: tuple[int, ...], edges: dict[int, int]) -> int:
        key = (meanings, tuple(sorted(edges.items())))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = len(self.edges)
            self.meanings.append(meanings)
            self.edges.append(edges)
        return known

    def _chain(self, words: tuple[int, ...], target: int) -> int:
        for word in reversed(words):
            target = self._node((), {word: target})
        return target

    def _union(self, one: int, other: int) -> int:
        if one == other or other == self.empty:
            return one
        if one == self.empty:
            return other
        pair = (one, other) if one < other else (other, one)
        known = self._unions.get(pair)
        if known is None:
            meanings = tuple(sorted({*self.meanings[one], *self.meanings[other]}))
            edges = dict(self.edges[one])
            for word, target in self.edges[other].items():
                edges[word] = self._union(edges[word], target) if word in edges else target
            known = self._unions[pair] = self._node(meanings, edges)
        return known
