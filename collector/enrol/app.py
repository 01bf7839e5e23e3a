"""The enrolment listener's three addresses.

    GET  /v1/trust  -> root, issuer (PEM), school
    POST /v1/enrol  token, csr (PEM), host, version -> device, school, state, chain, uplink, policy
    POST /v1/renew  device, csr, proof -> device, chain

JSON, at most 16 KiB. Without a client certificate: a PC that enrols has none yet.
"""

import json
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from collector.attempts import Attempts, TooManyAttemptsError
from collector.enrol.problems import Problem, answer
from collector.enrol.service import HOST_MAX, Enrolment, Welcomed
from collector.logs import logger
from collector.parts import Parts
from wire.certs import pem, read_certificate

BODY_MAX = 16_384
_FAILURES = 100
_WINDOW_SECONDS = 300.0
_LOG = logger("collector.enrol")

Asked = TypeVar("Asked", bound=BaseModel)


class _Asked(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


class EnrolAsked(_Asked):
    """What a PC sends to enrol."""

    token: str = Field(max_length=200)
    csr: str = Field(max_length=8_192)
    host: str = Field(min_length=1, max_length=HOST_MAX)
    version: str = Field(default="", max_length=64)


class RenewAsked(_Asked):
    """What a PC sends to renew."""

    device: str = Field(max_length=64)
    csr: str = Field(max_length=8_192)
    proof: str = Field(max_length=512)


def create_enrol_app(parts: Parts, *, uplink: str) -> FastAPI:
    """The application; `uplink` is the `host:port` that agents are told."""
    app = FastAPI(title="Redshank enrolment", docs_url=None, redoc_url=None, openapi_url=None)
    enrolment = Enrolment(parts)
    failures = Attempts(parts.clock, limit=_FAILURES, window=_WINDOW_SECONDS)

    @app.exception_handler(Problem)
    async def on_problem(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        _LOG.warning("enrolment refused", reason=problem.name, address=_address(request))
        return answer(problem)

    @app.exception_handler(HTTPException)
    async def on_http(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        name = {404: "not-found", 405: "method-not-allowed"}.get(status, "malformed")
        return answer(Problem(name, "see the protocol's description"))

    @app.exception_handler(ClientDisconnect)
    async def on_cut(_request: Request, _error: ClientDisconnect) -> Response:
        return answer(Problem("malformed", "the request was cut off"))

    @app.exception_handler(Exception)
    async def on_failure(_request: Request, error: Exception) -> Response:
        _LOG.error("enrolment failed", exc_info=error)
        return answer(Problem("internal", "the collector's log says more"))

    @app.get("/v1/trust")
    async def trust() -> dict[str, str]:
        return {
            "root": pem(parts.ca.root),
            "issuer": pem(parts.ca.issuer),
            "school": parts.school.id,
        }

    @app.post("/v1/enrol")
    async def enrol(request: Request) -> Response:
        address = _address(request)
        _check(failures, address)
        try:
            asked = await _body(request, EnrolAsked)
            done = await enrolment.enrol(
                token=asked.token, csr=asked.csr, host=asked.host, address=address
            )
        except Problem:
            failures.spend(address)
            raise
        _LOG.info(
            "device enrolled",
            device=done.device.device,
            state=str(done.device.state),
            version=asked.version,
        )
        return JSONResponse(
            {
                "device": done.device.device,
                "school": parts.school.id,
                "state": str(done.device.state),
                "chain": _chain(done),
                "uplink": uplink,
                "policy": enrolment.policy_text(),
            }
        )

    @app.post("/v1/renew")
    async def renew(request: Request) -> Response:
        address = _address(request)
        _check(failures, address)
        try:
            asked = await _body(request, RenewAsked)
            done = await enrolment.renew(**asked.model_dump())
        except Problem:
            failures.spend(address)
            raise
        _LOG.info("device renewed", device=done.device.device)
        return JSONResponse({"device": done.device.device, "chain": _chain(done)})

    return app


def _check(failures: Attempts, address: str) -> None:
    try:
        failures.check(address)
    except TooManyAttemptsError as error:
        raise Problem("too-many-attempts", str(error), retry_after=error.wait) from None


async def _body(request: Request, form: type[Asked]) -> Asked:
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > BODY_MAX:
            raise Problem("too-large", f"at most {BODY_MAX} bytes are read")
    try:
        said: Any = json.loads(raw)
        return form.model_validate(said)
    except ValidationError as error:
        fields = ", ".join(
            str(item["loc"][0]) if item["loc"] else "the whole" for item in error.errors()
        )
        raise Problem("malformed", f"wrong or missing: {fields}") from None
    except (ValueError, RecursionError):
        raise Problem("malformed", "the body is not JSON") from None


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


def _chain(done: Welcomed) -> list[str]:
    return [pem(read_certificate(der)) for der in done.chain]
