"""Named pipes: the client is known by the SID in its token, which it cannot forge.

The pipe is byte-wise, overlapped (so that one thread can wait for what comes while
another sends), local only, and open to authenticated users; `FILE_FLAG_FIRST_PIPE_INSTANCE`
refuses a name that somebody took before us.
Source: "Named Pipe Operations" and "Named Pipe Security and Access Rights", Microsoft Learn.
"""

import _winapi
import contextlib
import ctypes
import sys
import threading
from collections import deque
from collections.abc import Callable
from ctypes import wintypes
from typing import Final

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

assert sys.platform == "win32"

_BUFFER: Final = 65536
_SEND_TIMEOUT_MS: Final = 5000
_PIPE_REJECT_REMOTE_CLIENTS: Final = 0x8
_FIRST_INSTANCE: Final = 0x00080000
_TOKEN_QUERY: Final = 0x8
_TOKEN_USER: Final = 1
_SECURITY_IDENTIFICATION: Final = 0x00110000  # SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION
# System and administrators in full; authenticated users read, write and nothing else:
# above all not FILE_CREATE_PIPE_INSTANCE, with which one could pose as the service.
_WHO_MAY: Final = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x12019b;;;AU)"

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
for _function, _arguments, _result in (
    (_kernel32.CreateNamedPipeW,
     (wintypes.LPCWSTR, *(wintypes.DWORD,) * 6, ctypes.c_void_p), wintypes.HANDLE),
    (_kernel32.GetNamedPipeClientProcessId,
     (wintypes.HANDLE, ctypes.POINTER(wintypes.DWORD)), wintypes.BOOL),
    (_kernel32.GetNamedPipeClientSessionId,
     (wintypes.HANDLE, ctypes.POINTER(wintypes.DWORD)), wintypes.BOOL),
    (_kernel32.GetCurrentThread, (), wintypes.HANDLE),
    (_kernel32.DisconnectNamedPipe, (wintypes.HANDLE,), wintypes.BOOL),
    (_kernel32.LocalFree, (ctypes.c_void_p,), ctypes.c_void_p),
    (_advapi32.ImpersonateNamedPipeClient, (wintypes.HANDLE,), wintypes.BOOL),
    (_advapi32.RevertToSelf, (), wintypes.BOOL),
    (_advapi32.OpenThreadToken,
     (wintypes.HANDLE, wintypes.DWORD, wintypes.BOOL, ctypes.POINTER(wintypes.HANDLE)),
     wintypes.BOOL),
    (_advapi32.GetTokenInformation,
     (wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD,
      ctypes.POINTER(wintypes.DWORD)), wintypes.BOOL),
    (_advapi32.ConvertSidToStringSidW,
     (ctypes.c_void_p, ctypes.POINTER(ctypes.c_wchar_p)), wintypes.BOOL),
    (_advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW,
     (wintypes.LPCWSTR, wintypes.DWORD, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p),
     wintypes.BOOL),
):  # fmt: skip
    _function.argtypes = _arguments
    _function.restype = _result


class _SecurityAttributes(ctypes.Structure):
    _fields_ = (
        ("length", wintypes.DWORD),
        ("descriptor", ctypes.c_void_p),
        ("inherit", wintypes.BOOL),
    )


class _Stream:
    """One connected pipe: whole frames in, whole frames out."""

    def __init__(self, handle: int, *, server: bool) -> None:
        self._handle = handle
        self._server = server
        self._gives = MAX_FRAME_DOWN if server else MAX_FRAME
        self._frames = Frames(limit=MAX_FRAME if server else MAX_FRAME_DOWN)
        self._ready: deque[bytes] = deque()
        self._reading: _winapi.Overlapped | None = None
        self._sending = threading.Lock()
        self._closed = threading.Event()

    def send(self, body: bytes) -> None:
        data = frame(body, limit=self._gives)
        with self._sending:
            try:
                done = self._write(data)
            except OSError as error:
                self.close()
                raise ChannelClosed("the other end has gone") from error
            if not done:
                # Half a frame may have gone: nothing after it would be understood.
                self.close()
                raise ChannelClosed("the other end does not take what is sent")

    def _write(self, data: bytes) -> bool:
        overlapped, _ = _winapi.WriteFile(self._handle, data, overlapped=True)
        done = _winapi.WaitForSingleObject(overlapped.event, _SEND_TIMEOUT_MS)
        if done != _winapi.WAIT_OBJECT_0:
            overlapped.cancel()
            return False
        written, error = overlapped.GetOverlappedResult(True)  # noqa: FBT003  # no keyword there
        return not error and written == len(data)

    def receive(self, timeout: float | None) -> bytes | None:
        while not self._ready:
            if self._closed.is_set():
                raise ChannelClosed("the connection was closed")
            try:
                if self._reading is None:
                    self._reading, _ = _winapi.ReadFile(self._handle, _BUFFER, overlapped=True)
                wait = _winapi.INFINITE if timeout is None else max(0, int(timeout * 1000))
                if _winapi.WaitForSingleObject(self._reading.event, wait) != _winapi.WAIT_OBJECT_0:
                    return None
                read, _ = self._reading.GetOverlappedResult(True)  # noqa: FBT003  # the API has no keyword
                piece = bytes((self._reading.getbuffer() or b"")[:read])
                self._reading = None
            except OSError as error:
                raise ChannelClosed("the other end has gone") from error
            self._ready.extend(self._frames.feed(piece))
        return self._ready.popleft()

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        if self._server:
            _kernel32.DisconnectNamedPipe(self._handle)
        with contextlib.suppress(OSError):
            if self._reading is not None:
                self._reading.cancel()
            _winapi.CloseHandle(self._handle)


