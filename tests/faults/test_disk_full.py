"""A full disk at either end: nothing is dropped without a word, and text outlives pictures.

Promise 4. The disk is a tmpfs of so many kilobytes; over many sizes it fills up at a
different write each time.
"""

import os

import pytest

from agent.service.spool_carve import PAGE
from agent.service.spool_file import Limits, SpoolFile, SpoolFull
from collector.errors import CommitFailed
from tests.faults import collector_files
from tests.faults.agent_spool import PUBLIC_KEY, SCRIBE, event, picture
from tests.faults.disk import SmallDisk
from wire import codec
from wire.event import Kind, Lane, TombstoneReason
from wire.sign import verify_header

pytestmark = pytest.mark.root
WIDE = Limits(size=64 << 20, reserve=4 << 20, allocated=128 << 10)
PICTURE = 60_000


@pytest.fixture(autouse=True)
def _can():
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")


class Filling:
    """Writes to a spool until there is no room, as a PC far from its collector does."""

    def __init__(self, path, limits):
        self.spool = SpoolFile.open(path, scribe=SCRIBE, limits=limits)
        self.events, self.pictures, self.number = [], [], 0
        self.refused, self.last_picture = [], 0

    def run(self, most=4_000):
        while self.number < most:
            self.number += 1
            try:
                self.spool.append([event(self.number)])
            except SpoolFull:
                return self
            self.events.append(self.number)
            try:
                [written] = self.spool.append([picture(self.number, PICTURE)])
            except SpoolFull:
                self.refused.append(self.number)
                continue
            self.pictures.append(self.number)
            if written.kind is Kind.PICTURE:
                self.last_picture = self.number
        raise AssertionError("it never filled up")

    def after_last_picture(self):
        return sum(number > self.last_picture for number in self.events)

    def held(self, lane):
        return [
            (codec.decode_header(written.envelope.header), written)
            for written in self.spool.pending(lane)
        ]


def check(filling):
    """Everything that was taken is there; a shed picture left a signed tombstone in its place."""
    text = [int.from_bytes(header.event) for header, _ in filling.held(Lane.TEXT)]
    assert text == filling.events
    found = filling.held(Lane.PICTURE)
    assert [int.from_bytes(header.event) for header, _ in found] == filling.pictures
    # A tombstone is refused like text: when no page is left and nothing to give up for one.
    # In the page that the text lane has already, three more events find room at the most;
    # to refuse those as well would lose evidence so that a count comes out even.
    assert all(number in filling.events[-3:] for number in filling.refused)
    kept = 0
    for header, written in found:
        verify_header(written.envelope.header, written.envelope.signature, PUBLIC_KEY)
        if header.kind is Kind.PICTURE:
            kept += 1
            assert len(written.envelope.sealed) == PICTURE
        else:
            assert header.tombstone.reason is TombstoneReason.SHED
    return kept, len(found) - kept


@pytest.mark.parametrize("kilobytes", [*range(1_000, 1_080, 8), 2_000])
def test_the_disk_fills_up_under_the_spool(tmp_path, kilobytes):
    with SmallDisk(tmp_path, kilobytes=kilobytes) as disk:
        filling = Filling(disk.root / "spool.db", WIDE).run()
        check(filling)
        filling.spool.close()
        filling.spool = SpoolFile.open(disk.root / "spool.db", scribe=SCRIBE, limits=WIDE)
        kept, shed = check(filling)
        # Text was refused: until then whatever can be given up was.
        assert (kept, shed) == (0, len(filling.pictures))
        # Half a page holds an event and its picture's tombstone. So every page of the file
        # came to serve text: those of the reserve, and those that pictures had.
        pages = (disk.root / "spool.db").stat().st_size // PAGE
        assert len(filling.events) >= 2 * pages
        assert filling.after_last_picture() >= 2 * WIDE.allocated // PAGE
        filling.spool.close()


def test_pictures_never_take_what_was_freed_for_text(tmp_path):
    """Between receipts that free little, text gets each page, and the reserve the next."""
    with SmallDisk(tmp_path, kilobytes=1_000) as disk:
        filling = Filling(disk.root / "spool.db", WIDE).run()
        held = list(filling.spool.pending(Lane.TEXT))
        number = filling.number
        for receipted in range(9, 59, 10):
            assert filling.spool.receipted(held[receipted].head)
            for _ in range(3):
                number += 1
                filling.spool.append([event(number)])
                [shed] = filling.spool.append([picture(number, PICTURE)])
                assert shed.kind is Kind.TOMBSTONE
        filling.spool.close()


def test_a_receipt_for_everything_is_taken_by_a_full_disk(tmp_path):
    with SmallDisk(tmp_path, kilobytes=2_000) as disk:
        filling = Filling(disk.root / "spool.db", WIDE).run()
        for lane in Lane:
            *_, last = filling.spool.pending(lane)
            assert filling.spool.receipted(last.head)
        assert filling.spool.depth().records == 0
        [written] = filling.spool.append([picture(9_999, PICTURE)])
        assert written.kind is Kind.PICTURE, "its reserve is whole, and there is room"
        filling.spool.close()


def test_the_spools_own_limit_keeps_room_for_text(tmp_path):
    limits = Limits(size=4 << 20, reserve=1 << 20, allocated=64 << 10)
    filling = Filling(tmp_path / "spool.db", limits).run()
    kept, shed = check(filling)
    assert shed > kept
    assert filling.after_last_picture() > 500
    assert (tmp_path / "spool.db").stat().st_size <= limits.size + (64 << 10)
    filling.spool.close()


def test_room_that_comes_back_is_used(tmp_path):
    with SmallDisk(tmp_path, kilobytes=1_000) as disk:
        filling = Filling(disk.root / "spool.db", WIDE).run()
        disk.resize(4_000)
        number = filling.number + 1
        filling.spool.append([event(number)])
        [written] = filling.spool.append([picture(number, PICTURE)])
        assert written.kind is Kind.PICTURE
        filling.spool.close()


@pytest.mark.parametrize("kilobytes", range(1_000, 1_064, 8))
def test_the_disk_fills_up_under_the_collector(tmp_path, kilobytes):
    with SmallDisk(tmp_path, kilobytes=kilobytes) as disk:
        folder = disk.root / "data"
        folder.mkdir()
        subject = collector_files.durable(folder)
        acknowledged = []

        def fill():
            for number in range(1, 10_000):
                subject.write(number, acknowledged.append)

        with pytest.raises(CommitFailed):
            fill()
        assert acknowledged
        assert set(acknowledged) <= set(subject.present())
        disk.resize(8_000)
        subject.write(10_000, acknowledged.append)
        subject.close()
        again = collector_files.durable(folder)
        assert set(acknowledged) <= set(again.present())
        again.close()
