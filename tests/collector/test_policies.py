"""The policy only moves forward, is issued anew in time, and what agents would refuse is not made."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector import audit
from collector.build import build
from collector.commands import Commands
from collector.control import ControlError
from collector.errors import CollectorError
from collector.policy import DAY, Policies, PolicyError, newest
from collector.rules import RulesError, default_rules, desk_place, read_rules
from collector.settings import Settings
from collector.setup import SetupError, read_packs
from tests.collector.serving import canary_pack, make_school, remove_template
from wire import certs
from wire.clock import SystemClock
from wire.event import PackText
from wire.policy import accept
from wire.trust import TrustState


class MovedClock(SystemClock):
    moved = 0

    def now(self):
        return super().now() + self.moved


@pytest.fixture(scope="module", autouse=True)
def _template():
    yield
    remove_template()


@pytest.fixture
def parts(tmp_path):
    made = make_school(tmp_path)
    built = build(Settings.load(data=made.data), clock=MovedClock())
    yield built
    built.store.close()


def accepted(parts, trust):
    return accept(
        parts.policies.current,
        trust=trust,
        root_public=certs.public_key_of(parts.school.root),
        school="marsh-lane",
        now=parts.clock.now(),
    )


async def test_each_version_is_accepted_after_the_one_before(parts):
    heard = []
    parts.policies.on_change(heard.append)
    _, trust = accepted(parts, TrustState())
    for version in (2, 3, 4):
        await parts.policies.publish()
        policy, trust = accepted(parts, trust)
        assert policy.version == parts.policies.version == version
    assert heard[-1] == parts.policies.current
    assert len(heard) == 3


async def test_it_is_issued_anew_when_a_third_of_its_time_is_left(parts):
    assert not await parts.policies.reissue_if_due()
    parts.clock.moved = 59 * DAY
    assert not await parts.policies.reissue_if_due()
    parts.clock.moved = 61 * DAY
    assert await parts.policies.reissue_if_due()
    assert parts.policies.policy.expires_at > parts.clock.now() + 89 * DAY
    assert not await parts.policies.reissue_if_due()
    accepted(parts, TrustState())


async def test_each_version_has_its_leaf_in_its_own_transaction(parts, monkeypatch):
    def leaves(conn):
        found = audit.leaves(conn, "marsh-lane", limit=2)
        return [(leaf.action, leaf.object) for leaf in reversed(found)]

    await parts.policies.publish()
    await parts.policies.publish(rules=parts.policies.policy.evidence)
    expected = [("policy_issued_anew", "policy:2"), ("policy_published", "policy:3")]
    assert await parts.store.read(leaves) == expected

    def fail(*_):
        raise audit.AuditError("cannot be written")

    monkeypatch.setattr(parts.audit, "append", fail)
    with pytest.raises(audit.AuditError):
        await parts.policies.publish()
    kept = await parts.store.read(lambda conn: newest(conn, "marsh-lane"))
    assert kept == parts.policies.current
    assert parts.policies.version == 3


async def test_it_is_there_after_a_restart(parts):
    await parts.policies.publish(rules=default_rules("desk.example"))
    key = Ed25519PrivateKey.generate()
    again = Policies(parts.store, "marsh-lane", parts.clock, parts.audit, key=key, days=90)
    assert again.current == parts.policies.current
    with pytest.raises(PolicyError, match="has not signed this server's policy key"):
        await again.publish()


async def test_what_agents_would_refuse_is_not_made(parts):
    (pack,) = parts.policies.policy.packs
    raised = PackText(name=pack.name, version=pack.version + 1, text=pack.text + b"\n")
    await parts.policies.publish(packs=[raised])
    with pytest.raises(PolicyError, match="is older than"):
        await parts.policies.publish(packs=[pack])
    changed = PackText(name=pack.name, version=raised.version, text=pack.text + b"\n\n")
    with pytest.raises(PolicyError, match="raise its version"):
        await parts.policies.publish(packs=[changed])
    with pytest.raises(PolicyError, match="at least one pack"):
        await parts.policies.publish(packs=[])
    assert parts.policies.version == 2


async def test_the_command_reads_packs_and_rules(parts, tmp_path):
    commands = Commands(parts, lambda: {"enrol": "127.0.0.1:1"})
    folder = tmp_path / "packs" / "en"
    folder.mkdir(parents=True)
    text = canary_pack()[0].read_text()
    (folder / "canary.toml").write_text(text.replace("version = 1", "version = 7", 1))
    rules = tmp_path / "rules.toml"
    rules.write_text('shared_accounts = ["kiosk7"]\nnever_places = ["help.example"]\n')
    shown = await commands.policy_publish({"packs": str(folder.parent), "rules": str(rules)})
    assert shown["packs"] == [{"name": "en/canary", "version": 7}]
    assert shown["shared_accounts"] == ["kiosk7"]
    assert shown["never_places"] == ["help.example", "localhost:0"]
    kept = await commands.policy_publish({})
    assert kept["never_places"] == ["help.example", "localhost:0"]
    (folder / "canary.toml").write_text("version = 8")
    with pytest.raises(ControlError, match=r"canary\.toml"):
        await commands.policy_publish({"packs": str(folder.parent)})
    assert parts.policies.version == kept["version"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no_pictures = []", "no such rule"),
        ('no_picture = "nudes"', "a list of texts"),
        ("no_picture = [1]", "a list of texts"),
        ('no_picture = [" "]', "none of them empty"),
        ("picture_max_bytes = 5", "a number from"),
        ("picture_max_bytes = true", "a number from"),
        ('patterns = "yes"', "true or false"),
        ("no_picture = [", "is not TOML"),
    ],
)
def test_wrong_rules_are_named(tmp_path, text, words):
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(RulesError, match=words):
        read_rules(path, "desk.example")


def test_rules_that_are_none(tmp_path):
    with pytest.raises(RulesError, match="cannot be read"):
        read_rules(tmp_path / "none.toml", "desk.example")
    path = tmp_path / "large.toml"
    path.write_bytes(b"#" * 300_000)
    with pytest.raises(RulesError, match="larger"):
        read_rules(path, "desk.example")


def test_the_desk_is_always_among_the_places_that_are_never_captured(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text("never_places = []\npicture_max_bytes = 100000\n")
    rules = read_rules(path, desk_place("desk.example", 8443))
    assert rules.never_places == ("desk.example",)
    assert rules.picture_max_bytes == 100_000
    assert desk_place("localhost", 8443) == "localhost:8443"


async def test_rules_that_break_the_format_are_refused_in_words(parts):
    rules = default_rules("x" * 100_000)
    with pytest.raises(PolicyError, match="breaks its format"):
        await parts.policies.publish(rules=rules)


def test_a_policy_without_packs_is_not_begun():
    with pytest.raises(SetupError, match="no pack"):
        read_packs(())


async def test_languages_that_came_along_are_switched_on_by_name(parts):
    commands = Commands(parts, dict)
    shown = await commands.policy_publish({"languages": "en pl"})
    languages = {pack["name"].partition("/")[0] for pack in shown["packs"]}
    assert languages == {"en", "pl"}
    with pytest.raises(CollectorError, match="no packs came along in tlh; there are: ar, cy, en"):
        await commands.policy_publish({"languages": "en tlh"})
