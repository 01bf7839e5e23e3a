"""The generated files are what protoc makes of the .proto files now."""

import subprocess
import sys
from pathlib import Path

import pytest

PROTO = Path(__file__).parents[2] / "proto"
_MADE = {
    "uplink": (
        ["--python_out", "--pyi_out", "--grpc_python_out"],
        ["uplink_pb2.py", "uplink_pb2.pyi", "uplink_pb2_grpc.py"],
    ),
    "local": (["--python_out", "--pyi_out"], ["local_pb2.py", "local_pb2.pyi"]),
}


@pytest.mark.parametrize("name", _MADE)
def test_generated_files_match_their_source(name, tmp_path):
    outputs, files = _MADE[name]
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I", PROTO]
        + [f"{output}={tmp_path}" for output in outputs]
        + [f"wire/v1/{name}.proto"],
        check=True,
    )
    made = tmp_path / "wire" / "v1"
    assert sorted(path.name for path in made.iterdir()) == sorted(files)
    for file in files:
        assert (made / file).read_text() == (PROTO / "wire" / "v1" / file).read_text(), (
            f"{file} is not what protoc makes of {name}.proto: generate it again"
        )
