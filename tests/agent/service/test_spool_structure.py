"""Spools whose SQLite is sound and whose content is not: each is carved or mended, and said."""

import sqlite3

import pytest

from agent.service import spool_frame
from agent.service.spool_carve import carve
from agent.service.spool_file import SpoolFile
from agent.service.spool_frame import Frame, FrameDamaged
from tests.agent.service.conftest import draft
from tests.agent.service.test_spool_file import ROOMY, holds, records
from wire.event import Kind, Lane


@pytest.fixture
def spool(tmp_path, scribe):
    """The path of a spool of eight events and two pictures, and what is in it."""
    path = tmp_path / "spool.db"
    made = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    made.append([draft() for _ in range(10)])
    made.append([draft(Kind.PICTURE, 20_000) for _ in range(2)])
    made.receipted(list(made.pending(Lane.TEXT))[1].head)
    inside = records(made)
    made.close()
    return path, inside


def change(path, *statements):
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


@pytest.mark.parametrize(
    "statements",
    [
        ("PRAGMA application_id=7",),
        ("PRAGMA user_version=99",),
        ("DELETE FROM text WHERE n = 5",),
        ("DELETE FROM text WHERE n = 10",),
        ("DELETE FROM state WHERE n = 1",),
        ("DELETE FROM text",),
        ("UPDATE text SET n = n + 100 WHERE n = 10",),
        ("UPDATE text SET frame = (SELECT frame FROM text WHERE n = 4) WHERE n = 5",),
        ("DROP TABLE reserve",),
        ("DROP TABLE picture",),
        ("UPDATE state SET frame = 'not a frame'",),
        ("UPDATE text SET frame = 17 WHERE n = 6",),
    ],
)
def test_it_opens_with_every_number_taken_and_says_what_it_met(spool, scribe, statements):
    path, inside = spool
    change(path, *statements)
    opened = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    found = records(opened)
    assert all(map(holds, found))
    is_anew = "state SET" in statements[0]
    if not is_anew:
        assert [len(lane) for lane in found] == [len(lane) for lane in inside]
    whole = sum(new == old for was, now in zip(inside, found, strict=True)
                for old, new in zip(was, now, strict=False))  # fmt: skip
    assert whole + opened.depth().quarantined >= sum(map(len, inside)) or is_anew
    assert opened.state.notes
    (after,) = opened.append([draft()])
    assert after.head.sequence == found[0][-1].head.sequence + 1
    opened.close()


def test_without_any_state_what_was_found_goes_into_new_epochs(spool, scribe):
    path, inside = spool
    change(path, "UPDATE state SET frame = x'00'")
    opened = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    found = records(opened)
    assert all(map(holds, found))
    for was, now in zip(inside, found, strict=True):
        assert {one.envelope.sealed for one in was} <= {one.envelope.sealed for one in now}
        assert now[0].head.epoch != was[0].head.epoch
        assert now[0].head.sequence == 1
    opened.close()


def test_a_cut_overflow_chain_gives_no_frame(tmp_path, scribe):
    path = tmp_path / "spool.db"
    made = SpoolFile.open(path, scribe=scribe, limits=ROOMY)
    made.append([draft(Kind.PICTURE, 50_000)])
    made.close()
    image = path.read_bytes()
    at = max(n for n in range(0, len(image), 4096) if spool_frame.MAGIC in image[n : n + 4096])
    for end in (len(image) - 4096, at + 4096, at + 1000):
        path.write_bytes(image[:end])
        assert all(frame.sort == spool_frame.STATE or frame.lane for frame in carve(path))
    path.write_bytes(b"")
    assert list(carve(path)) == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"lanes": {"9": {}}}', b'{"lanes": 4}', b"\xff"]
)
def test_a_state_that_is_none_is_damage(body):
    frame = Frame(sort=spool_frame.STATE, sequence=0, generation=1, body=body)
    with pytest.raises(FrameDamaged):
        spool_frame.state_of(frame)
    with pytest.raises(FrameDamaged):
        spool_frame.record_of(frame)
    record = Frame(sort=spool_frame.RECORD, lane=1, sequence=1, generation=1, kind=77, body=body)
    with pytest.raises(FrameDamaged):
        spool_frame.record_of(record)
    with pytest.raises(FrameDamaged):
        spool_frame.state_of(record)


def test_a_length_that_no_frame_has_is_damage():
    raw = bytearray(
        spool_frame.encode(Frame(sort=spool_frame.STATE, sequence=0, generation=1, body=b"{}"))
    )
    raw[107:111] = b"\xff\xff\xff\xff"
    with pytest.raises(FrameDamaged, match="length"):
        spool_frame.length_at(bytes(raw))
    with pytest.raises(FrameDamaged, match="no frame"):
        spool_frame.length_at(b"short")
