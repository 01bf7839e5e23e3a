"""What can go wrong in the collector, in one small family.

Whatever a library raises is wrapped at the border of the room that calls it.
"""


class CollectorError(Exception):
    """Anything that the collector itself refuses or fails at; the text says what to do."""


class StoreError(CollectorError):
    """The store cannot do what it was asked."""


class StoreLocked(StoreError):
    """Another collector works on the same data."""


class StoreClosed(StoreError):
    """The store was closed before the job ran."""


class CommitFailed(StoreError):
    """A commit did not become durable: nothing of it may be acknowledged."""


class UnknownDevice(CollectorError):
    """No such device was ever enrolled here."""
