"""A spool on a disk that fails under it while it is open."""

import contextlib

import pytest

from agent.service import spool_tables
from agent.service.spool import Spool
from agent.service.spool_file import Limits, SpoolFailed, SpoolFile, SpoolFull
from agent.service.spool_frame import MAGIC
from tests.agent.service.conftest import draft
from tests.agent.service.test_spool_file import ROOMY, holds, records
from tests.faults.disk import SmallDisk
from wire import codec
from wire.event import Kind, Lane, TombstoneReason

RESERVED = Limits(size=64 << 20, reserve=8 << 20, allocated=1 << 20)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool.db"


@pytest.fixture
def disk(tmp_path):
    """A disk of 3 MiB."""
    with SmallDisk(tmp_path, kilobytes=3072) as small:
        yield small.root


def leave_no_page(path):
    with contextlib.suppress(OSError), path.open("wb", 0) as rest:
        while True:
            rest.write(bytes(4096))


def fill(spool, most=10_000):
    taken = []
    for _ in range(most):
        try:
            taken += spool.append([draft()])
        except SpoolFull:
            return taken
    raise AssertionError("it never filled up")


@pytest.mark.root
def test_all_that_is_taken_in_advance_serves_text_and_a_full_disk_keeps_no_spool_shut(disk, scribe):
    spool = SpoolFile.open(disk / "spool.db", scribe=scribe, limits=RESERVED)
    (disk / "other").write_bytes(bytes(1 << 20))
    leave_no_page(disk / "rest")
    # Not a page of the disk is free any more: what follows goes into the reserve.
    taken = fill(spool)
    assert len(taken) > RESERVED.allocated // 2500
    assert spool_tables.reserved(spool._db) == 0
    spool.close()
    again = SpoolFile.open(disk / "spool.db", scribe=scribe, limits=RESERVED)
    assert [one.head for one in records(again)[0]] == [one.head for one in taken]
    again.receipted(taken[-2].head)
    again.append([draft()])
    # The first room that comes back is the reserve's, so that text stays safe.
    (shed,) = again.append([draft(Kind.PICTURE, 100_000)])
    assert shed.kind is Kind.TOMBSTONE
    (disk / "other").unlink()
    (disk / "rest").unlink()
    (kept,) = again.append([draft(Kind.PICTURE, 100_000)])
    assert kept.kind is Kind.PICTURE
    assert spool_tables.is_reserve_whole(again._db, RESERVED.allocated)
    assert all(map(holds, records(again)))
    again.close()


@pytest.mark.root
def test_a_new_epoch_goes_on_where_a_full_disk_has_no_room_for_the_old_pages(disk, scribe):
    spool = SpoolFile.open(disk / "spool.db", scribe=scribe, limits=RESERVED)
    pictures = [spool.append([draft(Kind.PICTURE, 300_000)])[0] for _ in range(4)]
    spool.append([draft()])
    leave_no_page(disk / "rest")
    spool.new_epoch(Lane.PICTURE, "a test")
    text, moved = records(spool)
    assert len(text) == 1
    assert [one.kind for one in moved] == [Kind.TOMBSTONE] * len(pictures)
    assert holds(moved)
    assert [codec.decode_header(one.envelope.header).event for one in moved] == [
        codec.decode_header(one.envelope.header).event for one in pictures
    ]
    spool.close()


def test_several_records_damaged_in_a_row_while_it_is_open_are_taken_by_tombstones(path, scribe):
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    written = []
    for _ in range(60):
        written += spool.append([draft(size=1000) for _ in range(20)])
    image = path.read_bytes()
    hurt = range(200, 205)
    with path.open("r+b") as file:
        for number in hurt:
            header = written[number - 1].envelope.header
            at = image.rfind(MAGIC, 0, image.index(header))
            assert at >= 0
            for place in {at + 120, image.index(header) + 10}:
                file.seek(place)
                file.write(bytes([image[place] ^ 0xFF]))
    shared = Spool(spool)
    found = shared.read(Lane.TEXT, 0, 5000)
    assert [one.head.sequence for one in found] == list(range(1, 1201))
    assert holds(found)
    stones = [one.head.sequence for one in found if one.kind is Kind.TOMBSTONE]
    assert stones == list(hurt)
    for one in found[199:204]:
        tombstone = codec.decode_header(one.envelope.header).tombstone
        assert tombstone.reason is TombstoneReason.DAMAGED
    assert shared.depth().quarantined == len(hurt)
    assert "200, 201, 202, 203, 204" in shared.state().notes[-1]
    shared.close()


