"""Tables: who the school's people are."""

from collector.store.schema import main

__all__ = ["main"]
