import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.agent.service.simulator import School, canary_pack

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


def test_a_damaged_memory_of_policies_is_no_fresh_start(pc, place):
    (place / "trust.json").write_text(json.dumps({"schema": 1}))
    pc.start()
    said = pc.status()
    assert said["policy"]["version"] == 0
    assert "damaged" in said["policy"]["problem"]
