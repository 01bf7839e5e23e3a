"""The PCs and what does not add up: for the technician, and for the DSL. Never evidence."""

from dataclasses import dataclass
from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from collector import staff
from collector.web import queries, words
from collector.web.guard import current, guarded_router
from collector.web.pages import NoSuchPageError, desk_of, id_of, page, see
from wire import ids

router = guarded_router()
_SILENT_AFTER: Final = 90_000_000
_CLOCK_OFF: Final = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A PC as the page shows it: its problems in words, none where all is well."""

    health: queries.Health
    problems: tuple[str, ...]
    silent: bool


@router.get("/devices", name="devices", response_class=HTMLResponse)
async def show_devices(request: Request) -> Response:
    """Every PC by room, those with a problem marked, and the integrity warnings."""
    desk, session = desk_of(request), current(request)
    health = await desk.store.read(lambda conn: queries.health(conn, desk.school))
    warned = await desk.store.read(lambda conn: queries.warnings(conn, desk.school))
    names = await desk.store.read(lambda conn: staff.names(conn, desk.school))
    devices = [judge(item, desk.now) for item in health]
    return page(
        request,
        "devices.html",
        session,
        devices=sorted(devices, key=lambda device: not device.problems),
        troubled=sum(1 for device in devices if device.problems),
        silent=sum(1 for device in devices if device.silent),
        warnings=warned,
        warning_text=ids.event_text,
        staff=names,
    )


@router.post("/warnings/{warning}/seen", name="warning_seen")
async def warning_seen(request: Request, warning: str) -> Response:
    """Somebody sees to a warning; it stays on record."""
    desk, session, warning_id = desk_of(request), current(request), id_of(warning)
    now = desk.now

    def job(conn: Connection) -> bool:
        found = queries.see_warning(conn, desk.school, warning_id, session.staff, now)
        if found:
            desk.parts.audit.append(
                conn, session.act("warning_seen", f"warning:{ids.event_text(warning_id)}")
            )
        return found

    if not await desk.store.write(job):
        raise NoSuchPageError
    return see("/devices#warnings")


def judge(health: queries.Health, now: int) -> Device:
    """What is wrong with a PC, in words."""
    problems = []
    silent = health.last_seen_at is None or now - health.last_seen_at > _SILENT_AFTER
    if health.state == "pending":
        problems.append("waits to be confirmed")
    elif health.last_seen_at is None:
        problems.append("has not been heard of since it was enrolled")
    elif health.blind:
        problems.append(f"not watched: {words.blind(health.blind)}")
    elif health.hook_alive is False and not silent:
        problems.append("not watched: the keyboard hook has died")
    if health.policy_problem:
        problems.append(f"policy refused: {health.policy_problem}")
    if health.clock_offset is not None and abs(health.clock_offset) > _CLOCK_OFF:
        way = "behind" if health.clock_offset > 0 else "ahead"
        problems.append(f"its clock is {words.span(health.clock_offset)} {way}")
    if health.quarantined:
        problems.append(f"{health.quarantined} damaged records set aside")
    return Device(health=health, problems=tuple(problems), silent=silent)
