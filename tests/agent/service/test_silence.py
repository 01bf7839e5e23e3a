"""A session that says nothing for long is one that does not watch, whatever it last said."""

import threading
from dataclasses import replace

import pytest

from agent.local import Peer
from agent.service.roll import SILENT, Blind, Roll, Seat
from wire.details import Who
from wire.event import AccountKind, GapReason
from wire.local import Watch

NOW = 1_800_000_000_000_000


class Channel:
    peer = Peer(user="1000", pid=1, session="2")
    lock = threading.Lock()


WELL = Watch(hook_alive=True, blind=None, since=NOW, dropped=0)


@pytest.fixture
def seat():
    who = Who(
        account="linux:pc:1000",
        kind=AccountKind.PERSON,
        login="x",
        full_name="",
        session="2",
        host="pc",
    )
    return Seat(channel=Channel(), who=who, is_session=True)


def test_a_stopped_session_is_blind_since_its_last_word(seat):
    roll = Roll()
    roll.join(seat, NOW)
    roll.watch(seat, WELL, 100.0)
    roll.expect_words(100.0 + SILENT, NOW)
    assert roll.blind() == []
    roll.expect_words(101.0 + SILENT, NOW + int((1 + SILENT) * 1e6))
    assert roll.blind() == [Blind(GapReason.HOOK_DEAD, NOW)]
    assert not roll.signed_in()[0].hook_alive


def test_its_next_word_ends_that(seat):
    roll = Roll()
    roll.join(seat, NOW)
    roll.watch(seat, WELL, 100.0)
    roll.expect_words(200.0, NOW)
    roll.changed.clear()
    roll.watch(seat, WELL, 201.0)
    assert roll.blind() == []
    assert roll.changed.is_set()
    roll.expect_words(202.0, NOW)
    assert roll.blind() == []


def test_a_session_that_is_blind_for_another_reason_stays_so(seat):
    roll = Roll()
    roll.join(seat, NOW)
    roll.watch(seat, replace(WELL, hook_alive=False, blind=GapReason.NO_DISPLAY), 100.0)
    roll.expect_words(500.0, NOW + 400_000_000)
    assert roll.blind() == [Blind(GapReason.NO_DISPLAY, NOW)]
