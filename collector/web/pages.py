"""What every page shares: its head, and the person who reads it."""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from collector.permissions import TITLES, allowed
from collector.signin import Session
from collector.web.parts import Desk
from wire import ids

SEE_OTHER = 303
VAULT_LEFT = "x-vault-left"


class NoSuchPageError(Exception):
    """There is nothing at that address."""


def desk_of(request: Request) -> Desk:
    """The desk that serves the request."""
    desk: Desk = request.app.state.desk
    return desk


def page(
    request: Request, name: str, session: Session | None, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page with its head."""
    desk = desk_of(request)
    left = desk.parts.vault.seconds_left(session.id) if session else 0
    html = desk.templates.render(
        name,
        school=desk.parts.school.name,
        session=session,
        role=TITLES[session.role] if session else "",
        can={route: allowed(route, session.role) for route in _NAVIGATION} if session else {},
        vault_left=left,
        now=desk.now,
        path=request.url.path,
        **values,
    )
    return HTMLResponse(html, status, {VAULT_LEFT: str(left)} if session else None)


def see(path: str) -> Response:
    """Go there next, with a GET."""
    return RedirectResponse(path, SEE_OTHER)


def by_htmx(request: Request) -> bool:
    """Whether htmx asks, for a part of the page."""
    return request.headers.get("hx-request") == "true"


def id_of(text: str) -> bytes:
    """An id from an address.

    Raises:
        NoSuchPageError: it is none.
    """
    try:
        return ids.event_bytes(text)
    except ValueError:
        raise NoSuchPageError from None


_NAVIGATION = ("alerts", "devices", "counts", "audit", "vault")
