from dataclasses import replace

import pytest

from agent import build
from agent.local import connect
from agent.service.canary import sing
from tests.agent.service.conftest import Pc, found
from tests.agent.service.simulator import Collector
from wire import ids
from wire.clock import SystemClock
from wire.event import GapReason, Kind, Lane, PictureState, Refusal, RefusalReason
from wire.local import Again, CanaryAsk, NoShot, Rejected, Shot, Taken, Watch

CLOCK = SystemClock()
WEBP = b"RIFF\x00\x00\x00\x00WEBP" + bytes(4000)


def test_what_a_session_finds_arrives_sealed_and_signed(pc, collector, school):
    session = pc.start().session()
    assert session.hello().policy_version == 1
    one = found()
    assert session.ask(one) == Taken(event=one.event, kind=Kind.EVENT)
    collector.wait(lambda c: c.records)
    header, envelope = collector.records[0]
    assert header.event == one.event
    assert header.finding == one.finding
    details = school.details(envelope, header)
    assert details.matched == "nobody likes you"
    assert details.who.account.startswith("linux:pc-1:")
    assert b"nobody likes you" not in envelope.header + envelope.sealed
    pc.until(lambda said: said["spool"]["records"] == 0)
    session.close()


def test_a_picture_and_a_repeat_follow_their_event(pc, collector):
    session = pc.start().session()
    session.hello()
    one = found(picture=PictureState.FOLLOWS)
    session.ask(one)
    shot = Shot(event=one.event, webp=WEBP, width=9, height=9, taken_at=CLOCK.now(), of="window")
    assert session.ask(shot).kind is Kind.PICTURE
    again = Again(event=one.event, finding=one.finding, repeats=3, last_at=CLOCK.now())
    assert session.ask(again).kind is Kind.REPEAT
    assert session.ask(again).kind is Kind.REPEAT
    collector.wait(lambda c: len(c.records) == 3)
    pc.until(lambda said: said["spool"]["records"] == 0)
    assert {h.kind for h in collector.headers(Lane.PICTURE)} == {Kind.PICTURE}
    assert [h.repeats for h in collector.headers(Lane.TEXT)] == [0, 3]
    session.close()


def test_a_picture_that_failed_leaves_a_tombstone(pc, collector):
    session = pc.start().session()
    session.hello()
    one = found(picture=PictureState.FOLLOWS)
    session.ask(one)
    assert session.ask(NoShot(event=one.event, why="the window is gone")).kind is Kind.TOMBSTONE
    collector.wait(lambda c: len(c.records) == 2)
    assert collector.headers(Lane.PICTURE)[0].event == one.event
    session.close()


def test_no_picture_is_kept_of_what_the_policy_withholds(pc, collector):
    session = pc.start().session()
    session.hello()
    one = found(picture=PictureState.FOLLOWS, finding={"category": "sexual"})
    session.ask(one)
    session.ask(Shot(event=one.event, webp=WEBP, width=9, height=9, taken_at=1, of="window"))
    session.ask(found())
    collector.wait(lambda c: len(c.records) == 2)
    assert collector.headers(Lane.TEXT)[0].picture is PictureState.BY_POLICY
    assert not collector.headers(Lane.PICTURE)
    session.close()


def test_an_hour_without_the_collector_arrives_in_order_once(school, place):

    first = Collector(school)
    port = first.port
    school.enrol(place, port=port)
    pc = Pc(place).start()
    first.wait(lambda c: c.hellos)
    first.stop()
    session = pc.session()
    session.hello()
    wanted = []
    for _ in range(180):
        one = found()
        answer = session.ask(one)
        assert isinstance(answer, Taken), answer
        wanted.append(one.event)
    session.close()
    pc.stop()
    second = Collector(school, port=port)
    try:
        pc.start()
        second.wait(lambda c: len(c.records) >= 180, 30)
        pc.until(lambda said: said["spool"]["records"] == 0)
        assert [header.event for header in second.headers()] == wanted
        assert [header.position.sequence for header in second.headers()] == list(range(1, 181))
    finally:
        pc.stop()
        second.stop()


def test_receipts_that_are_lost_make_no_doubles(pc, collector):
    collector.answer_receipts = False
    session = pc.start().session()
    session.hello()
    events = []
    for _ in range(5):
        one = found()
        session.ask(one)
        events.append(one.event)
    collector.wait(lambda c: len(c.records) == 5)
    collector.answer_receipts = True
    collector.cut()
    collector.wait(lambda c: len(c.hellos) >= 2)
    pc.until(lambda said: said["spool"]["records"] == 0)
    assert [header.event for header in collector.headers()] == events
    session.close()


@pytest.mark.parametrize("reason", [RefusalReason.RATE, RefusalReason.UNAVAILABLE])
def test_what_is_refused_for_a_while_is_sent_again(pc, collector, reason):
    collector.refuse_with = [(reason, "wait a little")] * 2
    session = pc.start().session()
    session.hello()
    session.ask(found())
    collector.wait(lambda c: c.records)
    pc.until(lambda said: said["spool"]["records"] == 0)
    session.close()
    assert collector.refuse_with == []
    assert len(collector.headers()) == 1


