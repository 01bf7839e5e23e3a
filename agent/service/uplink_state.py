"""The uplink without a network: what happened goes in, what to do comes out.

    phase      what happens     then
    RESTING    Due              dial, and go to GREETING
    GREETING   Greeted          agree on the lanes, beat, and go to FLOWING
    GREETING   Refused          by its reason
    FLOWING    Steady           the collector works: the next rest is short again
    FLOWING    Receipted        forget, and send on; new epoch and hang up if it is not ours
    FLOWING    Refused          by its reason: go back, wait, hang up, or new epoch and hang up
    any        Lost             hang up, and go to RESTING for a while with full jitter

A new epoch in a stream that flows ends the stream: what is still on its way there
speaks of the old one, and every answer to it would be taken for one to the new.

`step` is pure; the table at the end says which function answers which happening in
which phase. What stands in no row is ignored, since a stream that was given up may
still speak.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from wire.event import Lane, LaneHead, Refusal, RefusalReason

FIRST_REST, LONGEST_REST = 1.0, 60.0
DENIED_REST = 600.0
PENDING_REST = 15.0
SUPERSEDED_REST = 120.0
"""Two PCs with one identity push each other out: not each second, and not in step."""
SHORT_WAIT = 1.0
WINDOW: Mapping[Lane, int] = MappingProxyType({Lane.TEXT: 256, Lane.PICTURE: 1})
"""How many records may be on their way without a receipt."""
MOST_REFUSALS = 3
NEVER = frozenset({RefusalReason.WRONG_DEVICE, RefusalReason.WRONG_SCHOOL})
"""What no further try mends: a spool of this PC's earlier identity."""


class Phase(StrEnum):
    """Where the uplink is."""

    RESTING = "resting"
    GREETING = "greeting"
    FLOWING = "flowing"


class Standing(StrEnum):
    """How the collector's head of a lane compares with ours."""

    SAME = "the collector's head is one of ours"
    NEW = "the lane is new: the collector has none of it"
    STRANGE = "the collector's head is not ours"


@dataclass(frozen=True, slots=True)
class Compared:
    """One lane at the welcome."""

    standing: Standing
    stored: LaneHead | None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """The rest is over."""


@dataclass(frozen=True, slots=True)
class Greeted:
    """The collector answered the hello."""

    lanes: Mapping[Lane, Compared]


@dataclass(frozen=True, slots=True)
class Receipted:
    """The collector has everything up to this head. `is_ours`: the spool knows it."""

    head: LaneHead
    is_ours: bool
    jitter: float = 0.5


@dataclass(frozen=True, slots=True)
class Steady:
    """The collector took a record or a heartbeat: it does not only greet."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The collector did not take something. `is_ours`: the spool knows what it expects."""

    refusal: Refusal
    is_ours: bool
    jitter: float


@dataclass(frozen=True, slots=True)
class Sent:
    """A record has gone out."""

    lane: Lane
    sequence: int


@dataclass(frozen=True, slots=True)
class Unsendable:
    """A record of ours breaks the format: no collector will ever take it."""

    lane: Lane
    sequence: int
    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The stream ended, or was never made. `jitter`: 0 to 1, random."""

    words: str
    jitter: float
    is_denied: bool = False


Happening = Due | Greeted | Steady | Receipted | Refused | Sent | Unsendable | Lost


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect and say hello."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop what is receipted from the spool."""

    head: LaneHead


@dataclass(frozen=True, slots=True)
class Renumber:
    """Open a new epoch."""

    lane: Lane
    why: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Quarantine a record that the collector refuses again and again."""

    lane: Lane
    sequence: int
    why: str


@dataclass(frozen=True, slots=True)
class Beat:
    """Send a heartbeat now."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the stream."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Do nothing for so many seconds, then say Due."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Send no records for so many seconds; the stream stays."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Tell:
    """Say in log and status how it stands."""

    words: str


Action = Dial | Forget | Renumber | GiveUp | Beat | HangUp | Rest | Hold | Tell


