"""Counts for those who answer for the school, and the audit log for those who check."""

from collections import Counter
from typing import Annotated, Final

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from collector import audit, staff
from collector.web import queries
from collector.web.guard import current, guarded_router
from collector.web.pages import desk_of, page

router = guarded_router()
FEW: Final = 5
"""A count below this is not shown: with few, one could guess who."""
_DAYS: Final = 30
_DAY: Final = 86_400_000_000
_PAGE: Final = 100


@router.get("/counts", name="counts", response_class=HTMLResponse)
async def show_counts(request: Request) -> Response:
    """Alerts of thirty days by category, small counts hidden."""
    desk, session = desk_of(request), current(request)
    since = desk.now - _DAYS * _DAY
    found = await desk.store.read(lambda conn: queries.counts(conn, desk.school, since))
    by_category: Counter[str] = Counter()
    for (category, _), alerts in found.items():
        by_category[category] += alerts
    total = sum(by_category.values())
    # One hidden count beside a shown total could be worked out again.
    hidden = any(count < FEW for count in by_category.values())
    return page(
        request,
        "counts.html",
        session,
        rows=sorted(by_category.items()),
        few=FEW,
        days=_DAYS,
        total=None if hidden else total,
    )


@router.get("/audit", name="audit", response_class=HTMLResponse)
async def show_audit(
    request: Request, before: Annotated[int | None, Query(ge=0, le=2**62)] = None
) -> Response:
    """Who did what, newest first: no pupil, no word of evidence."""
    desk, session = desk_of(request), current(request)
    found = await desk.store.read(
        lambda conn: audit.leaves(conn, desk.school, before=before, limit=_PAGE)
    )
    names = await desk.store.read(lambda conn: staff.names(conn, desk.school))
    more = found[-1].index if len(found) == _PAGE and found[-1].index else None
    return page(
        request,
        "audit.html",
        session,
        leaves=found,
        staff=names,
        more=more,
        no_words=audit.NO_WORDS,
    )
