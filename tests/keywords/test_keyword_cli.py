import io
import subprocess
import sys

import pytest
from test_keyword_pack import GOOD

from keywords.__main__ import main
from keywords.reasons import REASONS


@pytest.fixture
def pack(tmp_path):
    path = tmp_path / "en" / "trial.toml"
    path.parent.mkdir()
    path.write_text(GOOD.replace('near = ["now"]\nwithin = 4\n', ""), encoding="utf-8")
    return path


def test_check_is_content_with_a_good_pack(pack, capsys):
    assert main(["check", str(pack)]) == 0
    assert "2 terms" in capsys.readouterr().out


def test_check_takes_the_shipped_packs_by_itself(capsys):
    assert main(["check"]) == 0
    assert "suicide.toml" in capsys.readouterr().out


def test_check_tells_file_line_field_and_mend(pack, capsys):
    pack.write_text(pack.read_text().replace("severity = 5", 'severity = "high"'))
    assert main(["check", str(pack)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"{pack}:18: severity: must be a whole number from 1 to 5")


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ('match = "i wanna go home"', 'match = "i go home"', "go-home.match: is not found"),
        ('innocent = "go"', 'innocent = "i wanna go home"', "go-home.innocent: is found"),
        ('"stay (here|there)"', '"stay", "\u200b"', "has nothing that can be seen"),
        ('match = "stay here"', 'match = "i wanna go home"', "(found is go-home)"),
    ],
)
def test_check_tries_the_lines_of_each_term(pack, capsys, good, bad, said):
    pack.write_text(pack.read_text(encoding="utf-8").replace(good, bad), encoding="utf-8")
    assert main(["check", str(pack)]) == 1
    assert said in capsys.readouterr().err


def test_check_goes_on_after_a_broken_file(pack, tmp_path, capsys):
    broken = tmp_path / "en" / "broken.toml"
    broken.write_text("= 3")
    assert main(["check", str(broken), str(pack), str(tmp_path / "none.toml")]) == 1
    told = capsys.readouterr()
    assert "2 terms" in told.out
    assert told.err.count("\n") == 2


def test_explain_shows_match_grade_reasons_and_priority(pack, capsys):
    assert main(["explain", "--pack", str(pack), "i wanna go home tonight"]) == 0
    out = capsys.readouterr().out
    assert "“i wanna go home” (characters 0 to 15)" in out
    assert "en/trial/go-home, version 3" in out
    assert REASONS["imminent"] in out
    assert "priority  P2" in out


def test_explain_says_when_nothing_stands_there(pack, capsys):
    assert main(["explain", "--pack", str(pack), "nothing here"]) == 0
    assert "no alert" in capsys.readouterr().out


def test_explain_says_why_a_match_is_no_alert(capsys):
    assert main(["explain", "an inspector calls essay: quotes on suicide rates"]) == 0
    out = capsys.readouterr().out
    assert "no alert" in out


def test_explain_reads_standard_input(pack, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("i wanna go home"))
    assert main(["explain", "--pack", str(pack), "--place", "chat"]) == 0
    assert REASONS["in_chat"] in capsys.readouterr().out


def test_explain_takes_any_text(pack, capsys):
    assert main(["explain", "--pack", str(pack), "\ud800 stay here \x00 \u202e"]) == 0
    assert "en/trial/stay" in capsys.readouterr().out


def test_explain_takes_any_bytes(pack, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe stay here"), "utf-8"))
    assert main(["explain", "--pack", str(pack)]) == 0
    assert "en/trial/stay" in capsys.readouterr().out


def test_it_runs_as_a_module(pack):
    done = subprocess.run(
        [sys.executable, "-m", "keywords", "check", str(pack)], capture_output=True, check=False
    )
    assert done.returncode == 0
    assert b"2 terms" in done.stdout


def test_explain_lists_the_reasons(capsys):
    assert main(["explain", "--reasons"]) == 0
    assert all(code in capsys.readouterr().out for code in ["first_person"])


def test_try_goes_on_until_an_empty_line(pack, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("stay here\nnothing\n\n"))
    assert main(["try", "--pack", str(pack)]) == 0
    out = capsys.readouterr().out
    assert "en/trial/stay" in out
    assert "no alert" in out


def test_try_ends_with_the_input(pack, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("stay here\n"))
    assert main(["try", "--pack", str(pack)]) == 0
    capsys.readouterr()


def test_a_broken_pack_is_said_and_no_traceback(pack, capsys):
    pack.write_text("= 3")
    assert main(["explain", "--pack", str(pack), "x"]) == 1
    assert f"{pack}:1: TOML" in capsys.readouterr().err


def test_wrong_use_is_two(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["nosuch"])
    assert ended.value.code == 2
    capsys.readouterr()
