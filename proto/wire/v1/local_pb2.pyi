from wire.v1 import uplink_pb2 as _uplink_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FromSession(_message.Message):
    __slots__ = ("hello", "found", "again", "shot", "no_shot", "watch", "canary", "status")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    AGAIN_FIELD_NUMBER: _ClassVar[int]
    SHOT_FIELD_NUMBER: _ClassVar[int]
    NO_SHOT_FIELD_NUMBER: _ClassVar[int]
    WATCH_FIELD_NUMBER: _ClassVar[int]
    CANARY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    hello: SessionHello
    found: Found
    again: Again
    shot: Shot
    no_shot: NoShot
    watch: Watch
    canary: CanaryAsk
    status: StatusAsk
    def __init__(self, hello: _Optional[_Union[SessionHello, _Mapping]] = ..., found: _Optional[_Union[Found, _Mapping]] = ..., again: _Optional[_Union[Again, _Mapping]] = ..., shot: _Optional[_Union[Shot, _Mapping]] = ..., no_shot: _Optional[_Union[NoShot, _Mapping]] = ..., watch: _Optional[_Union[Watch, _Mapping]] = ..., canary: _Optional[_Union[CanaryAsk, _Mapping]] = ..., status: _Optional[_Union[StatusAsk, _Mapping]] = ...) -> None: ...

class ToSession(_message.Message):
    __slots__ = ("settings", "taken", "rejected", "status")
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    settings: Settings
    taken: Taken
    rejected: Rejected
    status: StatusReply
    def __init__(self, settings: _Optional[_Union[Settings, _Mapping]] = ..., taken: _Optional[_Union[Taken, _Mapping]] = ..., rejected: _Optional[_Union[Rejected, _Mapping]] = ..., status: _Optional[_Union[StatusReply, _Mapping]] = ...) -> None: ...

class SessionHello(_message.Message):
    __slots__ = ("version", "pid")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    version: str
    pid: int
    def __init__(self, version: _Optional[str] = ..., pid: _Optional[int] = ...) -> None: ...

class Found(_message.Message):
    __slots__ = ("event", "matched_at", "finding", "picture", "details")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    MATCHED_AT_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    event: bytes
    matched_at: int
    finding: _uplink_pb2.Finding
    picture: _uplink_pb2.PictureState
    details: Details
    def __init__(self, event: _Optional[bytes] = ..., matched_at: _Optional[int] = ..., finding: _Optional[_Union[_uplink_pb2.Finding, _Mapping]] = ..., picture: _Optional[_Union[_uplink_pb2.PictureState, str]] = ..., details: _Optional[_Union[Details, _Mapping]] = ...) -> None: ...

class Again(_message.Message):
    __slots__ = ("event", "finding", "repeats", "last_at")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    event: bytes
    finding: _uplink_pb2.Finding
    repeats: int
    last_at: int
    def __init__(self, event: _Optional[bytes] = ..., finding: _Optional[_Union[_uplink_pb2.Finding, _Mapping]] = ..., repeats: _Optional[int] = ..., last_at: _Optional[int] = ...) -> None: ...

class Shot(_message.Message):
    __slots__ = ("event", "webp", "width", "height", "taken_at", "of")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    WEBP_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TAKEN_AT_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    event: bytes
    webp: bytes
    width: int
    height: int
    taken_at: int
    of: str
    def __init__(self, event: _Optional[bytes] = ..., webp: _Optional[bytes] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., taken_at: _Optional[int] = ..., of: _Optional[str] = ...) -> None: ...

class NoShot(_message.Message):
    __slots__ = ("event", "why")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    event: bytes
    why: str
    def __init__(self, event: _Optional[bytes] = ..., why: _Optional[str] = ...) -> None: ...

