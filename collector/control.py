"""Commands to the running server, over a Unix socket that only its own user and root open.

One request and one answer for each connection, a JSON object on a line each, at most
64 KiB:

    {"command": "enrol-token", "arguments": {"room": "Lab 2", "uses": 30}}
    {"ok": {…}}  or  {"error": "words for a technician"}

So there is one writer, and what a command changed is in force at once.
"""

import asyncio
import contextlib
import json
import os
import socket
import stat
import struct
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from collector.errors import CollectorError
from collector.logs import logger

LINE_MAX: Final = 65_536
_TIMEOUT: Final = 30.0
_PEER: Final = struct.Struct("3i")

_LOG = logger("collector.control")

Command = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class ControlError(CollectorError):
    """The command did not reach the server, or the server refused it."""


class ControlServer:
    """Answers commands until closed."""

    def __init__(self, path: Path, commands: Mapping[str, Command]) -> None:
        self._path = path
        self._commands = commands
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. A socket that a dead server left behind is removed.

        Raises:
            ControlError: another server listens there, or something else lies there.
        """
        if sys.platform == "win32":
            raise ControlError("the collector's control socket needs Linux or another Unix")
        _clear(self._path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(os.fspath(self._path))
        except OSError as error:
            listener.close()
            raise ControlError(f"{self._path}: cannot listen there ({error.strerror})") from None
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(self._answer, sock=listener, limit=LINE_MAX)

    async def close(self) -> None:
        """Take no more commands, and remove the socket."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT):
                reply = await self._reply(reader, writer)
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, OSError):
            pass  # the command's own end has gone, or never asked anything
        finally:
            writer.close()

    async def _reply(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Mapping[str, Any]:
        try:
            line = await reader.readline()
        except ValueError:  # longer than LINE_MAX
            line = b""
        # Only now: an answer to someone who is still writing would not be read.
        if not _may(writer.get_extra_info("socket")):
            return {"error": "only root and the collector's own user may do this"}
        command, arguments = self._parse(line)
        if command is None:
            return {"error": "the running collector does not know that command"}
        try:
            return {"ok": dict(await command(arguments))}
        except (CollectorError, ValueError) as error:
            return {"error": str(error)}
        except Exception:  # noqa: BLE001 - the technician gets an answer, the log the trace
            _LOG.exception("a command failed")
            return {"error": "the collector failed at that; its log says more"}

    def _parse(self, line: bytes) -> tuple[Command | None, dict[str, Any]]:
        try:
            request = json.loads(line)
            name, arguments = request["command"], request.get("arguments", {})
            command = self._commands[name]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None, {}
        return (command, arguments) if isinstance(arguments, dict) else (None, {})


def ask(path: Path, command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Have the running server do something, and return what it answers.

    Raises:
        ControlError: no server runs there, it refused, or the answer is not one.
    """
    if sys.platform == "win32":
        raise ControlError("the collector's control socket needs Linux or another Unix")
    request = json.dumps({"command": command, "arguments": dict(arguments)}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(_TIMEOUT)
            channel.connect(os.fspath(path))
            channel.sendall(request)
            with channel.makefile("rb") as stream:
                answer = json.loads(stream.readline(LINE_MAX * 16))
    except (FileNotFoundError, ConnectionRefusedError):
        raise ControlError(
            f"no collector is running on {path.parent}: start it with `redshank-collector serve`"
        ) from None
    except PermissionError:
        raise ControlError(f"{path}: you may not talk to it; become root first") from None
    except (OSError, ValueError) as error:
        raise ControlError(f"the collector did not answer: {error}") from None
    if not isinstance(answer, dict) or "ok" not in answer:
        words = answer.get("error") if isinstance(answer, dict) else None
        raise ControlError(str(words or "the collector's answer cannot be read"))
    return dict(answer["ok"])


def _may(channel: Any) -> bool:
    if sys.platform == "linux":
        raw = channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        _, user, _ = _PEER.unpack(raw)
        return user in {0, os.geteuid()}
    return True  # elsewhere the socket's mode, 0600, is the guard


def _clear(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if sys.platform == "win32" or not stat.S_ISSOCK(mode):
        raise ControlError(f"{path}: is in the way, and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except OSError:
            path.unlink(missing_ok=True)
        else:
            raise ControlError(f"{path}: another collector is listening there")
