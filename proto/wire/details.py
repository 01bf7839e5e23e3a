"""What is sealed: the details of an event, and its picture.

Layout: a `Details` or a `Picture` message of local.proto, decoded as strictly as
everything else. The words around a match are 200 characters on either side at
most; a whole window's text never gets here. In sealed details *who* is there
always, written by the service from the operating system's word; what comes over
the local socket must not have it (`wire.local`).
"""

from dataclasses import dataclass

from wire.codec.checks import (
    LARGEST,
    CodecError,
    counted,
    few,
    member,
    number_of,
    parse,
    short,
    some,
    table,
)
from wire.event import AccountKind
from wire.v1 import local_pb2 as pb

MOST_AROUND = 200
MOST_MATCHED = 2000
MOST_TITLE = 20_000
MOST_ADDRESS = 8192
MOST_TEXT = 4096
MOST_NOTES = 64
MOST_NOTE = 500
MOST_WEBP = 4 << 20
MOST_SIDE = 65_535

_ACCOUNT_KINDS = table(AccountKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Whose session it was, from the operating system. `account` is a SID, object id or realm uid."""

    account: str
    kind: AccountKind
    login: str = ""
    full_name: str = ""
    session: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """The window, the address and the words around a match.

    Either `address` or `address_unknown_because` says something where the
    application has addresses.
    """

    who: Who | None = None
    application: str = ""
    process_path: str = ""
    window_title: str = ""
    address: str = ""
    address_unknown_because: str = ""
    before: str = ""
    matched: str = ""
    after: str = ""
    pasted: bool = False
    notes: tuple[str, ...] = ()
    picture_problem: str = ""
    place: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A screenshot. `of` is "window" or "all monitors"; `taken_at` is in microseconds since 1970."""

    webp: bytes
    width: int
    height: int
    taken_at: int
    of: str


def encode_details(details: Details) -> bytes:
    """The plain text of a details part. Raises CodecError, also without `who`."""
    if details.who is None:
        raise CodecError("sealed details do not say who")
    return details_to_pb(details).SerializeToString(deterministic=True)


def decode_details(data: bytes) -> Details:
    """What a details part says. Raises CodecError."""
    details = details_from_pb(parse(pb.Details(), data, "details"))
    if details.who is None:
        raise CodecError("sealed details do not say who")
    return details


def encode_picture(picture: Picture) -> bytes:
    """The plain text of a picture part. Raises CodecError."""
    _check_picture(picture)
    return pb.Picture(
        webp=picture.webp,
        width=picture.width,
        height=picture.height,
        taken_at=picture.taken_at,
        of=picture.of,
    ).SerializeToString(deterministic=True)


def decode_picture(data: bytes) -> Picture:
    """What a picture part says. Raises CodecError. The image itself is not yet believed."""
    message = parse(pb.Picture(), data, "a picture")
    picture = Picture(
        webp=message.webp,
        width=message.width,
        height=message.height,
        taken_at=message.taken_at,
        of=message.of,
    )
    _check_picture(picture)
    return picture


def _check_picture(picture: Picture) -> None:
    check_image(picture.webp, picture.width, picture.height)
    counted(picture.taken_at, LARGEST, "taken_at")
    short(picture.of, MOST_NOTE, "of")


def check_image(webp: bytes, width: int, height: int) -> None:
    """Refuse an image without bytes or sides, and one too large."""
    some(webp, MOST_WEBP, "an image")
    counted(width, MOST_SIDE, "width", least=1)
    counted(height, MOST_SIDE, "height", least=1)


def details_to_pb(details: Details) -> pb.Details:
    """Details as protobuf, checked."""
    _check_details(details)
    who = details.who
    return pb.Details(
        who=None
        if who is None
        else pb.Who(
            account=who.account,
            kind=number_of(who.kind),
            login=who.login,
            full_name=who.full_name,
            session=who.session,
            host=who.host,
        ),
        application=details.application,
        process_path=details.process_path,
        window_title=details.window_title,
        address=details.address,
        address_unknown_because=details.address_unknown_because,
        before=details.before,
        matched=details.matched,
        after=details.after,
        pasted=details.pasted,
        notes=details.notes,
        picture_problem=details.picture_problem,
        place=details.place,
        reasons=details.reasons,
    )


def details_from_pb(message: pb.Details) -> Details:
    """Details, checked."""
    few(message.notes, MOST_NOTES, "notes")
    few(message.reasons, MOST_NOTES, "reasons")
    details = Details(
        who=_who_from_pb(message.who) if message.HasField("who") else None,
        application=message.application,
        process_path=message.process_path,
        window_title=message.window_title,
        address=message.address,
        address_unknown_because=message.address_unknown_because,
        before=message.before,
        matched=message.matched,
        after=message.after,
        pasted=message.pasted,
        notes=tuple(message.notes),
        picture_problem=message.picture_problem,
        place=message.place,
        reasons=tuple(message.reasons),
    )
    _check_details(details)
    return details


def _who_from_pb(message: pb.Who) -> Who:
    return Who(
        account=message.account,
        kind=member(_ACCOUNT_KINDS, message.kind, "account kind"),
        login=message.login,
        full_name=message.full_name,
        session=message.session,
        host=message.host,
    )


def _check_details(details: Details) -> None:
    for text, most, what in (
        (details.application, MOST_TEXT, "application"),
        (details.process_path, MOST_TEXT, "process_path"),
        (details.window_title, MOST_TITLE, "window_title"),
        (details.address, MOST_ADDRESS, "address"),
        (details.address_unknown_because, MOST_NOTE, "address_unknown_because"),
        (details.before, MOST_AROUND, "before"),
        (details.matched, MOST_MATCHED, "matched"),
        (details.after, MOST_AROUND, "after"),
        (details.picture_problem, MOST_NOTE, "picture_problem"),
        (details.place, MOST_NOTE, "place"),
    ):
        short(text, most, what)
    for texts, what in ((details.notes, "notes"), (details.reasons, "reasons")):
        few(texts, MOST_NOTES, what)
        for text in texts:
            short(text, MOST_NOTE, what)
    if details.who is not None:
        _check_who(details.who)


def _check_who(who: Who) -> None:
    if not who.account:
        raise CodecError("account is not said")
    for text, what in (
        (who.account, "account"),
        (who.login, "login"),
        (who.full_name, "full_name"),
        (who.session, "session"),
        (who.host, "host"),
    ):
        short(text, 512, what)
