"""Tables: lessons, exclusions, requests for change, and school terms."""

from collector.store.schema import main

__all__ = ["main"]
