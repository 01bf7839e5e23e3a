"""Gaps in watching: kept until the collector says that they are durable there."""

from dataclasses import replace

from wire.event import Gap, GapReason

Kept = tuple[tuple[int, Gap], ...]
"""Each gap with the number of the first heartbeat that told of it as it now is; 0: untold."""

MOST = 200


def begin(kept: Kept, reason: GapReason, now: int) -> Kept:
    """Open a gap, unless one of that reason is open."""
    now = max(now, 1)
    if any(gap.reason is reason and not gap.ended_at for _, gap in kept):
        return kept
    return _bounded((*kept, (0, Gap(reason=reason, started_at=now))))


def end(kept: Kept, reason: GapReason, now: int) -> Kept:
    """Close the open gap of that reason, if there is one."""
    return tuple(
        (0, replace(gap, ended_at=max(now, gap.started_at + 1)))
        if gap.reason is reason and not gap.ended_at
        else (number, gap)
        for number, gap in kept
    )


def add(kept: Kept, gap: Gap) -> Kept:
    """Keep a gap as it is, but for a start before 1970, which a reset clock may give."""
    if gap.started_at < 1:
        gap = replace(gap, started_at=1, ended_at=max(gap.ended_at, 2) if gap.ended_at else 0)
    return _bounded((*kept, (0, gap)))


def between(kept: Kept, reason: GapReason, first: int, last: int) -> Kept:
    """Keep a gap that is over; if one of that reason is open, it is that one's end."""
    if any(gap.reason is reason and not gap.ended_at for _, gap in kept):
        return end(kept, reason, last)
    return add(kept, Gap(reason=reason, started_at=first, ended_at=max(last, first + 1)))


def count(kept: Kept, reason: GapReason, now: int, dropped: int, window: int) -> Kept:
    """Count what was given up: one gap grows while less than `window` µs lie between."""
    for at in range(len(kept) - 1, -1, -1):
        _, gap = kept[at]
        if gap.reason is reason and gap.ended_at and now - gap.ended_at < window:
            grown = replace(
                gap,
                ended_at=max(now, gap.ended_at),
                dropped=min(gap.dropped + dropped, (1 << 32) - 1),
            )
            return (*kept[:at], (0, grown), *kept[at + 1 :])
    return add(kept, Gap(reason=reason, started_at=now, ended_at=now + 1, dropped=dropped))


def told(kept: Kept, number: int) -> Kept:
    """Note that heartbeat `number` tells of all of them as they are."""
    return tuple((first or number, gap) for first, gap in kept)


def receipted(kept: Kept, number: int) -> Kept:
    """Forget the closed gaps that a receipted heartbeat told of."""
    return tuple((first, gap) for first, gap in kept if not (0 < first <= number and gap.ended_at))


def _bounded(kept: Kept) -> Kept:
    """Fuse the two oldest of one reason when there are too many: time and counts are kept."""
    while len(kept) > MOST:
        seen: dict[GapReason, int] = {}
        pair = None
        for at, (_, gap) in enumerate(kept):
            if not gap.ended_at:
                continue
            if gap.reason in seen:
                pair = (seen[gap.reason], at)
                break
            seen[gap.reason] = at
        if pair is None:
            return kept
        one, two = kept[pair[0]][1], kept[pair[1]][1]
        fused = Gap(
            reason=one.reason,
            started_at=min(one.started_at, two.started_at),
            ended_at=max(one.ended_at, two.ended_at),
            dropped=min(one.dropped + two.dropped, (1 << 32) - 1),
        )
        rest = (*kept[pair[0] + 1 : pair[1]], *kept[pair[1] + 1 :])
        kept = (*kept[: pair[0]], (0, fused), *rest)
    return kept
