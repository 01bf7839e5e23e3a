import random
import shutil
import subprocess
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.service.spool_file import Limits, SpoolFailed, SpoolFile, SpoolFull
from tests.agent.service.conftest import draft
from wire import chain, codec
from wire.event import ZERO_HASH, Kind, Lane, LaneHead, TombstoneReason

SMALL = Limits(size=1280 << 10, reserve=256 << 10, allocated=256 << 10)
ROOMY = Limits(size=64 << 20, reserve=8 << 20, allocated=256 << 10)


def records(spool):
    return [list(spool.pending(lane)) for lane in Lane]


def holds(written):
    """The lane's invariant, by the collector's own rule."""
    head = None
    for one in written:
        header = codec.decode_header(one.envelope.header)
        if head is None:
            head = LaneHead(
                lane=one.head.lane,
                epoch=one.head.epoch,
                sequence=one.head.sequence - 1,
                hash=one.previous,
            )
        head = chain.follow(head, header, one.envelope.header)
        assert head == one.head
    return True


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool.db"


def test_what_was_written_is_there_after_opening_again(path, scribe):
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    written = spool.append([draft(), draft(Kind.PICTURE, 90_000), draft()])
    spool.close()
    again = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    assert records(again) == [[written[0], written[2]], [written[1]]]
    assert all(map(holds, records(again)))
    again.close()


def test_one_writer(path, scribe):
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    with pytest.raises(SpoolFailed, match="another process"):
        SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    spool.close()
    SpoolFile.open(path, scribe=scribe, limits=ROOMY).close()


def test_a_receipt_forgets_and_a_foreign_one_does_not(path, scribe):
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    written = spool.append([draft() for _ in range(5)])
    foreign = LaneHead(lane=Lane.TEXT, epoch=bytes(16), sequence=2, hash=bytes(32))
    assert not spool.receipted(foreign)
    wrong = LaneHead(lane=Lane.TEXT, epoch=written[0].head.epoch, sequence=2, hash=ZERO_HASH)
    assert not spool.receipted(wrong)
    assert spool.receipted(written[2].head)
    assert records(spool)[0] == list(written[3:])
    assert spool.receipted(written[1].head)
    assert spool.depth().records == 2
    spool.close()


def test_a_new_epoch_keeps_event_and_part(path, scribe):
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    written = spool.append([draft() for _ in range(6)])
    spool.receipted(written[1].head)
    spool.new_epoch(Lane.TEXT, "a test")
    moved = records(spool)[0]
    assert [one.head.sequence for one in moved] == [1, 2, 3, 4]
    assert holds(moved)
    for old, new in zip(written[2:], moved, strict=True):
        before = codec.decode_header(old.envelope.header)
        after = codec.decode_header(new.envelope.header)
        assert (before.event, before.part) == (after.event, after.part)
        assert old.envelope.sealed == new.envelope.sealed
    assert spool.receipted_heads()[0].sequence == 0
    assert spool.state.notes == ("a test",)
    spool.close()


@pytest.fixture(scope="module")
def megabyte(tmp_path_factory, scribe):
    """A spool of a megabyte and what is in it."""
    path = tmp_path_factory.mktemp("mb") / "spool.db"
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    for _ in range(40):
        spool.append([draft() for _ in range(4)])
    for _ in range(5):
        spool.append([draft(Kind.PICTURE, 100_000)])
    spool.receipted(next(spool.pending(Lane.TEXT)).head)
    inside = records(spool)
    spool.close()
    return path.read_bytes(), inside


def offsets(size):
    rng = random.Random(20260101)
    return [*range(0, 100, 3), *(rng.randrange(size) for _ in range(120))]


def test_a_flipped_byte_costs_at_most_its_own_record(megabyte, path, scribe):
    image, inside = megabyte
    outcomes = Counter()
    for at in offsets(len(image)):
        flipped = bytearray(image)
        flipped[at] ^= 1 << (at % 8)
        path.write_bytes(flipped)
        began = time.monotonic()
        spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
        assert time.monotonic() - began < 5
        found = records(spool)
        assert [[o.head for o in lane] for lane in found] == [
            [o.head for o in lane] for lane in inside
        ], at
        lost = [
            new
            for was, now in zip(inside, found, strict=True)
            for old, new in zip(was, now, strict=True)
            if old != new
        ]
        assert len(lost) <= 1, at
        assert spool.depth().quarantined == len(lost)
        for one in lost:
            header = codec.decode_header(one.envelope.header)
            assert header.tombstone.reason is TombstoneReason.DAMAGED
        assert all(map(holds, found))
        (after,) = spool.append([draft()])
        assert after.head.sequence == inside[0][-1].head.sequence + 1
        outcomes[len(lost), bool(spool.state.notes)] += 1
        spool.close()
        for left in path.parent.iterdir():
            left.unlink()
    # Damage of every sort was met: none that matters, a record's, and the structure's.
    assert {(0, False), (1, True), (0, True)} <= set(outcomes)


def test_a_broken_file_is_kept_aside(megabyte, path, scribe):
    image, inside = megabyte
    path.write_bytes(b"\0" * 100 + image[100:])
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    assert records(spool) == inside
    assert path.with_name("spool.db.damaged-1").read_bytes()[100:] == image[100:]
    assert "damaged" in spool.state.notes[-1]
    spool.close()


