"""Tables: what is done about alerts, incidents, and their log."""

from collector.store.schema import main

__all__ = ["main"]
