"""Refusals of enrolment, as RFC 9457 has them: a named type, a status, words."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from fastapi.responses import JSONResponse

from collector.errors import CollectorError

TYPE_PREFIX: Final = "urn:redshank:problem:"
MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of problem: its HTTP status and its title."""

    status: int
    title: str


KINDS: Final = MappingProxyType(
    {
        "malformed": Kind(400, "The request cannot be read"),
        "too-large": Kind(413, "The request is too large"),
        "too-many-attempts": Kind(429, "Too many attempts"),
        "token-malformed": Kind(400, "That is not a token"),
        "token-unknown": Kind(403, "The token is not known here"),
        "token-expired": Kind(403, "The token has run out"),
        "token-spent": Kind(403, "The token is used up"),
        "token-of-another-school": Kind(403, "The token belongs to another collector"),
        "request-refused": Kind(422, "The certificate request is refused"),
        "device-unknown": Kind(404, "No such device"),
        "device-denied": Kind(403, "The device was denied"),
        "proof-refused": Kind(403, "The proof does not fit the device's key"),
        "not-found": Kind(404, "There is nothing here"),
        "method-not-allowed": Kind(405, "This address takes another method"),
        "internal": Kind(500, "The collector failed"),
    }
)


class Problem(CollectorError):
    """Why a request is refused; becomes the answer."""

    def __init__(self, name: str, words: str, *, retry_after: int = 0) -> None:
        super().__init__(words)
        self.name = name
        self.kind = KINDS[name]
        self.retry_after = retry_after
        """Seconds; 0 where waiting does not help."""


def answer(problem: Problem) -> JSONResponse:
    """The problem as a response."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.name,
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": str(problem),
    }
    headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after else None
    return JSONResponse(body, problem.kind.status, headers, MEDIA_TYPE)
