"""HTTP that waits for nobody: a request has come whole within some seconds, or is cut off.

Without it a few thousand connections that never finish a request would keep every file
descriptor of the process, the agents' uplink and the database among them.
"""

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS: Final = 15.0


class Impatient(H11Protocol):
    """Uvicorn's own protocol, with a clock on the request; an answer may take as long as it will."""

    seconds = REQUEST_SECONDS
    _cut: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: the first request is awaited."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Start or stop the clock, by whether the request is whole."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._stop()
        elif self._cut is None:
            self._cut = self.loop.call_later(self.seconds, self._cut_off)

    def _stop(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None

    def _cut_off(self) -> None:
        self._cut = None
        if not self.transport.is_closing():
            self.transport.abort()
