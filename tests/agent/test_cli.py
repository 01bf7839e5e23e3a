"""The command line against a real HTTPS server that enrols, and a service of its own."""

import base64
import http.server
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
from dataclasses import fields
from pathlib import Path

import pytest

from agent import cli
from agent.service import identity as ids
from agent.service.cause import Cause
from agent.service.doctor import BLIND, Facts, diagnose
from agent.service.reach import Reach
from agent.service.settings import Settings, default_file, load
from tests.agent.service.simulator import DAY, Collector, School, private_pem
from wire import certs, sign
from wire.codec import encode_signed_policy
from wire.tls import server_context
from wire.token import new_token

ROOT = Path(__file__).parents[2]


class Office:
    """Enrolment and renewal over HTTPS, as the collector answers them."""

    def __init__(self, school, directory, uplink):
        self.school = school
        self.uplink = uplink
        self.problem = None
        self.cut_after = None
        self.keys = {}
        self.asked = []
        key = certs.new_key()
        leaf = certs.issue_server(
            school.issuer, key.public_key(), ["localhost"], school.clock.now()
        )
        (directory / "k").write_bytes(private_pem(key))
        (directory / "c").write_text(certs.pem(leaf) + certs.pem(school.issuer.certificate))
        office = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(office.trust())

            def do_POST(self):
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                office.asked.append(said)
                if office.cut_after == self.path:
                    office.cut_after = None
                    self.connection.close()
                    return
                self.answer(office.post(self.path, said))

            def answer(self, said):
                body = json.dumps(said).encode()
                self.send_response(said.get("status", 200))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
        context = server_context(str(directory / "c"), str(directory / "k"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.address = f"https://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def trust(self):
        return {
            "root": certs.pem(self.school.root),
            "issuer": certs.pem(self.school.issuer.certificate),
            "school": self.school.name,
        }

    def post(self, path, said):
        if self.problem:
            return self.problem
        csr = certs.read_csr(said["csr"])
        if path == "/v1/renew":
            sign.verify_renewal(
                certs.der(csr), base64.b64decode(said["proof"]), self.keys[said["device"]]
            )
        device = said.get("device", "pc-77")
        self.keys[device] = certs.public_key_of(csr)
        leaf = certs.issue_device(
            self.school.issuer,
            csr.public_key(),
            certs.Identity(self.school.name, device),
            self.school.clock.now(),
        )
        return {
            "device": device,
            "school": self.school.name,
            "chain": [certs.pem(leaf), certs.pem(self.school.issuer.certificate)],
            "uplink": self.uplink,
            "policy": base64.b64encode(encode_signed_policy(self.school.policy())).decode(),
        }

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def school():
    return School()


@pytest.fixture
def collector(school):
    made = Collector(school)
    yield made
    made.stop()


@pytest.fixture
def office(school, collector, tmp_path):
    made = Office(school, tmp_path, f"localhost:{collector.port}")
    yield made
    made.close()


@pytest.fixture
def state():
    with tempfile.TemporaryDirectory(prefix="rs") as name:
        yield Path(name) / "state"


def run(state, *words):
    return cli.main(["--state", str(state), *words])


def enrol(state, office, token):
    return run(state, "enrol", "--server", office.address, "--token", token, "--host", "lab-9")


def token_for(school):
    return new_token(certs.trust_of(school.root)).text()


def test_enrolment_keeps_the_key_at_home(state, office, school, capsys):
    assert enrol(state, office, token_for(school)) == 0
    assert "pc-77" in capsys.readouterr().out
    files = ids.Files(state)
    assert ids.load(files).device == "pc-77"
    assert files.key.stat().st_mode & 0o777 == 0o600
    assert state.stat().st_mode & 0o777 == 0o700
    assert files.policy.exists()
    assert "PRIVATE" not in json.dumps(office.asked)
    assert office.asked[0]["host"] == "lab-9"


def test_an_interrupted_enrolment_is_repeated_with_the_same_key(state, office, school, capsys):
    office.cut_after = "/v1/enrol"
    token = token_for(school)
    assert enrol(state, office, token) == 1
    assert "no answer" in capsys.readouterr().err
    key = ids.Files(state).key.read_bytes()
    assert enrol(state, office, token) == 0
    assert ids.Files(state).key.read_bytes() == key


def test_a_token_for_another_server_sends_nothing(state, office, capsys):
    assert enrol(state, office, token_for(School())) == 1
    assert "not the one that the token was made for" in capsys.readouterr().err
    assert not office.asked
    assert not state.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[:-3], "cut"),
        (lambda text: text[:10] + ("a" if text[10] != "a" else "b") + text[11:], "mistyped"),
        (lambda _: "hello", "not an enrolment token"),
        (lambda text: "rs2" + text[3:], "another version"),
    ],
)
def test_a_bad_token_is_named_in_one_line(  # noqa: PLR0917  # four fixtures
    state, office, school, capsys, change, words
):
    assert enrol(state, office, change(token_for(school))) == 1
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_a_refusal_is_shown_as_the_server_words_it(state, office, school, capsys):
    office.problem = {
        "type": "urn:redshank:problem:token-used",
        "status": 403,
        "detail": "this token was used up",
    }
    assert enrol(state, office, token_for(school)) == 1
    assert "this token was used up" in capsys.readouterr().err
    assert not ids.Files(state).identity.exists()


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("https://localhost:1", "no answer"),
        ("http://localhost:1", "not an address"),
        ("https://localhost:x", "not an address"),
    ],
)
def test_a_server_that_is_not_there(state, school, capsys, server, words):
    code = run(state, "enrol", "--server", server, "--token", token_for(school))
    assert code == 1
    assert words in capsys.readouterr().err


