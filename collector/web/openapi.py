"""The OpenAPI document of the desk, as it is committed at `docs/openapi.json`.

    python -m collector.web.openapi > docs/openapi.json

The desk itself does not serve it.
"""

import json
import sys

from collector.web.app import bare_app


def document() -> str:
    """The document, ready to be written."""
    return json.dumps(bare_app().openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
