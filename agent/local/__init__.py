"""The socket between a user's session and the agent's service, on one PC.

A **frame** is a four-byte big-endian length and that many bytes; a **message** is
one of `wire.local`'s dataclasses in one frame. A **channel** carries messages
both ways; a **listener** gives one channel per client, and with it the **peer**:
who the client is by the operating system's word, never by its own.

`connect` and `listen` choose the platform's implementation, here and nowhere else.
"""

import sys

from agent.local.interface import (
    MAX_FRAME,
    MAX_FRAME_DOWN,
    MOST_PICTURE,
    Channel,
    ChannelClosed,
    FrameRefused,
    Listener,
    LocalError,
    Peer,
    PeerChannel,
)

__all__ = [
    "MAX_FRAME",
    "MAX_FRAME_DOWN",
    "MOST_PICTURE",
    "Channel",
    "ChannelClosed",
    "FrameRefused",
    "Listener",
    "LocalError",
    "Peer",
    "PeerChannel",
    "connect",
    "listen",
]


def connect(path: str) -> Channel:
    """Connect a session (or a command) to the service that listens at `path`.

    Raises:
        LocalError: nobody listens there, or it may not be reached.
    """
    if sys.platform == "win32":
        from agent.local import win32  # noqa: PLC0415  # one platform's code is loaded

        return win32.connect(path)
    if sys.platform == "linux":
        from agent.local import unix  # noqa: PLC0415  # one platform's code is loaded

        return unix.connect(path)
    raise LocalError(f"there is no local socket for {sys.platform} yet")


def listen(path: str) -> Listener:
    """Listen at `path` for every account of this PC.

    Raises:
        LocalError: another service listens there, or the place may not be written.
    """
    if sys.platform == "win32":
        from agent.local import win32  # noqa: PLC0415  # one platform's code is loaded

        return win32.listen(path)
    if sys.platform == "linux":
        from agent.local import unix  # noqa: PLC0415  # one platform's code is loaded

        return unix.listen(path)
    raise LocalError(f"there is no local socket for {sys.platform} yet")
