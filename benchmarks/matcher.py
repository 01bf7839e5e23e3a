"""A key press through text, normaliser and matcher, with 5,000 terms, beside its peers.

The shipped packs are made up to 5,000 terms with phrases of common words. The text is
typed key by key: plain lines, some in disguise, and about one grave phrase in forty
lines. The floor is a bare Aho-Corasick in Python, the peers are hyperscan in streaming
mode (installed into build/bench/venv by this benchmark) and pyahocorasick; all three
look for one plain phrase for each term and neither keep a text nor normalise it.
"""

import json
import random
import subprocess
import sys
import time
import tracemalloc
import venv
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

from agent.session.sources.events import Press
from agent.session.text import WindowText
from benchmarks.matcher_peers import measure
from benchmarks.table import Figures, Spread, figure, show_spreads, spread
from keywords.grade import grade
from keywords.matcher import Matcher
from keywords.pack import Pack, Term, load_packs, parse_pack, shipped_packs
from keywords.phrases import expand

TERMS = 5_000
ROUNDS = 5
LINES = 400
GRADED = 1_000
"""Characters of a text that is matched and graded whole."""

_HERE = Path(__file__).resolve().parent
_VENV = _HERE.parent / "build" / "bench" / "venv"
_COMMON = """
after again all along always and any around at away back bad because before behind big black
blue boat book bring bus but call came can car card chat class clean clear close coat cold
come corner could day did door down drop early end every face fall far fast few field find
fire first floor follow food for free friend from front game gate get give go good green
group half hand hard have he head hear her here hide high hold home hot house how if in
inside it just keep key kind know lake last late leave left let light line list little live
long look lose lot low make man many market meet message might mind money more morning most
move much must my name near never new next night no not note now number of off old on one
only open or other our out over own paper park part past path pay people phone pick piece
place plan play point post pull push put quick quiet rain read ready red rest ride right ring
river road room round run safe same sand save say school sea see sell send set she shop short
show side sit six sleep slow small snow so some soon start stay still stone stop store story
street such sun swim table take talk tell ten than that the their them then there these they
thing think this three through time to today together tomorrow tonight too top town train tree
trip true try turn two under until up us use van very wait walk wall want was watch water way
we week well went were what when where while white who why will wind window with word work
year yes yet you young your
"""
_WORDS = tuple(_COMMON.split())
_GRAVE = ("i want to die", "i cut myself again last night", "they keep calling me names at lunch")
_DISGUISED = (
    "g00d m0rning t0 y0u all",
    "soooo happyyyy todayyy",
    "h.e.l.l.o and b y e",
    "1 l0ve 7h1s",
)


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure, print, and give the figures."""
    chance = random.Random(5_000)
    shipped = load_packs(shipped_packs("en"))
    made_up = _made_up(TERMS - sum(len(pack.terms) for pack in shipped), chance)
    packs, built, load_ms, memory = _built(made_up)
    text = _typing(LINES // 8 if quick else LINES, chance)
    rounds = 2 if quick else ROUNDS

    rows: dict[str, list[list[int]]] = {
        "text, normaliser, matcher": _typed(built, text, rounds),
        "normaliser and matcher": _stepped(built, text, rounds),
    }
    phrases = [_first(term, pack) for pack in packs for term in pack.terms]
    _add_peers(rows, phrases, text, rounds)
    spreads = {
        name: spread(_microseconds(chain.from_iterable(samples))) for name, samples in rows.items()
    }
    show_spreads(f"a key press, {TERMS:,} terms", "µs", spreads)
    show_spreads(
        "its median, from round to round",
        "µs",
        {name: _medians(samples) for name, samples in rows.items()},
    )
    whole = _whole_text(built, text)
    print(
        f"{len(text):,} keys a round, {rounds} rounds; {memory / 1e6:.1f} MB, {load_ms:.0f} ms.\n"
    )
    return {"figures": _figures(spreads, load_ms, memory, whole)}


def _figures(spreads: dict[str, Spread], load_ms: float, memory: int, whole: Spread) -> Figures:
    ours, floor = spreads["text, normaliser, matcher"], spreads["bare trie in Python (floor)"]
    alone = spreads["normaliser and matcher"]
    figures: Figures = {}
    for share in ("p50", "p99"):
        beside = getattr(spreads.get("hyperscan, streaming"), share, None)
        other = getattr(spreads.get("pyahocorasick"), share, None)
        bare = getattr(floor, share)
        figures[f"key_{share}"] = figure(getattr(ours, share), "µs", floor=bare, peer=beside)
        figures[f"matcher_{share}"] = figure(getattr(alone, share), "µs", floor=bare, peer=beside)
        figures[f"key_{share}_beside_pyahocorasick"] = figure(
            getattr(ours, share), "µs", floor=bare, peer=other
        )
    figures["memory"] = figure(memory / 1e6, "MB")
    figures["load"] = figure(load_ms, "ms")
    figures["grade_1000_characters"] = figure(whole.p50, "ms")
    return figures


def _built(made_up: str) -> tuple[tuple[Pack, ...], Matcher, float, int]:
    """Packs and matcher, the time to read and build them in ms, the memory they keep in bytes."""

    def load() -> tuple[tuple[Pack, ...], Matcher]:
        packs = (*load_packs(shipped_packs("en")), parse_pack(made_up, name="en/made_up"))
        return packs, Matcher(packs)

    began = time.process_time()
    load()
    load_ms = (time.process_time() - began) * 1000
    tracemalloc.start()
    packs, built = load()
    memory, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return packs, built, load_ms, memory


def _made_up(count: int, chance: random.Random) -> str:
    """A pack of so many terms, each of one to three phrases of three to five common words."""
    lines = [
        'format = 1\ncategory = "made_up"\nlanguage = "en"\nversion = 1\ntitle = "Made up"',
        'four_c = "conduct"\nillegal = "no"\nsee = ["dsl"]\nguidance = "None."\n',
    ]
    for number in range(count):
        phrases = [
            " ".join(chance.choices(_WORDS, k=chance.randint(3, 5)))
            for _ in range(chance.randint(1, 3))
        ]
        lines.append(
            f'[[term]]\nid = "made-up-{number}"\nphrases = {json.dumps(phrases)}\n'
            f'severity = 3\nmatch = "{phrases[0]}"\ninnocent = "none"\n'
        )
    return "\n".join(lines)


def _first(term: Term, pack: Pack) -> str:
    """One plain phrase of a term, for engines that take no others."""
    segment = expand(term.phrases[:1], dict(pack.sets))[0][0]
    return next(plain for plain in segment if plain)


def _typing(lines: int, chance: random.Random) -> str:
    """What is typed: lines of common words, with capitals, points, disguises, grave phrases."""
    typed = []
    for number in range(lines):
        words = " ".join(chance.choices(_WORDS, k=chance.randint(4, 14)))
        line = f"{words.capitalize()}{chance.choice(['.', '!', '?', ', ok', ' 24'])}"
        if number % 40 == 0:
            line = chance.choice(_GRAVE)
        elif number % 20 == 0:
            line = chance.choice(_DISGUISED)
        typed.append(line)
    return "\n".join(typed) + "\n"


def _typed(matcher: Matcher, text: str, rounds: int) -> list[list[int]]:
    """Through the text of a window, as the agent does it."""
    now = time.perf_counter_ns
    results = []
    for _ in range(rounds):
        window = WindowText(matcher)
        samples = []
        for char in text:
            press = Press(at=0.0, text=char)
            began = now()
            window.press(press)
            samples.append(now() - began)
        results.append(samples)
    return results


def _stepped(matcher: Matcher, text: str, rounds: int) -> list[list[int]]:
    """The normaliser and the matcher alone."""

    def start() -> Any:
        state = matcher.start

        def press(char: str) -> int:
            nonlocal state
            state, matches = matcher.step(state, char)
            return len(matches)

        return press

    return measure(start, text, rounds)[0]


def _whole_text(matcher: Matcher, text: str) -> Spread:
    """Milliseconds to match and grade a whole text of 1,000 characters."""
    samples = []
    for at in range(0, len(text) - GRADED, GRADED):
        part = text[at : at + GRADED]
        began = time.perf_counter()
        for match in matcher.find(part):
            grade(match, part)
        samples.append((time.perf_counter() - began) * 1000)
    return spread(samples)


def _add_peers(
    rows: dict[str, list[list[int]]], phrases: list[str], text: str, rounds: int
) -> None:
    task = json.dumps({"phrases": phrases, "text": text.lower(), "rounds": rounds})
    rows["bare trie in Python (floor)"] = _peer(sys.executable, "plain", task)
    engines = {
        "pyahocorasick": ("ahocorasick", sys.executable),
        "hyperscan, streaming": ("hyperscan", _hyperscan_python()),
    }
    for name, (engine, python) in engines.items():
        if not python:
            continue
        try:
            rows[name] = _peer(python, engine, task)
        except (subprocess.CalledProcessError, ValueError) as error:
            print(f"{name} could not be measured: {error}\n")


def _peer(python: str, engine: str, task: str) -> list[list[int]]:
    script = str(_HERE / "matcher_peers.py")
    done = subprocess.run(
        [python, script, engine], input=task, capture_output=True, text=True, check=True
    )
    return list(json.loads(done.stdout)["rounds"])


def _hyperscan_python() -> str:
    """The interpreter of an environment that has hyperscan; empty if it could not be had."""
    python = _VENV / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    try:
        if not python.exists():
            venv.create(_VENV, with_pip=True)
        has = [str(python), "-c", "import hyperscan"]
        if subprocess.run(has, capture_output=True, check=False).returncode:
            install = [str(python), "-m", "pip", "install", "-q", "hyperscan==0.9.1"]
            subprocess.run(install, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        why = getattr(error, "stderr", "") or error
        print(f"hyperscan could not be installed, so it is not beside the figures: {why}\n")
        return ""
    return str(python)


def _microseconds(samples: Iterable[int]) -> list[float]:
    return [sample / 1000 for sample in samples]


def _medians(rounds: list[list[int]]) -> Spread:
    return spread(spread(_microseconds(samples)).p50 for samples in rounds)
