"""Detection: what is found and what is left alone, beside peers, on labelled texts.

`--data DIR` holds JSON Lines of {id, text, label, category, severity, source}; the default is
tests/data, of which only the texts are read that no training has seen. Every program judges the
same texts in the same run. Peers are installed into an environment of their own.

*Everyday* is harmless text of the sources named in `EVERYDAY`; *tricky* is all other harmless
text: textbooks, essays, and texts that hold the words of a concern.
"""

import json
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import wordnet
from benchmarks.ordinary import ordinary
from benchmarks.table import Figures, figure
from keywords.decide import Detector
from keywords.evaluate import Share
from keywords.matcher import Matcher
from keywords.pack import load_packs, shipped_packs
from keywords.priority import Priority
from keywords.ranker import Ranker

ROOT = Path(__file__).resolve().parents[1]
OWN = ROOT / "tests" / "data"
PEERS = ("better-profanity", "alt-profanity-check")
EVERYDAY = ("nq-", "mmlu", "openbookqa", "social-", "gsm8k", "davidson", "rmhd-teaching")
EVERYDAY_MORE = ("rmhd-UKPersonalFinance", "rmhd-unitedkingdom")
APART = ("evasion", "mhc_")
"""Files that are told apart from the main figures: disguised texts, other languages."""
GRAVE = frozenset({"high", "critical"})
ORDINARY_TEXTS = 40_000
TEXTS_A_DAY = 50
_UPTO = (("P1", Priority.P1), ("P1 and P2", Priority.P2), ("P1 to P3", Priority.P3))
AT_MOST = 0.01
"""False alarms on everyday text at which recall is compared."""


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled text."""

    text: str
    concern: bool
    grave: bool
    category: str
    source: str
    everyday: bool
    file: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a program says of a text: a score that ranks, and how urgent (0: no alert)."""

    score: float
    priority: int = 0


def run(data: Path | None = None, *, quick: bool = False) -> dict[str, Any]:
    """Judge all texts with all programs."""
    rows = read(data or OWN)
    if not rows:
        raise ValueError(f"{data or OWN}: holds no labelled text (*.jsonl)")
    main = [row for row in rows if not row.file.startswith(APART)]
    disguised = [row for row in rows if row.file.startswith(APART[0])]
    matcher = Matcher(load_packs(shipped_packs("en")))
    ranker = Ranker()
    figures: Figures = {}
    said: dict[str, list[Said]] = {}
    for name, detector in (
        ("ours, patterns on", Detector(matcher, ranker, patterns=True)),
        ("ours, patterns off", Detector(matcher, ranker)),
    ):
        start = perf_counter()
        said[name] = _ours(detector, main)
        figures[f"{name}: texts a second"] = figure(len(main) / (perf_counter() - start), "1/s")
    said["our words, naively"] = _naive(main)
    if not quick:
        said |= {name: _peer(name, main) for name in PEERS}
    table = {name: measures(main, one) for name, one in said.items()}
    peers = [name for name in said if not name.startswith("ours")]
    _show(table)
    _show_categories(main, said["ours, patterns on"], said["ours, patterns off"])
    higher = {name for name in next(iter(table.values())) if "alarms" not in name}
    for name, ours in table["ours, patterns on"].items():
        best = (max if name in higher else min)(table[peer][name] for peer in peers)
        figures[name] = figure(ours, "share", peer=best)
    for name in ("recall, any alert", "false alarms, everyday, any alert"):
        figures[f"{name}, patterns off"] = figure(table["ours, patterns off"][name], "share")
    if disguised:
        found = _ours(Detector(matcher, ranker, patterns=True), disguised)
        share = sum(one.priority > 0 for one in found) / len(found)
        plain = table["ours, patterns on"]["recall, any alert"]
        figures["disguised against plain recall"] = figure(share / plain, "ratio")
    _day(Detector(matcher, ranker, patterns=True), figures, quick=quick)
    return {"figures": figures}


def read(folder: Path) -> list[Row]:
    """The texts of a folder; of our own only those that are held out."""
    rows = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row.get("split") == "train" or row.get("language", "en") != "en":
                continue
            source = str(row.get("source") or "")
            own = row.get("near") == "ordinary"
            rows.append(
                Row(
                    text=row["text"],
                    concern=row["label"] == "concern",
                    grave=row.get("severity") in GRAVE,
                    category=row.get("category") or "",
                    source=source,
                    everyday=own or source.startswith(EVERYDAY) or source in EVERYDAY_MORE,
                    file=path.name,
                )
            )
    return rows


def measures(rows: Sequence[Row], said: Sequence[Said]) -> dict[str, float]:
    """The figures of one program."""
    pairs = list(zip(rows, said, strict=True))
    concern = [one for row, one in pairs if row.concern]
    grave = [one for row, one in pairs if row.concern and row.grave]
    harmless = [one for row, one in pairs if not row.concern]
    everyday = [one for row, one in pairs if not row.concern and row.everyday]
    tricky = [one for row, one in pairs if not row.concern and not row.everyday]
    over = _threshold(everyday)
    over_all = _threshold(harmless)
    by_category = {
        name: [one for row, one in pairs if row.concern and row.category == name]
        for name in {row.category for row in rows if row.concern}
    }
    worst = min(
        (_share(ones, lambda one: one.score > over) for ones in by_category.values() if ones),
        default=float("nan"),
    )
    return {
        "recall at 1% false alarms on everyday text": _share(concern, lambda o: o.score > over),
        "the same, grave ones": _share(grave, lambda one: one.score > over),
        "the same, the worst category": worst,
        "recall at 1% false alarms on all harmless text": _share(
            concern, lambda one: one.score > over_all
        ),
        "false alarms, tricky, at 1% on everyday text": _share(tricky, lambda o: o.score > over),
        "area under the curve, mean within sources": _within(rows, said),
        "recall, any alert": _share(concern, lambda one: one.priority > 0),
        "false alarms, everyday, any alert": _share(everyday, lambda one: one.priority > 0),
        "false alarms, everyday, P1 and P2": _share(everyday, lambda o: 0 < o.priority <= 2),
        "false alarms, tricky, any alert": _share(tricky, lambda one: one.priority > 0),
    }


