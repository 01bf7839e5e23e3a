"""Runs the collector: four listeners and a control socket in one process, until told to stop.

    desk    HTTPS for people          the school's certificate
    enrol   HTTPS for PCs             the agents' CA's certificate, renewed while running
    uplink  gRPC over mutual TLS      the same
    ops     HTTP on loopback          health and figures

`wire.tls.require_tls13` must run before this module is imported: it imports gRPC.
"""

import asyncio
import contextlib
import ipaddress
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from collector import process, secrets
from collector.build import build
from collector.chores import Chores
from collector.commands import Commands
from collector.control import ControlServer
from collector.desk_certificate import DeskCertificateNotInForce, check_pair, in_utc
from collector.enrol.app import create_enrol_app
from collector.ingest.server import Uplink, serve_uplink
from collector.listeners import HttpListener, ListenError, identity_context, load_identity
from collector.logs import logger
from collector.ops import create_ops_app, disk_words
from collector.parts import Parts
from collector.settings import Settings, SettingsError, join_address, split_address
from collector.uplink import UplinkCredentials, uplink_parts
from collector.web.app import create_app
from wire.tls import server_context

_LOG = logger("collector.serve")


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        CollectorError: it cannot start; the message says what to mend.
    """
    process.forbid_core_dumps()
    process.allow_many_files()
    host, _ = split_address(settings.ops_listen)
    if not _is_loopback(host):
        raise SettingsError(f"ops_listen: {host} is not a loopback address, for example 127.0.0.1")
    parts = build(settings)
    try:
        _check_desk(parts)
        secrets.check_closed(settings.desk_files[1])
        _loop_runner(Collector(parts).run())
    finally:
        parts.vault.lock_all()
        parts.store.close()


class Collector:
    """A built collector, while it serves."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stopping = asyncio.Event()
        self._identity = parts.ca.issue_server(self._names())
        self._credentials = UplinkCredentials(parts.ca, self._identity)
        self._enrol_context = identity_context(self._identity)
        self._addresses: dict[str, str] = {}

    async def run(self) -> None:
        """Open everything, serve, and close it in the opposite order."""
        parts, settings = self._parts, self._parts.settings
        await parts.devices.load()
        async with contextlib.AsyncExitStack() as opened:
            uplink = await self._open_uplink()
            opened.push_async_callback(uplink.stop)
            parts.policies.on_change(uplink.offer)
            told = settings.uplink_public or join_address(settings.host, uplink.port)
            listeners = {
                "enrol": (create_enrol_app(parts, uplink=told), self._enrol_context),
                "desk": (create_app(parts), server_context(*map(os.fspath, settings.desk_files))),
                "ops": (create_ops_app(parts), None),
            }
            for name, (app, context) in listeners.items():
                setting = f"{name}_listen"
                listener = HttpListener(setting, getattr(settings, setting), app, context=context)
                opened.push_async_callback(listener.stop)
                await listener.start()
                self._addresses[name] = join_address(*listener.address)
            control = ControlServer(
                settings.control_path, Commands(parts, lambda: self._addresses).table()
            )
            await control.start()
            opened.push_async_callback(control.close)
            opened.callback(parts.feed.close)
            await self._serve()
            process.notify("STOPPING=1")
            _LOG.info("stopping")
        _LOG.info("stopped")

    async def _serve(self) -> None:
        parts = self._parts
        chores = Chores(parts, lambda: self._identity, self._renew)
        process.settle_memory()
        loop = asyncio.get_running_loop()
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._stopping.set)
        background = [asyncio.create_task(chores.run()), asyncio.create_task(_watch())]
        _LOG.info(
            "serving",
            school=parts.school.id,
            policy=parts.policies.version,
            devices=len(parts.devices.all()),
            **{f"{name}_address": address for name, address in self._addresses.items()},
        )
        if low := disk_words(parts):
            _LOG.warning(low)
        process.notify("READY=1")
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({stopping, *background}, return_when=asyncio.FIRST_COMPLETED)
        for task in background:
            task.cancel()
        for result in await asyncio.gather(*background, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        stopping.cancel()

    async def _open_uplink(self) -> Uplink:
        address = self._parts.settings.uplink_listen
        try:
            uplink = await serve_uplink(
                uplink_parts(self._parts), self._credentials.credentials, address
            )
        except (OSError, RuntimeError) as error:
            raise ListenError(
                f"uplink_listen: cannot listen on {address}: {error}; is another program, or"
                " another collector, there?"
            ) from None
        host, _ = split_address(address)
        self._addresses["uplink"] = join_address(host, uplink.port)
        return uplink

    def _renew(self) -> None:
        self._identity = self._parts.ca.issue_server(self._names())
        self._credentials.renew(self._identity)
        load_identity(self._enrol_context, self._identity)

    def _names(self) -> tuple[str, ...]:
        settings = self._parts.settings
        names = [settings.host]
        if settings.uplink_public is not None:
            names.append(split_address(settings.uplink_public)[0])
        return tuple(dict.fromkeys(names))


def _check_desk(parts: Parts) -> None:
    try:
        check_pair(*parts.settings.desk_files, now=in_utc(parts.clock.now()))
    except DeskCertificateNotInForce as error:
        # The PCs do not ask for it: what they find must be taken in all the same.
        _LOG.error(str(error))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _watch() -> None:
    period = process.watchdog_seconds()
    while True:
        await asyncio.sleep(period or 3600.0)
        process.notify("WATCHDOG=1")


def _loop_runner(main: Coroutine[Any, Any, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop  # noqa: PLC0415 - exists on Unix alone

        uvloop.run(main)
