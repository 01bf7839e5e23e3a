"""What a session process imports of `wire` brings neither gRPC nor cryptography with it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Coverage measures child processes too, and brings modules of its own.
_UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
_ASK = """
import sys
import wire.local, wire.details, wire.event, wire.ids, wire.clock, wire.codec
from google.protobuf.internal import api_implementation
heavy = {"grpc", "cryptography", "ssl", "_ssl", "_hashlib", "_cffi_backend", "asyncio", "sqlite3"}
print(sorted(heavy.intersection(sys.modules)), api_implementation.Type())
"""


def test_the_session_s_modules_are_light_and_run_on_upb():
    done = subprocess.run(
        [sys.executable, "-c", _ASK],
        capture_output=True,
        text=True,
        env={**_UNMEASURED, "PYTHONPATH": str(ROOT / "proto")},
        check=True,
        timeout=30,
    )
    assert done.stdout.strip() == "[] upb"
