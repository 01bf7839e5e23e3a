"""What a session process and its service say to each other over the local socket.

Layout of a frame: four bytes of length, big-endian (written by the channel), and
one `FromSession` or `ToSession` message. A session says what it saw and never who
it is: a frame in which `who` is written is refused, not corrected. The sender is
not trusted: every rule of `wire.codec` holds here too.

Imported by the session process: neither gRPC nor cryptography may come in here.
"""

from collections.abc import Callable, Mapping

from wire.codec.checks import (
    EVENT_SIZE,
    LARGEST,
    CodecError,
    counted,
    few,
    member,
    number_of,
    optional,
    parse,
    short,
    sized,
    table,
)
from wire.codec.records import (
    check_finding,
    finding_from_pb,
    finding_to_pb,
    picture_state,
)
from wire.codec.tables import KINDS
from wire.codec.trust import (
    MOST_PACKS,
    check_pack,
    check_rules,
    pack_from_pb,
    pack_to_pb,
    rules_from_pb,
    rules_to_pb,
)
from wire.details import check_image, details_from_pb, details_to_pb
from wire.event import GapReason
from wire.frames import (
    Again,
    CanaryAsk,
    Found,
    FromSession,
    NoShot,
    Rejected,
    SessionHello,
    Settings,
    Shot,
    StatusAsk,
    StatusReply,
    Taken,
    ToSession,
    Watch,
)
from wire.v1 import local_pb2 as pb

__all__ = [
    "MOST_FRAME",
    "Again",
    "CanaryAsk",
    "Found",
    "FromSession",
    "NoShot",
    "Rejected",
    "SessionHello",
    "Settings",
    "Shot",
    "StatusAsk",
    "StatusReply",
    "Taken",
    "ToSession",
    "Watch",
    "decode_from_session",
    "decode_to_session",
    "encode_from_session",
    "encode_to_session",
]

MOST_FRAME = 5 << 20
"""Bytes of one frame at most: a large picture and what stands around it."""

MOST_WORDS = 2000
MOST_JSON = 1 << 20
MOST_PATH = 4096
_UINT32 = (1 << 32) - 1
_GAPS = table(GapReason)


def encode_from_session(message: FromSession) -> bytes:
    """A frame's bytes without their length. Raises CodecError."""
    _check_from(message)
    match message:
        case SessionHello():
            body = pb.FromSession(hello=pb.SessionHello(version=message.version, pid=message.pid))
        case Found():
            body = pb.FromSession(
                found=pb.Found(
                    event=message.event,
                    matched_at=message.matched_at,
                    finding=finding_to_pb(message.finding),
                    picture=number_of(message.picture),
                    details=details_to_pb(message.details),
                )
            )
        case Again():
            body = pb.FromSession(
                again=pb.Again(
                    event=message.event,
                    finding=finding_to_pb(message.finding),
                    repeats=message.repeats,
                    last_at=message.last_at,
                )
            )
        case Shot():
            body = pb.FromSession(
                shot=pb.Shot(
                    event=message.event,
                    webp=message.webp,
                    width=message.width,
                    height=message.height,
                    taken_at=message.taken_at,
                    of=message.of,
                )
            )
        case NoShot():
            body = pb.FromSession(no_shot=pb.NoShot(event=message.event, why=message.why))
        case Watch():
            body = pb.FromSession(
                watch=pb.Watch(
                    hook_alive=message.hook_alive,
                    blind=number_of(message.blind),
                    since=message.since,
                    dropped=message.dropped,
                    book_refused=message.book_refused,
                )
            )
        case CanaryAsk():
            body = pb.FromSession(canary=pb.CanaryAsk(event=message.event))
        case StatusAsk():
            body = pb.FromSession(status=pb.StatusAsk())
    return body.SerializeToString()


def decode_from_session(data: bytes) -> FromSession:
    """What a session said. Raises CodecError."""
    frame = parse(pb.FromSession(), data, "a frame")
    read = _FROM.get(frame.WhichOneof("body") or "")
    if read is None:
        raise CodecError("a frame of a session is empty or of a kind that is not known")
    message = read(frame)
    _check_from(message)
    return message


def _found_from_pb(message: pb.Found) -> Found:
    if not (message.HasField("finding") and message.HasField("details")):
        raise CodecError("a match without its finding or its details")
    return Found(
        event=message.event,
        matched_at=message.matched_at,
        finding=finding_from_pb(message.finding),
        picture=picture_state(message.picture),
        details=details_from_pb(message.details),
    )


def _again_from_pb(message: pb.Again) -> Again:
    if not message.HasField("finding"):
        raise CodecError("a repeat without its finding")
    return Again(
        event=message.event,
        finding=finding_from_pb(message.finding),
        repeats=message.repeats,
        last_at=message.last_at,
    )


def _shot_from_pb(message: pb.Shot) -> Shot:
    return Shot(
        event=message.event,
        webp=message.webp,
        width=message.width,
        height=message.height,
        taken_at=message.taken_at,
        of=message.of,
    )


