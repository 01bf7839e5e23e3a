"""A collector's recorder and lists without a network, at times of a test's choosing."""

from sqlalchemy import insert

from collector.alerts import acknowledge, call_false, worst_first
from collector.ingest.check import Peer, check
from collector.ingest.limits import Limits
from collector.ingest.record import Recorder, record_now
from collector.store import schema
from collector.store.files import Files
from tests.collector.device import GRAVE, Device
from wire import seal

START = 1_800_000_000_000_000


class Desk:
    """One device's events straight into the recorder, at times of the test's choosing."""

    def __init__(self, folder):
        self.files = Files.open(folder)
        evidence_key = seal.public_half(seal.new_private_key())
        self.device = Device("oak", evidence_key, clock=self)
        self.keys = {seal.key_id(evidence_key)}
        self.recorder = Recorder("oak")
        self.time = START
        self.enrolled_at = 0
        self.do(
            lambda conn: (
                conn.execute(
                    insert(schema.schools).values(
                        school="oak", name="", created_at=0, root_certificate=b""
                    )
                )
                and None
            )
        )

    def now(self):
        return self.time

    def do(self, job):
        return self.files.main.commit([job])[0].result()

    def happens(self, finding=GRAVE, *, at=0, received=None, account="alex", **said):
        """An event matched `at` after the start, and received then or later; what changed."""
        self.time = START + (at if received is None else received)
        return self.take(self.device.event(finding, account=account, at=START + at, **said))

    def take(self, *envelopes):
        """One batch of what the device wrote, received now; what changed."""
        batch = [self.checked(envelope) for envelope in envelopes]
        return record_now(self.recorder, self.files, batch).alerts

    def checked(self, envelope):
        peer = Peer(
            school="oak",
            device=self.device.device,
            host="pc-1",
            room="R1",
            key=self.device.key.public_key(),
            enrolled_at=self.enrolled_at,
        )
        return check(
            envelope,
            peer,
            known_keys=self.keys,
            pseudonym_key=b"k" * 32,
            limits=Limits(),
            now=self.time,
        )

    def list(self, **asked):
        return self.do(lambda conn: worst_first(conn, "oak", **asked))

    def acknowledge(self, alert):
        return self.do(
            lambda conn: acknowledge(
                conn, school="oak", alert=alert.alert, staff="dsl", now=self.time
            )
        )

    def call_false(self, alert):
        return self.do(
            lambda conn: call_false(
                conn, school="oak", alert=alert.alert, staff="dsl", now=self.time
            )
        )
