"""Unix sockets on Linux: the client is known by SO_PEERCRED, which it cannot forge."""

import contextlib
import os
import select
import socket
import stat
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from agent.local.ends import ServiceEnd, SessionEnd
from agent.local.frames import Frames, frame
from agent.local.interface import (
    MAX_FRAME,
    MAX_FRAME_DOWN,
    ChannelClosed,
    LocalError,
    Peer,
    PeerChannel,
)

assert sys.platform == "linux"

_SEND_TIMEOUT = 5.0
_SHORT_OF = 0.1
_CREDENTIALS = struct.Struct("3i")
_NO_SESSION = "4294967295"


class _Stream:
    """One connected socket: whole frames in, whole frames out."""

    def __init__(self, sock: socket.socket, *, takes: int, gives: int) -> None:
        self._sock = sock
        self._gives = gives
        self._frames = Frames(limit=takes)
        self._ready: deque[bytes] = deque()
        self._sending = threading.Lock()

    def send(self, body: bytes) -> None:
        data = frame(body, limit=self._gives)
        with self._sending:
            try:
                self._sock.settimeout(_SEND_TIMEOUT)
                self._sock.sendall(data)
            except OSError as error:
                # Half a frame may have gone: nothing after it would be understood.
                self.close()
                raise ChannelClosed("the other end does not take what is sent") from error

    def receive(self, timeout: float | None) -> bytes | None:
        while not self._ready:
            if not self._wait(timeout):
                return None
            try:
                piece = self._sock.recv(65536)
            except OSError as error:
                raise ChannelClosed("the connection broke") from error
            if not piece:
                raise ChannelClosed("the other end has gone")
            self._ready.extend(self._frames.feed(piece))
        return self._ready.popleft()

    def _wait(self, timeout: float | None) -> bool:
        try:
            poll = select.poll()
            poll.register(self._sock.fileno(), select.POLLIN)
            return bool(poll.poll(None if timeout is None else timeout * 1000))
        except (OSError, ValueError) as error:
            raise ChannelClosed("the connection was closed") from error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


class UnixListener:
    """The service's socket in the file system. Any account may connect; none may replace it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closing = threading.Event()
        _check_place(path.parent)
        _clear_stale(path)
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._sock.bind(str(path))
            # Who may do what is decided by the peer's credentials, not by the file's mode.
            path.chmod(0o666)
            self._sock.listen(64)
            self._inode = path.stat().st_ino
        except OSError as error:
            self._sock.close()
            raise LocalError(f"cannot listen at {path}: {error.strerror or error}") from error

    def serve(self, each: Callable[[PeerChannel], None]) -> None:
        """Call `each` with every new connection, in its own thread, until `close`."""
        while not self._closing.is_set():
            try:
                sock, _ = self._sock.accept()
            except OSError:
                if self._closing.is_set():
                    return
                # Out of file descriptors: the connection waits, the service goes on.
                self._closing.wait(_SHORT_OF)
                continue
            try:
                peer = peer_of(sock)
            except OSError:
                sock.close()
                continue
            stream = _Stream(sock, takes=MAX_FRAME, gives=MAX_FRAME_DOWN)
            channel = ServiceEnd(stream, peer)
            try:
                threading.Thread(target=each, args=(channel,), name="session", daemon=True).start()
            except RuntimeError:
                # No more threads may be made now: this client tries again, the others stay.
                channel.close()
                self._closing.wait(_SHORT_OF)

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()


def peer_of(sock: socket.socket) -> Peer:
    """Ask the kernel who connected."""
    pid, uid, _gid = _credentials(sock)
    return Peer(user=str(uid), pid=pid, session=session_of(pid))


def _credentials(sock: socket.socket) -> tuple[int, int, int]:
    pid, uid, gid = _CREDENTIALS.unpack(
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )
    return pid, uid, gid


def session_of(pid: int) -> str:
    """The audit session that PAM opened at sign-in; else the kernel's session and its birth.

    A session's number stays taken while anyone is in it, so it tells sessions apart even where
    its first process has ended or stands outside our PID namespace and no birth is known.
    """
    with contextlib.suppress(OSError):
        session = Path(f"/proc/{pid}/sessionid").read_text(encoding="ascii").strip()
        if session not in {_NO_SESSION, "0", ""}:
            return session
    try:
        leader = os.getsid(pid)
    except OSError:
        return ""
    with contextlib.suppress(OSError, IndexError):
        stat_line = Path(f"/proc/{leader}/stat").read_text(encoding="utf-8", errors="replace")
        born = stat_line.rpartition(")")[2].split()[19]
        return f"{leader}-{born}"
    return str(leader)


def connect(path: str) -> SessionEnd:
    """Connect to the service.

    Raises:
        LocalError: nobody listens, or it may not be reached.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(_SEND_TIMEOUT)
        sock.connect(path)
        service = _credentials(sock)[1]  # of whoever called `listen`
    except OSError as error:
        sock.close()
        raise LocalError(f"no service at {path}: {error.strerror or error}") from error
    return SessionEnd(_Stream(sock, takes=MAX_FRAME_DOWN, gives=MAX_FRAME), str(service))


def listen(path: str) -> UnixListener:
    """Listen at `path`.

    Raises:
        LocalError: another service listens there, or the place may not be written.
    """
    return UnixListener(Path(path))


def _check_place(directory: Path) -> None:
    """Refuse a directory in which another account could put its own socket for ours."""
    try:
        found = directory.stat()
    except OSError as error:
        raise LocalError(f"cannot look at {directory}: {error.strerror or error}") from error
    others = stat.S_IWOTH | (0 if found.st_gid == os.getegid() else stat.S_IWGRP)
    is_open = found.st_mode & others and not found.st_mode & stat.S_ISVTX
    if is_open or found.st_uid not in {0, os.geteuid()}:
        raise LocalError(
            f"{directory} may be written by other accounts, who could take the socket's place: "
            f"chown it to the service's account, and chmod 755"
        )


def _clear_stale(path: Path) -> None:
    """Remove the socket that a killed service left; refuse anything else at its place."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise LocalError(f"cannot look at {path}: {error.strerror or error}") from error
    if not stat.S_ISSOCK(mode):
        raise LocalError(f"{path} is there and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_SEND_TIMEOUT)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise LocalError(f"cannot look at {path}: {error.strerror or error}") from error
    raise LocalError(f"another service listens at {path}")
