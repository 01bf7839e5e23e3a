"""Why the collector cannot be reached."""

from enum import StrEnum


class Cause(StrEnum):
    """Which link of the way is broken."""

    FINE = "fine"
    NO_NAME = "name not resolved"
    UNREACHABLE = "server unreachable"
    NOT_TLS = "not TLS 1.3"
    OTHER_SERVER = "server not trusted"
    SERVER_TIME = "clock or server certificate wrong"
    EXPIRED = "certificate expired"
    SILENT = "collector does not answer"
    REFUSED = "certificate refused"
