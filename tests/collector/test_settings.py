"""Settings: a flag over the environment over the file; each is documented; nothing nested."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from collector.settings import (
    FILE_NAME,
    Settings,
    SettingsError,
    SetupAnswers,
    join_address,
    read_secret,
    split_address,
)

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in (*Settings.model_fields, *SetupAnswers.model_fields, "config"):
        monkeypatch.delenv(f"REDSHANK_{name.upper()}", raising=False)


def file(directory, text):
    (directory / FILE_NAME).write_text(text)
    return directory


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path, monkeypatch):
    data = file(tmp_path, 'host = "file.example"\nsession_hours = 3\nlog_level = "debug"\n')
    monkeypatch.setenv("REDSHANK_HOST", "environment.example")
    monkeypatch.setenv("REDSHANK_SESSION_HOURS", "4")
    found = Settings.load(data=data, host="flag.example")
    assert (found.host, found.session_hours, found.log_level) == ("flag.example", 4, "debug")


def test_a_flag_that_was_not_given_is_none(tmp_path):
    assert Settings.load(data=file(tmp_path, 'host = "h"'), host=None).host == "h"


def test_the_file_can_be_elsewhere(tmp_path, monkeypatch):
    other = tmp_path / "etc.toml"
    other.write_text(f'host = "etc.example"\ndata = "{tmp_path}"\n')
    assert Settings.load(config=other).data == tmp_path
    monkeypatch.setenv("REDSHANK_CONFIG", str(other))
    assert Settings.load().host == "etc.example"


def test_what_follows_from_the_data_directory(tmp_path):
    found = Settings.load(data=tmp_path, host="h")
    assert found.secrets_directory == tmp_path / "secrets"
    assert found.control_path == tmp_path / "control.sock"
    assert found.desk_files == (
        tmp_path / "certificates" / "desk.pem",
        tmp_path / "secrets" / "desk.key",
    )
    moved = Settings.load(data=tmp_path, host="h", secrets=tmp_path / "s", control=tmp_path / "c")
    assert moved.secrets_directory == tmp_path / "s"
    assert moved.control_path == tmp_path / "c"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "host: is not set"),
        ('host = "h"\nhots = "x"', "hots: there is no such setting"),
        ('host = "h"\nsession_hours = 99', "session_hours: "),
        ('host = "h"\ndesk_listen = "8443"', "must look like host:port"),
        ('host = "h"\ndesk_listen = "::1:8443"', "stands in brackets"),
        ('host = "h"\ndesk_listen = "a:99999"', "65535"),
        ('host = "h /"', "host: "),
        ('host = "h"\n[more]\na = 1', "settings are flat"),
        ("host = [1]", "settings are flat"),
        ("host =", "is not TOML"),
        ('host = "\\u0000"', "host: "),
    ],
)
def test_a_wrong_file_is_said_by_name(tmp_path, text, words):
    with pytest.raises(SettingsError, match=words):
        Settings.load(data=file(tmp_path, text))


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not TOML"):
        Settings.load(data=tmp_path)
    with pytest.raises(SettingsError, match="no such file"):
        Settings.load(config=tmp_path / "none.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.load(config=tmp_path / "folder.toml")


def test_a_wrong_value_is_not_repeated(monkeypatch, tmp_path):
    monkeypatch.setenv("REDSHANK_LOG_LEVEL", "my-secret-by-mistake")
    with pytest.raises(SettingsError) as caught:
        Settings.load(data=tmp_path, host="h")
    assert "my-secret" not in str(caught.value)


def test_secrets_come_from_files(tmp_path, monkeypatch):
    path = tmp_path / "s"
    path.write_text("a long secret\n")
    monkeypatch.setenv("REDSHANK_DSL_PASSWORD_FILE", str(path))
    answers = SetupAnswers()
    assert answers.dsl_password.get_secret_value() == "a long secret"
    assert answers.dsl_passphrase is None
    assert "long secret" not in repr(answers)
    monkeypatch.setenv("REDSHANK_DSL_PASSWORD", "from the environment")
    assert SetupAnswers().dsl_password == SecretStr("from the environment")


def test_secret_files_that_hold_none(tmp_path):
    path = tmp_path / "s"
    for raw, words in [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xff", "UTF-8"),
        (b"x" * 5000, "longer"),
    ]:
        path.write_bytes(raw)
        with pytest.raises(SettingsError, match=words):
            read_secret(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_secret(tmp_path / "none")


@given(st.text(max_size=30))
def test_an_address_is_split_or_refused_in_words(text):
    try:
        host, port = split_address(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - most texts are refused, some are not
    else:
        assert host
        assert 0 <= port <= 65535


def test_addresses_of_both_kinds():
    for host, port in (("::1", 80), ("192.0.2.1", 443), ("desk.example", 0)):
        assert split_address(join_address(host, port)) == (host, port)
    assert split_address("[::1]:80") == ("::1", 80)
    assert split_address("desk.example:8443") == ("desk.example", 8443)


def test_every_setting_is_described_in_the_docs():
    of_collector, _, _ = DOCS.read_text().partition("# Settings of the agent")
    rows = [line.split("|") for line in of_collector.splitlines() if line.startswith("| `")]
    told = {row[1].strip(" `"): (row[2].strip(" `"), row[3].strip()) for row in rows}
    expected = {
        name: (shown(field), field.description)
        for form in (Settings, SetupAnswers)
        for name, field in form.model_fields.items()
    }
    assert told == expected


def shown(field):
    if field.is_required():
        return "must be set"
    return "unset" if field.default is None else str(field.default)
