"""A collector that misbehaves, by fault or on purpose: nothing is lost, doubled, or stuck."""

import secrets
from collections import Counter

import pytest

from tests.agent.service.conftest import Pc, found
from tests.agent.service.simulator import Collector
from wire.event import Lane, LaneHead, Receipt, RefusalReason, Welcome
from wire.local import Taken
from wire.v1 import uplink_pb2


def put(pc, number=1):
    session = pc.session()
    session.hello()
    events = []
    for _ in range(number):
        one = found()
        assert isinstance(session.ask(one), Taken)
        events.append(one.event)
    session.close()
    return events


def alone(school, place):
    """A PC whose collector is away."""
    first = Collector(school)
    port = first.port
    first.stop()
    school.enrol(place, port=port)
    return Pc(place).start(), port


def arrived(collector, events):
    collector.wait(lambda c: len(c.records) >= len(events), 30)
    return Counter(header.event for header in collector.headers())


@pytest.mark.parametrize("reason", [RefusalReason.FORK, RefusalReason.GAP])
def test_answers_to_what_was_in_flight_open_no_further_epochs(school, place, reason):
    pc, port = alone(school, place)
    events = put(pc, 120)
    collector = Collector(school, port=port)
    collector.refuse_with = [(reason, "this number is taken")]
    try:
        assert arrived(collector, events) == Counter(events)
        said = pc.until(lambda said: said["spool"]["records"] == 0)
        assert len(said["spool"]["notes"]) <= 1
        assert len({header.position.epoch for header in collector.headers()}) == 1
    finally:
        pc.stop()
        collector.stop()


@pytest.mark.parametrize("at", [0, 1, (1 << 63) - 1])
def test_a_welcome_with_an_absurd_clock_stops_nothing(pc, collector, at):
    def welcome(device, hello):
        said = Collector.welcome(collector, device, hello)
        return Welcome(
            received_at=at,
            stored=said.stored,
            policy_version=said.policy_version,
            collector_version="",
        )

    collector.welcome = welcome
    pc.start()
    pc.until(lambda said: abs(said["uplink"]["clock_offset_us"]) > 10**15)
    events = put(pc, 3)
    assert arrived(collector, events) == Counter(events)
    collector.wait(lambda c: len(c.beats) >= 2)
    del collector.welcome
    collector.cut()
    pc.until(lambda said: abs(said["uplink"]["clock_offset_us"]) < 10**7)


def strange_heads():
    epoch = secrets.token_bytes(16)
    return {
        "of another epoch": lambda _: LaneHead(
            lane=Lane.TEXT, epoch=epoch, sequence=7, hash=bytes(32)
        ),
        "never written": lambda ours: LaneHead(
            lane=Lane.TEXT,
            epoch=ours.epoch,
            sequence=ours.sequence + 5,
            hash=secrets.token_bytes(32),
        ),
        "with another hash": lambda ours: LaneHead(
            lane=Lane.TEXT, epoch=ours.epoch, sequence=ours.sequence, hash=secrets.token_bytes(32)
        ),
    }


@pytest.mark.parametrize("name", sorted(strange_heads()))
def test_a_receipt_for_what_was_never_sent_forgets_nothing(pc, collector, name):
    collector.answer_receipts = False
    pc.start()
    events = put(pc, 3)
    collector.wait(lambda c: len(c.records) == 3)
    ours = pc.service.spool.heads()[0][0]
    with collector.lock:
        collector.heads.clear()
        collector.records.clear()
        collector.answer_receipts = True
    collector.say(Receipt(head=strange_heads()[name](ours)))
    assert arrived(collector, events) == Counter(events)
    said = pc.until(lambda said: said["spool"]["records"] == 0)
    assert "a receipt for a record that is not ours" in said["spool"]["notes"][0]


def test_receipts_that_go_back_change_nothing(pc, collector):
    pc.start()
    put(pc, 4)
    said = pc.until(lambda said: said["lanes"]["text"]["receipted"]["sequence"] == 4)
    header = collector.headers()[0]
    old = LaneHead(
        lane=Lane.TEXT, epoch=header.position.epoch, sequence=1, hash=secrets.token_bytes(32)
    )
    collector.say(Receipt(head=old))
    put(pc, 1)
    after = pc.until(lambda said: said["lanes"]["text"]["receipted"]["sequence"] == 5)
    assert after["lanes"]["text"]["written"]["epoch"] == said["lanes"]["text"]["written"]["epoch"]
    assert after["spool"]["notes"] == []


@pytest.mark.parametrize(
    "message",
    [
        uplink_pb2.CollectorMessage(),
        uplink_pb2.CollectorMessage(
            policy=uplink_pb2.SignedPolicy(policy=bytes(33 << 20), signature=b"x")
        ),
        uplink_pb2.CollectorMessage(renewal=uplink_pb2.Renewal(chain=[b"x", b"y"])),
        uplink_pb2.CollectorMessage(receipt=uplink_pb2.Receipt()),
    ],
    ids=["empty", "33 MiB", "no certificate", "a receipt of nothing"],
)
def test_a_message_that_is_none_costs_a_stream_at_most(pc, collector, message):
    pc.start()
    collector.wait(lambda c: c.beats)
    with collector.lock:
        for stream in collector.streams:
            stream.put(message)
    events = put(pc, 2)
    assert arrived(collector, events) == Counter(events)
    pc.until(lambda said: said["spool"]["records"] == 0)


def test_an_error_of_our_own_is_said_and_the_uplink_goes_on(pc, collector):
    pc.start()
    collector.wait(lambda c: c.beats)
    lucky, bad = pc.service.uplink._random, [1, 2]

    def unlucky():
        return 1 / 0 if bad and bad.pop() else lucky()

    pc.service.uplink._random = unlucky
    collector.cut()
    pc.until(
        lambda said: "error of the agent itself (ZeroDivisionError)" in said["uplink"]["words"]
    )
    events = put(pc, 2)
    assert arrived(collector, events) == Counter(events)
    pc.until(lambda said: said["uplink"]["phase"] == "flowing" and not said["uplink"]["words"])