def test_a_cut_file_gives_what_is_whole_and_tombstones_for_the_rest(megabyte, path, scribe):
    image, inside = megabyte
    path.write_bytes(image[: len(image) // 2])
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    found = records(spool)
    assert [len(lane) for lane in found] == [len(lane) for lane in inside]
    assert all(map(holds, found))
    assert spool.depth().quarantined > 0
    spool.close()


def test_a_file_of_noise_begins_anew_and_says_so(path, scribe):
    path.write_bytes(random.Random(1).randbytes(50_000))
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    assert records(spool) == [[], []]
    assert spool.state.notes
    spool.append([draft()])
    spool.close()


def test_at_the_limit_pictures_go_first_and_text_goes_on_into_the_reserve(path, scribe):
    spool = SpoolFile.open(path, scribe=scribe, limits=SMALL)
    pictures = [spool.append([draft(Kind.PICTURE, 200_000)])[0] for _ in range(6)]
    shed = [one for one in pictures if one.kind is Kind.TOMBSTONE]
    assert shed
    assert shed == pictures[-len(shed) :]
    taken = 0
    with pytest.raises(SpoolFull):  # noqa: PT012  # which one does not fit is the disk's matter
        while True:
            spool.append([draft()])
            taken += 1
    left = records(spool)
    assert len(left[0]) == taken > 250
    assert all(map(holds, left))
    assert {one.kind for one in left[1]} == {Kind.TOMBSTONE}
    for one in left[1]:
        header = codec.decode_header(one.envelope.header)
        assert header.tombstone.reason is TombstoneReason.SHED
    assert path.stat().st_size < SMALL.size + SMALL.allocated + (256 << 10)
    spool.receipted(left[0][-1].head)
    spool.append([draft()])
    spool.close()


def test_the_oldest_pictures_are_given_up_last(path, scribe):
    spool = SpoolFile.open(path, scribe=scribe, limits=SMALL)
    for _ in range(4):
        spool.append([draft(Kind.PICTURE, 200_000)])
    for _ in range(200):
        spool.append([draft()])
    kinds = [one.kind for one in records(spool)[1]]
    assert Kind.PICTURE in kinds
    assert Kind.TOMBSTONE in kinds
    assert kinds == sorted(kinds)
    spool.close()


@pytest.mark.root
def test_a_full_disk_refuses_and_never_drops(tmp_path, scribe):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], check=True, timeout=20)
    try:
        spool = SpoolFile.open(disk / "spool.db", scribe=scribe, limits=ROOMY)
        for _ in range(6):
            spool.append([draft(Kind.PICTURE, 250_000)])
        taken = []
        with pytest.raises(SpoolFull):  # noqa: PT012  # which one does not fit is the disk's matter
            for _ in range(10_000):
                taken += spool.append([draft()])
        assert len(taken) > 300
        assert [one.head for one in records(spool)[0]] == [one.head for one in taken]
        spool.close()
        again = SpoolFile.open(disk / "spool.db", scribe=scribe, limits=ROOMY)
        assert [one.head for one in records(again)[0]] == [one.head for one in taken]
        assert all(map(holds, records(again)))
        again.close()
    finally:
        subprocess.run(["umount", disk], check=True, timeout=20)


def test_a_commit_that_fails_late_is_an_error_and_is_not_doubled(path, scribe):
    class Unlucky(SpoolFile):
        broken = False

        def _before_commit(self):
            if self.broken:
                self.broken = False
                self._db.execute("COMMIT")
                self._db.execute("COMMIT")

    spool = Unlucky.open(path, scribe=scribe, limits=ROOMY)
    one = draft()
    spool.broken = True
    with pytest.raises(SpoolFailed):
        spool.append([one])
    (written,) = spool.append([one])
    assert records(spool)[0] == [written]
    spool.close()


steps = st.lists(
    st.one_of(
        st.tuples(st.just("text"), st.integers(1, 4)),
        st.tuples(st.just("picture"), st.integers(1, 300_000)),
        st.tuples(st.just("receipt"), st.integers(0, 6)),
        st.tuples(st.just("epoch"), st.sampled_from(list(Lane))),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=25,
)


@settings(max_examples=25)
@given(steps)
def test_it_behaves_as_two_lists(tmp_path_factory, scribe, steps):
    path = tmp_path_factory.mktemp("model") / "spool.db"
    spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    model = {lane: [] for lane in Lane}
    for what, amount in steps:
        if what == "text":
            done = spool.append([draft() for _ in range(amount)])
            model[Lane.TEXT] += [codec.decode_header(o.envelope.header).event for o in done]
        elif what == "picture":
            done = spool.append([draft(Kind.PICTURE, max(100, amount))])
            model[Lane.PICTURE] += [codec.decode_header(o.envelope.header).event for o in done]
        elif what == "receipt":
            waiting = records(spool)[0]
            if amount < len(waiting):
                assert spool.receipted(waiting[amount].head)
                del model[Lane.TEXT][: amount + 1]
        elif what == "epoch":
            spool.new_epoch(amount, "a test")
        else:
            spool.close()
            spool = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
        for lane, found in zip(Lane, records(spool), strict=True):
            events = [codec.decode_header(o.envelope.header).event for o in found]
            assert events == model[lane]
            assert holds(found)
    spool.close()
    shutil.rmtree(path.parent)
