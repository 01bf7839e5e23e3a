"""Setup makes a school once and wholly, or leaves nothing behind; the sheet opens it again."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import select

from collector import policy, recovery, secrets, setup, staff, vault
from collector.build import build
from collector.desk_certificate import DeskCertificateError, in_utc, self_signed
from collector.permissions import Role
from collector.recover_check import check
from collector.rules import NEVER_PLACES, NO_PICTURE, PASSWORD_MANAGERS
from collector.school import SchoolError
from collector.settings import Settings
from collector.setup import SetupError
from collector.store import schema
from tests.collector.serving import (
    ENVIRONMENT,
    PASSPHRASE,
    PASSWORD,
    ROOT,
    make_school,
    remove_template,
    wanted,
)
from wire import certs, root, seal
from wire.clock import SystemClock
from wire.codec import decode_policy, decode_signed_policy
from wire.event import Purpose
from wire.policy import accept
from wire.trust import TrustState

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    yield make_school(tmp_path_factory.mktemp("school"))
    remove_template()


@pytest.fixture(scope="module")
def parts(made):
    built = build(Settings.load(data=made.data))
    yield built
    built.store.close()


def words_on(sheet):
    text = sheet.read_text()
    items = text[text.index("<ol>") : text.index("</ol>")]
    return items.replace("<ol>", "").replace("<li>", "").replace("</li>", " ")


def line_on(sheet):
    text = sheet.read_text().split("opens with the words alone")[1]
    return text.split("<code>")[1].split("</code>")[0]


def test_the_first_dsl_signs_in_and_opens_the_vault(parts):
    account = parts.store.read_now(lambda conn: staff.account_of(conn, "marsh-lane", "DSL"))
    assert staff.verify(account, PASSWORD)
    assert (account.person.name, account.person.role) == ("Dee Lead", Role.DSL)
    ((wanted_id, wrap),) = parts.store.read_now(
        lambda conn: vault.wraps_of(conn, "marsh-lane", account.person.staff)
    )
    private = vault.unwrap(PASSPHRASE, wrap, wanted_id)
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    assert seal.key_id(public) == wanted_id
    assert decode_policy(parts.policies.current.policy).keys


def test_the_first_policy_is_accepted_under_the_root_and_protects_confidential_help(parts):
    accepted, _ = accept(
        parts.policies.current,
        trust=TrustState(),
        root_public=certs.public_key_of(parts.school.root),
        school="marsh-lane",
        now=CLOCK.now(),
    )
    assert accepted.version == 1
    rules = accepted.evidence
    assert set(rules.no_picture) == set(NO_PICTURE) == {"sexual", "nudes", "csam"}
    assert set(NEVER_PLACES) < set(rules.never_places)
    for place in ("childline.org.uk", "samaritans.org", "kooth.com", "papyrus-uk.org", "nhs.uk"):
        assert place in rules.never_places
    assert "localhost:0" in rules.never_places
    assert set(rules.excluded_applications) == set(PASSWORD_MANAGERS)
    assert rules.held_applications == ()


def test_nothing_that_opens_evidence_is_on_the_disk(made):
    words = words_on(made.sheet)
    scalar = recovery.from_words(words)
    for path in made.data.rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert scalar not in held, path
            assert scalar.hex().encode() not in held, path
            assert PASSPHRASE.encode() not in held, path
            assert PASSWORD.encode() not in held, path


def test_the_pseudonym_key_is_outside_the_database(made, parts):
    raw = parts.pseudonym_key
    for path in made.data.glob("*.db*"):
        assert raw not in path.read_bytes()
        assert raw.hex().encode() not in path.read_bytes()


def test_only_the_owner_reads_any_of_it(made):
    assert stat.S_IMODE(made.sheet.stat().st_mode) == 0o600
    for path in [made.data, *made.data.rglob("*")]:
        if path.name != "collector.lock":
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_words_open_every_recovery_wrap_and_the_line_the_pseudonym_key(made, parts):
    proof = check(made.data, words_on(made.sheet), line=line_on(made.sheet))
    assert (proof.school, proof.keys, proof.pseudonym) == ("Marsh Lane School", 1, True)
    scalar = recovery.from_words(words_on(made.sheet))
    again = recovery.unwrap_pseudonym(scalar, line_on(made.sheet), school="marsh-lane")
    assert again == parts.pseudonym_key
    assert root.root_from_scalar(scalar).public_key() == certs.public_key_of(parts.school.root)


def test_numbers_and_capitals_between_the_words_do_not_matter(made):
    words = words_on(made.sheet).split()
    typed = "\n".join(f"{number}. {word.upper()}" for number, word in enumerate(words, 1))
    assert check(made.data, typed).keys == 1


def test_misread_words_are_named(made):
    words = words_on(made.sheet).split()
    with pytest.raises(recovery.RecoveryError, match="word 3 is not in the list"):
        check(made.data, " ".join([*words[:2], "redshank", *words[3:]]))
    with pytest.raises(recovery.RecoveryError, match="there are 23 words"):
        check(made.data, " ".join(words[1:]))
    other = "zoo" if words[0] != "zoo" else "zone"
    with pytest.raises(recovery.RecoveryError):
        check(made.data, " ".join([other, *words[1:]]))


def test_another_schools_words_are_told_apart(made):
    stranger = " ".join(recovery.to_words(root.scalar_of(root.new_root())))
    with pytest.raises(recovery.RecoveryError, match="not those of Marsh Lane School's sheet"):
        check(made.data, stranger)


def test_a_wrong_pseudonym_line_is_refused(made):
    line = line_on(made.sheet)
    for wrong in (line[:-5], line[5:], "", "0189", line.replace(line[0], "z", 1)[::-1]):
        with pytest.raises(recovery.RecoveryError):
            recovery.unwrap_pseudonym(
                recovery.from_words(words_on(made.sheet)), wrong, school="marsh-lane"
            )
    with pytest.raises(recovery.RecoveryError):
        check(made.data, words_on(made.sheet), line="abcd")


def test_a_missing_recovery_wrap_is_found(tmp_path):
    school = make_school(tmp_path)
    parts = build(Settings.load(data=school.data))
    parts.store.write_now(
        lambda conn: conn.execute(schema.wraps.delete().where(schema.wraps.c.staff == "recovery"))
    )
    parts.store.close()
    with pytest.raises(recovery.RecoveryError, match="no evidence key"):
        check(school.data, words_on(school.sheet))


def test_the_sheet_stands_alone_and_says_what_to_do(made):
    page = made.sheet.read_text()
    assert "headteacher's safe" in page.replace("\n", " ")
    assert "<svg" in page
    for outside in ("http://", "https://", "<script", "<link", "<img"):
        assert outside not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_a_schools_name_is_inert_on_the_sheet(tmp_path):
    done = setup.setup(wanted(tmp_path, name="<b>Marsh</b> & Lane"), CLOCK)
    assert "&lt;b&gt;Marsh&lt;/b&gt; &amp; Lane" in done.sheet.read_text()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"school": "Marsh Lane"}, "a school's id"),
        ({"school": "marsh--lane"}, "a school's id"),
        ({"school": ""}, "a school's id"),
        ({"school": "m" * 41}, "a school's id"),
        ({"name": " "}, "a school's name"),
        ({"name": "Marsh\u202eLane"}, "a school's name"),
        ({"passphrase": "only fourteen!"}, "15 to 256 characters"),
        ({"password": PASSPHRASE}, "must not be the password"),
        ({"packs": ()}, "no pack"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_made(tmp_path, changed, words):
    with pytest.raises(SetupError, match=words):
        setup.setup(wanted(tmp_path, **changed), CLOCK)
    assert list(tmp_path.iterdir()) == []


def test_a_short_password_is_refused(tmp_path):
    with pytest.raises(staff.StaffError, match="12 to 256"):
        setup.setup(wanted(tmp_path, password="short"), CLOCK)
    assert list(tmp_path.iterdir()) == []


def test_a_second_setup_touches_nothing(tmp_path):
    made = make_school(tmp_path)
    before = {path: path.read_bytes() for path in made.data.rglob("*") if path.is_file()}
    with pytest.raises(SetupError, match="not empty"):
        setup.setup(replace(wanted(tmp_path), sheet=tmp_path / "other.html"), CLOCK)
    assert {path: path.read_bytes() for path in made.data.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "other.html").exists()


def test_the_sheet_is_never_written_over_nor_put_beside_the_data(tmp_path):
    (tmp_path / "sheet.html").write_text("mine")
    with pytest.raises(SetupError, match="not written over"):
        setup.setup(wanted(tmp_path), CLOCK)
    (tmp_path / "data").mkdir()
    with pytest.raises(SetupError, match="must not lie in the data directory"):
        setup.setup(wanted(tmp_path, sheet=tmp_path / "data" / "sheet.html"), CLOCK)
    with pytest.raises(SetupError, match="no directory"):
        setup.setup(wanted(tmp_path, sheet=tmp_path / "none" / "sheet.html"), CLOCK)


def test_a_failure_half_way_leaves_no_school_and_no_sheet(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise policy.PolicyError("the pen broke")

    monkeypatch.setattr(setup, "store_signed", fail)
    with pytest.raises(policy.PolicyError):
        setup.setup(wanted(tmp_path), CLOCK)
    assert not (tmp_path / "sheet.html").exists()
    assert list((tmp_path / "data").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB: room for the keys, not for the databases."""
    place = tmp_path / "small"
    place.mkdir()
    asked = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        if os.environ.get("CI"):
            pytest.fail("needs root, to mount a small disk")
        pytest.skip("needs root, to mount a small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path, small_disk):
    with pytest.raises(setup.SetupError, match="cannot be written"):
        setup.setup(wanted(tmp_path, data=small_disk / "data"), CLOCK)
    assert list((small_disk / "data").iterdir()) == []
    assert not (tmp_path / "sheet.html").exists()


def test_a_sheet_that_cannot_be_written_leaves_nothing(tmp_path, small_disk):
    (small_disk / "filler").write_bytes(bytes(252 * 1024))
    with pytest.raises(setup.SetupError, match=r"sheet\.html: cannot be written"):
        setup.setup(wanted(tmp_path, sheet=small_disk / "sheet.html"), CLOCK)
    assert list((tmp_path / "data").iterdir()) == []
    assert not (small_disk / "sheet.html").exists()


def test_a_sheet_of_another_setup_is_kept(tmp_path, monkeypatch):
    real = setup._write_files

    def beside(*arguments):
        (tmp_path / "sheet.html").write_text("another school's only root")
        real(*arguments)

    monkeypatch.setattr(setup, "_write_files", beside)
    with pytest.raises(setup.SetupError, match="is there already"):
        setup.setup(wanted(tmp_path), CLOCK)
    assert (tmp_path / "sheet.html").read_text() == "another school's only root"
    assert list((tmp_path / "data").iterdir()) == []


def test_the_sheet_does_not_get_into_the_data_by_a_detour(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").symlink_to(tmp_path / "data")
    for sheet in (tmp_path / "elsewhere" / "s.html", tmp_path / "data" / ".." / "data" / "s.html"):
        with pytest.raises(setup.SetupError, match="must not lie in the data directory"):
            setup.setup(wanted(tmp_path, sheet=sheet), CLOCK)


def test_a_setup_that_was_killed_is_told_from_a_school(tmp_path):
    made = make_school(tmp_path)
    with sqlite3.connect(made.data / "main.db") as raw:
        raw.execute("DELETE FROM schools")
    raw.close()
    with pytest.raises(SchoolError, match="an earlier setup was cut short"):
        build(Settings.load(data=made.data))
    made.sheet.unlink()
    with pytest.raises(setup.SetupError, match="empty the directory"):
        setup.setup(wanted(tmp_path), CLOCK)


def desk_files(directory, *, days_ago=0):
    made_at = in_utc(CLOCK.now() - days_ago * policy.DAY)
    key, certificate = self_signed("desk.example", now=made_at)
    files = directory / f"mine{days_ago}.pem", directory / f"mine{days_ago}.key"
    files[0].write_text(certs.pem(certificate))
    files[1].write_bytes(secrets.as_pem(key))
    return files


def test_the_schools_own_desk_certificate_is_taken(tmp_path):
    files = desk_files(tmp_path)
    done = setup.setup(wanted(tmp_path, desk=files), CLOCK)
    assert not done.desk_self_signed
    kept = Settings.load(data=tmp_path / "data").desk_files
    assert [path.read_bytes() for path in kept] == [path.read_bytes() for path in files]


def test_a_desk_certificate_that_cannot_serve_is_refused(tmp_path):
    certificate, key = desk_files(tmp_path)
    other = tmp_path / "other.key"
    other.write_bytes(secrets.as_pem(certs.new_key()))
    for desk, words in [
        ((certificate, other), "not a certificate"),
        ((key, certificate), "not a certificate"),
        ((tmp_path / "none.pem", key), "no such file"),
        (desk_files(tmp_path, days_ago=400), "ran out"),
        (desk_files(tmp_path, days_ago=-2), "valid only from"),
    ]:
        with pytest.raises(DeskCertificateError, match=words):
            setup.setup(wanted(tmp_path, desk=desk), CLOCK)
    assert not (tmp_path / "data").exists()


def test_the_root_vouches_for_both_keys(parts):
    rows = parts.store.read_now(lambda conn: conn.execute(select(schema.school_keys)).all())
    assert {row.purpose for row in rows} == {int(Purpose.EVIDENCE), int(Purpose.POLICY)}
    stored = parts.store.read_now(lambda conn: conn.execute(select(schema.policies)).one())
    assert decode_signed_policy(stored.signed) == parts.policies.current


def command(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "collector", *map(str, arguments)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=ENVIRONMENT | environment,
        cwd=ROOT,
        timeout=60,
        check=False,
    )


def test_the_commands_set_up_and_prove_the_sheet(tmp_path):
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    (tmp_path / "password").write_text(PASSWORD + "\n")
    packs = tmp_path / "packs" / "en"
    packs.mkdir(parents=True)
    for path in wanted(tmp_path).packs:
        (packs / path.name).write_bytes(path.read_bytes())
    asked = [
        "setup",
        *("--school", "Marsh Lane School", "--id", "marsh-lane", "--host", "collector.example"),
        *("--dsl-login", "dsl", "--dsl-name", "Dee Lead", "--data", tmp_path / "data"),
        *("--sheet", tmp_path / "sheet.html", "--packs", tmp_path / "packs"),
    ]
    without = command(*asked)
    assert without.returncode == 78
    assert "no terminal to ask on" in without.stderr
    elsewhere = command(*asked, REDSHANK_SECRETS=str(tmp_path / "secrets"))
    assert elsewhere.returncode == 78
    assert "unset REDSHANK_SECRETS" in elsewhere.stderr
    made = command(
        *asked,
        *("--password-file", tmp_path / "password"),
        REDSHANK_DSL_PASSPHRASE_FILE=str(tmp_path / "passphrase"),
    )
    assert made.returncode == 0, made.stderr
    assert "Print it now" in made.stdout
    assert PASSPHRASE not in made.stdout + made.stderr
    (tmp_path / "words").write_text(words_on(tmp_path / "sheet.html"))
    proof = command(
        "recover-check", "--data", tmp_path / "data", "--words-file", tmp_path / "words"
    )
    assert proof.returncode == 0, proof.stderr
    assert "are those of Marsh Lane School" in proof.stdout
    again = command(*asked, "--password-file", tmp_path / "password")
    assert again.returncode == 78
    certificate = command("desk-certificate", "--data", tmp_path / "data")
    assert certificate.returncode == 0, certificate.stderr
    doctor = command("doctor", "--data", tmp_path / "data")
    assert "keys and database of Marsh Lane School are whole" in doctor.stdout


def test_settings_are_written_as_asked(made):
    text = (made.data / "collector.toml").read_text()
    assert f"host = {json.dumps('localhost')}" in text
    settings = Settings.load(data=made.data)
    assert settings.host == "localhost"
    assert settings.desk_listen == "127.0.0.1:0"
