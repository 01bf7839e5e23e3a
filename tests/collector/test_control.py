"""The control socket: one answer for each question, and none for strangers or nonsense."""

import asyncio
import json
import pwd
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.control import LINE_MAX, ControlError, ControlServer, ask
from tests.collector.serving import ENVIRONMENT, ROOT


async def double(arguments):
    if "number" not in arguments:
        raise ControlError("number: is missing")
    return {"doubled": arguments["number"] * 2}


async def fail(_arguments):
    raise RuntimeError("a secret of the inside")


@pytest.fixture
async def path(tmp_path):
    server = ControlServer(tmp_path / "c.sock", {"double": double, "fail": fail})
    await server.start()
    yield tmp_path / "c.sock"
    await server.close()


async def asked(path, command, **arguments):
    return await asyncio.to_thread(ask, path, command, arguments)


async def raw(path, line):
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(line)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return json.loads(answer) if answer else None


async def test_a_command_is_answered(path):
    assert await asked(path, "double", number=21) == {"doubled": 42}


async def test_a_refusal_comes_in_words(path):
    with pytest.raises(ControlError, match="number: is missing"):
        await asked(path, "double")
    with pytest.raises(ControlError, match="does not know that command"):
        await asked(path, "format-disk")
    with pytest.raises(ControlError, match="its log says more"):
        await asked(path, "fail")


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"{}\n", b"null\n", b"[]\n", b'{"command": []}\n', b"\xff\n",
     b'{"command": "double", "arguments": 3}\n', b"[" * 50_000 + b"\n"],
)  # fmt: skip
async def test_nonsense_is_refused(path, line):
    assert await raw(path, line) == {"error": "the running collector does not know that command"}
    assert await asked(path, "double", number=1) == {"doubled": 2}


async def test_a_line_that_is_too_long_is_refused(path):
    said = await raw(path, b" " * (LINE_MAX + 10) + b"\n")
    assert said == {"error": "the running collector does not know that command"}


async def test_a_socket_left_behind_is_replaced_and_a_live_one_is_not(tmp_path):
    left = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left))
    server = ControlServer(left, {"double": double})
    await server.start()
    with pytest.raises(ControlError, match="another collector is listening"):
        await ControlServer(left, {}).start()
    await server.close()
    assert not left.exists()
    left.write_text("a file of somebody's")
    with pytest.raises(ControlError, match="is no socket"):
        await ControlServer(left, {}).start()
    assert left.read_text() == "a file of somebody's"
    with pytest.raises(ControlError, match="cannot listen"):
        await ControlServer(tmp_path / "none" / "c.sock", {}).start()


def test_without_a_server_the_words_say_what_to_start(tmp_path):
    with pytest.raises(ControlError, match="redshank-collector serve"):
        ask(tmp_path / "c.sock", "status", {})


async def test_only_the_owner_may_open_it(path):
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def open_folder():
    # Not under pytest's own folder, which it closes to other accounts.
    folder = Path(tempfile.mkdtemp(prefix="redshank-"))
    folder.chmod(0o755)
    yield folder
    folder.rmdir()


@pytest.mark.root
async def test_another_account_is_refused_even_where_the_mode_lets_it_in(open_folder):
    stranger = pwd.getpwnam("nobody")
    path = open_folder / "c.sock"
    server = ControlServer(path, {"double": double})
    await server.start()
    await asyncio.to_thread(path.chmod, 0o777)
    script = (
        "import socket, sys; c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1]);"
        'c.sendall(b\'{"command": "double", "arguments": {"number": 1}}\\n\');'
        "print(c.makefile().readline())"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        ["/usr/bin/python3", "-c", script, str(path)],
        capture_output=True, text=True, check=False, cwd="/",
        user=stranger.pw_uid, group=stranger.pw_gid, extra_groups=[],
    )  # fmt: skip
    await server.close()
    assert done.stdout, done.stderr
    said = json.loads(done.stdout)
    assert said == {"error": "only root and the collector's own user may do this"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(line=st.binary(max_size=200).map(lambda raw: raw.replace(b"\n", b"") + b"\n"))
def test_no_line_stops_the_server(tmp_path_factory, line):
    async def run():
        path = tmp_path_factory.mktemp("c") / "c.sock"
        server = ControlServer(path, {"double": double})
        await server.start()
        said = await raw(path, line)
        await server.close()
        return said

    assert "error" in asyncio.run(run())


def test_the_environment_of_the_commands_is_ours():
    done = subprocess.run(
        [sys.executable, "-m", "collector", "status", "--data", "/nonexistent"],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env=ENVIRONMENT | {"REDSHANK_HOST": "h"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "no collector is running" in done.stderr
