"""A session process that goes while its user stays is a gap; one whose user goes home is not."""

import os
from dataclasses import replace

import pytest

from agent.service.watch import Patience
from wire.event import GapReason

OWN = str(os.geteuid())


@pytest.fixture
def seats(pc):
    """Who is signed in."""
    users = {OWN}
    pc.parts = replace(
        pc.parts, users=lambda: set(users), patience=Patience(session=60_000_000, away=300_000)
    )
    return users


def told(collector):
    with collector.lock:
        return [
            gap
            for beat in collector.beats
            for gap in beat.gaps
            if gap.reason is GapReason.SESSION_MISSING
        ]


def sit_down(pc, heads=1):
    session = pc.session()
    session.hello()
    pc.until(lambda said: len(said["sessions"]) == heads)
    return session


def stand_up(pc, session):
    session.close()
    pc.until(lambda said: not said["sessions"])


def test_one_that_comes_back_at_once_leaves_a_closed_gap(pc, collector, seats):
    pc.parts = replace(pc.parts, patience=Patience(session=60_000_000, away=60_000_000))
    stand_up(pc, sit_down(pc.start()))
    again = sit_down(pc)
    collector.wait(told)
    gap = told(collector)[0]
    assert 0 < gap.ended_at - gap.started_at < 5_000_000
    again.close()


def test_one_that_stays_away_opens_a_gap_that_its_return_ends(pc, collector, seats):
    stand_up(pc, sit_down(pc.start()))
    collector.wait(lambda c: any(not gap.ended_at for gap in told(c)))
    again = sit_down(pc)
    collector.wait(lambda c: any(gap.ended_at for gap in told(c)))
    assert len({gap.started_at for gap in told(collector)}) == 1
    again.close()


def test_whoever_goes_home_leaves_no_gap_even_if_he_comes_back(pc, collector, seats):
    session = sit_down(pc.start())
    seats.clear()
    stand_up(pc, session)
    pc.service.watch.look()
    seats.add(OWN)
    again = sit_down(pc)
    beats = len(collector.beats)
    collector.wait(lambda c: len(c.beats) > beats + 1)
    assert told(collector) == []
    again.close()


def test_a_second_session_of_the_same_account_is_watched_as_well(pc, collector, seats):
    one, two = sit_down(pc.start()), sit_down(pc, 1)
    one.close()
    beats = len(collector.beats)
    collector.wait(lambda c: len(c.beats) > beats + 2)
    assert told(collector) == []
    two.close()
