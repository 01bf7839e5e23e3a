"""One JSON object a line on standard error. Captured text is never given to it."""

import datetime as dt
import json
import logging
import sys
import threading


class JsonLines(logging.Formatter):
    """Time in UTC, level, message, and what event or part it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = dt.datetime.fromtimestamp(record.created, dt.UTC)
        said = {
            "@timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "log.level": record.levelname.lower(),
            "log.logger": record.name,
            "message": record.getMessage(),
        }
        event = getattr(record, "event", None)
        if event is not None:
            said["event.id"] = str(event)
        if record.exc_info and record.exc_info[0] is not None:
            # Its kind alone: an exception's text may hold what somebody typed.
            said["error.type"] = record.exc_info[0].__name__
        return json.dumps(said, ensure_ascii=True)


def set_up(level: str) -> None:
    """Log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    threading.excepthook = _thread_ended


def _thread_ended(what: threading.ExceptHookArgs) -> None:
    """Python's own words would hold the exception's text, and so perhaps what somebody typed."""
    name = what.thread.name if what.thread else "?"
    kind = what.exc_type.__name__
    logging.getLogger(__name__).error("the thread %s ended by an error (%s)", name, kind)
