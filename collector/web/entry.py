"""Signing in and out, and the way from `/` to what a role works with."""

from typing import Annotated, Final

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, Response

from collector.attempts import TooManyAttemptsError
from collector.permissions import allowed
from collector.signin import SignInRefusedError
from collector.web.guard import COOKIE, current, guarded_router
from collector.web.pages import desk_of, page, see

router = guarded_router()
_HOMES: Final = (("alerts", "/alerts"), ("devices", "/devices"), ("counts", "/counts"))
_LONGEST: Final = 400


@router.get("/", name="home")
async def home(request: Request) -> Response:
    """Where this role begins."""
    role = current(request).role
    return see(next(path for route, path in _HOMES if allowed(route, role)))


@router.get("/signin", name="signin_page", response_class=HTMLResponse)
async def signin_page(request: Request, then: str = "/") -> Response:
    """The form to sign in."""
    if request.state.session is not None:
        return see(own_path(then))
    return page(request, "signin.html", None, then=own_path(then), problem="", login="")


@router.post("/signin", name="signin", response_class=HTMLResponse)
async def signin(
    request: Request,
    login: Annotated[str, Form(max_length=_LONGEST)] = "",
    password: Annotated[str, Form(max_length=_LONGEST)] = "",
    then: Annotated[str, Form(max_length=_LONGEST)] = "/",
) -> Response:
    """Sign in: a new session, whatever the browser held before."""
    desk = desk_of(request)
    address = request.client.host if request.client else ""
    held = request.cookies.get(COOKIE, "")
    try:
        token, _ = await desk.signin.sign_in(login, password, address, replaces=held)
    except TooManyAttemptsError as error:
        problem = f"Too many attempts from here. Try again in {-(-error.wait // 60)} min."
        answer = page(
            request,
            "signin.html",
            None,
            status=429,
            then=own_path(then),
            problem=problem,
            login=login,
        )
        answer.headers["retry-after"] = str(error.wait)
        return answer
    except SignInRefusedError:
        problem = "That login and password do not fit."
        return page(
            request,
            "signin.html",
            None,
            status=401,
            then=own_path(then),
            problem=problem,
            login=login,
        )
    arrived = see(own_path(then))
    arrived.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="strict", path="/")
    return arrived


@router.post("/signout", name="signout")
async def signout(request: Request) -> Response:
    """Sign out: the vault is locked and the session gone."""
    desk, session = desk_of(request), current(request)
    desk.parts.vault.lock(session.id)
    await desk.signin.sign_out(session)
    answer = see("/signin")
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict", path="/")
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


def own_path(path: str) -> str:
    """The path, if it is one of ours; else the beginning."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"
