"""The one place that asks which platform this is. Nothing of a platform is imported before."""

import sys

from agent.session.sources.events import BlindError
from agent.session.sources.interface import Sources
from wire.clock import Clock
from wire.event import GapReason


def open_sources(clock: Clock) -> Sources:
    """Make, but do not start, this platform's sources.

    Raises:
        BlindError: this session cannot be watched at all.
    """
    if sys.platform == "win32":
        from agent.session.sources import win32  # noqa: PLC0415 - loaded where it exists

        return win32.open_sources(clock)
    if sys.platform == "linux":
        from agent.session.sources import x11  # noqa: PLC0415 - loaded where it exists

        return x11.open_sources(clock)
    raise BlindError(GapReason.NO_PERMISSION, f"{sys.platform} is not supported yet")
