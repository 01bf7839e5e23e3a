"""The nouns of the local socket between a session process and its service."""

from dataclasses import dataclass

from wire.details import Details
from wire.event import EvidenceRules, Finding, GapReason, Kind, PackText, PictureState


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHello:
    """The first frame of a session."""

    version: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A graded match with what surrounds it; `details.who` stays empty."""

    event: bytes
    matched_at: int
    finding: Finding
    picture: PictureState
    details: Details


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The same term in the same window, `repeats` further times since the last word of it."""

    event: bytes
    finding: Finding
    repeats: int
    last_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """The screenshot that an event promised. `of` is "window" or "all monitors"."""

    event: bytes
    webp: bytes
    width: int
    height: int
    taken_at: int
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoShot:
    """The promised screenshot could not be made."""

    event: bytes
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The hook's health, each 10 s and at each change; `blind` says why nothing is watched.

    `book_refused` says why the book of the settings is not used: the packs are sent then.
    """

    hook_alive: bool
    blind: GapReason | None
    since: int
    dropped: int = 0
    book_refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryAsk:
    """Send a harmless event of this id through the whole chain."""

    event: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAsk:
    """Ask for what `redshank-agent status --json` prints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the session needs of the policy in force: the packs, or the path of their book."""

    policy_version: int
    packs: tuple[PackText, ...]
    evidence: EvidenceRules
    book: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """That record of the event is durable in the spool."""

    event: bytes
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """That record was not taken: why, and how long to wait (0: do not send it again)."""

    event: bytes
    words: str
    retry_after_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReply:
    """The service's state as JSON."""

    json: str


FromSession = SessionHello | Found | Again | Shot | NoShot | Watch | CanaryAsk | StatusAsk
ToSession = Settings | Taken | Rejected | StatusReply
