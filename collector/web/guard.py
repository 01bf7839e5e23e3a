"""Stands before every route: the permission table, the session, and where a form came from.

A form that changes something is taken only from our own pages: the browser's
Sec-Fetch-Site says same-origin (or, from a browser without it, Origin names this
host), and, once signed in, it carries the session's own token.
"""

import hmac
from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from collector.permissions import Role, allowed
from collector.signin import Session, SignIn

COOKIE: Final = "__Host-redshank"
CSRF_HEADER: Final = "x-csrf-token"
CSRF_FIELD: Final = "csrf"
_UNATTENDED: Final = frozenset({"live", "names"})
"""What an open page asks by itself: it keeps nobody signed in."""
_SAFE: Final = frozenset({"GET", "HEAD"})


class SignInNeededError(Exception):
    """Nobody is signed in, and the route is not for nobody."""


class ForbiddenError(Exception):
    """The role may not use the route."""


class ForeignFormError(Exception):
    """The request did not come from a page of ours."""


class GuardedRoute(APIRoute):
    """A route that asks the table before anything of the request is looked at."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        handler = super().get_route_handler()
        name = self.name

        async def guarded(request: Request) -> Response:
            await admit(request, name)
            return await handler(request)

        return guarded


def guarded_router() -> APIRouter:
    """A router of guarded routes, each known by its name alone."""
    return APIRouter(route_class=GuardedRoute, generate_unique_id_function=_name)


def _name(route: APIRoute) -> str:
    return route.name


async def admit(request: Request, route: str) -> None:
    """Let the request through, with its session in `request.state.session`, or raise.

    Raises:
        SignInNeededError, ForbiddenError, ForeignFormError: as they say.
    """
    signin: SignIn = request.app.state.desk.signin
    attended = route not in _UNATTENDED
    session = await signin.session(request.cookies.get(COOKIE, ""), attended=attended)
    request.state.session = session
    role = session.role if session else Role.NOBODY
    if not allowed(route, role):
        if session is None:
            raise SignInNeededError
        raise ForbiddenError
    if request.method not in _SAFE:
        await _check_origin(request, session)


async def _check_origin(request: Request, session: Session | None) -> None:
    site = request.headers.get("sec-fetch-site")
    if site is None:
        origin = urlsplit(request.headers.get("origin", "")).netloc
        ours = bool(origin) and origin == request.headers.get("host")
    else:
        ours = site == "same-origin"
    if not ours:
        raise ForeignFormError
    if session is None:
        return
    given = request.headers.get(CSRF_HEADER)
    if given is None:
        form = await request.form()
        field = form.get(CSRF_FIELD)
        given = field if isinstance(field, str) else ""
    if not hmac.compare_digest(given.encode(), session.csrf.encode()):
        raise ForeignFormError


def current(request: Request) -> Session:
    """The session that `admit` found.

    Raises:
        SignInNeededError: there is none.
    """
    session: Session | None = request.state.session
    if session is None:
        raise SignInNeededError
    return session