class Watch(_message.Message):
    __slots__ = ("hook_alive", "blind", "since", "dropped", "book_refused")
    HOOK_ALIVE_FIELD_NUMBER: _ClassVar[int]
    BLIND_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    BOOK_REFUSED_FIELD_NUMBER: _ClassVar[int]
    hook_alive: bool
    blind: _uplink_pb2.GapReason
    since: int
    dropped: int
    book_refused: str
    def __init__(self, hook_alive: _Optional[bool] = ..., blind: _Optional[_Union[_uplink_pb2.GapReason, str]] = ..., since: _Optional[int] = ..., dropped: _Optional[int] = ..., book_refused: _Optional[str] = ...) -> None: ...

class CanaryAsk(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: bytes
    def __init__(self, event: _Optional[bytes] = ...) -> None: ...

class StatusAsk(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Settings(_message.Message):
    __slots__ = ("policy_version", "packs", "evidence", "book")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    PACKS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    BOOK_FIELD_NUMBER: _ClassVar[int]
    policy_version: int
    packs: _containers.RepeatedCompositeFieldContainer[_uplink_pb2.PackText]
    evidence: _uplink_pb2.EvidenceRules
    book: str
    def __init__(self, policy_version: _Optional[int] = ..., packs: _Optional[_Iterable[_Union[_uplink_pb2.PackText, _Mapping]]] = ..., evidence: _Optional[_Union[_uplink_pb2.EvidenceRules, _Mapping]] = ..., book: _Optional[str] = ...) -> None: ...

class Taken(_message.Message):
    __slots__ = ("event", "kind")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    event: bytes
    kind: _uplink_pb2.Kind
    def __init__(self, event: _Optional[bytes] = ..., kind: _Optional[_Union[_uplink_pb2.Kind, str]] = ...) -> None: ...

class Rejected(_message.Message):
    __slots__ = ("event", "words", "retry_after_ms")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    event: bytes
    words: str
    retry_after_ms: int
    def __init__(self, event: _Optional[bytes] = ..., words: _Optional[str] = ..., retry_after_ms: _Optional[int] = ...) -> None: ...

class StatusReply(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: str
    def __init__(self, json: _Optional[str] = ...) -> None: ...

class Details(_message.Message):
    __slots__ = ("who", "application", "process_path", "window_title", "address", "address_unknown_because", "before", "matched", "after", "pasted", "notes", "picture_problem", "place", "reasons")
    WHO_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    PROCESS_PATH_FIELD_NUMBER: _ClassVar[int]
    WINDOW_TITLE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_UNKNOWN_BECAUSE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    PASTED_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    PICTURE_PROBLEM_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    who: Who
    application: str
    process_path: str
    window_title: str
    address: str
    address_unknown_because: str
    before: str
    matched: str
    after: str
    pasted: bool
    notes: _containers.RepeatedScalarFieldContainer[str]
    picture_problem: str
    place: str
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, who: _Optional[_Union[Who, _Mapping]] = ..., application: _Optional[str] = ..., process_path: _Optional[str] = ..., window_title: _Optional[str] = ..., address: _Optional[str] = ..., address_unknown_because: _Optional[str] = ..., before: _Optional[str] = ..., matched: _Optional[str] = ..., after: _Optional[str] = ..., pasted: _Optional[bool] = ..., notes: _Optional[_Iterable[str]] = ..., picture_problem: _Optional[str] = ..., place: _Optional[str] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class Who(_message.Message):
    __slots__ = ("account", "kind", "login", "full_name", "session", "host")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LOGIN_FIELD_NUMBER: _ClassVar[int]
    FULL_NAME_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    account: str
    kind: _uplink_pb2.AccountKind
    login: str
    full_name: str
    session: str
    host: str
    def __init__(self, account: _Optional[str] = ..., kind: _Optional[_Union[_uplink_pb2.AccountKind, str]] = ..., login: _Optional[str] = ..., full_name: _Optional[str] = ..., session: _Optional[str] = ..., host: _Optional[str] = ...) -> None: ...

class Picture(_message.Message):
    __slots__ = ("webp", "width", "height", "taken_at", "of")
    WEBP_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TAKEN_AT_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    webp: bytes
    width: int
    height: int
    taken_at: int
    of: str
    def __init__(self, webp: _Optional[bytes] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., taken_at: _Optional[int] = ..., of: _Optional[str] = ...) -> None: ...
