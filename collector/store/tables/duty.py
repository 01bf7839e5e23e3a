"""Tables: who watches when, what was asked of whom, and what became of it."""

from collector.store.schema import main

__all__ = ["main"]
