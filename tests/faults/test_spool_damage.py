"""A damaged spool: one flipped byte costs at most the record that it lies in.

Promise 6: any byte of a spool of 1 MB, only the damaged record is quarantined, and the
agent is back within 5 s. In CI at 300 offsets; at every one with --deep.
"""

import random
import shutil
import time

import pytest

from agent.service.spool_file import Limits, SpoolFile
from tests.faults.agent_spool import SCRIBE, event, picture
from wire import chain, codec
from wire.event import Kind, Lane, TombstoneReason

LIMITS = Limits(size=64 << 20, reserve=4 << 20, allocated=64 << 10)
EVENTS, PICTURES = 240, 70


def open_spool(path):
    return SpoolFile.open(path, scribe=SCRIBE, limits=LIMITS)


def contents(spool):
    return {lane: list(spool.pending(lane)) for lane in Lane}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A spool of about 1 MB, and what it held."""
    path = tmp_path_factory.mktemp("whole") / "spool.db"
    spool = open_spool(path)
    for number in range(1, EVENTS + 1):
        spool.append([event(number)])
        if number <= PICTURES:
            spool.append([picture(number)])
    held = contents(spool)
    spool.close()
    assert 900_000 < path.stat().st_size < 1_300_000
    return path, held


def damage(whole, folder, offset, flip):
    """Flip bits of one byte, and open: what became of it, and how long it took."""
    source, held = whole
    path = folder / "spool.db"
    shutil.copy(source, path)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ flip]))
    began = time.monotonic()
    spool = open_spool(path)
    took = time.monotonic() - began
    try:
        found = contents(spool)
        quarantined = spool.depth().quarantined
    finally:
        spool.close()
        for left in folder.iterdir():
            left.unlink()
    return held, found, quarantined, took


def check(offset, held, found, quarantined, took):
    where = f"byte {offset}"
    assert took < 5, where
    lost = 0
    for lane in Lane:
        assert len(found[lane]) == len(held[lane]), where
        head = chain.start(lane, held[lane][0].head.epoch)
        for before, now in zip(held[lane], found[lane], strict=True):
            header = codec.decode_header(now.envelope.header)
            # What is left is a chain that the collector takes.
            head = chain.follow(head, header, now.envelope.header)
            if now.envelope == before.envelope:
                continue
            lost += 1
            assert now.kind is Kind.TOMBSTONE, where
            assert header.tombstone.reason is TombstoneReason.DAMAGED, where
            assert now.head.sequence == before.head.sequence, where
    assert lost <= 1, f"{where}: {lost} records for one byte"
    assert quarantined == lost, where


def test_any_byte_costs_its_own_record_alone(tmp_path, whole):
    size = whole[0].stat().st_size
    chance = random.Random(6)
    # The first page holds the file's own structure: it is sampled more closely.
    offsets = [*chance.sample(range(4096), 60), *chance.sample(range(4096, size), 240)]
    for offset in offsets:
        check(offset, *damage(whole, tmp_path, offset, 1 << chance.randrange(8)))


@pytest.mark.deep
@pytest.mark.timeout(36_000)
def test_every_byte_costs_its_own_record_alone(tmp_path, whole):
    for offset in range(whole[0].stat().st_size):
        check(offset, *damage(whole, tmp_path, offset, 1 << (offset % 8)))


def test_the_check_sees_a_loss(tmp_path, whole):
    held, found, quarantined, took = damage(whole, tmp_path, 0, 0)
    check(0, held, found, quarantined, took)
    found[Lane.TEXT] = found[Lane.TEXT][:-1]
    with pytest.raises(AssertionError, match="byte 0"):
        check(0, held, found, quarantined, took)