def test_a_poisoned_record_is_given_up_and_the_next_goes_on(pc, collector):
    collector.refuse_with = [(RefusalReason.MALFORMED, "cannot be read")] * 3
    session = pc.start().session()
    session.hello()
    one, two = found(), found()
    session.ask(one)
    collector.wait(lambda c: not c.refuse_with, 30)
    session.ask(two)
    collector.wait(lambda c: len(c.records) == 2)
    assert [header.kind for header in collector.headers()] == [Kind.TOMBSTONE, Kind.EVENT]
    assert pc.status()["spool"]["quarantined"] == 1
    session.close()


def test_a_collector_that_lost_its_memory_gets_a_new_epoch(pc, collector):
    session = pc.start().session()
    session.hello()
    session.ask(found())
    pc.until(lambda said: said["lanes"]["text"]["receipted"]["sequence"] == 1)
    with collector.lock:
        collector.heads.clear()
        before = collector.records.pop()
    collector.cut()
    collector.wait(lambda c: len(c.hellos) >= 2)
    pc.until(lambda said: said["spool"]["notes"])
    two = found()
    session.ask(two)
    collector.wait(lambda c: c.records)
    header = collector.headers()[-1]
    assert header.position.epoch != before[0].position.epoch
    assert header.position.sequence == 1
    assert "holds a receipt for 1" in pc.status()["spool"]["notes"][-1]
    session.close()


def test_a_fork_opens_a_new_epoch_and_keeps_the_events(pc, collector):
    collector.refuse_with = [(RefusalReason.FORK, "this number is taken")]
    session = pc.start().session()
    session.hello()
    one = found()
    session.ask(one)
    collector.wait(lambda c: c.records)
    assert collector.headers()[0].event == one.event
    pc.until(lambda said: said["spool"]["records"] == 0 and said["spool"]["notes"])
    session.close()


def test_a_denied_device_stops_and_says_so(pc, collector):
    collector.refuse_hello = Refusal(
        reason=RefusalReason.DENIED, words="this PC was revoked by the technician"
    )
    pc.start()
    said = pc.until(lambda said: said["uplink"]["cause"] == "device denied")
    assert "revoked" in said["uplink"]["words"]
    assert said["uplink"]["phase"] == "resting"


def test_a_pending_device_waits_and_then_goes_on(pc, collector):
    collector.refuse_hello = Refusal(
        reason=RefusalReason.PENDING, words="the technician has not confirmed this PC yet"
    )
    pc.start()
    pc.until(lambda said: said["uplink"]["cause"] == "device pending")
    collector.refuse_hello = None
    pc.until(lambda said: said["uplink"]["phase"] == "flowing")


def test_a_blind_session_becomes_a_gap_that_is_told_until_receipted(pc, collector):
    session = pc.start().session()
    session.hello()
    since = CLOCK.now() - 5_000_000
    session.channel.send(Watch(hook_alive=False, blind=GapReason.WAYLAND, since=since))
    collector.wait(
        lambda c: any(g.reason is GapReason.WAYLAND for beat in c.beats for g in beat.gaps)
    )
    session.channel.send(Watch(hook_alive=True, blind=None, since=CLOCK.now()))
    collector.wait(
        lambda c: any(
            g.reason is GapReason.WAYLAND and g.ended_at for beat in c.beats for g in beat.gaps
        )
    )
    pc.until(lambda said: not said["gaps"])
    session.close()


def test_a_stop_becomes_a_gap(pc, collector):
    pc.start()
    pc.until(lambda said: said["heartbeat"] >= 1)
    pc.stop()

    later = 3600 * 1_000_000

    class Later(SystemClock):
        def now(self):
            return super().now() + later

    pc.parts = replace(pc.parts, clock=Later(), uptime=lambda: 1e6)
    service = build.build_service(pc.settings, pc.parts)
    service.watch.started()
    (gap,) = [gap for _, gap in service.spool.state().gaps]
    assert gap.reason is GapReason.AGENT_STOPPED
    assert 3590e6 < gap.ended_at - gap.started_at < 3620e6
    service.listener.close()
    service.spool.close()


def test_the_canary_walks_the_whole_chain(pc, collector):

    pc.start()
    channel = connect(pc.settings.socket)
    links = list(sing(channel, CLOCK, 20))
    assert [link.words.split()[0] for link in links] == ["sealed,", "number", "durable"]
    assert collector.headers()[0].finding.category == "canary"
    channel.close()


def test_without_a_policy_nothing_is_taken(school, collector, place):

    school.enrol(place, port=collector.port, policy=False)
    pc = Pc(place).start()
    try:
        session = pc.session()
        event = ids.new_event(CLOCK)
        answer = session.ask(CanaryAsk(event=event))
        assert isinstance(answer, Rejected)
        assert "no policy" in answer.words
        collector.wait(lambda c: c.streams)
        collector.say(school.policy())
        pc.until(lambda said: said["policy"]["version"] == 1)
        assert isinstance(session.ask(CanaryAsk(event=event)), Taken)
        session.close()
    finally:
        pc.stop()
