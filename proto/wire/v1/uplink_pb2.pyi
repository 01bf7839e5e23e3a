from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Lane(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LANE_UNSPECIFIED: _ClassVar[Lane]
    LANE_TEXT: _ClassVar[Lane]
    LANE_PICTURE: _ClassVar[Lane]

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    KIND_EVENT: _ClassVar[Kind]
    KIND_REPEAT: _ClassVar[Kind]
    KIND_PICTURE: _ClassVar[Kind]
    KIND_TOMBSTONE: _ClassVar[Kind]

class Source(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SOURCE_UNSPECIFIED: _ClassVar[Source]
    SOURCE_TYPED: _ClassVar[Source]
    SOURCE_TITLE: _ClassVar[Source]
    SOURCE_FILE_NAME: _ClassVar[Source]
    SOURCE_ADDRESS: _ClassVar[Source]
    SOURCE_REPORT: _ClassVar[Source]
    SOURCE_CANARY: _ClassVar[Source]

class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEVERITY_UNSPECIFIED: _ClassVar[Severity]
    SEVERITY_LOW: _ClassVar[Severity]
    SEVERITY_MEDIUM: _ClassVar[Severity]
    SEVERITY_HIGH: _ClassVar[Severity]
    SEVERITY_CRITICAL: _ClassVar[Severity]

class AccountKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCOUNT_KIND_UNSPECIFIED: _ClassVar[AccountKind]
    ACCOUNT_KIND_PERSON: _ClassVar[AccountKind]
    ACCOUNT_KIND_SHARED: _ClassVar[AccountKind]

class PictureState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PICTURE_STATE_UNSPECIFIED: _ClassVar[PictureState]
    PICTURE_STATE_FOLLOWS: _ClassVar[PictureState]
    PICTURE_STATE_BY_POLICY: _ClassVar[PictureState]
    PICTURE_STATE_FAILED: _ClassVar[PictureState]

class PartKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PART_KIND_UNSPECIFIED: _ClassVar[PartKind]
    PART_KIND_DETAILS: _ClassVar[PartKind]
    PART_KIND_PICTURE: _ClassVar[PartKind]

class TombstoneReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOMBSTONE_REASON_UNSPECIFIED: _ClassVar[TombstoneReason]
    TOMBSTONE_REASON_SHED: _ClassVar[TombstoneReason]
    TOMBSTONE_REASON_DAMAGED: _ClassVar[TombstoneReason]
    TOMBSTONE_REASON_MISSING: _ClassVar[TombstoneReason]
    TOMBSTONE_REASON_FAILED: _ClassVar[TombstoneReason]

class GapReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GAP_REASON_UNSPECIFIED: _ClassVar[GapReason]
    GAP_REASON_AGENT_STOPPED: _ClassVar[GapReason]
    GAP_REASON_HOOK_DEAD: _ClassVar[GapReason]
    GAP_REASON_NO_DISPLAY: _ClassVar[GapReason]
    GAP_REASON_WAYLAND: _ClassVar[GapReason]
    GAP_REASON_NO_PERMISSION: _ClassVar[GapReason]
    GAP_REASON_SPOOL_FULL: _ClassVar[GapReason]
    GAP_REASON_CLOCK_JUMPED: _ClassVar[GapReason]
    GAP_REASON_SESSION_MISSING: _ClassVar[GapReason]
    GAP_REASON_RATE_LIMITED: _ClassVar[GapReason]

class RefusalReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFUSAL_REASON_UNSPECIFIED: _ClassVar[RefusalReason]
    REFUSAL_REASON_NOT_HELLO: _ClassVar[RefusalReason]
    REFUSAL_REASON_MALFORMED: _ClassVar[RefusalReason]
    REFUSAL_REASON_TOO_LARGE: _ClassVar[RefusalReason]
    REFUSAL_REASON_WRONG_DEVICE: _ClassVar[RefusalReason]
    REFUSAL_REASON_WRONG_SCHOOL: _ClassVar[RefusalReason]
    REFUSAL_REASON_BAD_SIGNATURE: _ClassVar[RefusalReason]
    REFUSAL_REASON_BAD_DIGEST: _ClassVar[RefusalReason]
    REFUSAL_REASON_UNKNOWN_KEY: _ClassVar[RefusalReason]
    REFUSAL_REASON_GAP: _ClassVar[RefusalReason]
    REFUSAL_REASON_FORK: _ClassVar[RefusalReason]
    REFUSAL_REASON_DENIED: _ClassVar[RefusalReason]
    REFUSAL_REASON_SUPERSEDED: _ClassVar[RefusalReason]
    REFUSAL_REASON_RATE: _ClassVar[RefusalReason]
    REFUSAL_REASON_UNAVAILABLE: _ClassVar[RefusalReason]
    REFUSAL_REASON_PENDING: _ClassVar[RefusalReason]

class Purpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PURPOSE_UNSPECIFIED: _ClassVar[Purpose]
    PURPOSE_EVIDENCE: _ClassVar[Purpose]
    PURPOSE_POLICY: _ClassVar[Purpose]
    PURPOSE_REFERRAL: _ClassVar[Purpose]
LANE_UNSPECIFIED: Lane
LANE_TEXT: Lane
LANE_PICTURE: Lane
KIND_UNSPECIFIED: Kind
KIND_EVENT: Kind
KIND_REPEAT: Kind
KIND_PICTURE: Kind
KIND_TOMBSTONE: Kind
SOURCE_UNSPECIFIED: Source
SOURCE_TYPED: Source
SOURCE_TITLE: Source
SOURCE_FILE_NAME: Source
SOURCE_ADDRESS: Source
SOURCE_REPORT: Source
SOURCE_CANARY: Source
SEVERITY_UNSPECIFIED: Severity
SEVERITY_LOW: Severity
SEVERITY_MEDIUM: Severity
SEVERITY_HIGH: Severity
SEVERITY_CRITICAL: Severity
ACCOUNT_KIND_UNSPECIFIED: AccountKind
ACCOUNT_KIND_PERSON: AccountKind
ACCOUNT_KIND_SHARED: AccountKind
PICTURE_STATE_UNSPECIFIED: PictureState
PICTURE_STATE_FOLLOWS: PictureState
PICTURE_STATE_BY_POLICY: PictureState
PICTURE_STATE_FAILED: PictureState
PART_KIND_UNSPECIFIED: PartKind
PART_KIND_DETAILS: PartKind
PART_KIND_PICTURE: PartKind
TOMBSTONE_REASON_UNSPECIFIED: TombstoneReason
TOMBSTONE_REASON_SHED: TombstoneReason
TOMBSTONE_REASON_DAMAGED: TombstoneReason
TOMBSTONE_REASON_MISSING: TombstoneReason
TOMBSTONE_REASON_FAILED: TombstoneReason
GAP_REASON_UNSPECIFIED: GapReason
GAP_REASON_AGENT_STOPPED: GapReason
GAP_REASON_HOOK_DEAD: GapReason
GAP_REASON_NO_DISPLAY: GapReason
GAP_REASON_WAYLAND: GapReason
GAP_REASON_NO_PERMISSION: GapReason
GAP_REASON_SPOOL_FULL: GapReason
GAP_REASON_CLOCK_JUMPED: GapReason
GAP_REASON_SESSION_MISSING: GapReason
GAP_REASON_RATE_LIMITED: GapReason
REFUSAL_REASON_UNSPECIFIED: RefusalReason
REFUSAL_REASON_NOT_HELLO: RefusalReason
REFUSAL_REASON_MALFORMED: RefusalReason
REFUSAL_REASON_TOO_LARGE: RefusalReason
REFUSAL_REASON_WRONG_DEVICE: RefusalReason
REFUSAL_REASON_WRONG_SCHOOL: RefusalReason
REFUSAL_REASON_BAD_SIGNATURE: RefusalReason
REFUSAL_REASON_BAD_DIGEST: RefusalReason
REFUSAL_REASON_UNKNOWN_KEY: RefusalReason
REFUSAL_REASON_GAP: RefusalReason
REFUSAL_REASON_FORK: RefusalReason
REFUSAL_REASON_DENIED: RefusalReason
REFUSAL_REASON_SUPERSEDED: RefusalReason
REFUSAL_REASON_RATE: RefusalReason
REFUSAL_REASON_UNAVAILABLE: RefusalReason
REFUSAL_REASON_PENDING: RefusalReason
PURPOSE_UNSPECIFIED: Purpose
PURPOSE_EVIDENCE: Purpose
PURPOSE_POLICY: Purpose
PURPOSE_REFERRAL: Purpose

class AgentMessage(_message.Message):
    __slots__ = ("hello", "envelope", "picture", "heartbeat", "renewal")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    RENEWAL_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    envelope: Envelope
    picture: Envelope
    heartbeat: Heartbeat
    renewal: RenewalRequest
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., envelope: _Optional[_Union[Envelope, _Mapping]] = ..., picture: _Optional[_Union[Envelope, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., renewal: _Optional[_Union[RenewalRequest, _Mapping]] = ...) -> None: ...

class CollectorMessage(_message.Message):
    __slots__ = ("welcome", "receipt", "policy", "renewal", "refusal")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    RENEWAL_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    receipt: Receipt
    policy: SignedPolicy
    renewal: Renewal
    refusal: Refusal
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ..., policy: _Optional[_Union[SignedPolicy, _Mapping]] = ..., renewal: _Optional[_Union[Renewal, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class LaneHead(_message.Message):
    __slots__ = ("lane", "epoch", "sequence", "hash")
    LANE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    lane: Lane
    epoch: bytes
    sequence: int
    hash: bytes
    def __init__(self, lane: _Optional[_Union[Lane, str]] = ..., epoch: _Optional[bytes] = ..., sequence: _Optional[int] = ..., hash: _Optional[bytes] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("agent_version", "policy_version", "written", "receipted", "sent_at")
    AGENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    RECEIPTED_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    agent_version: str
    policy_version: int
    written: _containers.RepeatedCompositeFieldContainer[LaneHead]
    receipted: _containers.RepeatedCompositeFieldContainer[LaneHead]
    sent_at: int
    def __init__(self, agent_version: _Optional[str] = ..., policy_version: _Optional[int] = ..., written: _Optional[_Iterable[_Union[LaneHead, _Mapping]]] = ..., receipted: _Optional[_Iterable[_Union[LaneHead, _Mapping]]] = ..., sent_at: _Optional[int] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("received_at", "stored", "policy_version", "collector_version")
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    COLLECTOR_VERSION_FIELD_NUMBER: _ClassVar[int]
    received_at: int
    stored: _containers.RepeatedCompositeFieldContainer[LaneHead]
    policy_version: int
    collector_version: str
    def __init__(self, received_at: _Optional[int] = ..., stored: _Optional[_Iterable[_Union[LaneHead, _Mapping]]] = ..., policy_version: _Optional[int] = ..., collector_version: _Optional[str] = ...) -> None: ...

class Part(_message.Message):
    __slots__ = ("kind", "key_id", "sealed_digest", "plain_digest", "size")
    KIND_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SEALED_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PLAIN_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    kind: PartKind
    key_id: bytes
    sealed_digest: bytes
    plain_digest: bytes
    size: int
    def __init__(self, kind: _Optional[_Union[PartKind, str]] = ..., key_id: _Optional[bytes] = ..., sealed_digest: _Optional[bytes] = ..., plain_digest: _Optional[bytes] = ..., size: _Optional[int] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("source", "category", "severity", "score", "reasons", "term_id", "pack", "pack_version")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    TERM_ID_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    PACK_VERSION_FIELD_NUMBER: _ClassVar[int]
    source: Source
    category: str
    severity: Severity
    score: int
    reasons: _containers.RepeatedScalarFieldContainer[str]
    term_id: str
    pack: str
    pack_version: int
    def __init__(self, source: _Optional[_Union[Source, str]] = ..., category: _Optional[str] = ..., severity: _Optional[_Union[Severity, str]] = ..., score: _Optional[int] = ..., reasons: _Optional[_Iterable[str]] = ..., term_id: _Optional[str] = ..., pack: _Optional[str] = ..., pack_version: _Optional[int] = ...) -> None: ...

class Tombstone(_message.Message):
    __slots__ = ("reason", "lost_hash")
    REASON_FIELD_NUMBER: _ClassVar[int]
    LOST_HASH_FIELD_NUMBER: _ClassVar[int]
    reason: TombstoneReason
    lost_hash: bytes
    def __init__(self, reason: _Optional[_Union[TombstoneReason, str]] = ..., lost_hash: _Optional[bytes] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("schema", "school", "device", "lane", "epoch", "sequence", "previous", "kind", "event", "matched_at", "clock_offset", "account_kind", "account_digest", "finding", "picture", "part", "repeats", "tombstone", "policy_version")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    SCHOOL_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    MATCHED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOCK_OFFSET_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_KIND_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    TOMBSTONE_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    schema: int
    school: str
    device: str
    lane: Lane
    epoch: bytes
    sequence: int
    previous: bytes
    kind: Kind
    event: bytes
    matched_at: int
    clock_offset: int
    account_kind: AccountKind
    account_digest: bytes
    finding: Finding
    picture: PictureState
    part: Part
    repeats: int
    tombstone: Tombstone
    policy_version: int
    def __init__(self, schema: _Optional[int] = ..., school: _Optional[str] = ..., device: _Optional[str] = ..., lane: _Optional[_Union[Lane, str]] = ..., epoch: _Optional[bytes] = ..., sequence: _Optional[int] = ..., previous: _Optional[bytes] = ..., kind: _Optional[_Union[Kind, str]] = ..., event: _Optional[bytes] = ..., matched_at: _Optional[int] = ..., clock_offset: _Optional[int] = ..., account_kind: _Optional[_Union[AccountKind, str]] = ..., account_digest: _Optional[bytes] = ..., finding: _Optional[_Union[Finding, _Mapping]] = ..., picture: _Optional[_Union[PictureState, str]] = ..., part: _Optional[_Union[Part, _Mapping]] = ..., repeats: _Optional[int] = ..., tombstone: _Optional[_Union[Tombstone, _Mapping]] = ..., policy_version: _Optional[int] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("header", "signature", "sealed", "account", "account_salt")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SALT_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    signature: bytes
    sealed: bytes
    account: str
    account_salt: bytes
    def __init__(self, header: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., sealed: _Optional[bytes] = ..., account: _Optional[str] = ..., account_salt: _Optional[bytes] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("head", "heartbeat")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    head: LaneHead
    heartbeat: int
    def __init__(self, head: _Optional[_Union[LaneHead, _Mapping]] = ..., heartbeat: _Optional[int] = ...) -> None: ...

class Gap(_message.Message):
    __slots__ = ("reason", "started_at", "ended_at", "dropped")
    REASON_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    reason: GapReason
    started_at: int
    ended_at: int
    dropped: int
    def __init__(self, reason: _Optional[_Union[GapReason, str]] = ..., started_at: _Optional[int] = ..., ended_at: _Optional[int] = ..., dropped: _Optional[int] = ...) -> None: ...

class SignedIn(_message.Message):
    __slots__ = ("account", "account_salt", "kind", "hook_alive", "blind")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SALT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    HOOK_ALIVE_FIELD_NUMBER: _ClassVar[int]
    BLIND_FIELD_NUMBER: _ClassVar[int]
    account: str
    account_salt: bytes
    kind: AccountKind
    hook_alive: bool
    blind: GapReason
    def __init__(self, account: _Optional[str] = ..., account_salt: _Optional[bytes] = ..., kind: _Optional[_Union[AccountKind, str]] = ..., hook_alive: _Optional[bool] = ..., blind: _Optional[_Union[GapReason, str]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("number", "sent_at", "sessions", "gaps", "spool_records", "spool_bytes", "policy_version", "policy_problem", "clock_offset", "written", "agent_version", "quarantined")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    SPOOL_RECORDS_FIELD_NUMBER: _ClassVar[int]
    SPOOL_BYTES_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    POLICY_PROBLEM_FIELD_NUMBER: _ClassVar[int]
    CLOCK_OFFSET_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    AGENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    number: int
    sent_at: int
    sessions: _containers.RepeatedCompositeFieldContainer[SignedIn]
    gaps: _containers.RepeatedCompositeFieldContainer[Gap]
    spool_records: int
    spool_bytes: int
    policy_version: int
    policy_problem: str
    clock_offset: int
    written: _containers.RepeatedCompositeFieldContainer[LaneHead]
    agent_version: str
    quarantined: int
    def __init__(self, number: _Optional[int] = ..., sent_at: _Optional[int] = ..., sessions: _Optional[_Iterable[_Union[SignedIn, _Mapping]]] = ..., gaps: _Optional[_Iterable[_Union[Gap, _Mapping]]] = ..., spool_records: _Optional[int] = ..., spool_bytes: _Optional[int] = ..., policy_version: _Optional[int] = ..., policy_problem: _Optional[str] = ..., clock_offset: _Optional[int] = ..., written: _Optional[_Iterable[_Union[LaneHead, _Mapping]]] = ..., agent_version: _Optional[str] = ..., quarantined: _Optional[int] = ...) -> None: ...

class RenewalRequest(_message.Message):
    __slots__ = ("csr",)
    CSR_FIELD_NUMBER: _ClassVar[int]
    csr: bytes
    def __init__(self, csr: _Optional[bytes] = ...) -> None: ...

class Renewal(_message.Message):
    __slots__ = ("chain",)
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    chain: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, chain: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("reason", "words", "expected", "retry_after_ms", "lane", "sequence")
    REASON_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    reason: RefusalReason
    words: str
    expected: LaneHead
    retry_after_ms: int
    lane: Lane
    sequence: int
    def __init__(self, reason: _Optional[_Union[RefusalReason, str]] = ..., words: _Optional[str] = ..., expected: _Optional[_Union[LaneHead, _Mapping]] = ..., retry_after_ms: _Optional[int] = ..., lane: _Optional[_Union[Lane, str]] = ..., sequence: _Optional[int] = ...) -> None: ...

class KeyStatement(_message.Message):
    __slots__ = ("schema", "school", "purpose", "public_key", "epoch", "not_before", "not_after")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    SCHOOL_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    schema: int
    school: str
    purpose: Purpose
    public_key: bytes
    epoch: int
    not_before: int
    not_after: int
    def __init__(self, schema: _Optional[int] = ..., school: _Optional[str] = ..., purpose: _Optional[_Union[Purpose, str]] = ..., public_key: _Optional[bytes] = ..., epoch: _Optional[int] = ..., not_before: _Optional[int] = ..., not_after: _Optional[int] = ...) -> None: ...

class SignedKey(_message.Message):
    __slots__ = ("statement", "signature")
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    statement: bytes
    signature: bytes
    def __init__(self, statement: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class PackText(_message.Message):
    __slots__ = ("name", "version", "deflated")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DEFLATED_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    deflated: bytes
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., deflated: _Optional[bytes] = ...) -> None: ...

class EvidenceRules(_message.Message):
    __slots__ = ("no_picture", "all_monitors", "never_places", "excluded_applications", "shared_accounts", "picture_max_bytes", "held_applications", "patterns")
    NO_PICTURE_FIELD_NUMBER: _ClassVar[int]
    ALL_MONITORS_FIELD_NUMBER: _ClassVar[int]
    NEVER_PLACES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_APPLICATIONS_FIELD_NUMBER: _ClassVar[int]
    SHARED_ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    PICTURE_MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    HELD_APPLICATIONS_FIELD_NUMBER: _ClassVar[int]
    PATTERNS_FIELD_NUMBER: _ClassVar[int]
    no_picture: _containers.RepeatedScalarFieldContainer[str]
    all_monitors: _containers.RepeatedScalarFieldContainer[str]
    never_places: _containers.RepeatedScalarFieldContainer[str]
    excluded_applications: _containers.RepeatedScalarFieldContainer[str]
    shared_accounts: _containers.RepeatedScalarFieldContainer[str]
    picture_max_bytes: int
    held_applications: _containers.RepeatedScalarFieldContainer[str]
    patterns: bool
    def __init__(self, no_picture: _Optional[_Iterable[str]] = ..., all_monitors: _Optional[_Iterable[str]] = ..., never_places: _Optional[_Iterable[str]] = ..., excluded_applications: _Optional[_Iterable[str]] = ..., shared_accounts: _Optional[_Iterable[str]] = ..., picture_max_bytes: _Optional[int] = ..., held_applications: _Optional[_Iterable[str]] = ..., patterns: _Optional[bool] = ...) -> None: ...

class Policy(_message.Message):
    __slots__ = ("schema", "school", "version", "issued_at", "expires_at", "packs", "evidence", "keys")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    SCHOOL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    PACKS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    schema: int
    school: str
    version: int
    issued_at: int
    expires_at: int
    packs: _containers.RepeatedCompositeFieldContainer[PackText]
    evidence: EvidenceRules
    keys: _containers.RepeatedCompositeFieldContainer[SignedKey]
    def __init__(self, schema: _Optional[int] = ..., school: _Optional[str] = ..., version: _Optional[int] = ..., issued_at: _Optional[int] = ..., expires_at: _Optional[int] = ..., packs: _Optional[_Iterable[_Union[PackText, _Mapping]]] = ..., evidence: _Optional[_Union[EvidenceRules, _Mapping]] = ..., keys: _Optional[_Iterable[_Union[SignedKey, _Mapping]]] = ...) -> None: ...

class SignedPolicy(_message.Message):
    __slots__ = ("policy", "signature", "signer")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    policy: bytes
    signature: bytes
    signer: SignedKey
    def __init__(self, policy: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., signer: _Optional[_Union[SignedKey, _Mapping]] = ...) -> None: ...
