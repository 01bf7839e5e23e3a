import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.local import MOST_PICTURE
from tests.agent.service.conftest import Pc, found
from tests.agent.service.simulator import School, canary_pack
from wire.event import EvidenceRules, Kind, PictureState
from wire.local import Shot

STRANGER = School()


def attacks(school):
    good = school.policy(3)
    foreign = Ed25519PrivateKey.generate()
    broken = replace(canary_pack(), text=b"category = [", version=9)
    return {
        "rollback": school.policy(1),
        "same version, other content": school.policy(2, days=20),
        "freeze: expired": school.policy(3, days=-1),
        "another school's": STRANGER.policy(3),
        "made for another school": school.policy(3, school="elsewhere"),
        "signature of another policy": replace(good, signature=school.policy(4).signature),
        "flipped byte": replace(good, policy=good.policy[:-1] + bytes([good.policy[-1] ^ 1])),
        "truncated": replace(good, policy=good.policy[: len(good.policy) // 2]),
        "foreign key": replace(school.policy(3, signer=foreign), signer=good.signer),
        "root of another school": replace(good, signer=STRANGER.policy(3).signer),
        "emptied": school.policy(3, packs=()),
        "unreadable pack": school.policy(3, packs=(broken,)),
    }


@pytest.mark.parametrize("name", sorted(attacks(STRANGER)))
def test_an_attack_changes_nothing_and_is_named(pc, school, collector, name):
    collector.policy_version = 2
    collector.push = [school.policy(2)]
    pc.start()
    pc.until(lambda said: said["policy"]["version"] == 2)
    collector.push = []
    collector.say(attacks(school)[name])
    said = pc.until(lambda said: said["policy"]["problem"])
    assert said["policy"]["version"] == 2
    assert said["policy"]["problem"].startswith("policy refused: ")
    collector.wait(lambda c: c.beats and c.beats[-1].policy_problem)
    pc.stop()
    pc.start()
    assert pc.status()["policy"]["version"] == 2
    collector.say(school.policy(3))


def test_a_new_policy_reaches_the_sessions(pc, school, collector):
    session = pc.start().session()
    assert session.hello().policy_version == 1
    collector.wait(lambda c: c.streams)
    collector.say(school.policy(2))
    assert session.channel.receive(10).policy_version == 2
    session.close()


def test_an_older_policy_put_on_the_disk_is_not_used(pc, school, collector, place):
    collector.push = [school.policy(2)]
    before = (place / "policy.bin").read_bytes()
    pc.start()
    pc.until(lambda said: said["policy"]["version"] == 2)
    pc.stop()
    collector.push = []
    (place / "policy.bin").write_bytes(before)
    pc.start()
    said = pc.status()
    assert said["policy"]["version"] == 0
    assert "older than" in said["policy"]["problem"]


@pytest.mark.parametrize("memory", ['{"schema": 1}', "", "[" * 50_000])
def test_a_damaged_memory_of_policies_is_no_fresh_start(pc, school, collector, place, memory):
    collector.push = [school.policy(2)]
    pc.start()
    pc.until(lambda said: said["policy"]["version"] == 2)
    pc.stop()
    collector.push = []
    (place / "trust.json").write_text(memory)
    pc.start()
    said = pc.status()
    assert said["policy"]["version"] == 2
    assert "damaged" in said["policy"]["problem"]
    collector.wait(lambda c: len(c.hellos) == 2)
    collector.say(school.policy(1))
    said = pc.until(lambda said: "older than" in said["policy"]["problem"])
    assert said["policy"]["version"] == 2
    collector.say(school.policy(3))
    pc.until(lambda said: said["policy"] == {"version": 3, "problem": ""})
    assert json.loads((place / "trust.json").read_text())


def test_a_memory_that_cannot_be_kept_stops_no_watching(pc, place):
    pc.start()
    pc.stop()
    (place / "trust.json").unlink()
    (place / "trust.json.new").mkdir()
    pc.start()
    said = pc.status()
    assert said["policy"]["version"] == 1
    assert "could not be kept" in said["policy"]["problem"]


def test_no_policy_asks_for_pictures_that_do_not_pass_the_socket(pc, school, collector):
    rules = replace(EvidenceRules(), picture_max_bytes=4 << 20)
    session = pc.start().session()
    session.hello()
    collector.wait(lambda c: c.streams)
    collector.say(school.policy(2, rules=rules))
    settings = session.channel.receive(10)
    assert settings.evidence.picture_max_bytes == MOST_PICTURE
    one = found(picture=PictureState.FOLLOWS)
    session.ask(one)
    shot = Shot(
        event=one.event, webp=bytes(MOST_PICTURE), width=9, height=9, taken_at=1, of="window"
    )
    assert session.ask(shot).kind is Kind.PICTURE
    session.close()


def test_a_policy_of_many_packs_reaches_the_sessions(school, collector, place):
    school.enrol(place, port=collector.port)
    pc = Pc(place, books=None)
    filler = b"\n#" + b"x" * 200_000
    languages = ("cy", "es", "pl", "ro", "uk", "ur", "pa", "ar", "so", "bn", "fr", "de")
    packs = tuple(
        replace(
            canary_pack(),
            name=f"{language}/canary",
            text=canary_pack().text.replace(
                b'language = "en"', b'language = "%s"' % language.encode()
            )
            + filler,
        )
        for language in languages
    )
    session = pc.start().session()
    session.hello()
    collector.wait(lambda c: c.streams)
    collector.say(school.policy(2, packs=packs))
    settings = session.channel.receive(10)
    assert sum(len(pack.text) for pack in settings.packs) > 2 << 20
    session.close()
    pc.stop()
