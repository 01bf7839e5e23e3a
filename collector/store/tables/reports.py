"""Tables: checks done, reviews due, and what was sampled."""

from collector.store.schema import main

__all__ = ["main"]
