"""Both real ends about a record that the collector will never take: its lane goes on.

The agent tries it in three streams, then quarantines it and signs a tombstone for its
number; the collector takes the tombstone, names the number, and the rest follows.
"""

import asyncio
import secrets
import threading

import pytest
from cryptography.hazmat.primitives import serialization

from agent.service.identity import Files, Identity, save
from agent.service.policy import PolicyKeeper
from agent.service.record import DeviceScribe, Draft
from agent.service.roll import Roll
from agent.service.seal import Offset
from agent.service.spool import Spool
from agent.service.spool_file import Limits, SpoolFile
from agent.service.uplink import Timing, Uplink
from collector.store import schema
from tests.collector.device import CLOCK, GRAVE
from tests.collector.school import Rig, key_pem
from wire import account, certs, seal
from wire.event import AccountKind, Kind, Lane, PartKind, PictureState
from wire.ids import new_event

ACCOUNT = "S-1-5-21-1"
BAD = 3


class Pc:
    """The agent's real spool and uplink, enrolled at a rig."""

    def __init__(self, folder, rig, device):
        self.rig, self.device = rig, device
        self.files = Files(folder)
        folder.mkdir(mode=0o700)
        leaf = rig.ca.device(device)
        self.files.key.write_bytes(key_pem(device.key))
        self.files.chain.write_text(certs.pem(leaf) + certs.pem(rig.ca.issuer.certificate))
        self.files.root.write_text(certs.pem(rig.ca.root.certificate))
        root = rig.ca.root_key.public_key()
        point = root.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        identity = Identity(
            school=rig.school,
            device=device.device,
            uplink=f"localhost:{rig.uplink.port}",
            server="https://localhost:1",
            host="pc-1",
            root_public=point.hex(),
            begins=CLOCK.now() - 1,
            ends=CLOCK.now() + 10**13,
        )
        save(self.files, identity)
        scribe = DeviceScribe(device.key, school=rig.school, device=device.device, clock=CLOCK)
        limits = Limits(size=64 << 20, reserve=4 << 20, allocated=64 << 10)
        self.spool = Spool(SpoolFile.open(self.files.spool, scribe=scribe, limits=limits))
        self.uplink = Uplink(
            files=self.files,
            identity=identity,
            spool=self.spool,
            policy=PolicyKeeper(self.files, root_public=root, school=rig.school, clock=CLOCK),
            roll=Roll(),
            offset=Offset(),
            clock=CLOCK,
            request_command=("false",),
            timing=Timing(beat=0.5, scale=0.02),
        )
        self.thread = threading.Thread(target=self.uplink.run)

    def put(self, lane=Lane.TEXT, *, event=None, key=None, signed_for=ACCOUNT, size=100):
        """One sealed record in the spool, as sound or as bad as asked."""
        event = event or new_event(CLOCK)
        is_text = lane is Lane.TEXT
        kind = PartKind.DETAILS if is_text else PartKind.PICTURE
        public = key or self.rig.evidence_key
        context = seal.SealContext(
            school=self.rig.school,
            device=self.device.device,
            event=event,
            kind=kind,
            key_id=seal.key_id(public),
        )
        made = seal.seal(bytes(size), public_key=public, context=context)
        salt = secrets.token_bytes(32)
        self.spool.put(
            Draft(
                lane=lane,
                kind=Kind.EVENT if is_text else Kind.PICTURE,
                event=event,
                matched_at=CLOCK.now(),
                account_kind=AccountKind.PERSON,
                account=ACCOUNT,
                account_salt=salt,
                account_digest=account.account_digest(signed_for, salt),
                finding=GRAVE if is_text else None,
                picture=PictureState.FOLLOWS if is_text else None,
                part=made.part,
                sealed=made.sealed,
            )
        )
        return event

    async def until_empty(self):
        self.thread.start()
        async with asyncio.timeout(20):
            while self.spool.depth().records:  # noqa: ASYNC110 - another thread empties it
                await asyncio.sleep(0.02)

    def stop(self):
        self.uplink.stop()
        if self.thread.is_alive():
            self.thread.join(10)
        self.spool.close()


@pytest.fixture
async def rig(tmp_path):
    made = Rig(tmp_path / "collector")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def pc(tmp_path, rig):
    made = Pc(tmp_path / "pc", rig, await rig.enrol())
    yield made
    await asyncio.to_thread(made.stop)


@pytest.mark.parametrize("lane", Lane, ids=["text", "picture"])
@pytest.mark.parametrize(
    ("bad", "warning"),
    [
        ({"key": seal.public_half(bytes(range(32)))}, "unknown_key"),
        ({"signed_for": "S-1-5-21-another"}, "bad_digest"),
        ({"size": 1_100_000}, None),
    ],
    ids=["another key", "another account", "too large"],
)
async def test_the_lane_goes_on_past_a_record_that_is_refused_for_itself(
    rig, pc, lane, bad, warning
):
    events = [new_event(CLOCK) for _ in range(6)]
    for number, event in enumerate(events, 1):
        pc.put(event=event, **(bad if lane is Lane.TEXT and number == BAD else {}))
    if lane is Lane.PICTURE:
        for number, event in enumerate(events, 1):
            pc.put(lane, event=event, **(bad if number == BAD else {}))
    await pc.until_empty()
    records = await rig.rows(schema.records, schema.records.c.lane == lane)
    kinds = [Kind(row.kind) for row in sorted(records, key=lambda row: row.sequence)]
    assert [number for number, kind in enumerate(kinds, 1) if kind is Kind.TOMBSTONE] == [BAD]
    assert len(kinds) == len(events)
    warnings = await rig.rows(schema.warnings)
    # What was in flight behind it may come first, and is a gap until the tombstone is there.
    named = {(row.kind, row.first, row.last) for row in warnings} - {("gap", BAD, BAD)}
    assert named == {("lost_damaged", BAD, BAD)} | ({(warning, BAD, BAD)} if warning else set())
    assert pc.spool.depth().quarantined == 1
    (alert,) = await rig.rows(schema.alerts)
    assert alert.events == (5 if lane is Lane.TEXT else 6)
