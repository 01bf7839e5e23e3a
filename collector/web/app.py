"""Puts the desk together."""

from fastapi import FastAPI

from collector.web.parts import Parts


def create_app(parts: Parts) -> FastAPI:
    """The desk's application, over the collector's parts.

    Raises:
        NoRowError: a route has no row in the permission table.
    """
    app = FastAPI(title="Redshank desk", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.parts = parts
    return app
