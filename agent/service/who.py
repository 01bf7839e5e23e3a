"""Who sits at this PC, from the operating system's word alone.

An account's id is `linux:REALM:UID` or `windows:SID`. The realm of an account that a
directory gave is the directory's, as the settings name it; that of an account of this
PC alone is the device, since its uid means somebody else on the next PC. What the
policy calls shared, and a guest, is nobody: `shared:DEVICE:SESSION`, one sign-in.
"""

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.local import Peer
from wire.details import Who
from wire.event import AccountKind

_GUESTS = ("guest-", "guest")
_GUEST_RID = "-501"
_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """This PC, as far as it matters for who somebody is."""

    device: str
    host: str
    realm: str = ""
    """The directory's realm; empty: this PC has none."""


def who_is(peer: Peer, place: Place, shared: Sequence[str] = ()) -> Who:
    """Name the account behind a connection."""
    login, full_name = _names(peer.user)
    account = account_id(peer.user, place)
    nobody = {name.casefold() for name in shared}
    session = peer.session or f"pid-{peer.pid}"
    if {account.casefold(), login.casefold(), peer.user.casefold()} & nobody or _is_guest(
        peer.user, login
    ):
        return Who(
            account=f"shared:{place.device}:{session}"[:_MOST],
            kind=AccountKind.SHARED,
            login=login,
            full_name=full_name,
            session=session,
            host=place.host,
        )
    return Who(
        account=account,
        kind=AccountKind.PERSON,
        login=login,
        full_name=full_name,
        session=session,
        host=place.host,
    )


def account_id(user: str, place: Place) -> str:
    """The id of an account: for ever that person's, and never another's."""
    if user.startswith("S-"):
        return f"windows:{user}"
    realm = place.realm if place.realm and not _is_local(user) else place.device
    return f"linux:{realm}:{user}"


def _is_guest(user: str, login: str) -> bool:
    is_sid = user.startswith("S-") and user.endswith(_GUEST_RID)
    return is_sid or login == _GUESTS[1] or login.startswith(_GUESTS[0])


def _is_local(user: str) -> bool:
    """Whether the account is of this PC alone, and not a directory's."""
    with contextlib.suppress(OSError):
        for line in Path("/etc/passwd").read_text(encoding="utf-8", errors="replace").splitlines():
            fields = line.split(":")
            if len(fields) > 2 and fields[2] == user:  # noqa: PLR2004  # name, password, uid
                return True
        return False
    return True


def _names(user: str) -> tuple[str, str]:
    """Login and full name, as far as the system knows them."""
    if sys.platform == "win32":
        from agent.service import who_win32  # noqa: PLC0415  # one platform's code is loaded

        return who_win32.login_of(user), ""
    import pwd  # noqa: PLC0415  # not on Windows

    try:
        entry = pwd.getpwuid(int(user))
    except (KeyError, ValueError):
        return "", ""
    return entry.pw_name[:_MOST], entry.pw_gecos.partition(",")[0][:_MOST]
