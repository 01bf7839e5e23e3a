"""Every way in which what enrolment left can be damaged, and what the PC says of it."""

import os
import ssl
import stat
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from agent import cli
from agent.service import identity as ids
from agent.service.cause import Cause
from agent.service.files import write_whole
from agent.service.reach import _unverified, address_of, reach
from tests.agent.service.conftest import Pc


@pytest.fixture
def files(school, place):
    return school.enrol(place, port=1)[0]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"school": 1}', "\udcff", "[" * 50_000, '"x"'], ids=range(8)
)
def test_a_damaged_identity_is_said_in_a_line(files, text):
    files.identity.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ids.IdentityError, match="damaged") as raised:
        ids.load(files)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("uplink", ["", "nowhere", "host:", "host:x", ":", "host:-1"])
def test_an_address_that_is_none_is_refused_before_anything_dials_it(files, uplink):
    ids.save(files, replace(ids.load(files), uplink=uplink))
    with pytest.raises(ids.IdentityError, match="no address"):
        ids.load(files)


@pytest.mark.parametrize("name", ["key", "chain", "root"])
def test_a_missing_file_is_said(files, name):
    getattr(files, name).unlink()
    with pytest.raises(ids.IdentityError, match="is missing"):
        ids.load(files)


def test_a_directory_in_the_identitys_place(files):
    files.identity.unlink()
    files.identity.mkdir()
    with pytest.raises(ids.IdentityError, match="cannot read"):
        ids.load(files)


def test_a_key_of_another_sort_or_none_is_said(files):
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for content, words in ((b"x", "damaged"), (other, "not a P-256 key")):
        files.key.write_bytes(content)
        with pytest.raises(ids.IdentityError, match=words):
            ids.load_key(files)
    files.key.unlink()
    with pytest.raises(ids.IdentityError, match="cannot read"):
        ids.load_key(files)


def test_a_damaged_root_point_is_said(files):
    with pytest.raises(ids.IdentityError, match="damaged"):
        ids.root_public(replace(ids.load(files), root_public="04ff"))


@pytest.mark.parametrize("name", ["identity", "key"])
def test_the_command_ends_in_words_and_not_in_a_trace(files, place, capsys, name):
    getattr(files, name).write_bytes(b"x")
    assert cli.main(["--state", str(place), "run", "--service"]) == cli.CONFIGURATION
    assert "enrol this PC again" in capsys.readouterr().err
    assert cli.main(["--state", str(place), "make-request", str(place)]) == cli.FAILED


def test_a_file_that_cannot_be_replaced_stays_as_it_was(tmp_path):
    path = tmp_path / "f"
    write_whole(path, b"old")
    with pytest.raises(TypeError):
        write_whole(path, "text, not bytes")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]  # noqa: PTH208  # names are what is asked
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_service_that_cannot_have_its_spool_says_so(files, place, capsys):
    files.spool.with_suffix(".lock").mkdir()
    assert cli.main(["--state", str(place), "run", "--service"]) == cli.FAILED
    assert "cannot be opened" in capsys.readouterr().err


@pytest.mark.parametrize("code", [9, 10])
def test_a_certificate_out_of_its_time_is_a_matter_of_clocks(code):
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "certificate has expired"
    found = _unverified(error, "host:1")
    assert found.cause is Cause.SERVER_TIME
    assert "this PC's clock is wrong" in found.words


def test_a_name_that_no_dns_holds_is_a_name_not_known(files):
    identity = replace(ids.load(files), uplink=f"{'x' * 70}.example:1")
    assert reach(files, identity, identity.begins).cause is Cause.NO_NAME
    assert address_of("[::1]:443") == ("::1", 443)


def test_status_follows_a_renewed_certificate(collector, school, place):
    day = 86_400_000_000
    files, identity = school.enrol(place, port=collector.port, age=40 * day)
    made = Pc(place).start()
    try:
        said = made.until(lambda said: said["certificate"]["ends"] > identity.ends, 30)
        assert said["certificate"]["ends"] == ids.load(files).ends
    finally:
        made.stop()