def test_an_expired_certificate_is_renewed_over_https_by_its_old_key(
    state, office, school, collector
):
    files, identity = school.enrol(
        state, port=collector.port, days=1, age=3 * DAY, server=office.address
    )
    office.keys["pc-1"] = ids.load_key(files).public_key()
    process = service(state)
    try:
        collector.wait(lambda c: c.beats, 30)
        assert ids.load(files).ends > identity.ends
    finally:
        stop(process)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("spool_mib = 'x'", "spool_mib: must be a whole number"),
        ("colour = 1", "colour: there is no such setting"),
        ("state = ", "not TOML"),
        ("spool_mib = 1", "spool_mib: at least"),
        ("log_level = 'loud'", "log_level"),
    ],
)
def test_bad_settings_name_file_and_setting(tmp_path, capsys, text, words):
    file = tmp_path / "agent.toml"
    file.write_text(text)
    assert cli.main(["--config", str(file), "status"]) == 78
    said = capsys.readouterr().err
    assert words in said
    assert str(file) in said


def test_where_the_packs_made_ready_are():
    environ = {"REDSHANK_AGENT_CONFIG": str(default_file())}
    there = load(environ={**environ, "REDSHANK_STATE": "/srv/state"})
    assert there.books == "/srv/state-books"
    assert load(environ={**environ, "REDSHANK_BOOKS": "/srv/b"}).books_folder == Path("/srv/b")
    assert not there.books.startswith(there.state + "/")


def test_every_setting_is_in_the_docs():
    documented = (ROOT / "docs" / "settings.md").read_text()
    of_agent = documented[documented.index("# Settings of the agent") :]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", of_agent, re.MULTILINE))
    assert set(rows) == {field.name for field in fields(Settings)}
    for field in fields(Settings):
        if field.default != "":
            assert rows[field.name] == f"`{field.default}`"


def test_usage_is_two(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["dance"])
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def service(state):
    return subprocess.Popen(
        [sys.executable, "-m", "agent", "--state", str(state), "run", "--service"],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}"},
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def stop(process):
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    return [json.loads(line) for line in said.splitlines()]


def test_run_without_enrolment_is_a_matter_of_configuration(state):
    process = service(state)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 78
    assert "not enrolled" in said


