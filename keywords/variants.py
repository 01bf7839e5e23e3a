"""The ways in which a grave word is misspelt, cut or glued: made when packs are built.

Only long words and grave terms have them, since a short word's neighbours are other words
("died", "diet"), and a low term is not worth the memory. What is made here is looked up
like any other spelling; it costs nothing while somebody types.

The edit distance is Damerau's (1964), less the edits that nobody makes by accident: a first
letter is seldom wrong, and a wrong key lies beside the right one.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

LONG: Final = 8
"""Letters from which a word has misspellings and may be cut in two."""
GLUED_LEAST: Final = 8
GLUED_MOST: Final = 20
"""Letters of a phrase that is also looked for without its gaps."""
GLUED_WORDS: Final = 3
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _beside() -> dict[str, str]:
    """The keys left and right of each on a British keyboard."""
    found: dict[str, str] = {}
    for row in _ROWS:
        for left, right in pairwise(row):
            found[left] = found.get(left, "") + right
            found[right] = found.get(right, "") + left
    return found


_BESIDE: Final = _beside()


def typos(word: str) -> Iterator[str]:
    """The word with one letter left out, two swapped, or one struck beside its key."""
    if len(word) < LONG or not word.isalpha():
        return
    for at in range(1, len(word)):
        yield word[:at] + word[at + 1 :]
        if at + 1 < len(word):
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        for near in _BESIDE.get(word[at], ""):
            yield word[:at] + near + word[at + 1 :]


def splits(phrase: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """A phrase of one or two words with a long one cut in two."""
    if len(phrase) > 2:  # noqa: PLR2004 - as the docstring says
        return
    for place, word in enumerate(phrase):
        if len(word) >= LONG and word.isalpha():
            for at in range(2, len(word) - 1):
                yield (*phrase[:place], word[:at], word[at:], *phrase[place + 1 :])


def glued(phrase: tuple[str, ...]) -> str:
    """A short phrase of several words as one; empty if it is none."""
    joined = "".join(phrase)
    if 1 < len(phrase) <= GLUED_WORDS and GLUED_LEAST <= len(joined) <= GLUED_MOST:
        return joined
    return ""
