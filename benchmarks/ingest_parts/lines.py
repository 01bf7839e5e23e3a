"""The browsers' side of a server: lines over HTTPS, as the desk sends them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from wire.tls import server_context


async def serve_lines(
    lines: Callable[[], AsyncIterator[bytes]], directory: Path
) -> tuple[uvicorn.Server, int]:
    """Serve each browser its own iterator of lines, over TLS."""

    async def feed(_: Request) -> StreamingResponse:
        return StreamingResponse(lines(), media_type="text/event-stream")

    config = uvicorn.Config(
        Starlette(routes=[Route("/feed", feed)]),
        host="127.0.0.1",
        port=0,
        log_level="error",
        lifespan="off",
        ssl_certfile=str(directory / "server.pem"),
        ssl_keyfile=str(directory / "server.key"),
    )
    config.load()
    config.ssl = server_context(str(directory / "server.pem"), str(directory / "server.key"))
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
        if task.done():
            task.result()
    return server, server.servers[0].sockets[0].getsockname()[1]
