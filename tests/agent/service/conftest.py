"""A school, a collector, and a service on this PC, all real."""

import json
import os
import secrets
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.agent.service.simulator import Collector, School  # isort: skip
from agent import build
from agent.local import connect
from agent.service.record import DeviceScribe, Draft
from agent.service.settings import Settings as AgentSettings
from agent.service.uplink import Timing
from demo.school import BOOKS
from wire import account, certs, ids
from wire.clock import SystemClock
from wire.details import Details
from wire.event import (
    AccountKind,
    Finding,
    Kind,
    Lane,
    Part,
    PartKind,
    PictureState,
    Severity,
    Source,
)
from wire.local import Found, SessionHello, Settings

CLOCK = SystemClock()
FINDING = Finding(
    source=Source.TYPED,
    category="bullying",
    severity=Severity.MEDIUM,
    score=600,
    reasons=("exact",),
    term_id="t1",
    pack="en/bullying",
    pack_version=1,
)
QUICK = Timing(beat=0.5, answer=5.0, scale=0.02)


def found(event=None, **changes):
    return Found(
        event=event or ids.new_event(CLOCK),
        matched_at=CLOCK.now(),
        finding=replace(FINDING, **changes.pop("finding", {})),
        picture=changes.pop("picture", PictureState.BY_POLICY),
        details=Details(application="editor", matched="nobody likes you", **changes),
    )


def draft(kind=Kind.EVENT, size=900):
    salt = secrets.token_bytes(32)
    is_text = kind is Kind.EVENT
    return Draft(
        lane=Lane.TEXT if is_text else Lane.PICTURE,
        kind=kind,
        event=ids.new_event(CLOCK),
        matched_at=CLOCK.now(),
        account_kind=AccountKind.PERSON,
        account="linux:pc-1:1000",
        account_salt=salt,
        account_digest=account.account_digest("linux:pc-1:1000", salt),
        policy_version=1,
        finding=FINDING if is_text else None,
        picture=PictureState.FOLLOWS if is_text else None,
        part=Part(
            kind=PartKind.DETAILS if is_text else PartKind.PICTURE,
            key_id=bytes(16),
            sealed_digest=bytes(32),
            plain_digest=bytes(32),
            size=size,
        ),
        sealed=os.urandom(size),
    )


@pytest.fixture(scope="session")
def school():
    return School()


@pytest.fixture(scope="session")
def scribe():
    return DeviceScribe(certs.new_key(), school="oakfield", device="pc-1", clock=CLOCK)


@pytest.fixture
def collector(school):
    made = Collector(school)
    yield made
    made.stop()


@pytest.fixture
def place():
    """A directory whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="rs") as name:
        yield Path(name)


class Pc:
    """A PC with the service running in threads of this process."""

    def __init__(self, place, *, books=BOOKS, **parts):
        self.settings = AgentSettings(
            state=str(place),
            socket=str(place / "s"),
            books=str(books or ""),
            spool_mib=16,
            spool_reserve_mib=4,
        )
        self.parts = build.Parts(timing=QUICK, users=set, **parts)
        self.service = None

    def start(self):
        self.service = build.build_service(self.settings, self.parts)
        self.thread = threading.Thread(target=self.service.run)
        self.thread.start()
        return self

    def stop(self):
        if self.service is not None:
            self.service.stop()
            self.thread.join(20)
            assert not self.thread.is_alive()
            self.service = None

    def status(self):
        return json.loads(self.service.status())

    def until(self, ready, timeout=15.0):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            status = self.status()
            if ready(status):
                return status
            time.sleep(0.02)
        raise AssertionError(self.status())

    def session(self):
        return Session(self.settings.socket)


class Session:
    """A session process's side of the socket."""

    def __init__(self, path):
        self.channel = connect(path)

    def hello(self):
        self.channel.send(SessionHello(version="0.1.0", pid=os.getpid()))
        settings = self.channel.receive(5)
        assert isinstance(settings, Settings)
        return settings

    def ask(self, message, timeout=10):
        self.channel.send(message)
        return self.channel.receive(timeout)

    def close(self):
        self.channel.close()


@pytest.fixture
def pc(school, collector, place):
    school.enrol(place, port=collector.port)
    made = Pc(place)
    yield made
    made.stop()
