"""Puts the desk together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from collector import reveal, vault
from collector.attempts import TooManyAttemptsError
from collector.errors import StoreError
from collector.logs import logger
from collector.permissions import TABLE, NoRowError
from collector.reveal import Reveal
from collector.sealed import Words
from collector.signin import SignIn
from collector.web import (
    alerts,
    devices,
    entry,
    guidance,
    live,
    oversight,
)
from collector.web import vault as vault_pages
from collector.web.guard import ForbiddenError, ForeignFormError, GuardedRoute, SignInNeededError
from collector.web.headers import Headers, TooLongError
from collector.web.pages import NoSuchPageError, by_htmx, page, see
from collector.web.parts import Desk, Parts
from collector.web.templating import Templates

STATIC: Final = Path(__file__).parent / "static"
_LOG: Final = logger("collector.web")
_NOTHING_HERE: Final = "There is nothing at this address."
_SWEEP_SECONDS: Final = 5.0
_ROOMS: Final = (entry, alerts, live, vault_pages, devices, oversight)

Handler = Callable[[Request, Any], Awaitable[Response]]


def create_app(parts: Parts) -> FastAPI:
    """The desk's application, over the collector's parts.

    Raises:
        NoRowError: a route has no row in the permission table, or a row no route.
    """
    packs = guidance.shipped()
    desk = Desk(
        parts=parts,
        signin=SignIn(
            parts.store,
            parts.school.id,
            parts.clock,
            parts.audit,
            idle=parts.settings.session_idle_minutes * 60,
            absolute=parts.settings.session_hours * 3600,
            ended=parts.vault.lock,
        ),
        reveal=Reveal(parts.store, parts.school.id, parts.vault, parts.audit),
        words=Words(parts.store, parts.school.id, parts.clock, parts.vault, parts.audit),
        templates=Templates({code: found.title for code, found in packs.items()}),
        guidance=packs,
    )
    app = bare_app()
    app.state.desk = desk
    return app


def bare_app() -> FastAPI:
    """The desk's routes with nothing behind them: what the OpenAPI document is made from.

    Raises:
        NoRowError: a route has no row in the permission table, or a row no route.
    """
    app = FastAPI(
        title="Redshank desk",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # A redirect would name whatever host the request named.
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for room in _ROOMS:
        # Not include_router, which may put a wrapper of its own before our guarded routes.
        app.router.routes.extend(room.router.routes)
    check_rows(app)
    for error, handler in _HANDLERS.items():
        app.add_exception_handler(error, handler)
    app.add_middleware(Headers)
    return app


def check_rows(app: FastAPI) -> None:
    """Hold every route against the permission table.

    Raises:
        NoRowError: a route is not guarded or has no row, or a row no route.
    """
    names = set()
    for route in app.router.routes:
        guarded = isinstance(route, GuardedRoute) or (
            isinstance(route, Mount) and isinstance(route.app, StaticFiles)
        )
        name = getattr(route, "name", "")
        if not guarded or name not in TABLE:
            raise NoRowError(f"the route '{name}' has no row in collector.permissions.TABLE")
        names.add(name)
    if missing := set(TABLE) - names:
        raise NoRowError(f"the permission table has rows without a route: {sorted(missing)}")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    desk: Desk = app.state.desk

    async def sweeps() -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            await sweep(desk)

    sweeping = asyncio.create_task(sweeps())
    try:
        yield
    finally:
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
        desk.parts.vault.lock_all()


async def sweep(desk: Desk) -> None:
    """Lock every vault whose session is over, or has not used it in time."""
    for session_id in desk.parts.vault.sweep():
        try:
            await desk.signin.look(session_id)
        except Exception:  # noqa: BLE001 - where nobody can say whether it lives, it is locked
            desk.parts.vault.lock(session_id)
            _LOG.exception("a session could not be looked at; its vault is locked")


def _says(status: int, title: str, words: str) -> Handler:
    async def handler(request: Request, error: Exception) -> Response:
        return _problem(request, status, title, words or str(error))

    return handler


def _problem(request: Request, status: int, title: str, words: str) -> Response:
    session = getattr(request.state, "session", None)
    if "text/html" not in request.headers.get("accept", ""):
        body = {"type": "about:blank", "title": title, "status": status, "detail": words}
        return JSONResponse(body, status, media_type="application/problem+json")
    return page(request, "problem.html", session, status=status, title=title, words=words)


async def _sign_in_first(request: Request, error: Exception) -> Response:  # noqa: ARG001
    if by_htmx(request):
        return Response(status_code=401, headers={"hx-redirect": "/signin"})
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return see(f"/signin?then={request.url.path}")
    return _problem(request, 401, "Sign in first", "Nobody is signed in here.")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:  # noqa: PLR2004
        return _problem(request, 404, "Not here", _NOTHING_HERE)
    return _problem(request, error.status_code, "That did not work", str(error.detail))


async def _store_failed(request: Request, error: Exception) -> Response:
    _LOG.error("the store failed a request", path=request.url.path, exc_info=error)
    words = "The server could not write it down, so nothing was done or shown. Tell the technician."
    return _problem(request, 503, "The store fails", words)


async def _not_valid(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return _problem(request, 422, "That did not work", "The form was not filled in as it should.")


_HANDLERS: Final[dict[type[Exception], Handler]] = {
    SignInNeededError: _sign_in_first,
    ForbiddenError: _says(403, "Not for your role", "Your role does not see this page."),
    ForeignFormError: _says(
        403, "Not taken", "The request did not come from a page of the desk. Load the page anew."
    ),
    NoSuchPageError: _says(404, "Not here", _NOTHING_HERE),
    TooLongError: _says(413, "Too long", "That is longer than any form of the desk."),
    TooManyAttemptsError: _says(429, "Too many attempts", ""),
    vault.VaultLockedError: _says(403, "The vault is locked", "Unlock it, and try again."),
    reveal.NotPermittedError: _says(403, "Not for your role", ""),
    reveal.ReasonMissingError: _says(422, "Say why", ""),
    reveal.NotHereError: _says(404, "Not here", ""),
    reveal.DamagedEvidenceError: _says(409, "Damaged evidence", ""),
    StoreError: _store_failed,
    SQLAlchemyError: _store_failed,
    RequestValidationError: _not_valid,
    ClientDisconnect: _says(400, "That did not work", "The request was cut off."),
    HTTPException: _http,
}
