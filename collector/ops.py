"""Three addresses for machines, on loopback: is it alive, is it ready, what does it do.

GET /healthz  200 as long as the process answers; asks no database
GET /readyz   200 when the store answers and the disk has room, else 503 with words
GET /metrics  for Prometheus
"""

import ipaddress
import shutil
from functools import partial

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy.exc import SQLAlchemyError

from collector.desk_certificate import in_utc
from collector.errors import CollectorError
from collector.metrics import CONTENT_TYPE, count
from collector.parts import Parts

_MEGABYTE = 1_000_000


def create_ops_app(parts: Parts) -> FastAPI:
    """The application for machines."""
    app = FastAPI(title="Redshank operations", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> Response:
        return PlainTextResponse("alive\n")

    @app.get("/readyz")
    async def readyz() -> Response:
        problems = await find_problems(parts)
        if problems:
            return PlainTextResponse("\n".join(problems) + "\n", 503)
        return PlainTextResponse("ready\n")

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        # The listener is on loopback already; this holds if someone puts a proxy in front.
        if request.client is None or not ipaddress.ip_address(request.client.host).is_loopback:
            return PlainTextResponse("only from this machine\n", 403)
        counts = await parts.store.read(partial(count, school=parts.school.id))
        parts.metrics.note_counts(counts, parts.settings.data)
        parts.metrics.streams.set(len(parts.devices.online()))
        parts.metrics.policy_version.set(parts.policies.version)
        now = in_utc(parts.clock.now())
        left = parts.ca.issuer.not_valid_after_utc - now
        parts.metrics.certificate_seconds.labels("issuer").set(left.total_seconds())
        return Response(parts.metrics.render(), media_type=CONTENT_TYPE)

    return app


async def find_problems(parts: Parts) -> list[str]:
    """What keeps the collector from its work, in words."""
    problems = []
    try:
        await parts.store.read(partial(count, school=parts.school.id))
    except CollectorError as error:
        problems.append(str(error))
    except SQLAlchemyError as error:
        problems.append(f"{parts.settings.data}: the database cannot be read ({error.__cause__})")
    low = disk_words(parts)
    if low:
        problems.append(low)
    return problems


def disk_words(parts: Parts) -> str:
    """What to say of the disk; empty when it has room."""
    free = shutil.disk_usage(parts.settings.data).free // _MEGABYTE
    if free >= parts.settings.disk_reserve_mb:
        return ""
    return f"{parts.settings.data}: only {free} MB are free; events cannot be kept for long"
