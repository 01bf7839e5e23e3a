"""The real desk on a real socket, and a real Chromium to look at it."""

import asyncio
import contextlib
import os
import shutil
import socket
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives import serialization
from playwright.async_api import async_playwright

from tests.collector.world import ROOT, SCHOOL, root_certificate
from wire import certs
from wire.clock import SystemClock

BUILD = Path(__file__).parents[2] / "build" / "pictures"
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


@contextlib.asynccontextmanager
async def served(app, directory):
    """The application by uvicorn with TLS; its address."""
    key_file, chain_file = write_certificate(directory)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        ssl_keyfile=key_file,
        ssl_certfile=chain_file,
        log_level="warning",
        timeout_graceful_shutdown=2,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve([listener]))
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    try:
        yield f"https://localhost:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listener.close()


def write_certificate(directory):
    now = SystemClock().now()
    key = certs.new_key()
    issuer_key = certs.new_key()
    top = certs.Authority(root_certificate(), ROOT)
    issuer = certs.make_issuer(top, issuer_key.public_key(), SCHOOL, now)
    leaf = certs.issue_server(
        certs.Authority(issuer, issuer_key), key.public_key(), ["localhost"], now
    )
    key_file, chain_file = directory / "desk.key", directory / "desk.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    chain_file.write_text(certs.pem(leaf) + certs.pem(issuer))
    return key_file, chain_file


@contextlib.asynccontextmanager
async def chromium():
    """A browser without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=BROWSER, args=ARGUMENTS, env=dict(os.environ)
        )
        try:
            yield browser
        finally:
            await browser.close()