class PipeListener:
    """The service's pipe: one instance waits, and each client gets its own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._closing = threading.Event()
        self._waiting = _create(path, first=True)

    def serve(self, each: Callable[[PeerChannel], None]) -> None:
        """Call `each` with every new connection, in its own thread, until `close`."""
        while not self._closing.is_set():
            handle = self._waiting
            try:
                overlapped = _winapi.ConnectNamedPipe(handle, overlapped=True)
                while _winapi.WaitForSingleObject(overlapped.event, 250) != _winapi.WAIT_OBJECT_0:
                    if self._closing.is_set():
                        overlapped.cancel()
                        _winapi.CloseHandle(handle)
                        return
                self._waiting = _create(self._path, first=False)
                threading.Thread(
                    target=self._greet, args=(handle, each), name="session", daemon=True
                ).start()
            except (OSError, LocalError, RuntimeError):
                # The client went before it was met, or the machine is short of handles or threads.
                self._closing.wait(0.1)
                with contextlib.suppress(OSError):
                    _winapi.CloseHandle(handle)
                if self._waiting == handle and not self._closing.is_set():
                    self._waiting = _create(self._path, first=False)

    def _greet(self, handle: int, each: Callable[[PeerChannel], None]) -> None:
        try:
            # The token of a client is known only once something was read from it; a
            # connection at identification level answers at once.
            peer = _peer_of(handle)
        except OSError:
            _winapi.CloseHandle(handle)
            return
        each(ServiceEnd(_Stream(handle, server=True), peer))

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()


def _create(path: str, *, first: bool) -> int:
    descriptor = ctypes.c_void_p()
    if not _advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW(
        _WHO_MAY, 1, ctypes.byref(descriptor), None
    ):
        raise LocalError(f"cannot say who may use {path}: error {ctypes.get_last_error()}")
    try:
        attributes = _SecurityAttributes(
            ctypes.sizeof(_SecurityAttributes), descriptor, wintypes.BOOL(0)
        )
        handle = _kernel32.CreateNamedPipeW(
            path,
            _winapi.PIPE_ACCESS_DUPLEX
            | _winapi.FILE_FLAG_OVERLAPPED
            | (_FIRST_INSTANCE if first else 0),
            _PIPE_REJECT_REMOTE_CLIENTS,
            _winapi.PIPE_UNLIMITED_INSTANCES,
            _BUFFER,
            _BUFFER,
            0,
            ctypes.byref(attributes),
        )
    finally:
        _kernel32.LocalFree(descriptor)
    if handle in {None, wintypes.HANDLE(-1).value}:
        raise LocalError(f"cannot listen at {path}: error {ctypes.get_last_error()}")
    return int(handle)


def _peer_of(handle: int) -> Peer:
    pid, session = wintypes.DWORD(), wintypes.DWORD()
    if not _kernel32.GetNamedPipeClientProcessId(handle, ctypes.byref(pid)):
        raise ctypes.WinError(ctypes.get_last_error())
    if not _kernel32.GetNamedPipeClientSessionId(handle, ctypes.byref(session)):
        raise ctypes.WinError(ctypes.get_last_error())
    return Peer(user=_client_sid(handle), pid=pid.value, session=str(session.value))


def _client_sid(handle: int) -> str:
    """Borrow the client's token for as long as it takes to read whose it is."""
    if not _advapi32.ImpersonateNamedPipeClient(handle):
        raise ctypes.WinError(ctypes.get_last_error())
    token = wintypes.HANDLE()
    try:
        if not _advapi32.OpenThreadToken(
            _kernel32.GetCurrentThread(), _TOKEN_QUERY, 1, ctypes.byref(token)
        ):
            raise ctypes.WinError(ctypes.get_last_error())
    finally:
        _advapi32.RevertToSelf()
    try:
        size = wintypes.DWORD()
        _advapi32.GetTokenInformation(token, _TOKEN_USER, None, 0, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        if not _advapi32.GetTokenInformation(token, _TOKEN_USER, buffer, size, ctypes.byref(size)):
            raise ctypes.WinError(ctypes.get_last_error())
        # TOKEN_USER begins with a pointer to the SID.
        sid = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_void_p)).contents
        text = ctypes.c_wchar_p()
        if not _advapi32.ConvertSidToStringSidW(sid, ctypes.byref(text)):
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            return text.value or ""
        finally:
            _kernel32.LocalFree(ctypes.cast(text, ctypes.c_void_p))
    finally:
        _winapi.CloseHandle(int(token.value or 0))


def connect(path: str) -> SessionEnd:
    """Connect to the service.

    Raises:
        LocalError: nobody listens, or it may not be reached.
    """
    try:
        _winapi.WaitNamedPipe(path, _SEND_TIMEOUT_MS)
        handle = _winapi.CreateFile(
            path,
            _winapi.GENERIC_READ | _winapi.GENERIC_WRITE,
            0,
            _winapi.NULL,
            _winapi.OPEN_EXISTING,
            _winapi.FILE_FLAG_OVERLAPPED | _SECURITY_IDENTIFICATION,
            _winapi.NULL,
        )
    except OSError as error:
        raise LocalError(f"no service at {path}: {error}") from error
    return SessionEnd(_Stream(handle, server=False))


def listen(path: str) -> PipeListener:
    r"""Listen at `path`, such as `\\.\pipe\redshank-agent`.

    Raises:
        LocalError: the name is taken, or the pipe cannot be made.
    """
    return PipeListener(path)
