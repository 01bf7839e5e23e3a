"""A school with a real store, real keys and real sealed events; only the PC is played.

    async with make_world(tmp_path) as world:
        pc = await world.enrol("LAB2-14", room="Lab 2")
        alert = await pc.report(typed=("i ", "matched words", " after"))
        async with world.browser(Role.DSL) as browser:
            ...

Envelopes go through ingest's own checks and recorder; the desk is the real one.
"""

import atexit
import contextlib
import io
import os
import shutil
import tempfile
import uuid
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from PIL import Image, ImageDraw
from sqlalchemy import insert

from collector import alerts, audit, staff, vault
from collector.audit import Audit
from collector.devices import Device, DeviceState, insert_device
from collector.feed import Feed
from collector.ingest.check import Peer, check
from collector.ingest.limits import Limits
from collector.ingest.record import Recorder
from collector.permissions import SAFEGUARDING, TITLES, Role
from collector.school import School
from collector.settings import Settings
from collector.store import Store, schema
from collector.vault import Vault
from collector.web.app import create_app
from collector.web.lines import render_line
from wire import certs, chain, codec, ids, root, seal, sign
from wire.account import account_digest
from wire.clock import SystemClock
from wire.details import Details, Picture, Who, encode_details, encode_picture
from wire.event import (
    AccountKind,
    Envelope,
    Finding,
    Header,
    KeyStatement,
    Kind,
    Lane,
    PartKind,
    PictureState,
    Purpose,
    Severity,
    Source,
)

SCHOOL = "marsh-lane"
PASSWORD = "correct horse battery"
PASSPHRASE = "four plain words here"
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = SystemClock().now() // SECOND * SECOND
PRIVATE = seal.new_private_key()
PUBLIC = seal.public_half(PRIVATE)
KEY_ID = seal.key_id(PUBLIC)
ROOT = root.new_root()
PSEUDONYM_KEY = os.urandom(32)
ORIGIN = "https://desk.school"
OURS = {"sec-fetch-site": "same-origin"}


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self, at=START):
        self.at = at
        self.steady = 1000.0

    def now(self):
        return self.at

    def monotonic(self):
        return self.steady

    def advance(self, seconds):
        self.at += round(seconds * SECOND)
        self.steady += seconds


@cache
def password_hash():
    return staff.hash_password(PASSWORD)


@cache
def wrapped():
    return vault.wrap_for(PASSPHRASE, PRIVATE, KEY_ID)


@cache
def _empty():
    """A directory with the three files, migrated once for all tests."""
    directory = tempfile.mkdtemp(prefix="redshank-empty-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    Store.open(directory).close()
    return directory


@cache
def root_certificate():
    return certs.make_root(ROOT, SCHOOL, START)


def picture_bytes(words="What was on the screen", size=(960, 540)):
    image = Image.new("RGB", size, "#e9eef2")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0], 44), fill="#31485a")
    draw.text((20, 14), words, fill="white")
    for line in range(6):
        draw.rectangle((40, 90 + line * 44, 500 + 37 * (line % 4), 112 + line * 44), fill="#b6c2cb")
    out = io.BytesIO()
    image.save(out, "WEBP", quality=70)
    return out.getvalue()


@dataclass
class Parts:
    """What the desk asks of the collector."""

    settings: Settings
    school: School
    clock: object
    store: object
    feed: Feed
    vault: Vault
    audit: Audit


