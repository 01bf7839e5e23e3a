"""All phrases as one graph over words, walked from every word at once.

A node that ends phrases holds what they mean. From a node lead **edges**, one for each word,
and **classes**, one for many words alike: `{who} (just|) {want} die` costs its words, not their
product. Nodes are interned while the graph is built, from the phrases' ends to their
beginnings, so phrases share how they end.

A word may lead to several nodes. Where a phrase's first words would lead to very many (most
begin with one of a handful), these are **merged** into one node with the edges of all; further
on so few are left that each is walked by itself, and merging would only cost memory.

A **walk** is an integer, the node times `SPAN` plus the words it has gone; the walks under
way are a tuple, the longest first. Each dies at the first word that continues no phrase.

Layout, in flat arrays: those of a node lie together, the words of edges and of classes in
order. Word 0 continues nothing.

Source: Rabin and Scott 1959, of whose construction this does the crowded part alone.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Self

MOST_WORDS_KNOWN: Final = 65_535
"""Different words that all phrases may hold: the width of an edge."""
SPAN: Final = 16
"""More than the words of the longest phrase."""
ROOT: Final = 0
SPREAD: Final = (24,)
"""Nodes that the first word may lead to before they are merged; later words lead to few."""
_CLASS: Final = 5
"""Words from which edges to one node become a class."""
_MOST_CLASSES: Final = 3
"""Classes of a node; each costs a look at every word, so the others' words are edges."""

Walks = tuple[int, ...]
Alternatives = Sequence[tuple[int, ...]]
"""Rows of words, any of which may stand; an empty row means that none needs to."""


