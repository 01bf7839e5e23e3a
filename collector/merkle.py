"""RFC 6962 over leaf hashes: root, inclusion and consistency, and how they are checked.

Pure. Section 2.1 of the RFC for the definitions, RFC 9162 (2.1.3.2, 2.1.4.2) for the
way in which the proofs are checked.
"""

import hashlib
from collections.abc import Sequence

EMPTY = hashlib.sha256(b"").digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root of the tree over these leaf hashes."""
    if not hashes:
        return EMPTY
    level = list(hashes)
    while len(level) > 1:
        paired = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def inclusion(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of a leaf, lowest first.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(hashes):
        raise IndexError(f"there is no leaf {index} in a tree of {len(hashes)}")
    if len(hashes) == 1:
        return []
    half = _split(len(hashes))
    if index < half:
        return [*inclusion(hashes[:half], index), root(hashes[half:])]
    return [*inclusion(hashes[half:], index - half), root(hashes[:half])]


def consistency(hashes: Sequence[bytes], first: int) -> list[bytes]:
    """The proof that the tree of the first `first` leaves is a beginning of this one.

    Raises:
        IndexError: this tree has not so many leaves, or `first` is 0.
    """
    if not 0 < first <= len(hashes):
        raise IndexError(f"there is no earlier tree of {first} in a tree of {len(hashes)}")
    return _subproof(hashes, first, whole=True)


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], head: bytes) -> bool:
    """Whether the path proves the leaf hash at that index of the tree with that root."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if at % 2 or at == last:
            found = node(step, found)
            while at and not at % 2:
                at, last = at // 2, last // 2
        else:
            found = node(found, step)
        at, last = at // 2, last // 2
    return last == 0 and found == head


def consistent(first: int, second: int, proof: Sequence[bytes], old: bytes, new: bytes) -> bool:
    """Whether the proof shows the root `old` of `first` leaves to be a beginning of `new`."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and old == new
    steps = list(proof)
    if first & (first - 1) == 0:
        steps.insert(0, old)
    if not steps:
        return False
    at, last = first - 1, second - 1
    while at % 2:
        at, last = at // 2, last // 2
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            before, after = node(step, before), node(step, after)
            while at and not at % 2:
                at, last = at // 2, last // 2
        else:
            after = node(after, step)
        at, last = at // 2, last // 2
    return last == 0 and before == old and after == new


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def _subproof(hashes: Sequence[bytes], first: int, *, whole: bool) -> list[bytes]:
    if first == len(hashes):
        return [] if whole else [root(hashes)]
    half = _split(len(hashes))
    if first <= half:
        return [*_subproof(hashes[:half], first, whole=whole), root(hashes[half:])]
    return [*_subproof(hashes[half:], first - half, whole=False), root(hashes[:half])]
