"""The nouns that travel between a workstation and its collector.

A **header** is what a device says, signed, about one record of one **lane**; a
**part** ties sealed evidence to it; an **envelope** is the header as signed with
the sealed part beside it. All are frozen: they are passed on, never changed.
Times are microseconds since 1970 in UTC. `wire.codec` turns them into bytes.
"""

from dataclasses import dataclass
from enum import IntEnum

ZERO_HASH = bytes(32)


class Lane(IntEnum):
    """One of a device's two ordered streams."""

    TEXT = 1
    PICTURE = 2


class Kind(IntEnum):
    """What a record of a lane is."""

    EVENT = 1
    REPEAT = 2
    PICTURE = 3
    TOMBSTONE = 4


class Source(IntEnum):
    """Where a signal came from."""

    TYPED = 1
    TITLE = 2
    FILE_NAME = 3
    ADDRESS = 4
    REPORT = 5
    CANARY = 6


class Severity(IntEnum):
    """How serious a finding is."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class AccountKind(IntEnum):
    """Whether an account is one person's own."""

    PERSON = 1
    SHARED = 2


class PictureState(IntEnum):
    """What an event says about its screenshot."""

    FOLLOWS = 1
    BY_POLICY = 2
    FAILED = 3


class PartKind(IntEnum):
    """Which half of the evidence a sealed part is."""

    DETAILS = 1
    PICTURE = 2


class TombstoneReason(IntEnum):
    """Why a record's number is taken by a tombstone."""

    SHED = 1
    DAMAGED = 2
    MISSING = 3
    FAILED = 4


class Purpose(IntEnum):
    """What a key under the school's root is for."""

    EVIDENCE = 1
    POLICY = 2
    REFERRAL = 3


class GapReason(IntEnum):
    """Why a PC in use was not watched."""

    AGENT_STOPPED = 1
    HOOK_DEAD = 2
    NO_DISPLAY = 3
    WAYLAND = 4
    NO_PERMISSION = 5
    SPOOL_FULL = 6
    CLOCK_JUMPED = 7
    SESSION_MISSING = 8
    RATE_LIMITED = 9


class RefusalReason(IntEnum):
    """Why the collector does not take something. The device's log and `status` say it in words."""

    NOT_HELLO = 1
    MALFORMED = 2
    TOO_LARGE = 3
    WRONG_DEVICE = 4
    WRONG_SCHOOL = 5
    BAD_SIGNATURE = 6
    BAD_DIGEST = 7
    UNKNOWN_KEY = 8
    GAP = 9
    FORK = 10
    DENIED = 11
    SUPERSEDED = 12
    RATE = 13
    UNAVAILABLE = 14
    PENDING = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneHead:
    """Where a lane stands: its last record's number and hash (zeros before the first)."""

    lane: Lane
    epoch: bytes
    sequence: int
    hash: bytes = ZERO_HASH


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A record's place: its number in its lane, and the hash of the header before it."""

    lane: Lane
    epoch: bytes
    sequence: int
    previous: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What ties one sealed half of the evidence to the device's signature."""

    kind: PartKind
    key_id: bytes
    sealed_digest: bytes
    plain_digest: bytes
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What matched and how it was graded: no name, no typed word."""

    source: Source
    category: str
    severity: Severity
    score: int
    """Thousandths, 0 to 1000."""
    reasons: tuple[str, ...]
    term_id: str
    pack: str
    pack_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """Stands where a record should. `lost_hash` is the lost header's, where it is known."""

    reason: TombstoneReason
    lost_hash: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a device says and signs about one record."""

    school: str
    device: str
    position: Position
    kind: Kind
    event: bytes
    matched_at: int
    clock_offset: int
    account_kind: AccountKind
    account_digest: bytes
    policy_version: int
    finding: Finding | None = None
    picture: PictureState | None = None
    part: Part | None = None
    repeats: int = 0
    tombstone: Tombstone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A header as signed, and beside it what it speaks of."""

    header: bytes
    signature: bytes
    sealed: bytes = b""
    account: str = ""
    account_salt: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Time in which a PC was in use and not watched; `ended_at` 0 means that it goes on."""

    reason: GapReason
    started_at: int
    ended_at: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """One signed-in account of a PC, and whether it is watched."""

    account: str
    account_salt: bytes
    kind: AccountKind
    hook_alive: bool
    blind: GapReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The state of a PC, each 30 seconds. Gaps are repeated until receipted."""

    number: int
    sent_at: int
    sessions: tuple[SignedIn, ...] = ()
    gaps: tuple[Gap, ...] = ()
    spool_records: int = 0
    spool_bytes: int = 0
    policy_version: int = 0
    policy_problem: str = ""
    clock_offset: int = 0
    written: tuple[LaneHead, ...] = ()
    agent_version: str = ""
    quarantined: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first message of a stream."""

    agent_version: str
    policy_version: int
    sent_at: int
    written: tuple[LaneHead, ...] = ()
    receipted: tuple[LaneHead, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The answer to hello: what is durable at the collector."""

    received_at: int
    stored: tuple[LaneHead, ...]
    policy_version: int
    collector_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Everything of the lane up to and with `head` is durable (and of heartbeats, `heartbeat`)."""

    head: LaneHead | None = None
    heartbeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something was not taken: why, and what to do next."""

    reason: RefusalReason
    words: str
    expected: LaneHead | None = None
    retry_after_ms: int = 0
    lane: Lane | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalRequest:
    """A PKCS#10 request (DER) for the key that the device already has."""

    csr: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A renewed certificate with its issuer (DER), the device's own first."""

    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatement:
    """What the school's offline root says of a key."""

    school: str
    purpose: Purpose
    public_key: bytes
    epoch: int
    not_before: int
    not_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedKey:
    """A key statement's bytes as the root signed them."""

    statement: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PackText:
    """One pack as it travels in a policy."""

    name: str
    version: int
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRules:
    """What may be captured, and of what no picture is ever taken."""

    no_picture: tuple[str, ...] = ()
    all_monitors: tuple[str, ...] = ()
    never_places: tuple[str, ...] = ()
    excluded_applications: tuple[str, ...] = ()
    held_applications: tuple[str, ...] = ()
    shared_accounts: tuple[str, ...] = ()
    picture_max_bytes: int = 600_000
    patterns: bool = False
    """Whether a sentence may alert in which no listed word stands: a matter for the school's
    data protection impact assessment and its notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a school asks its agents to look for, and what they may keep."""

    school: str
    version: int
    issued_at: int
    expires_at: int
    packs: tuple[PackText, ...]
    evidence: EvidenceRules
    keys: tuple[SignedKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPolicy:
    """A policy's bytes as signed, and the key that signed them, under the root."""

    policy: bytes
    signature: bytes
    signer: SignedKey


AgentMessage = Hello | Envelope | Heartbeat | RenewalRequest
CollectorMessage = Welcome | Receipt | SignedPolicy | Renewal | Refusal