def _none_yet() -> Mapping[Lane, int]:
    return MappingProxyType(dict.fromkeys(Lane, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that the uplink remembers; the spool remembers the records."""

    phase: Phase = Phase.RESTING
    failures: int = 0
    sent: Mapping[Lane, int] = field(default_factory=_none_yet)
    receipted: Mapping[Lane, int] = field(default_factory=_none_yet)
    refused: tuple[Lane, int, int] | None = None
    """The record last refused for itself, and how often in a row."""

    def room(self, lane: Lane) -> int:
        """How many records of the lane may be sent now. Text goes first."""
        if self.phase is not Phase.FLOWING:
            return 0
        return max(0, WINDOW[lane] - (self.sent[lane] - self.receipted[lane]))


Step = tuple[State, tuple[Action, ...]]


def compare(
    stored: LaneHead | None, *, written: LaneHead, receipted: LaneHead, is_ours: bool
) -> Compared:
    """Judge the collector's head of a lane against the spool's.

    Nothing rolls back unseen: a spool from another day, another PC's, or a collector
    restored from a copy all show here.
    """
    if stored is not None and is_ours and stored.sequence >= receipted.sequence:
        return Compared(Standing.SAME, stored)
    if receipted.sequence == 0 and (stored is None or stored.epoch != written.epoch):
        return Compared(Standing.NEW, stored)
    has = "nothing" if stored is None else f"number {stored.sequence}"
    if stored is not None and stored.epoch != written.epoch:
        has += " of another epoch"
    words = (
        f"{written.lane.name.lower()} lane: the collector has {has}, this PC holds a receipt "
        f"for {receipted.sequence} and has written {written.sequence}: a new epoch begins"
    )
    return Compared(Standing.STRANGE, stored, words)


def step(state: State, happened: Happening) -> Step:
    """What follows from what happened."""
    answer = TABLE.get((state.phase, type(happened)))
    return (state, ()) if answer is None else answer(state, happened)


def _dial(state: State, _: Due) -> Step:
    return replace(state, phase=Phase.GREETING), (Dial(),)


def _greet(state: State, greeted: Greeted) -> Step:
    actions: list[Action] = []
    at: dict[Lane, int] = {}
    for lane, compared in greeted.lanes.items():
        at[lane] = 0
        if compared.standing is Standing.STRANGE:
            actions += [Renumber(lane, compared.words), Tell(compared.words)]
        elif compared.standing is Standing.SAME and compared.stored is not None:
            at[lane] = compared.stored.sequence
            actions.append(Forget(compared.stored))
    now = replace(
        state,
        phase=Phase.FLOWING,
        sent=MappingProxyType(at),
        receipted=MappingProxyType(dict(at)),
    )
    return now, (*actions, Beat())


def _steady(state: State, _: Steady) -> Step:
    return replace(state, failures=0), ()


def _sent(state: State, sent: Sent) -> Step:
    return replace(state, sent=_set(state.sent, sent.lane, sent.sequence)), ()


def _unsendable(state: State, poison: Unsendable) -> Step:
    return state, (GiveUp(poison.lane, poison.sequence, poison.why), Tell(poison.why))


def _receipted(state: State, receipt: Receipted) -> Step:
    lane, sequence = receipt.head.lane, receipt.head.sequence
    if not receipt.is_ours:
        words = (
            f"{lane.name.lower()} lane: a receipt for a record that is not ours (number {sequence})"
        )
        return _anew(state, lane, words, receipt.jitter)
    if sequence <= state.receipted[lane]:
        return state, ()
    now = replace(
        state,
        receipted=_set(state.receipted, lane, sequence),
        sent=_set(state.sent, lane, max(sequence, state.sent[lane])),
    )
    if state.refused and state.refused[0] is lane and state.refused[1] <= sequence:
        now = replace(now, refused=None)
    return now, (Forget(receipt.head),)


def _anew(state: State, lane: Lane, words: str, jitter: float) -> Step:
    resting, actions = _lost(state, Lost(words, jitter))
    return resting, (Renumber(lane, words), *actions)


def _refused(state: State, refused: Refused) -> Step:
    refusal = refused.refusal
    words = f"refused ({refusal.reason.name.lower()}): {refusal.words}"
    answer = _BY_REASON.get(refusal.reason)
    if answer is not None:
        return answer(state, refused, words)
    return _of_record(state, refused, words)


def _gap(state: State, refused: Refused, words: str) -> Step:
    expected = refused.refusal.expected
    if expected is None:
        return _lost(state, Lost(words, refused.jitter))
    if not refused.is_ours:
        return _anew(state, expected.lane, words, refused.jitter)
    if expected.sequence < state.receipted[expected.lane]:
        return _anew(state, expected.lane, words, refused.jitter)
    return replace(state, sent=_set(state.sent, expected.lane, expected.sequence)), (Tell(words),)


def _fork(state: State, refused: Refused, words: str) -> Step:
    expected, lane = refused.refusal.expected, refused.refusal.lane
    lane = expected.lane if expected is not None else lane
    return (
        _lost(state, Lost(words, refused.jitter))
        if lane is None
        else _anew(state, lane, words, refused.jitter)
    )


def _denied(state: State, refused: Refused, words: str) -> Step:
    return _lost(state, Lost(words, refused.jitter, is_denied=True))


def _hold(state: State, refused: Refused, words: str) -> Step:
    """What was refused is sent again after a while."""
    wait = max(refused.refusal.retry_after_ms / 1000, SHORT_WAIT)
    if state.phase is Phase.GREETING:
        return _rest(state, words, wait)
    return replace(state, sent=state.receipted), (Hold(wait), Tell(words))


def _pending(state: State, refused: Refused, words: str) -> Step:
    return _rest(state, words, max(refused.refusal.retry_after_ms / 1000, PENDING_REST))


def _superseded(state: State, refused: Refused, words: str) -> Step:
    return _rest(state, words, SUPERSEDED_REST * (0.5 + refused.jitter / 2))


def _of_record(state: State, refused: Refused, words: str) -> Step:
    """One record is refused for itself: try it in further streams, then give it up."""
    lane, sequence = refused.refusal.lane, refused.refusal.sequence
    if lane is None or sequence == 0:
        return _lost(state, Lost(words, refused.jitter))
    times = 1
    if state.refused and state.refused[:2] == (lane, sequence):
        times = state.refused[2] + 1
    if times < MOST_REFUSALS and refused.refusal.reason not in NEVER:
        now = replace(state, refused=(lane, sequence, times))
        return _lost(now, Lost(words, refused.jitter))
    now = replace(
        state, refused=None, sent=_set(state.sent, lane, min(sequence - 1, state.sent[lane]))
    )
    why = f"the collector refused it {times} times ({refused.refusal.reason.name.lower()})"
    return now, (GiveUp(lane, sequence, why), Tell(words))


def _lost(state: State, lost: Lost) -> Step:
    longest = min(LONGEST_REST, FIRST_REST * 2.0 ** min(state.failures, 10))
    wait = DENIED_REST * (0.5 + lost.jitter / 2) if lost.is_denied else longest * lost.jitter
    return _rest(state, lost.words, wait)


def _rest(state: State, words: str, seconds: float) -> Step:
    now = replace(state, phase=Phase.RESTING, failures=state.failures + 1)
    return now, (HangUp(), Tell(words), Rest(seconds))


def _set(numbers: Mapping[Lane, int], lane: Lane, number: int) -> Mapping[Lane, int]:
    return MappingProxyType({**numbers, lane: number})


_BY_REASON: Mapping[RefusalReason, Callable[[State, Refused, str], Step]] = MappingProxyType(
    {
        RefusalReason.GAP: _gap,
        RefusalReason.FORK: _fork,
        RefusalReason.DENIED: _denied,
        RefusalReason.SUPERSEDED: _superseded,
        RefusalReason.RATE: _hold,
        RefusalReason.UNAVAILABLE: _hold,
        RefusalReason.PENDING: _pending,
    }
)

TABLE: Mapping[tuple[Phase, type[Happening]], Callable[..., Step]] = MappingProxyType(
    {
        (Phase.RESTING, Due): _dial,
        (Phase.GREETING, Greeted): _greet,
        (Phase.GREETING, Refused): _refused,
        (Phase.GREETING, Lost): _lost,
        (Phase.FLOWING, Sent): _sent,
        (Phase.FLOWING, Unsendable): _unsendable,
        (Phase.FLOWING, Steady): _steady,
        (Phase.FLOWING, Receipted): _receipted,
        (Phase.FLOWING, Refused): _refused,
        (Phase.FLOWING, Lost): _lost,
    }
)
