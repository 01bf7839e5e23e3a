"""The list, an alert's page, and what is done about an alert."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Annotated, Final

from fastapi import Body, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from PIL import Image, UnidentifiedImageError
from sqlalchemy import Connection

from collector import alerts, staff
from collector.alerts import AlertRow, EventRow
from collector.reveal import (
    DETAILS_AT_ONCE,
    DamagedEvidenceError,
    Opened,
    checked_reason,
    name_of,
)
from collector.signin import Session
from collector.web import queries
from collector.web.guard import current, guarded_router
from collector.web.pages import NoSuchPageError, by_htmx, desk_of, id_of, page, see
from collector.web.parts import Desk
from wire import ids
from wire.event import AccountKind

router = guarded_router()
_REASON_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What stands on an alert's page before anything is opened."""

    alert: AlertRow
    events: Sequence[EventRow]
    earlier: Sequence[queries.Earlier]
    names: Mapping[str, str]
    """Of the staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    rows: Sequence[AlertRow]
    change: int
    hidden: int
    """How many more there are than the list shows."""
    warnings: int
    blind: int


@router.get("/alerts", name="alerts", response_class=HTMLResponse)
async def show_list(request: Request) -> Response:
    """The list, worst first."""
    return await _whole(request, None)


@router.get("/alerts/{alert}", name="alert", response_class=HTMLResponse)
async def show_alert(request: Request, alert: str) -> Response:
    """One alert, beside the list; for htmx alone."""
    found = await _case(desk_of(request), id_of(alert))
    return await (_pane(request, found) if by_htmx(request) else _whole(request, found))


@router.post("/alerts/{alert}/acknowledge", name="acknowledge", response_class=HTMLResponse)
async def acknowledge(request: Request, alert: str) -> Response:
    """Take an alert on: its owner is named, its clock stops."""
    desk, session, alert_id = desk_of(request), current(request), id_of(alert)
    now = desk.now

    def job(conn: Connection) -> AlertRow:
        before = alerts.get(conn, desk.school, alert_id)
        row = alerts.acknowledge(
            conn, school=desk.school, alert=alert_id, staff=session.staff, now=now
        )
        if row != before:  # else somebody else was first, and it is theirs
            desk.parts.audit.append(conn, session.act("acknowledge", f"alert:{row.text}"))
        return row

    return await _after(request, await _write(desk, job))


@router.post("/alerts/{alert}/false-alarm", name="false_alarm", response_class=HTMLResponse)
async def false_alarm(
    request: Request, alert: str, reason: Annotated[str, Form(max_length=_REASON_MAX)] = ""
) -> Response:
    """Mark an alert as a false alarm; it never raises a later priority."""
    desk, session, alert_id = desk_of(request), current(request), id_of(alert)
    now, words = desk.now, checked_reason(reason)

    def job(conn: Connection) -> AlertRow:
        before = alerts.get(conn, desk.school, alert_id)
        row = alerts.call_false(
            conn, school=desk.school, alert=alert_id, staff=session.staff, now=now
        )
        if row != before:
            act = session.act("false_alarm", f"alert:{row.text}", words=words)
            desk.parts.audit.append(conn, act)
        return row

    return await _after(request, await _write(desk, job))


@router.post("/alerts/{alert}/picture/{event}", name="picture")
async def show_picture(
    request: Request,
    alert: str,
    event: str,
    reason: Annotated[str, Form(max_length=_REASON_MAX)] = "",
) -> Response:
    """The picture of one event, once, for a reason."""
    desk, session = desk_of(request), current(request)
    event_id = id_of(event)
    found = await _case(desk, id_of(alert))
    if event_id not in {row.event for row in found.events}:
        raise NoSuchPageError
    opened = await desk.reveal.picture(session, event_id, reason)
    _check_picture(opened.webp, desk.parts.settings.picture_max_pixels)
    return Response(opened.webp, media_type="image/webp")


@router.post("/names", name="names")
async def names(
    request: Request, pseudonyms: Annotated[list[str], Body(embed=True, max_length=200)]
) -> Response:
    """Who stands on these rows; nobody, while the vault is locked."""
    desk, session = desk_of(request), current(request)
    if not desk.parts.vault.is_open(session.id):
        return JSONResponse({})
    return JSONResponse(dict(await desk.reveal.names(session, pseudonyms)))


async def _write(desk: Desk, job: Callable[[Connection], AlertRow]) -> AlertRow:
    try:
        row = await desk.store.write(job)
    except alerts.NoSuchAlert:
        raise NoSuchPageError from None
    desk.parts.feed.publish([row])
    return row


async def _after(request: Request, row: AlertRow) -> Response:
    if not by_htmx(request):
        return see(f"/alerts/{row.text}")
    return await _pane(request, await _case(desk_of(request), row.alert))


async def _whole(request: Request, found: _Case | None) -> Response:
    desk, session = desk_of(request), current(request)
    shown = await desk.store.read(lambda conn: _list(conn, desk.school))
    people = [row.pseudonym for row in shown.rows if row.account_kind == AccountKind.PERSON]
    known: Mapping[str, str] = {}
    if desk.parts.vault.is_open(session.id) and people:
        known = await desk.reveal.names(session, people)
    opened = await _opened(desk, session, found) if found else ()
    return page(
        request,
        "alerts.html",
        session,
        list=shown,
        names=known,
        pane=_pane_values(desk, found, opened) if found else None,
        current=found.alert.alert if found else None,
    )


async def _pane(request: Request, found: _Case) -> Response:
    desk, session = desk_of(request), current(request)
    opened = await _opened(desk, session, found)
    return page(request, "pane.html", session, pane=_pane_values(desk, found, opened))


async def _opened(desk: Desk, session: Session, found: _Case) -> Sequence[Opened]:
    if not desk.parts.vault.is_open(session.id):
        return ()
    events = [event.event for event in found.events]
    return await desk.reveal.details(session, found.alert.alert, events)


def _pane_values(desk: Desk, found: _Case, opened: Sequence[Opened]) -> dict[str, object]:
    by_event = {item.event: item for item in opened}
    guidance = desk.guidance.get(found.alert.category)
    who = next((item.details.who for item in opened if item.details), None)
    return {
        "alert": found.alert,
        "events": [(event, by_event.get(event.event)) for event in found.events],
        "event_text": ids.event_text,
        "earlier": found.earlier if found.alert.account_kind == AccountKind.PERSON else (),
        "staff": found.names,
        "steps": guidance.steps if guidance else (),
        "open": bool(opened),
        "who": who,
        "name": name_of(who) if who else "",
        "at_once": DETAILS_AT_ONCE,
    }


async def _case(desk: Desk, alert: bytes) -> _Case:
    def query(conn: Connection) -> _Case | None:
        row = alerts.get(conn, desk.school, alert)
        if row is None:
            return None
        return _Case(
            alert=row,
            events=alerts.events_of(conn, desk.school, alert),
            earlier=queries.earlier(conn, desk.school, row.pseudonym, alert),
            names=staff.names(conn, desk.school),
        )

    found = await desk.store.read(query)
    if found is None:
        raise NoSuchPageError
    return found


def _list(conn: Connection, school: str) -> _List:
    warned = queries.warnings(conn, school)
    health = queries.health(conn, school)
    rows = alerts.worst_first(conn, school)
    return _List(
        rows=rows,
        hidden=queries.listed(conn, school) - len(rows),
        change=alerts.last_change(conn, school),
        warnings=sum(1 for item in warned if item.seen_at is None),
        blind=sum(1 for item in health if item.blind),
    )


def _check_picture(webp: bytes, most: int) -> None:
    try:
        with Image.open(BytesIO(webp), formats=("WEBP",)) as image:
            width, height = image.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        raise DamagedEvidenceError("what was sealed as the picture is none") from None
    if width * height > most:
        raise DamagedEvidenceError("the picture is larger than the school's limit")
