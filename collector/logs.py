"""Logs: one JSON object a line, in UTC, with the Elastic Common Schema's names.

What may stand in them: ids, counts, reasons, addresses of machines. What never may:
captured text, account names, secrets. Event ids travel as `event.id`, so that a line
can be followed from the PC to the desk. Uvicorn's and gRPC's own lines are bridged.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO

import structlog

_RENAMED: Final = {
    "event": "message",
    "level": "log.level",
    "logger": "log.logger",
    "timestamp": "@timestamp",
    "exception": "error.stack_trace",
    "event_id": "event.id",
    "action": "event.action",
    "reason": "event.reason",
    "device": "host.id",
    "address": "source.address",
    "school": "organization.id",
    "staff": "user.id",
}
_FORBIDDEN: Final = frozenset(
    {
        "text",
        "typed",
        "words_around",
        "title",
        "account",
        "password",
        "passphrase",
        "token",
        "before",
        "after",
    }
)
_ECS_VERSION: Final = "8.11.0"


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send every logger's lines to the stream (standard error unless told) as JSON."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                withhold,
                ecs,
                structlog.processors.JSONRenderer(default=repr, ensure_ascii=True),
            ],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        bridged = logging.getLogger(name)
        bridged.handlers.clear()
        bridged.propagate = True
    # An access line for every page would drown the rest, and holds alert ids.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    for name in ("sqlalchemy", "alembic", "asyncio", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)


def withhold(
    _logger: object, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Blank what must never be logged, should someone hand it over by mistake."""
    for name in _FORBIDDEN & line.keys():
        line[name] = "withheld"
    return line


def ecs(_logger: object, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Give each field its ECS name; our own stand under `redshank.`."""
    named: dict[str, Any] = {
        "@timestamp": line.pop("timestamp", None),
        "log.level": line.pop("level", "info"),
        "message": line.pop("event", ""),
        "ecs.version": _ECS_VERSION,
        "service.name": "redshank-collector",
    }
    for name, value in line.items():
        shown = value.hex() if isinstance(value, bytes) else value
        named[_RENAMED.get(name, f"redshank.{name}")] = shown
    return named


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for one room."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound
