"""HTTP listeners inside one process: each its own socket, certificate and application."""

import asyncio
import contextlib
import os
import socket
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

from collector.ca import ServerIdentity
from collector.errors import CollectorError
from collector.patience import Impatient
from collector.settings import split_address
from wire.tls import server_context

_BACKLOG: Final = 512
_GRACE_SECONDS: Final = 5
_KEEP_ALIVE_SECONDS: Final = 30


class ListenError(CollectorError):
    """A listener cannot be opened; the message names the setting and the address."""


class _Quiet(uvicorn.Server):
    """Uvicorn without signal handlers: the process has three of them and handles signals once."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpListener:
    """One application on one address."""

    def __init__(
        self,
        setting: str,
        address: str,
        app: FastAPI,
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._setting = setting
        self._address = address
        self._socket = bind(setting, address)
        config = uvicorn.Config(
            app,
            http=Impatient,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="on",
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ssl_context_factory=None if context is None else (lambda _config, _make: context),
        )
        self._server = _Quiet(config)
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port as bound."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    async def start(self) -> None:
        """Answer requests from now on.

        Raises:
            ListenError: the application did not start.
        """
        self._task = asyncio.create_task(self._server.serve([self._socket]), name=self._setting)
        while not self._server.started:
            if self._task.done():
                raise ListenError(f"{self._setting}: the listener on {self._address} did not start")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Finish what is being answered, five seconds at most, and close."""
        self._server.should_exit = True
        if self._task is None:
            self._socket.close()
        else:
            await self._task


def bind(setting: str, address: str) -> socket.socket:
    """A bound socket.

    Raises:
        ListenError: the address is taken, not this machine's, or not allowed.
    """
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    channel = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        channel.bind((host, port))
    except OSError as error:
        channel.close()
        raise ListenError(bind_words(setting, address, error)) from None
    channel.settimeout(0)
    return channel


def bind_words(setting: str, address: str, error: OSError) -> str:
    """Why an address cannot be listened on, and what to do."""
    if isinstance(error, PermissionError):
        why = "ports below 1024 need a right of their own; choose a higher one"
    else:
        why = f"{error.strerror or error}; is another program, or another collector, there?"
    return f"{setting}: cannot listen on {address}: {why}"


def identity_context(identity: ServerIdentity) -> ssl.SSLContext:
    """TLS 1.3 alone, with a certificate that never was on a disk."""
    with _as_files(identity) as (chain, key):
        return server_context(chain, key)


def load_identity(context: ssl.SSLContext, identity: ServerIdentity) -> None:
    """Put a newer certificate into a context that is in use."""
    with _as_files(identity) as (chain, key):
        context.load_cert_chain(chain, key)


@contextlib.contextmanager
def _as_files(identity: ServerIdentity) -> Iterator[tuple[str, str]]:
    # The ssl module reads certificates from files alone: on Linux, from memory that looks so.
    if sys.platform == "linux":
        descriptors = []
        try:
            for content in (identity.chain_pem, identity.key_pem):
                descriptors.append(os.memfd_create("redshank", os.MFD_CLOEXEC))
                os.write(descriptors[-1], content)
            chain, key = (f"/proc/self/fd/{descriptor}" for descriptor in descriptors)
            yield chain, key
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
    else:
        with tempfile.TemporaryDirectory() as directory:
            paths = Path(directory) / "chain.pem", Path(directory) / "key.pem"
            for path, content in zip(paths, (identity.chain_pem, identity.key_pem), strict=True):
                path.write_bytes(content)
            yield os.fspath(paths[0]), os.fspath(paths[1])
