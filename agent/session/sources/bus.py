"""A connection to a D-Bus daemon for one thread that waits for signals. Over jeepney."""

import contextlib
import os
import select
import socket
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

WITHIN = 0.25
"""Seconds that an application has to answer."""
_MOST_WAITING = 1000


class BusError(Exception):
    """The bus cannot be reached, or a call was refused or not answered in time."""


class Signal:
    """A signal as it came: who sent it, which object speaks, and what it says."""

    __slots__ = ("body", "member", "path", "sender")

    def __init__(self, message: Any) -> None:
        from jeepney import HeaderFields  # noqa: PLC0415 - late

        fields = message.header.fields
        self.sender: str = fields.get(HeaderFields.sender, "")
        self.path: str = fields.get(HeaderFields.path, "")
        self.member: str = fields.get(HeaderFields.member, "")
        self.body: tuple[Any, ...] = message.body


class Bus:
    """One connection. `address` is SESSION, SYSTEM or a D-Bus address.

    Raises:
        BusError: nobody answers there.
    """

    def __init__(self, address: str) -> None:
        from jeepney import MatchRule  # noqa: PLC0415 - late
        from jeepney.io.blocking import (  # noqa: PLC0415 - late
            open_dbus_connection,
        )

        try:
            self._connection = open_dbus_connection(bus=address)
        except (OSError, KeyError, RuntimeError, ValueError, StopIteration) as error:
            raise BusError(f"no D-Bus at {address}") from error
        self._waiting: deque[Any] = deque(maxlen=_MOST_WAITING)
        self._filter = self._connection.filter(MatchRule(type="signal"), queue=self._waiting)

    def call(
        self,
        target: tuple[str, str],
        method: str,
        signature: str = "",
        body: tuple[Any, ...] = (),
        *,
        timeout: float = WITHIN,
    ) -> tuple[Any, ...]:
        """Call `interface.Method` of (bus name, object path). Raises BusError."""
        from jeepney import DBusAddress, MessageType, new_method_call  # noqa: PLC0415 - late

        name, path = target
        interface, _, member = method.rpartition(".")
        message = new_method_call(
            DBusAddress(path, bus_name=name, interface=interface),
            member,
            signature or None,
            body,
        )
        try:
            reply = self._connection.send_and_get_reply(message, timeout=timeout)
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise BusError(f"{method}: no answer") from error
        if reply.header.message_type is not MessageType.method_return:
            raise BusError(f"{method}: refused")
        return tuple(reply.body)

    def subscribe(self, **rule: str) -> None:
        """Ask for signals. Raises BusError."""
        from jeepney import MatchRule  # noqa: PLC0415 - late

        self.call(
            ("org.freedesktop.DBus", "/org/freedesktop/DBus"),
            "org.freedesktop.DBus.AddMatch",
            "s",
            (MatchRule(type="signal", **rule).serialise(),),
            timeout=2,
        )

    def fileno(self) -> int:
        """For `select`."""
        return int(self._connection.sock.fileno())

    def signals(self) -> Iterator[Signal]:
        """What has come up to now, without waiting. Raises BusError when the bus ends."""
        while True:
            while self._waiting:
                yield Signal(self._waiting.popleft())
            try:
                self._connection.recv_messages(timeout=0)
            except TimeoutError:
                if not self._waiting:
                    return
            except (OSError, ValueError) as error:
                raise BusError("the bus ended") from error

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._connection.close()


class Wake:
    """Lets other threads wake one that waits on buses."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._write.setblocking(False)  # noqa: FBT003 - socket's own signature
        self._read.setblocking(False)  # noqa: FBT003 - socket's own signature
        self.ended = threading.Event()

    def ring(self) -> None:
        """Wake the thread."""
        with contextlib.suppress(OSError):
            self._write.send(b"\0")

    def end(self) -> None:
        """Tell the thread to end, and wake it."""
        self.ended.set()
        self.ring()

    def wait(self, *buses: Bus, timeout: float | None = None) -> None:
        """Wait until a bus has something, somebody rings, or the time is over."""
        select.select([self._read.fileno(), *(bus.fileno() for bus in buses)], [], [], timeout)
        with contextlib.suppress(BlockingIOError):
            self._read.recv(4096)

    def close(self) -> None:
        """Close both ends. For the thread that waited, at its end."""
        self._read.close()
        self._write.close()


def has_session_bus() -> bool:
    """Whether this session has a bus of its own."""
    return bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS"))
