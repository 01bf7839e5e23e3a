"""The canary says which link of the chain is broken."""

import threading

import pytest

from agent import cli
from agent.local import connect, listen
from agent.service.canary import CanaryError, sing
from wire.clock import SystemClock
from wire.event import EvidenceRules, Kind
from wire.local import CanaryAsk, Rejected, Settings, StatusReply, Taken

CLOCK = SystemClock()


def test_without_the_collector_it_says_that_it_waits_in_the_spool(pc):
    pc.start()
    channel = connect(pc.settings.socket)
    pc.service.uplink.stop()
    with pytest.raises(CanaryError, match="stays in the spool"):
        list(sing(channel, CLOCK, 0.5))
    channel.close()


def test_the_command_fails_in_words(pc, place, capsys):
    given = ["--state", str(place), "--socket", pc.settings.socket, "canary", "--wait", "1"]
    assert cli.main(given) == cli.FAILED
    assert "no service" in capsys.readouterr().err


@pytest.fixture
def service(tmp_path):
    """A service that says what it is told to."""
    listener = listen(str(tmp_path / "s"))
    answers = []

    def each(channel):
        try:
            while (message := channel.receive(5)) is not None:
                for answer in answers.pop(0)(message):
                    if answer is None:
                        channel.close()
                        return
                    channel.send(answer)
        except Exception:  # noqa: BLE001  # the test has gone
            channel.close()

    thread = threading.Thread(target=listener.serve, args=(each,))
    thread.start()
    yield tmp_path / "s", answers
    listener.close()
    thread.join(5)


def taken(message):
    assert isinstance(message, CanaryAsk)
    return [
        Settings(policy_version=1, packs=(), evidence=EvidenceRules()),
        Taken(event=message.event, kind=Kind.EVENT),
    ]


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ([lambda m: [Rejected(event=m.event, words="no policy yet")]], "no policy yet"),
        ([lambda _: [None]], "has gone"),
        ([lambda _: []], "did not answer"),
        ([taken, lambda _: [Rejected(event=bytes(16), words="for the technician")]], "technician"),
        ([taken, lambda _: [None]], "has gone"),
        ([taken, lambda _: [StatusReply(json="{}")]], "does not say how it stands"),
    ],
)
def test_each_broken_link_is_named(service, story, words):
    path, answers = service
    answers += story
    channel = connect(str(path))
    with pytest.raises(CanaryError, match=words):
        list(sing(channel, CLOCK, 0.5))
    channel.close()


def test_a_new_epoch_on_the_way_is_no_false_receipt(pc, collector):
    collector.answer_receipts = False
    pc.start()
    channel = connect(pc.settings.socket)
    links = sing(channel, CLOCK, 5)
    next(links)
    next(links)
    collector.wait(lambda c: c.records)
    with collector.lock:
        collector.heads.clear()
        collector.records.clear()
        collector.answer_receipts = True
    collector.cut()
    collector.wait(lambda c: c.records)
    assert "durable at the collector" in next(links).words
    channel.close()