def _ours(detector: Detector, rows: Iterable[Row]) -> list[Said]:
    decided = (detector.decide(row.text) for row in rows)
    return [Said(one.score, int(one.priority or 0)) for one in decided]


def _naive(rows: Iterable[Row]) -> list[Said]:
    """Our own terms as most systems would use them: every word a match, no conditions, no grade."""
    matcher = Matcher(load_packs(shipped_packs("en")))
    said = []
    for row in rows:
        found = matcher.find(row.text.lower())
        said.append(Said(max((int(m.term.severity) / 5 for m in found), default=0.0), bool(found)))
    return said


def _peer(name: str, rows: Sequence[Row]) -> list[Said]:
    """A peer in its own environment: a score a text."""
    python = _environment(name)
    script = Path(__file__).with_name("detection_peers.py")
    given = "\n".join(json.dumps(row.text) for row in rows)
    done = subprocess.run(
        [python, script, name], input=given, capture_output=True, text=True, check=True
    )
    scores = [float(line) for line in done.stdout.splitlines()]
    return [Said(score, int(score >= 0.5)) for score in scores]


def _environment(name: str) -> Path:
    folder = ROOT / "build" / "peers" / name
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", name], check=True)
    return python


def _day(detector: Detector, figures: Figures, *, quick: bool) -> None:
    """A DSL's day: alerts on ordinary texts for 1,000 pupils of so many texts a day."""
    given = {
        "our own ordinary texts": list(ordinary(ORDINARY_TEXTS // 20 if quick else ORDINARY_TEXTS))
    }
    try:
        given["WordNet's examples"] = wordnet.sentences(ROOT / "build" / "wordnet")[
            :: 20 if quick else 1
        ]
    except OSError as error:
        print(f"Left out: {error}")
    for kind, texts in given.items():
        priorities = [detector.decide(text).priority for text in texts]
        for name, upto in _UPTO:
            share = Share(sum(1 for one in priorities if one and one <= upto), len(texts))
            each = 1000 * TEXTS_A_DAY
            said = f"a day of 1,000 pupils, {kind}, {name}"
            figures[said] = figure(share.value * each, "alerts")
            figures[f"{said}, upper bound"] = figure(share.interval[1] * each, "alerts")


def _threshold(harmless: Sequence[Said]) -> float:
    ordered = sorted((one.score for one in harmless), reverse=True)
    return ordered[int(AT_MOST * len(ordered))] if ordered else 0.0


def _share(said: Sequence[Said], counts: Callable[[Said], bool]) -> float:
    return sum(map(counts, said)) / len(said) if said else float("nan")


def _within(rows: Sequence[Row], said: Sequence[Said]) -> float:
    """The mean over the sources that hold both kinds, twenty of each at least."""
    areas = []
    for source in {row.source for row in rows}:
        one = [s.score for r, s in zip(rows, said, strict=True) if r.source == source and r.concern]
        other = [
            s.score for r, s in zip(rows, said, strict=True) if r.source == source and not r.concern
        ]
        if min(len(one), len(other)) >= 20:
            areas.append(_area(one, other))
    return sum(areas) / len(areas) if areas else float("nan")


def _area(concern: Sequence[float], harmless: Sequence[float]) -> float:
    """Mann and Whitney's: the chance that a concern has the higher score; a draw counts half."""
    ordered = sorted([(score, 1) for score in concern] + [(score, 0) for score in harmless])
    total, at = 0.0, 0
    while at < len(ordered):
        end = at
        while end < len(ordered) and ordered[end][0] == ordered[at][0]:
            end += 1
        total += (at + end + 1) / 2 * sum(kind for _, kind in ordered[at:end])
        at = end
    count = len(concern)
    return (total - count * (count + 1) / 2) / (count * len(harmless))


def _show(table: dict[str, dict[str, float]]) -> None:
    width = max(map(len, next(iter(table.values()))))
    print(f"{'':{width}} " + " ".join(f"{name[:20]:>20}" for name in table))
    for name in next(iter(table.values())):
        cells = " ".join(f"{100 * one[name]:>18.2f} %" for one in table.values())
        print(f"{name:{width}} {cells}")
    print()


def _show_categories(rows: Sequence[Row], on: Sequence[Said], off: Sequence[Said]) -> None:
    print(f"{'recall by category':24} {'texts':>6} {'patterns on':>12} {'off':>8}")
    for name in sorted({row.category for row in rows if row.concern}):
        here = [at for at, row in enumerate(rows) if row.concern and row.category == name]
        shares = [sum(said[at].priority > 0 for at in here) / len(here) for said in (on, off)]
        print(f"{name:24} {len(here):>6} {100 * shares[0]:>10.1f} % {100 * shares[1]:>6.1f} %")
    print(file=sys.stdout)
