"""A lane's numbers have no hole and no fork that goes unseen."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.examples import header, part
from wire import chain
from wire.chain import ForkFound, GapFound, follow, fresh_epoch, next_position
from wire.codec import encode_header
from wire.event import ZERO_HASH, Kind, Lane, PartKind, Tombstone, TombstoneReason


def record(position, **changes):
    """A header at that place, and its bytes."""
    if position.lane is Lane.PICTURE:
        changes = {
            "kind": Kind.PICTURE,
            "finding": None,
            "picture": None,
            "part": part(PartKind.PICTURE),
        } | changes
    made = header(position=position, **changes)
    return made, encode_header(made)


def tombstone(position, lost_hash=b""):
    return record(
        position,
        kind=Kind.TOMBSTONE,
        finding=None,
        picture=None,
        part=None,
        tombstone=Tombstone(reason=TombstoneReason.SHED, lost_hash=lost_hash),
    )


def written(count, lane=Lane.TEXT):
    """A lane's records, and its head before each and after the last."""
    heads, records = [fresh_epoch(lane)], []
    for number in range(count):
        records.append(record(next_position(heads[-1]), matched_at=1000 + number))
        heads.append(follow(heads[-1], *records[-1]))
    return heads, records


def test_epochs_are_not_guessable_and_start_at_nothing():
    first, second = fresh_epoch(Lane.TEXT), fresh_epoch(Lane.TEXT)
    assert first.epoch != second.epoch
    assert (first.sequence, first.hash) == (0, ZERO_HASH)
    assert next_position(first).sequence == 1
    assert next_position(first).previous == ZERO_HASH


@given(st.integers(1, 12), st.sampled_from(Lane))
def test_a_lane_in_order_is_followed(count, lane):
    heads, records = written(count, lane)
    assert heads[-1].sequence == count
    assert heads[-1].hash == chain.hash_header(records[-1][1])


@given(st.integers(2, 10), st.data())
def test_a_missing_record_is_a_gap_with_its_exact_number(count, data):
    heads, records = written(count)
    lost = data.draw(st.integers(0, count - 2))
    with pytest.raises(GapFound) as caught:
        follow(heads[lost], *records[lost + 1])
    assert caught.value.expected == heads[lost]
    words = f"1 missing before number {lost + 2}: {lost + 1} comes next"
    assert str(caught.value) == words


@given(st.integers(1, 8), st.data())
def test_another_record_under_a_number_is_a_fork(count, data):
    heads, records = written(count)
    place = data.draw(st.integers(0, count - 1))
    other = record(records[place][0].position, matched_at=5)
    with pytest.raises(ForkFound) as caught:
        follow(heads[-1], *other)
    assert caught.value.expected == heads[-1]
    assert str(caught.value) == f"number {place + 1} again, where {count + 1} comes next"


def test_a_record_with_another_past_is_a_fork():
    heads, _ = written(3)
    stranger = replace(next_position(heads[-1]), previous=b"x" * 32)
    with pytest.raises(ForkFound, match="another past"):
        follow(heads[-1], *record(stranger))


def test_the_last_record_sent_twice_leaves_the_head_where_it_is():
    heads, records = written(3)
    assert follow(heads[3], *records[2]) == heads[3]
    with pytest.raises(ForkFound):
        follow(heads[3], *records[1])


def test_a_head_without_records_knows_no_duplicate():
    head = fresh_epoch(Lane.TEXT)
    with pytest.raises(GapFound):
        follow(head, *record(replace(next_position(head), sequence=2, previous=b"x" * 32)))


def test_a_tombstone_stands_in_for_a_record_whose_successor_is_signed():
    heads, records = written(3)
    lost = chain.hash_header(records[1][1])
    instead = tombstone(records[1][0].position, lost)
    after = follow(heads[1], *instead)
    assert after.sequence == 2
    assert after.hash == lost
    assert follow(after, *records[2]) == heads[3]


def test_a_tombstone_of_an_unknown_hash_breaks_the_chain_to_a_signed_successor():
    heads, records = written(3)
    after = follow(heads[1], *tombstone(records[1][0].position))
    with pytest.raises(ForkFound):
        follow(after, *records[2])
    assert follow(after, *record(next_position(after))).sequence == 3


def test_a_new_epoch_is_judged_from_its_start():
    heads, _ = written(3)
    fresh = fresh_epoch(Lane.TEXT)
    first = record(next_position(fresh))
    after = follow(heads[3], *first)
    assert (after.epoch, after.sequence) == (fresh.epoch, 1)
    second = record(next_position(after))
    with pytest.raises(GapFound) as caught:
        follow(heads[3], *second)
    assert caught.value.expected == fresh


def test_a_head_of_another_lane_is_a_mistake_of_the_caller():
    _, records = written(1)
    with pytest.raises(ValueError, match="another lane"):
        follow(fresh_epoch(Lane.PICTURE), *records[0])
