"""Tables: second factors, sign-ins by others' word, and who may do what."""

from collector.store.schema import main

__all__ = ["main"]
