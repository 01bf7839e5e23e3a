"""The pieces of words that the deep model knows: a part of a sentence model's vocabulary.

The product finds the longest piece from a word's front in a trie (`Ranker._pieces`); here the
same is done with a set, and a test holds the two together.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

JOINT = "\x01"
"""Before a piece that goes on a word."""


class Pieces:
    """A vocabulary: piece to number from 1; 0 is what none knows."""

    def __init__(self, known: Sequence[str]) -> None:
        self.known = tuple(known)
        self._numbers = {piece: number for number, piece in enumerate(self.known, 1)}
        self._longest = max(map(len, known), default=0)
        self._of = lru_cache(maxsize=None)(self._split)

    def of(self, words: Iterable[str]) -> list[int]:
        """The pieces of all words, in order."""
        return [piece for word in words for piece in self._of(word)]

    def _split(self, word: str) -> tuple[int, ...]:
        found: list[int] = []
        at = 0
        while at < len(word):
            joint = JOINT if at else ""
            for end in range(min(len(word), at + self._longest), at, -1):
                if piece := self._numbers.get(joint + word[at:end]):
                    break
            else:
                return (*found, 0)
            found.append(piece)
            at = end
        return tuple(found)


def choose(vocabulary: Sequence[str], texts: Iterable[Sequence[str]], most: int) -> list[int]:
    """The rows of a WordPiece vocabulary to keep: what the texts hold, then the commonest."""
    plain = [
        piece.replace("##", JOINT, 1) if piece.startswith("##") else piece for piece in vocabulary
    ]
    rows = [row for row, piece in enumerate(plain) if _fits(piece)]
    pieces = Pieces([plain[row] for row in rows])
    seen = Counter(piece for words in texts for piece in pieces.of(words))
    single = [number for number, row in enumerate(rows, 1) if len(plain[row].strip(JOINT)) == 1]
    often = [number for number, count in seen.most_common() if number and count > 1]
    chosen = dict.fromkeys([*single, *often, *range(1, len(rows) + 1)])
    return sorted(rows[number - 1] for number in list(chosen)[:most])


def _fits(piece: str) -> bool:
    bare = piece.removeprefix(JOINT)
    return bare.isascii() and not bare.startswith("[") and bool(bare)
