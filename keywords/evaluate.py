"""How well packs and ranker decide, measured on labelled texts: pure.

A labelled text is {id, text, label, category, severity, source, language}: label is "concern"
or "benign", all but text and label may be missing. Intervals are Wilson's at 95 % (1927).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from keywords.decide import Decision
from keywords.priority import Priority

CONCERN, BENIGN = "concern", "benign"
_Z: Final = 1.959964


class LabelError(ValueError):
    """A line that is no labelled text; the message says what to mend."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, and what a person said of it."""

    id: str
    text: str
    concern: bool
    category: str = ""
    severity: str = ""
    source: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled text, and what was decided of it."""

    labelled: Labelled
    decision: Decision

    @property
    def alerts(self) -> bool:
        """Whether it is shown at all, the weekly digest included."""
        return self.decision.priority is not None


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with its interval."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The share; not a number where there is nothing."""
        return self.part / self.whole if self.whole else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval at 95 %."""
        if not self.whole:
            return (0.0, 1.0)
        n, p = self.whole, self.value
        middle = p + _Z * _Z / (2 * n)
        reach = _Z * sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
        below = 1 + _Z * _Z / n
        return (max(0.0, (middle - reach) / below), min(1.0, (middle + reach) / below))


def labelled(row: Any, line: int) -> Labelled:
    """A labelled text from one line's JSON.

    Raises:
        LabelError: a field is missing or of the wrong kind.
    """
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise LabelError(f'line {line}: needs an object with a text: {{"text": "…", "label": "…"}}')
    if row.get("label") not in (CONCERN, BENIGN):
        raise LabelError(f'line {line}: label must be "{CONCERN}" or "{BENIGN}"')
    return Labelled(
        id=str(row.get("id", line)),
        text=row["text"],
        concern=row["label"] == CONCERN,
        category=str(row.get("category") or ""),
        severity=str(row.get("severity") or ""),
        source=str(row.get("source") or ""),
        language=str(row.get("language") or row.get("lang") or "en"),
    )


def report(judged: Sequence[Judged]) -> Iterator[str]:
    """A table for people: overall, then by category, language and source."""
    yield f"{len(judged)} texts, {sum(one.labelled.concern for one in judged)} of them a concern"
    yield ""
    yield f"{'':28} {'precision':>22} {'recall':>22} {'false alarms per 1,000 harmless':>34}"
    yield _row("any alert", judged, lambda one: one.alerts)
    for upto in Priority:
        yield _row(
            f"{upto.name} or more urgent",
            judged,
            lambda one, upto=upto: _at_least(one, upto),  # type: ignore[misc]
        )
    for title, key in (
        ("category", lambda one: one.labelled.category or "(harmless)"),
        ("language", lambda one: one.labelled.language),
        ("source", lambda one: one.labelled.source or "(not told)"),
    ):
        yield ""
        yield f"by {title}, any alert"
        for name, members in _groups(judged, key):
            yield _row(f"  {name}"[:28], members, lambda one: one.alerts)


def changes(before: Sequence[Judged], after: Sequence[Judged]) -> Iterator[str]:
    """Which alerts another set of packs would lose, win, raise or lower; real ones first."""
    told = 0
    pairs = sorted(zip(before, after, strict=True), key=lambda pair: not pair[0].labelled.concern)
    for one, other in pairs:
        was, now = one.decision.priority, other.decision.priority
        if was == now:
            continue
        told += 1
        verb = (
            "won"
            if was is None
            else "lost"
            if now is None
            else "raised"
            if now < was
            else "lowered"
        )
        real = "CONCERN" if one.labelled.concern else "harmless"
        was_name, now_name = (each.name if each else "none" for each in (was, now))
        yield f"{verb:8} {real:9} {was_name:>4} -> {now_name:4} {one.labelled.id}: {_short(one.labelled.text)}"
    yield f"{told} of {len(before)} texts are decided otherwise"


def recall(judged: Iterable[Judged], counts: Callable[[Judged], bool]) -> Share:
    """Of the concerns, those that count."""
    concerns = [one for one in judged if one.labelled.concern]
    return Share(sum(map(counts, concerns)), len(concerns))


def false_alarms(judged: Iterable[Judged], counts: Callable[[Judged], bool]) -> Share:
    """Of the harmless texts, those that count."""
    harmless = [one for one in judged if not one.labelled.concern]
    return Share(sum(map(counts, harmless)), len(harmless))


def precision(judged: Iterable[Judged], counts: Callable[[Judged], bool]) -> Share:
    """Of those that count, the concerns."""
    shown = [one for one in judged if counts(one)]
    return Share(sum(one.labelled.concern for one in shown), len(shown))


def _at_least(one: Judged, upto: Priority) -> bool:
    priority = one.decision.priority
    return priority is not None and priority <= upto


def _row(name: str, judged: Sequence[Judged], counts: Callable[[Judged], bool]) -> str:
    shown = [precision(judged, counts), recall(judged, counts)]
    cells = " ".join(f"{_percent(share):>22}" for share in shown)
    return f"{name:28} {cells} {_per_thousand(false_alarms(judged, counts)):>34}"


def _percent(share: Share) -> str:
    if not share.whole:
        return "-"
    low, high = share.interval
    return f"{100 * share.value:.1f} ({100 * low:.1f} to {100 * high:.1f}) %"


def _per_thousand(share: Share) -> str:
    if not share.whole:
        return "-"
    low, high = share.interval
    return f"{1000 * share.value:.2f} ({1000 * low:.2f} to {1000 * high:.2f})"


def _groups(
    judged: Sequence[Judged], key: Callable[[Judged], str]
) -> Iterator[tuple[str, list[Judged]]]:
    groups: dict[str, list[Judged]] = {}
    for one in judged:
        groups.setdefault(key(one), []).append(one)
    yield from sorted(groups.items())


def _short(text: str) -> str:
    plain = "".join(char if char.isprintable() else " " for char in text)
    return plain if len(plain) <= 80 else f"{plain[:79]}…"  # noqa: PLR2004 - a line on a screen
