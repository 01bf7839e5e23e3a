"""Send a harmless event through the whole chain, and wait for each link to say so."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent.local import Channel, LocalError
from wire import ids
from wire.clock import Clock
from wire.local import CanaryAsk, Rejected, StatusAsk, StatusReply, Taken


class CanaryError(Exception):
    """The chain is broken; the words say where."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link that held."""

    words: str
    seconds: float


def sing(channel: Channel, clock: Clock, patience: float = 60.0) -> Iterator[Link]:
    """Give each link as it holds.

    Raises:
        CanaryError: a link is broken, or took longer than `patience` seconds.
    """
    start = clock.monotonic()
    event = ids.new_event(clock)
    try:
        channel.send(CanaryAsk(event=event))
        answer = channel.receive(patience)
        while not isinstance(answer, Taken | Rejected) and answer is not None:
            answer = channel.receive(patience)
        if answer is None:
            raise CanaryError("the service did not answer")
        if isinstance(answer, Rejected):
            raise CanaryError(f"the service did not take it: {answer.words}")
        yield Link(f"sealed, signed and durable in the spool ({ids.event_text(event)})",
                   clock.monotonic() - start)  # fmt: skip
        wanted = _heads(channel)["written"]
        yield Link(f"number {wanted['sequence']} of the text lane", clock.monotonic() - start)
        waited = 0.02
        while clock.monotonic() - start < patience:
            got = _heads(channel)["receipted"]
            if got["epoch"] == wanted["epoch"] and got["sequence"] >= wanted["sequence"]:
                yield Link(
                    "durable at the collector: the receipt is here", clock.monotonic() - start
                )
                return
            channel.receive(waited)
            waited = min(waited * 1.5, 1.0)
    except LocalError as error:
        raise CanaryError(f"the service has gone: {error}") from error
    raise CanaryError(
        f"no receipt within {patience:.0f} s: it stays in the spool, and is sent when the "
        "collector answers; `redshank-agent doctor` says what is wrong"
    )


def _heads(channel: Channel) -> dict[str, dict[str, Any]]:
    channel.send(StatusAsk())
    while True:
        answer = channel.receive(10.0)
        if isinstance(answer, StatusReply):
            try:
                lanes: dict[str, dict[str, dict[str, Any]]] = json.loads(answer.json)["lanes"]
                return lanes["text"]
            except (ValueError, KeyError, TypeError) as error:
                raise CanaryError("the service does not say how it stands") from error
        if answer is None:
            raise CanaryError("the service does not say how it stands")
        if isinstance(answer, Rejected):
            raise CanaryError(answer.words)