@dataclass
class Pc:
    """One enrolled PC and the lanes that it writes."""

    world: "World"
    device: str
    name: str
    room: str
    key: object
    heads: dict = field(default_factory=dict)

    async def report(
        self,
        *,
        account="S-1-5-21-1-2-3-1001",
        name="Jo Sample",
        login="jsample",
        category="suicide",
        severity=Severity.HIGH,
        score=900,
        reasons=("first_person", "plan"),
        typed=("cant do this any more ", "plain mild words", " and so on"),
        picture=None,
        shows=PictureState.BY_POLICY,
        kind=AccountKind.PERSON,
        ago=0,
        source=Source.TYPED,
        **details,
    ):
        """One event with its details, and its picture if one is given; its alert."""
        world = self.world
        event = ids.new_event(world.clock)
        matched_at = world.clock.now() - ago
        told = Details(
            who=Who(account=account, kind=kind, login=login, full_name=name, host=self.name),
            before=typed[0],
            matched=typed[1],
            after=typed[2],
            **{"application": "Firefox", "place": "chat", "address": "https://chat.example/room"}
            | details,
        )
        finding = Finding(
            source=source,
            category=category,
            severity=severity,
            score=score,
            reasons=reasons,
            term_id="a-term",
            pack=f"en/{category}",
            pack_version=1,
        )
        shows = PictureState.FOLLOWS if picture else shows
        first = self.envelope(
            Kind.EVENT,
            event,
            matched_at,
            account,
            kind,
            plain=encode_details(told),
            finding=finding,
            picture=shows,
        )
        changed = await world.ingest(self, first)
        if picture:
            shot = Picture(webp=picture, width=960, height=540, taken_at=matched_at, of="window")
            second = self.envelope(
                Kind.PICTURE, event, matched_at, account, kind, plain=encode_picture(shot)
            )
            changed = await world.ingest(self, second) or changed
        return changed[-1] if changed else None

    def envelope(self, kind, event, matched_at, account, account_kind, *, plain, **more):
        lane = Lane.PICTURE if kind is Kind.PICTURE else Lane.TEXT
        head = self.heads.get(lane) or chain.fresh_epoch(lane)
        part_kind = PartKind.PICTURE if kind is Kind.PICTURE else PartKind.DETAILS
        context = seal.SealContext(
            school=SCHOOL, device=self.device, event=event, kind=part_kind, key_id=KEY_ID
        )
        sealed = seal.seal(plain, public_key=PUBLIC, context=context)
        salt = os.urandom(32)
        header = Header(
            school=SCHOOL,
            device=self.device,
            position=chain.next_position(head),
            kind=kind,
            event=event,
            matched_at=matched_at,
            clock_offset=0,
            account_kind=account_kind,
            account_digest=account_digest(account, salt),
            policy_version=1,
            part=sealed.part,
            **more,
        )
        raw = codec.encode_header(header)
        self.heads[lane] = chain.head_after(header, raw)
        return Envelope(
            header=raw,
            signature=sign.sign_header(raw, self.key),
            sealed=sealed.sealed,
            account=account,
            account_salt=salt,
        )


class World:
    """The school."""

    def __init__(self, parts):
        self.parts = parts
        self.clock = parts.clock
        self.store = parts.store
        self.recorder = Recorder(SCHOOL)
        self.app: FastAPI = create_app(parts)
        self.desk = self.app.state.desk
        self.people = {}

    async def enrol(self, name, room="Lab 2"):
        key = certs.new_key()
        device = str(uuid.uuid4())
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        row = Device(
            device=device,
            name=name,
            room=room,
            state=DeviceState.ACTIVE,
            public_key=public,
            certificate=b"",
            enrolled_at=self.clock.now(),
        )
        await self.store.write(lambda conn: insert_device(conn, school=SCHOOL, device=row))
        return Pc(self, device, name, room, key)

    async def ingest(self, pc, envelope):
        peer = Peer(
            school=SCHOOL, device=pc.device, host=pc.name, room=pc.room, key=pc.key.public_key()
        )
        record = check(
            envelope,
            peer,
            known_keys={KEY_ID},
            pseudonym_key=PSEUDONYM_KEY,
            limits=Limits(),
            now=self.clock.now(),
        )
        await self.store.write_keys(lambda conn: self.recorder.keys([record], conn))
        await self.store.write_pictures(lambda conn: self.recorder.pictures([record], conn))
        recorded = await self.store.write(lambda conn: self.recorder.main([record], conn))
        self.parts.feed.publish(recorded.alerts)
        return recorded.alerts

    async def hire(self, role, *, login=None, name=None, key=True):
        """Somebody of that role; a DSL or deputy with the evidence key, unless `key` is False."""

        def job(conn):
            person = staff.add(
                conn,
                SCHOOL,
                login=login or role.value,
                name=name or f"{TITLES[role]} of the school",
                role=role,
                password_hash=password_hash(),
                now=self.clock.now(),
            )
            if key and role in SAFEGUARDING:
                vault.keep_wrap(
                    conn,
                    SCHOOL,
                    staff=person.staff,
                    key_id=KEY_ID,
                    wrap=wrapped(),
                    now=self.clock.now(),
                )
            return person

        self.people[role] = await self.store.write(job)
        return self.people[role]

    @contextlib.asynccontextmanager
    async def browser(self, role=Role.NOBODY, *, unlocked=False, address="192.0.2.7", app=None):
        """A browser without a screen; signed in as the role."""
        transport = httpx.ASGITransport(app or self.app, client=(address, 5000))
        async with httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, headers={"accept": "text/html"}
        ) as client:
            browser = Browser(self, client)
            if role is not Role.NOBODY:
                if role not in self.people:
                    await self.hire(role)
                answer = await browser.sign_in(self.people[role].login)
                assert answer.status_code == 303, answer.text
            if unlocked:
                answer = await browser.post("/vault/unlock", passphrase=PASSPHRASE)
                assert answer.status_code == 303, answer.text
            yield browser

    async def leaves(self, action=None):
        """The audit log, oldest first; of one action, if asked."""
        found = await self.store.read(lambda conn: audit.leaves(conn, SCHOOL, limit=1000))
        return [leaf for leaf in reversed(found) if action in (None, leaf.action)]

    async def alerts(self):
        return await self.store.read(lambda conn: alerts.worst_first(conn, SCHOOL))