def _watch_from_pb(message: pb.Watch) -> Watch:
    return Watch(
        hook_alive=message.hook_alive,
        blind=optional(_GAPS, message.blind, "gap reason"),
        since=message.since,
        dropped=message.dropped,
        book_refused=message.book_refused,
    )


_FROM: Mapping[str, Callable[[pb.FromSession], FromSession]] = {
    "hello": lambda frame: SessionHello(version=frame.hello.version, pid=frame.hello.pid),
    "found": lambda frame: _found_from_pb(frame.found),
    "again": lambda frame: _again_from_pb(frame.again),
    "shot": lambda frame: _shot_from_pb(frame.shot),
    "no_shot": lambda frame: NoShot(event=frame.no_shot.event, why=frame.no_shot.why),
    "watch": lambda frame: _watch_from_pb(frame.watch),
    "canary": lambda frame: CanaryAsk(event=frame.canary.event),
    "status": lambda _frame: StatusAsk(),
}


def _check_from(message: FromSession) -> None:
    match message:
        case SessionHello():
            short(message.version, 64, "version")
            counted(message.pid, _UINT32, "pid")
        case Found():
            sized(message.event, EVENT_SIZE, "event")
            counted(message.matched_at, LARGEST, "matched_at")
            check_finding(message.finding)
            if message.details.who is not None:
                raise CodecError("a session may not say who it is")
        case Again():
            sized(message.event, EVENT_SIZE, "event")
            check_finding(message.finding)
            counted(message.repeats, _UINT32, "repeats", least=1)
            counted(message.last_at, LARGEST, "last_at")
        case Shot():
            sized(message.event, EVENT_SIZE, "event")
            check_image(message.webp, message.width, message.height)
            counted(message.taken_at, LARGEST, "taken_at")
            short(message.of, MOST_WORDS, "of")
        case NoShot():
            sized(message.event, EVENT_SIZE, "event")
            short(message.why, MOST_WORDS, "why")
        case Watch():
            counted(message.since, LARGEST, "since")
            counted(message.dropped, _UINT32, "dropped")
            short(message.book_refused, MOST_WORDS, "book_refused")
        case CanaryAsk():
            sized(message.event, EVENT_SIZE, "event")
        case StatusAsk():
            pass


def encode_to_session(message: ToSession) -> bytes:
    """A frame's bytes without their length. Raises CodecError."""
    _check_to(message)
    match message:
        case Settings():
            body = pb.ToSession(
                settings=pb.Settings(
                    policy_version=message.policy_version,
                    packs=[pack_to_pb(pack) for pack in message.packs],
                    evidence=rules_to_pb(message.evidence),
                    book=message.book,
                )
            )
        case Taken():
            body = pb.ToSession(taken=pb.Taken(event=message.event, kind=number_of(message.kind)))
        case Rejected():
            body = pb.ToSession(
                rejected=pb.Rejected(
                    event=message.event,
                    words=message.words,
                    retry_after_ms=message.retry_after_ms,
                )
            )
        case StatusReply():
            body = pb.ToSession(status=pb.StatusReply(json=message.json))
    return body.SerializeToString()


def decode_to_session(data: bytes) -> ToSession:
    """What the service said. Raises CodecError."""
    frame = parse(pb.ToSession(), data, "a frame")
    message = _to_session(frame)
    _check_to(message)
    return message


def _to_session(frame: pb.ToSession) -> ToSession:
    match frame.WhichOneof("body"):
        case "settings":
            if not frame.settings.HasField("evidence"):
                raise CodecError("settings without evidence rules")
            few(frame.settings.packs, MOST_PACKS, "packs")
            return Settings(
                policy_version=frame.settings.policy_version,
                packs=tuple(pack_from_pb(pack) for pack in frame.settings.packs),
                evidence=rules_from_pb(frame.settings.evidence),
                book=frame.settings.book,
            )
        case "taken":
            return Taken(event=frame.taken.event, kind=member(KINDS, frame.taken.kind, "kind"))
        case "rejected":
            return Rejected(
                event=frame.rejected.event,
                words=frame.rejected.words,
                retry_after_ms=frame.rejected.retry_after_ms,
            )
        case "status":
            return StatusReply(json=frame.status.json)
        case _:
            raise CodecError("a frame of the service is empty or of a kind that is not known")


def _check_to(message: ToSession) -> None:
    match message:
        case Settings():
            counted(message.policy_version, LARGEST, "policy_version")
            few(message.packs, MOST_PACKS, "packs")
            for pack in message.packs:
                check_pack(pack)
            check_rules(message.evidence)
            short(message.book, MOST_PATH, "book")
        case Taken():
            sized(message.event, EVENT_SIZE, "event")
        case Rejected():
            sized(message.event, EVENT_SIZE, "event")
            short(message.words, MOST_WORDS, "words")
            counted(message.retry_after_ms, _UINT32, "retry_after_ms")
        case StatusReply():
            short(message.json, MOST_JSON, "json")
