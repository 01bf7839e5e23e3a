"""Figures, spreads of samples, and how both are printed."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict


class Figure(TypedDict):
    """One number as it is written to build/bench/NAME.json; None where there is none."""

    value: float | None
    unit: str
    floor: float | None
    peer: float | None
    ratio: float | None


Figures = dict[str, Figure]


def figure(
    value: float | None, unit: str, *, floor: float | None = None, peer: float | None = None
) -> Figure:
    """A figure with its ratio to the floor, or to the peer where there is no floor."""
    bound = floor if floor is not None else peer
    ratio = None if value is None or not bound else _short(value / bound)
    return Figure(
        value=_short(value), unit=unit, floor=_short(floor), peer=_short(peer), ratio=ratio
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """What many samples of one thing look like."""

    count: int
    least: float
    p5: float
    p50: float
    p95: float
    p99: float
    most: float


def spread(samples: Iterable[float]) -> Spread:
    """The spread of at least one sample."""
    ordered = sorted(samples)
    if not ordered:
        raise ValueError("no samples: nothing was measured")
    p5, p50, p95, p99 = (percentile(ordered, share) for share in (5, 50, 95, 99))
    return Spread(len(ordered), ordered[0], p5, p50, p95, p99, ordered[-1])


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` per cent of the sorted samples do not exceed (nearest rank)."""
    rank = math.ceil(share / 100 * len(ordered))
    return ordered[max(rank, 1) - 1]


def show_spreads(title: str, unit: str, rows: Mapping[str, Spread]) -> None:
    """Print one line for each spread."""
    heads = [title, "n", "p50", "p5", "p95", "p99", "max"]
    lines = [
        [name, str(s.count), *(_text(x) for x in (s.p50, s.p5, s.p95, s.p99, s.most))]
        for name, s in rows.items()
    ]
    _print([[*heads, "unit"], *([*line, unit] for line in lines)])


def show_figures(name: str, figures: Mapping[str, Figure]) -> None:
    """Print one line for each figure."""
    lines = [[name, "value", "unit", "floor", "peer", "ratio"]]
    for key, one in figures.items():
        numbers = [_text(one[part]) for part in ("floor", "peer", "ratio")]
        lines.append([key, _text(one["value"]), one["unit"], *numbers])
    _print(lines)


def _print(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for number, line in enumerate(lines):
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    print()


def _text(number: float | None) -> str:
    if number is None:
        return "-"
    whole_from = 1000
    return f"{number:,.0f}" if abs(number) >= whole_from else f"{number:.4g}"


def _short(number: float | None) -> float | None:
    """Five significant digits: no measurement here is finer."""
    return None if number is None else float(f"{number:.5g}")