class PhraseGraph:
    """Immutable once built; all its state is the walks that the caller keeps."""

    __slots__ = (
        *("by", "to", "edges_from"),
        *("classes", "classes_to", "classes_from"),
        *("words", "words_from"),
        *("meant", "meant_from"),
    )

    def __init__(self, phrases: Iterable[tuple[Sequence[Alternatives], int]]) -> None:
        """Build from phrases, each a row of alternatives and a meaning."""
        self.by = array("H")
        """The words of all edges."""
        self.to = array("i")
        """The nodes that they lead to."""
        self.edges_from = array("i", [0])
        """Where each node's edges begin, and at last their number."""
        self.classes = array("i")
        """The classes that lead on from all nodes."""
        self.classes_to = array("i")
        self.classes_from = array("i", [0])
        self.words = array("H")
        """The words of all classes."""
        self.words_from = array("i", [0])
        self.meant = array("i")
        """The meanings of all nodes."""
        self.meant_from = array("i", [0])
        nodes = _Nodes()
        root = nodes.merged({nodes.phrase(row, meaning) for row, meaning in phrases})
        order, number = [root], {root: ROOT}
        known: dict[tuple[int, ...], int] = {}
        for node in order:  # it grows while it is walked
            leads = nodes.leads(node)
            large = sorted(leads, key=lambda lead: len(lead[0]), reverse=True)[:_MOST_CLASSES]
            single: list[tuple[int, int]] = []
            for words, target in leads:
                if target not in number:
                    number[target] = len(order)
                    order.append(target)
                if len(words) >= _CLASS and (words, target) in large:
                    self.classes.append(self._class(words, known))
                    self.classes_to.append(number[target])
                else:
                    single += [(word, number[target]) for word in words]
            single.sort()
            self.by.extend(word for word, _ in single)
            self.to.extend(target for _, target in single)
            self.edges_from.append(len(self.by))
            self.classes_from.append(len(self.classes))
            self.meant.extend(nodes.meanings[node])
            self.meant_from.append(len(self.meant))

    @classmethod
    def of(cls, arrays: Mapping[str, Any]) -> Self:
        """One that was built before: the arrays that `arrays` gave."""
        made = cls.__new__(cls)
        for name in cls.__slots__:
            setattr(made, name, arrays[name])
        return made

    def arrays(self) -> "dict[str, array[int]]":
        """The arrays by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def advance(self, walks: Walks, word: int) -> Walks:
        """The walks after one more word, a new one begun before it."""
        by, to, edges_from = self.by, self.to, self.edges_from
        words, words_from, classes_from = self.words, self.words_from, self.classes_from
        gone: list[int] = []
        for walk in (*walks, ROOT):
            node, far = divmod(walk, SPAN)
            last = edges_from[node + 1]
            edge = bisect_left(by, word, edges_from[node], last)
            while edge < last and by[edge] == word:
                gone.append(to[edge] * SPAN + far + 1)
                edge += 1
            for lead in range(classes_from[node], classes_from[node + 1]):
                one = self.classes[lead]
                end = words_from[one + 1]
                place = bisect_left(words, word, words_from[one], end)
                if place < end and words[place] == word:
                    gone.append(self.classes_to[lead] * SPAN + far + 1)
        return tuple(dict.fromkeys(gone))

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
        return sum(part.itemsize * len(part) for part in self.arrays().values())

    def _class(self, words: tuple[int, ...], known: dict[tuple[int, ...], int]) -> int:
        number = known.get(words)
        if number is None:
            number = known[words] = len(known)
            self.words.extend(words)
            self.words_from.append(len(self.words))
        return number


_Leads = tuple[tuple[tuple[int, ...], int], ...]
"""Words in order, and the node to which each of them leads."""


class _Nodes:
    """Interned nodes: two that mean and continue the same are one."""

    def __init__(self) -> None:
        self.meanings: list[tuple[int, ...]] = []
        self._leads: list[_Leads | None] = []
        self._known: dict[tuple[tuple[int, ...], _Leads], int] = {}
        self._merged: dict[tuple[frozenset[int], int], int] = {}
        self._members: dict[int, tuple[frozenset[int], int]] = {}

    def phrase(self, row: Sequence[Alternatives], meaning: int) -> int:
        """The node from which this phrase alone is found."""
        rest = self._node({meaning}, {})
        for alternatives in reversed(row):
            targets: dict[int, set[int]] = {}
            meanings: set[int] = set()
            for first, *others in filter(None, alternatives):
                target = rest
                for word in reversed(others):
                    target = self._node(set(), {target: {word}})
                targets.setdefault(target, set()).add(first)
            if not all(alternatives):
                meanings.update(self.meanings[rest])
                for words, target in self.leads(rest):
                    targets.setdefault(target, set()).update(words)
            rest = self._node(meanings, targets)
        return rest

    def merged(self, members: Iterable[int], words: int = 0) -> int:
        """One node that finds all that these find, so many words into a phrase."""
        key = frozenset(members), words
        known = self._merged.get(key)
        if known is None:
            known = self._merged[key] = len(self.meanings)
            meanings = {meaning for one in key[0] for meaning in self.meanings[one]}
            self.meanings.append(tuple(sorted(meanings)))
            self._leads.append(None)
            self._members[known] = key
        return known

    def leads(self, node: int) -> _Leads:
        """What leads on from a node; of a merged one it is worked out now."""
        leads = self._leads[node]
        if leads is None:
            leads = self._leads[node] = self._merge(*self._members[node])
        return leads

    def _merge(self, members: frozenset[int], so_far: int) -> _Leads:
        reached: dict[int, set[int]] = {}
        for member in members:
            for words, target in self.leads(member):
                for word in words:
                    reached.setdefault(word, set()).add(target)
        targets: dict[int, set[int]] = {}
        for word, ones in reached.items():
            crowded = so_far < len(SPREAD) and len(ones) > SPREAD[so_far]
            for target in [self.merged(ones, so_far + 1)] if crowded else ones:
                targets.setdefault(target, set()).add(word)
        return _in_order(targets)

    def _node(self, meanings: set[int], targets: dict[int, set[int]]) -> int:
        key = (tuple(sorted(meanings)), _in_order(targets))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = len(self.meanings)
            self.meanings.append(key[0])
            self._leads.append(key[1])
        return known


def _in_order(targets: dict[int, set[int]]) -> _Leads:
    return tuple((tuple(sorted(targets[target])), target) for target in sorted(targets))
