"""The floor and the peers of `benchmarks.matcher`, each in a process of its own.

`python matcher_peers.py ENGINE` reads {"phrases", "text", "rounds"} as JSON from standard
input and prints {"rounds": [[nanoseconds of each key, ...], ...], "found", "build_s"}.
Stands alone: hyperscan runs in a virtual environment that has nothing of this project.
They look for plain phrases at word boundaries in small letters, key by key, and do none
of the normalising, conditions or evidence; so they bound what a key can cost.
"""

import importlib
import json
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

Press = Callable[[str], int]
"""Takes one character, gives the number of phrases that end with it."""


@dataclass(slots=True)
class _Trie:
    """Aho-Corasick with a dict at each node."""

    nodes: list[dict[str, int]]
    ends: list[int]
    fail: list[int]


def plain(phrases: list[str]) -> Callable[[], Press]:
    """The barest that Python can do."""
    trie = _grown(phrases)
    _linked(trie)
    nodes, ends, fail = trie.nodes, trie.ends, trie.fail

    def start() -> Press:
        at = nodes[0].get(" ", 0)

        def press(char: str) -> int:
            nonlocal at
            if not char.isalnum():
                char = " "
            node = at
            while True:
                child = nodes[node].get(char)
                if child is not None:
                    at = child
                    return ends[child]
                if not node:
                    at = 0
                    return 0
                node = fail[node]

        return press

    return start


def _grown(phrases: list[str]) -> _Trie:
    trie = _Trie([{}], [0], [0])
    for phrase in phrases:
        node = 0
        for char in f" {phrase} ":
            if char not in trie.nodes[node]:
                trie.nodes[node][char] = len(trie.nodes)
                trie.nodes.append({})
                trie.ends.append(0)
                trie.fail.append(0)
            node = trie.nodes[node][char]
        trie.ends[node] += 1
    return trie


def _linked(trie: _Trie) -> None:
    queue = deque(trie.nodes[0].values())
    while queue:
        node = queue.popleft()
        for char, child in trie.nodes[node].items():
            back = trie.fail[node]
            while back and char not in trie.nodes[back]:
                back = trie.fail[back]
            trie.fail[child] = trie.nodes[back].get(char, 0)
            trie.ends[child] += trie.ends[trie.fail[child]]
            queue.append(child)


def ahocorasick(phrases: list[str]) -> Callable[[], Press]:
    """pyahocorasick, fed one character at a time."""
    engine = importlib.import_module("ahocorasick")
    automaton = engine.Automaton()
    for number, phrase in enumerate(phrases):
        automaton.add_word(f" {phrase} ", number)
    automaton.make_automaton()

    def start() -> Press:
        walk = automaton.iter(" ")
        list(walk)

        def press(char: str) -> int:
            walk.set(char if char.isalnum() else " ", False)  # noqa: FBT003  # its own signature
            return sum(1 for _ in walk)

        return press

    return start


def hyperscan(phrases: list[str]) -> Callable[[], Press]:
    """Hyperscan in streaming mode, caseless, at word boundaries."""
    engine = importlib.import_module("hyperscan")
    database = engine.Database(mode=engine.HS_MODE_STREAM)
    database.compile(
        expressions=[rb"\b" + phrase.encode() + rb"\b" for phrase in phrases],
        ids=list(range(len(phrases))),
        flags=[engine.HS_FLAG_CASELESS] * len(phrases),
    )

    found = [0]

    # Held here: the engine does not hold its handler, and calls it after it is gone.
    def note(*_: object) -> None:
        found[0] += 1

    def start() -> Press:
        stream = database.stream(match_event_handler=note)
        stream.__enter__()

        def press(char: str) -> int:
            before = found[0]
            stream.scan(char.encode())
            return found[0] - before

        return press

    return start


ENGINES = {"plain": plain, "ahocorasick": ahocorasick, "hyperscan": hyperscan}


def measure(start: Callable[[], Press], text: str, rounds: int) -> tuple[list[list[int]], int]:
    """Nanoseconds of each key in each round, and how much was found in the last."""
    now = time.perf_counter_ns
    results = []
    found = 0
    for _ in range(rounds):
        press = start()
        samples = []
        found = 0
        for char in text:
            began = now()
            hits = press(char)
            samples.append(now() - began)
            found += hits
        results.append(samples)
    return results, found


def main() -> None:
    """Measure the engine that is named."""
    task = json.load(sys.stdin)
    began = time.perf_counter()
    start = ENGINES[sys.argv[1]](task["phrases"])
    built = time.perf_counter() - began
    rounds, found = measure(start, task["text"], task["rounds"])
    json.dump({"rounds": rounds, "found": found, "build_s": built}, sys.stdout)


if __name__ == "__main__":
    main()
