"""A school with its CA, its keys and a running uplink, for tests: all of it real."""

import asyncio
import contextlib
import threading
from dataclasses import dataclass, replace

from wire.tls import require_tls13

require_tls13()

import grpc  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402
from sqlalchemy import insert, select  # noqa: E402

from collector.alerts import changed_since  # noqa: E402
from collector.devices import Device as Enrolled  # noqa: E402
from collector.devices import DeviceBook, DeviceState  # noqa: E402
from collector.errors import CollectorError  # noqa: E402
from collector.feed import Feed  # noqa: E402
from collector.ingest.limits import Limits  # noqa: E402
from collector.ingest.parts import UplinkParts  # noqa: E402
from collector.ingest.server import Uplink, uplink_credentials  # noqa: E402
from collector.store import Store, schema  # noqa: E402
from tests.collector.device import CLOCK, Device, Line  # noqa: E402
from wire import certs, seal  # noqa: E402
from wire.event import Purpose  # noqa: E402


@dataclass
class Ca:
    """A root and an issuer, of this school or of a stranger."""

    school: str

    def __post_init__(self):
        now = CLOCK.now()
        self.root_key = certs.new_key()
        root = certs.make_root(self.root_key, self.school, now)
        self.root = certs.Authority(root, self.root_key)
        issuer_key = certs.new_key()
        issuer = certs.make_issuer(self.root, issuer_key.public_key(), self.school, now)
        self.issuer = certs.Authority(issuer, issuer_key)

    @property
    def trusted(self):
        return (certs.pem(self.root.certificate) + certs.pem(self.issuer.certificate)).encode()

    def server(self):
        key = certs.new_key()
        names = ["localhost", "127.0.0.1"]
        leaf = certs.issue_server(self.issuer, key.public_key(), names, CLOCK.now())
        return key, leaf

    def device(self, device: Device, now=None, days=397):
        identity = certs.Identity(device.school, device.device)
        return certs.issue_device(
            self.issuer, device.key.public_key(), identity, now or CLOCK.now(), days
        )

    def credentials(self, key, leaf):
        """A client's credentials: the leaf with the issuer, and trust in the root."""
        return grpc.ssl_channel_credentials(
            root_certificates=certs.pem(self.root.certificate).encode(),
            private_key=key_pem(key),
            certificate_chain=(certs.pem(leaf) + certs.pem(self.issuer.certificate)).encode(),
        )


def key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def spki(key):
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


class Rig:
    """A school's store, book, feed and uplink."""

    def __init__(self, directory, *, school="oak", limits=None, clock=CLOCK, synchronous="FULL"):
        self.school = school
        self.ca = Ca(school)
        self.private = seal.new_private_key()
        self.evidence_key = seal.public_half(self.private)
        self.store = Store.open(directory, synchronous=synchronous)
        self.feed = Feed(
            lambda row: f"id: {row.change}\nevent: alert\ndata: {row.alert.hex()}\n\n".encode(),
            lambda since: self.store.read(lambda conn: changed_since(conn, school, since)),
        )
        self.book = DeviceBook(self.store, school)
        self.parts = UplinkParts(
            school=school,
            clock=clock,
            store=self.store,
            feed=self.feed,
            devices=self.book,
            pseudonym_key=bytes(range(32)),
            policy=lambda: None,
            policy_version=lambda: 0,
            renew=self.renew,
            version="0.1.0",
            limits=limits or Limits(),
        )
        self.uplink = None

    async def start(self, recorder=None):
        def job(conn):
            conn.execute(
                insert(schema.schools)
                .prefix_with("OR IGNORE")
                .values(school=self.school, name="Oak", created_at=1, root_certificate=b"x")
            )
            conn.execute(
                insert(schema.school_keys)
                .prefix_with("OR IGNORE")
                .values(
                    school=self.school,
                    key_id=seal.key_id(self.evidence_key),
                    purpose=int(Purpose.EVIDENCE),
                    epoch=1,
                    statement=b"",
                    signature=b"",
                )
            )

        await self.store.write(job)
        await self.book.load()
        self.uplink = Uplink(self.parts, recorder)
        key, leaf = self.ca.server()
        chain = (certs.pem(leaf) + certs.pem(self.ca.issuer.certificate)).encode()
        credentials = uplink_credentials(
            key_pem=key_pem(key), chain_pem=chain, trusted_pem=self.ca.trusted
        )
        await self.uplink.start(credentials, "127.0.0.1:0")
        return self

    async def stop(self):
        if self.uplink:
            await self.uplink.stop()
        self.store.close()

    async def enrol(self, device=None, *, state=DeviceState.ACTIVE, **made) -> Device:
        device = device or Device(self.school, self.evidence_key, **made)
        await self.book.add(self.enrolled(device, state))
        return device

    def enrolled(self, device, state=DeviceState.ACTIVE):
        return Enrolled(
            device=device.device,
            name=f"pc-{device.device[:4]}",
            room="R1",
            state=state,
            public_key=spki(device.key),
            certificate=certs.der(self.ca.device(device)),
            enrolled_at=1,
        )

    @contextlib.asynccontextmanager
    async def line(self, device, *, credentials=None, greet=True, **options):
        credentials = credentials or self.ca.credentials(device.key, self.ca.device(device))
        line = Line(self.uplink.port, credentials, **options)
        try:
            if greet:
                await line.greet(device)
            yield line
        finally:
            await line.close()

    @contextlib.asynccontextmanager
    async def held(self):
        """Keep the writer of the main file busy, so that records queue."""
        holding = threading.Event()
        busy = asyncio.ensure_future(self.store.write(lambda _: holding.wait(5) and None))
        try:
            yield
        finally:
            holding.set()
            await busy

    def renew(self, device, csr):
        request = certs.read_csr(csr)
        if spki_of(request) != device.public_key:
            raise CollectorError("a renewal is for the key that the PC already has")
        identity = certs.Identity(self.school, device.device)
        leaf = certs.issue_device(
            self.ca.issuer, certs.public_key_of(request), identity, CLOCK.now()
        )
        return certs.der(leaf), certs.der(self.ca.issuer.certificate)

    async def rows(self, table, *where):
        return await self.store.read(lambda conn: conn.execute(select(table).where(*where)).all())

    async def warnings(self):
        return [row.kind for row in await self.rows(schema.warnings)]


async def until(holds):
    """Wait for something that nobody tells."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def spki_of(request):
    return certs.public_key_of(request).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


__all__ = ["Ca", "Rig", "key_pem", "replace", "spki", "until"]
