"""Unlocking the vault after sign-in, for this session alone, and locking it."""

from typing import Annotated, Final

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from collector.attempts import TooManyAttemptsError
from collector.signin import Session
from collector.vault import DamagedWrapError, NotEntitledError, WrongPassphraseError
from collector.web.entry import own_path
from collector.web.guard import SignInNeededError, current, guarded_router
from collector.web.pages import desk_of, page, see
from collector.web.parts import Desk

router = guarded_router()
_LONGEST: Final = 1000


@router.get("/vault", name="vault", response_class=HTMLResponse)
async def vault_page(request: Request, then: str = "/alerts") -> Response:
    """The form to unlock."""
    return page(request, "vault.html", current(request), then=own_path(then), problem="")


@router.post("/vault/unlock", name="unlock", response_class=HTMLResponse)
async def unlock(
    request: Request,
    passphrase: Annotated[str, Form(max_length=_LONGEST)] = "",
    then: Annotated[str, Form(max_length=_LONGEST)] = "/alerts",
) -> Response:
    """Open the vault for this session."""
    desk, session = desk_of(request), current(request)
    status = 403
    try:
        await desk.parts.vault.unlock(
            session, passphrase, mark=lambda: _record(desk, session, "unlock")
        )
    except TooManyAttemptsError as error:
        status = 429
        problem = f"Too many wrong passphrases. Try again in {-(-error.wait // 60)} min."
    except WrongPassphraseError:
        problem = "That passphrase does not open the vault."
    except NotEntitledError:
        problem = "No key is kept for you here. The lead can add you."
    except DamagedWrapError:
        problem = "Your key cannot be read. The recovery sheet opens the vault; ask the technician."
    else:
        # Signed out while the key was being derived: then `look` has it locked again.
        if await desk.signin.look(session.id) is None:
            raise SignInNeededError
        return see(own_path(then))
    await _record(desk, session, "unlock_refused")
    return page(request, "vault.html", session, status=status, then=own_path(then), problem=problem)


@router.post("/vault/lock", name="lock")
async def lock(
    request: Request, then: Annotated[str, Form(max_length=_LONGEST)] = "/alerts"
) -> Response:
    """Lock the vault for this session."""
    desk, session = desk_of(request), current(request)
    desk.parts.vault.lock(session.id)
    await _record(desk, session, "lock")
    return see(own_path(then))


async def _record(desk: Desk, session: Session, action: str) -> None:
    def job(conn: Connection) -> None:
        desk.parts.audit.append(conn, session.act(action, f"vault:{session.staff}"))

    await desk.store.write(job)
