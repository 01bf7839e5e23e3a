"""What was said to the service and is not yet durable there. Pure, bounded, memory only.

A finding is kept until the service says that it is in the spool; after a lost
connection all that is kept is said again, in order (the service knows an event by
its id, and takes it once). When there is no more room the oldest repeats go first,
then pictures, then findings; each loss is counted.
"""

from collections import OrderedDict
from dataclasses import dataclass

from wire.event import Kind
from wire.local import Again, Found, NoShot, Shot

MOST_MESSAGES = 200
MOST_SHOTS = 2
NO_ROOM = "the service was not reachable, and there was no room to keep the picture"

Keepable = Found | Again | Shot | NoShot

_KIND: dict[type[Keepable], Kind] = {
    Found: Kind.EVENT,
    Again: Kind.REPEAT,
    Shot: Kind.PICTURE,
    NoShot: Kind.PICTURE,
}
_GIVEN_UP_FIRST = (Again, Shot, NoShot, Found)


@dataclass(frozen=True, slots=True)
class _Slot:
    event: bytes
    kind: Kind


class Outbox:
    """Messages in the order in which they were said."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Slot, Keepable] = OrderedDict()
        self.dropped = 0
        """Messages given up for want of room."""

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, message: Keepable) -> Keepable:
        """Keep a message until it is taken; returns what to send in its place."""
        if isinstance(message, Shot) and self._shots() >= MOST_SHOTS:
            self.dropped += 1
            message = NoShot(event=message.event, why=NO_ROOM)
        self._kept[_Slot(message.event, _KIND[type(message)])] = message
        while len(self._kept) > MOST_MESSAGES:
            self._give_up_one()
        return message

    def taken(self, event: bytes, kind: Kind) -> None:
        """That is durable in the spool. A tombstone stands for a picture that was not made."""
        if kind is Kind.TOMBSTONE:
            kind = Kind.PICTURE
        self._kept.pop(_Slot(event, kind), None)

    def refused(self, event: bytes) -> None:
        """The service will never take what this event still has here."""
        for slot in [slot for slot in self._kept if slot.event == event]:
            del self._kept[slot]
            self.dropped += 1

    def waiting(self) -> list[Keepable]:
        """All that is not yet durable, oldest first."""
        return list(self._kept.values())

    def of(self, event: bytes) -> list[Keepable]:
        """What this event still has here."""
        return [message for slot, message in self._kept.items() if slot.event == event]

    def _shots(self) -> int:
        return sum(isinstance(message, Shot) for message in self._kept.values())

    def _give_up_one(self) -> None:
        self.dropped += 1
        for kind in _GIVEN_UP_FIRST:
            for slot, message in self._kept.items():
                if isinstance(message, kind):
                    del self._kept[slot]
                    return