def test_a_shed_picture_between_damaged_ones_keeps_the_chain(path, scribe):
    limits = Limits(size=1280 << 10, reserve=256 << 10, allocated=64 << 10)
    spool = SpoolFile.open(path, scribe=scribe, limits=limits)
    for _ in range(6):
        spool.append([draft(Kind.PICTURE, 150_000)])
    while Kind.TOMBSTONE not in {one.kind for one in records(spool)[1][:-1]}:
        spool.append([draft()])
    lane = records(spool)[1]
    first = next(n for n, one in enumerate(lane, 1) if one.kind is Kind.TOMBSTONE)
    for number in (first - 1, first + 1, len(lane)):
        spool.give_up(Lane.PICTURE, number, "a test")
        assert holds(records(spool)[1])
    (after,) = spool.append([draft(Kind.PICTURE, 1000)])
    assert after.head.sequence == len(lane) + 1
    assert holds(records(spool)[1])
    spool.new_epoch(Lane.PICTURE, "a test")
    assert holds(records(spool)[1])
    spool.close()
    again = SpoolFile.open(path, scribe=scribe, limits=limits)
    assert holds(records(again)[1])
    assert again.depth().quarantined == 3
    again.close()


def test_what_survived_a_failed_commit_is_not_doubled_even_if_the_disk_stays_away(path, scribe):
    class Unlucky(SpoolFile):
        broken = False

        def _before_commit(self):
            if self.broken:
                self.broken = False
                self._db.execute("COMMIT")
                path.rename(path.with_name("away"))
                path.mkdir()
                self._db.execute("COMMIT")

    spool = Unlucky.open(path, scribe=scribe, limits=ROOMY)
    one = draft()
    spool.broken = True
    with pytest.raises(SpoolFailed):
        spool.append([one])
    with pytest.raises(SpoolFailed, match="cannot be opened"):
        spool.append([one])
    path.rmdir()
    path.with_name("away").rename(path)
    spool.keep(lambda state: state)
    (written,) = spool.append([one])
    assert records(spool)[0] == [written]
    spool.close()


def test_a_spool_that_was_closed_is_never_opened_again_without_its_lock(path, scribe):
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    (one,) = spool.append([draft()])
    spool.close()
    for act in (
        lambda: spool.append([draft()]),
        lambda: spool.receipted(one.head),
        lambda: list(spool.pending(Lane.TEXT)),
        lambda: spool.new_epoch(Lane.TEXT, "a test"),
    ):
        with pytest.raises(SpoolFailed, match="closed"):
            act()
    SpoolFile.open(path, scribe=scribe, limits=ROOMY).close()


def test_a_name_in_the_schema_that_no_text_holds_is_damage_like_any_other(path, scribe):
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    (one,) = spool.append([draft()])
    spool.close()
    image = path.read_bytes()
    at = image.index(b"CREATE TABLE text")
    for place in range(at - 14, at + 20):
        path.write_bytes(image[:place] + b"\xc5" + image[place + 1 :])
        spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
        assert records(spool)[0] == [one]
        spool.close()


@pytest.mark.parametrize("what", ["lock", "db"])
def test_a_place_that_cannot_be_written_is_said_in_words(path, scribe, what):
    path.with_name(f"spool.{what}").mkdir()
    with pytest.raises(SpoolFailed, match="cannot be opened"):
        SpoolFile.open(path, scribe=scribe, limits=ROOMY)