def test_status_doctor_and_canary_speak_to_the_service(state, office, school, collector, capsys):
    assert enrol(state, office, token_for(school)) == 0
    assert run(state, "status") == 1
    assert run(state, "canary") == 1
    assert run(state, "doctor") == 1
    assert "no service" in capsys.readouterr().out
    process = service(state)
    try:
        collector.wait(lambda c: c.beats, 30)
        assert run(state, "canary", "--wait", "20") == 0
        assert "durable at the collector" in capsys.readouterr().out
        assert run(state, "status", "--json") == 0
        assert json.loads(capsys.readouterr().out)["device"] == "pc-77"
        assert run(state, "status") == 0
        assert "flowing" in capsys.readouterr().out
        assert run(state, "doctor") == 1
        assert "no session process" in capsys.readouterr().out
    finally:
        lines = stop(process)
    assert all({"@timestamp", "log.level", "message"} <= set(line) for line in lines)


def test_doctor_says_first_that_the_pc_is_not_enrolled(state, capsys):
    assert run(state, "doctor") == 1
    said = capsys.readouterr().out
    assert "not enrolled" in said
    assert "redshank-agent enrol" in said


STATUS = {
    "uplink": {"phase": "flowing", "cause": "fine", "words": "", "clock_offset_us": 0},
    "policy": {"version": 3, "problem": ""},
    "book": {"ready": True, "problem": "", "refused": []},
    "spool": {"records": 0, "bytes": 0, "quarantined": 0, "problem": "", "notes": []},
    "sessions": [{"hook_alive": True, "blind": ""}],
    "gaps": [],
}


def with_status(path, value):
    made = json.loads(json.dumps(STATUS))
    at = made
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return Facts(status=made, reach=Reach(Cause.FINE, ""), spool_limit=100)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (Facts(reach=Reach(Cause.NO_NAME, "the name x is not known here")), "name"),
        (Facts(reach=Reach(Cause.UNREACHABLE, "nothing answers at x:1")), "nothing answers"),
        (Facts(service="no service at /run/x"), "no service"),
        (Facts(here=("wayland",)), "Wayland"),
        (Facts(here=("no_display",)), "no display"),
        (with_status(["uplink", "cause"], "device denied"), "revoked"),
        (with_status(["uplink", "cause"], "device pending"), "confirm"),
        (with_status(["uplink", "clock_offset_us"], 3_600_000_000), "clock is off by -3600 s"),
        (with_status(["policy", "problem"], "policy refused: expired"), "refused"),
        (with_status(["policy", "version"], 0), "no policy yet"),
        (with_status(["book", "problem"], "no room"), "for itself: no room"),
        (with_status(["book", "refused"], ["x: is not a file"]), "book: x: is not a file"),
        (with_status(["spool", "bytes"], 95), "spool is full"),
        (with_status(["spool", "problem"], "the disk is full"), "the disk refuses"),
        (with_status(["spool", "notes"], ["the spool was damaged"]), "was damaged"),
        (
            with_status(["uplink"], {**STATUS["uplink"], "phase": "resting", "words": "no answer"}),
            "no answer",
        ),
        (Facts(reach=Reach(Cause.SERVER_TIME, "does not hold at this PC's time")), "PC's time"),
        (with_status(["sessions"], []), "no session process"),
        *(
            (with_status(["sessions"], [{"hook_alive": False, "blind": name}]), words)
            for name, (words, _) in BLIND.items()
        ),
    ],
)
def test_the_doctor_has_words_and_a_remedy_for_each_ill(facts, words):
    found = diagnose(facts)
    assert any(words in one.what for one in found), found
    assert all(one.do for one in found)


def test_whoever_may_not_look_is_not_told_to_enrol_again():
    (found,) = diagnose(Facts(enrolled="identity.json is for the service alone", barred=True))
    assert found.do == "run the doctor as root"


def test_the_doctor_finds_nothing_where_nothing_is():
    assert diagnose(Facts(status=STATUS, reach=Reach(Cause.FINE, ""), spool_limit=100)) == ()


def test_tls_1_2_is_not_spoken_to(state, school, capsys, tmp_path):
    office = Office(school, tmp_path, "localhost:1")
    office.server.socket.context.minimum_version = ssl.TLSVersion.TLSv1_2
    office.server.socket.context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        assert enrol(state, office, token_for(school)) == 1
        assert "TLS 1.3" in capsys.readouterr().err
    finally:
        office.close()
