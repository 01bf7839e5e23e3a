"""A school that was really set up, and a collector that really serves it, as a process of its own.

with Serving(made) as running:
    running.ask("enrol-token", room="Lab 2")
    running.post("/v1/enrol", {...})
"""

import base64
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from cryptography import x509

from collector import setup
from collector.control import ask
from keywords.pack import shipped_packs
from wire import certs, tls
from wire.clock import SystemClock
from wire.codec import decode_signed_policy
from wire.token import read_token

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse 12"
PASSPHRASE = "blue kettle seven rivers"
FREE = dict.fromkeys(("desk_listen", "enrol_listen", "uplink_listen", "ops_listen"), "127.0.0.1:0")
ENVIRONMENT = {"PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}", "PATH": "/usr/bin:/bin"} | {
    name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")
}
"""Ours alone, and what measures coverage of processes that a test starts."""


def canary_pack():
    """One small pack, so that a test of ours does not wait for all the others."""
    return tuple(path for path in shipped_packs() if path.stem == "canary")


def wanted(directory, **changed):
    """What a test school is made of."""
    said = {
        "data": directory / "data",
        "school": "marsh-lane",
        "name": "Marsh Lane School",
        "host": "localhost",
        "dsl_login": "dsl",
        "dsl_name": "Dee Lead",
        "password": PASSWORD,
        "passphrase": PASSPHRASE,
        "sheet": directory / "sheet.html",
        "packs": canary_pack(),
        "settings": FREE,
    }
    return setup.Wanted(**said | changed)


@cache
def _template():
    directory = Path(mkdtemp(prefix="redshank-school-"))
    setup.setup(wanted(directory), SystemClock())
    return directory


@dataclass(frozen=True)
class Made:
    """A school's data directory and its recovery sheet."""

    data: Path
    sheet: Path


def make_school(directory):
    """A copy of one school that was set up once, since making keys and hashes takes a second."""
    template = _template()
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copytree(template / "data", directory / "data")
    shutil.copy2(template / "sheet.html", directory / "sheet.html")
    config = directory / "data" / "collector.toml"
    config.write_text(config.read_text().replace(str(template), str(directory)))
    return Made(directory / "data", directory / "sheet.html")


def remove_template():
    if _template.cache_info().currsize:
        shutil.rmtree(_template())
        _template.cache_clear()


class Serving:
    """`redshank-collector serve` as a process, until the block ends."""

    def __init__(self, made, *flags, **environment):
        self.made = made
        self.flags = flags
        self.environment = ENVIRONMENT | environment
        self.log = []
        self.ready = threading.Event()
        self.addresses = {}

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "collector", "serve", "--data", self.made.data, *self.flags],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=self.environment,
            cwd=ROOT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self.ready.wait(30), self.log
        assert self.addresses, self.log
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    def stop(self, number=signal.SIGTERM):
        """Stop it; its exit code."""
        self.process.send_signal(number)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self._reader.join(5)
        self.process.stderr.close()
        return code

    def _read(self):
        for raw in self.process.stderr:
            try:
                line = json.loads(raw)
            except ValueError:
                line = {"message": raw.decode("utf-8", "replace")}
            self.log.append(line)
            if line["message"] == "serving":
                self.addresses = {
                    name.removeprefix("redshank.").removesuffix("_address"): address
                    for name, address in line.items()
                    if name.endswith("_address")
                }
                self.ready.set()
        self.ready.set()

    def port(self, name):
        return int(self.addresses[name].rsplit(":", 1)[1])

    def ask(self, command, **arguments):
        return ask(self.made.data / "control.sock", command, arguments)

    def root_pem(self):
        return (self.made.data / "certificates" / "root.pem").read_text()

    def post(self, path, body, *, method="POST"):
        """Status and JSON of a request to the enrolment listener, verified by the school's root."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        context = tls.client_context(self.root_pem())
        link = http.client.HTTPSConnection("localhost", self.port("enrol"), context=context)
        try:
            link.request(method, path, raw, {"Content-Type": "application/json"})
            answer = link.getresponse()
            return answer.status, answer.getheader("Content-Type"), json.loads(answer.read())
        finally:
            link.close()

    def get(self, listener, path):
        """Status and body of a plain or unverified request."""
        if listener == "ops":
            link = http.client.HTTPConnection("127.0.0.1", self.port(listener))
        else:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            link = http.client.HTTPSConnection("localhost", self.port(listener), context=context)
        try:
            link.request("GET", path)
            answer = link.getresponse()
            return answer.status, answer.read().decode()
        finally:
            link.close()

    def enrol(self, token=None, *, host="LAB2-14", key=None):
        """A PC with a certificate of its own: its key and what enrolment answered."""
        key = key or certs.new_key()
        token = token or self.ask("enrol-token", room="Lab 2")["token"]
        csr = certs.pem(certs.make_csr(key, host))
        status, _, said = self.post("/v1/enrol", {"token": token, "csr": csr, "host": host})
        return Pc(key, status, said)


@dataclass
class Pc:
    """What a PC has after it asked for a certificate."""

    key: object
    status: int
    said: dict

    @property
    def device(self):
        return self.said["device"]

    @property
    def certificate(self):
        return x509.load_pem_x509_certificate(self.said["chain"][0].encode())

    @property
    def policy(self):
        return decode_signed_policy(base64.b64decode(self.said["policy"]))


def secret_of(token):
    return read_token(token).secret


def wait_for(condition, seconds=10.0):
    """Wait until something is so; it fails with what it was last."""
    ends = time.monotonic() + seconds
    while not (seen := condition()):
        assert time.monotonic() < ends, f"never so: {seen!r}"
        time.sleep(0.02)
    return seen