class Browser:
    """Sends what a browser would: its cookie, Sec-Fetch-Site, and the form's token."""

    def __init__(self, world, client):
        self.world = world
        self.client = client
        self.session = None

    async def sign_in(self, login, password=PASSWORD):
        answer = await self.client.post(
            "/signin", data={"login": login, "password": password}, headers=OURS
        )
        if answer.status_code == 303:
            token = self.client.cookies["__Host-redshank"]
            self.session = await self.world.desk.signin.session(token)
        return answer

    @property
    def csrf(self):
        return self.session.csrf if self.session else ""

    async def get(self, path, **headers):
        return await self.client.get(path, headers=headers)

    async def post(self, path, **form):
        return await self.client.post(path, data={"csrf": self.csrf} | form, headers=OURS)


@contextlib.asynccontextmanager
async def make_world(directory: Path, clock=None, wrap_store=None, settings=None):
    """A school in that directory, until the end of the block."""
    shutil.copytree(_empty(), directory, dirs_exist_ok=True)
    store = Store.open(directory)
    clock = clock or SetClock()
    served = wrap_store(store) if wrap_store else store
    try:
        await store.write(lambda conn: _found(conn, clock.now()))

        async def catch_up(change):
            return await store.read(lambda conn: alerts.changed_since(conn, SCHOOL, change))

        parts = Parts(
            settings=settings
            or Settings(host="desk.school", session_hours=12, session_idle_minutes=30),
            school=School(id=SCHOOL, name="Marsh Lane School", root=root_certificate()),
            clock=clock,
            store=served,
            feed=Feed(render_line, catch_up),
            vault=Vault(served, SCHOOL, clock),
            audit=Audit(SCHOOL, clock),
        )
        yield World(parts)
    finally:
        store.close()


def _found(conn, now):
    conn.execute(
        insert(schema.schools).values(
            school=SCHOOL,
            name="Marsh Lane School",
            created_at=now,
            change=0,
            root_certificate=certs.der(root_certificate()),
        )
    )
    statement = KeyStatement(
        school=SCHOOL,
        purpose=Purpose.EVIDENCE,
        public_key=PUBLIC,
        epoch=1,
        not_before=now - DAY,
        not_after=now + 400 * DAY,
    )
    signed = root.sign_key(statement, ROOT)
    conn.execute(
        insert(schema.school_keys).values(
            school=SCHOOL,
            key_id=KEY_ID,
            purpose=int(Purpose.EVIDENCE),
            epoch=1,
            statement=signed.statement,
            signature=signed.signature,
        )
    )
