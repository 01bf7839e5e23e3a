import csv
import io
import json
import os
import subprocess
import sys

import pytest
from test_keyword_pack import GOOD
from test_keyword_ranker import SCALE, laid_out, small_arrays, small_header
from trialpack import HEAD

from keywords.__main__ import main
from keywords.decide import Detector
from keywords.explain import explain
from keywords.grade import ranker_share
from keywords.matcher import Matcher
from keywords.pack import read_pack, shipped_packs
from keywords.ranker import Ranker, Weights
from keywords.reasons import REASONS


@pytest.fixture
def ranks(tmp_path, monkeypatch):
    """Set what the ranker's weights make of every text that has a word."""

    def always(logit):
        scale = SCALE | {"wide_share": 0.0, "deep_share": 0.0, "bias": logit}
        path = tmp_path / f"{logit}.bin"
        path.write_bytes(laid_out(small_header() | {"scale": scale}, small_arrays()))
        monkeypatch.setattr("keywords.__main__.Ranker", lambda: Ranker(Weights(path)))

    return always


@pytest.fixture(autouse=True)
def _neutral(ranks):
    ranks(0.0)


@pytest.fixture
def pack(tmp_path):
    path = tmp_path / "en" / "trial.toml"
    path.parent.mkdir()
    path.write_text(GOOD.replace('near = ["now"]\nwithin = 4\n', ""), encoding="utf-8")
    return path


def test_check_is_content_with_a_good_pack(pack, capsys):
    assert main(["check", str(pack)]) == 0
    assert "2 terms" in capsys.readouterr().out


@pytest.mark.timeout(400)
def test_check_takes_the_shipped_packs_by_itself_and_is_content():
    # A process whose lines are not counted: that takes thrice.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-m", "keywords", "check"],
        check=False,
        env=plain,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"{path}: " in done.stdout for path in shipped_packs())


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


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ('only_in = ["search"]\nmatch = "go home"\ninnocent = "go"', ""),
        ('only_in = ["title", "chat"]\nmatch = "go home"\ninnocent = "go"', ""),
        ('only_in = ["search"]\nmatch = "go home"\ninnocent = "go home"', "innocent: is found"),
        ('first_person = true\nmatch = "i go home"\ninnocent = "he will go home"', ""),
        ('first_person = true\nmatch = "go home"\ninnocent = "go"', "not in the first person"),
        (
            'first_person = true\nmatch = "i go"\ninnocent = "go"',
            "match: is not found by this term;",
        ),
        ('first_person = true\nmatch = "i go home"\ninnocent = "my go home"', "innocent: is found"),
        ('ages = ["primary"]\nmatch = "go home"\ninnocent = "go"', ""),
        ('near = ["now"]\nmatch = "now go home"\ninnocent = "go home"', ""),
    ],
)
def test_check_tries_each_line_under_the_terms_own_conditions(pack, capsys, term, said):
    pack.write_text(f'{HEAD}[[term]]\nid = "x"\nphrases = ["go home"]\nseverity = 3\n{term}')
    assert main(["check", str(pack)]) == bool(said)
    assert said in capsys.readouterr().err


def test_check_takes_a_pack_that_waits_for_its_list(pack, capsys):
    pack.write_text(f"{HEAD}import_only = true")
    assert main(["check", str(pack)]) == 0
    assert "0 terms" in capsys.readouterr().out


def test_check_counts_words_as_they_are_seen(pack, capsys):
    phrase = ".".join("abcdefghijklmnopq")
    term = f'[[term]]\nid = "x"\nphrases = ["{phrase}"]\nseverity = 3'
    pack.write_text(f'{HEAD}{term}\nmatch = "{phrase}"\ninnocent = "go"')
    assert main(["check", str(pack)]) == 1
    assert "x.phrases: signs between letters make 17 words" in capsys.readouterr().err


def test_check_goes_on_after_a_broken_file(pack, tmp_path, capsys):
    broken = tmp_path / "en" / "broken.toml"
    broken.write_text("= 3")
    assert main(["check", str(broken), str(pack), str(tmp_path / "none.toml")]) == 1
    told = capsys.readouterr()
    assert "2 terms" in told.out
    assert told.err.count("\n") == 2


def test_explain_shows_match_grade_reasons_and_priority(pack, capsys):
    assert main(["explain", "--pack", str(pack), "tonight i wanna go home"]) == 0
    out = capsys.readouterr().out
    assert "“i wanna go home” (characters 8 to 23)" in out
    assert "en/trial/go-home, version 3" in out
    assert REASONS["imminent"] in out
    assert "priority  P2" in out


def test_explain_says_when_nothing_stands_there(pack, capsys):
    assert main(["explain", "--pack", str(pack), "nothing here"]) == 0
    assert "no alert" in capsys.readouterr().out


def test_explain_says_why_a_match_is_no_alert(capsys):
    (suicide,) = [str(path) for path in shipped_packs("en") if path.stem == "suicide"]
    text = "an inspector calls essay: quotes on suicide rates"
    assert main(["explain", "--pack", suicide, text]) == 0
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


@pytest.fixture
def graded(pack, capsys, monkeypatch):
    """What `grade` says of lines."""

    def grade(*lines, options=()):
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        code = main(["grade", "--pack", str(pack), *options])
        told = capsys.readouterr()
        return code, [json.loads(line) for line in told.out.splitlines()], told.err

    return grade


def test_grade_decides_each_line(graded):
    code, (one, other), error = graded(
        {"id": "a", "text": "tonight i wanna go home"}, "", {"text": "nothing"}
    )
    assert (code, error) == (0, "")
    assert one["id"] == "a"
    assert (one["priority"], one["severity"], one["category"]) == ("P2", "critical", "trial")
    assert one["matches"] == [{"pack": "en/trial", "term": "go-home", "start": 8, "end": 23}]
    assert REASONS["imminent"] in one["reasons"]
    assert 0 < other["score"] < one["score"] < 1
    assert (other["id"], other["priority"], other["severity"]) == (None, None, None)
    assert (other["category"], other["matches"], other["reasons"]) == (None, [], [])


def test_grade_takes_place_and_any_text(graded):
    _, (one,), _ = graded({"id": 1, "text": "stay here \ud800"}, options=["--place", "chat"])
    assert REASONS["in_chat"] in one["reasons"]


@pytest.mark.parametrize(
    ("options", "priority"),
    [([], None), (["--patterns", "off"], None), (["--patterns", "on"], "P3")],
)
def test_grade_has_patterns_on_request_alone(graded, ranks, options, priority):
    ranks(9.0)
    _, (one, listed), _ = graded({"text": "nothing"}, {"text": "i wanna go home"}, options=options)
    assert one["priority"] == priority
    assert [match["term"] for match in one["matches"]] == (["by-pattern"] if priority else [])
    assert [match["term"] for match in listed["matches"]] == ["go-home"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: is no JSON"),
        ("3", "line 2: needs an object with a text"),
        ('{"text": 3}', "line 2: needs an object with a text"),
        ("[" * 100_000, "line 2: is no JSON"),
    ],
)
def test_grade_tells_a_wrong_line(graded, line, said):
    code, rows, error = graded({"text": "go"}, line)
    assert code == 1
    assert len(rows) == 1
    assert said in error


def test_explain_tells_of_a_pattern(ranks, pack, capsys):
    ranks(9.0)
    assert main(["explain", "--pack", str(pack), "--patterns", "on", "nothing"]) == 0
    out = capsys.readouterr().out
    assert "the sentence as a whole" in out
    assert REASONS["pattern_only"] in out
    assert "decision  P3" in out


def test_explain_without_a_ranker_tells_no_score(pack):
    lines = list(explain(Detector(Matcher([read_pack(pack)])), "stay here"))
    assert lines[-1] == "decision  P3"
    assert not any(line.startswith(("ranker", "score")) for line in lines)


def test_explain_tells_the_rankers_share(ranks, pack, capsys):
    ranks(4.0)
    assert main(["explain", "--pack", str(pack), "stay here"]) == 0
    share = f"{ranker_share(4.0):+5.1f}     Sentences like this one"
    assert share in capsys.readouterr().out


def test_weights_that_are_not_there_are_said(pack, tmp_path, monkeypatch, capsys):
    missing = tmp_path / "none.bin"
    monkeypatch.setattr("keywords.__main__.Ranker", lambda: Ranker(Weights(missing)))
    assert main(["explain", "--pack", str(pack), "x"]) == 1
    assert "install the package anew" in capsys.readouterr().err


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.jsonl"
    rows = [
        {"id": "a", "text": "i wanna go home", "label": "concern", "category": "trial"},
        {"id": "b", "text": "nothing", "label": "concern", "source": "own"},
        {"id": "c", "text": "stay here", "label": "benign"},
        {"id": "d", "text": "a nice day", "label": "benign"},
    ]
    path.write_text("\n\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_evaluate_measures(pack, labels, capsys):
    assert main(["evaluate", "--pack", str(pack), str(labels)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("4 texts, 2 of them a concern\n")
    (row,) = [line for line in out.splitlines() if line.startswith("any alert")]
    assert row.split()[2] == "50.0"
    assert "500.00" in row
    assert "decided otherwise" not in out


def test_evaluate_compares_two_sets_of_packs(pack, labels, capsys, tmp_path):
    other = tmp_path / "en" / "other.toml"
    other.write_text(
        HEAD.replace('"trial"', '"other"')
        + '[[term]]\nid = "x"\nphrases = ["nothing"]\nseverity = 4\nmatch = "x"\ninnocent = "y"'
    )
    options = ["evaluate", "--pack", str(pack), "--against", str(other), str(labels)]
    assert main(options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[-4:-1]] == [
        ["lost", "CONCERN"],
        ["won", "CONCERN"],
        ["lost", "harmless"],
    ]
    assert lines[-1] == "3 of 4 texts are decided otherwise"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no line; give one JSON object a line"),
        ('{"text": "a", "label": "benign"}\n{"text": "a"}', "line 2: label must be"),
        ("\n\n{", "line 3: is no JSON"),
        ("[]", "line 1: needs an object"),
    ],
)
def test_evaluate_tells_a_wrong_line(pack, labels, capsys, text, said):
    labels.write_text(text)
    assert main(["evaluate", "--pack", str(pack), str(labels)]) == 1
    assert said in capsys.readouterr().err


def test_evaluate_of_a_file_that_is_not_there(pack, tmp_path, capsys):
    assert main(["evaluate", "--pack", str(pack), str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl" in capsys.readouterr().err


def test_convert_makes_packs_that_check_accepts(tmp_path, capsys):
    source = tmp_path / "list.csv"
    source.write_bytes(
        "Keyword;Risk;Category\r\ncaf\u00e9 far away;high;Trial\r\n".encode("cp1252")
    )
    target = tmp_path / "packs"
    assert main(["convert", str(source), "--to", str(target), "--language", "pt-br"]) == 0
    told = capsys.readouterr()
    assert f"{source}: read as Windows-1252" in told.out
    assert f"{source}: read as columns phrase, severity, category" in told.out
    made = target / "pt-br" / "trial.toml"
    assert f"{made}: 1 terms" in told.out
    assert told.err == ""
    assert main(["check", str(made)]) == 0
    capsys.readouterr()
    assert read_pack(made).terms[0].phrases == ("caf\u00e9 far away",)


def test_convert_tells_each_row_that_it_did_not_take(tmp_path, capsys):
    plain, table = tmp_path / "b.txt", tmp_path / "a.csv"
    plain.write_text("# mine\ngo away\nk*\n")
    table.write_text("word,level\ngay,3\nstay here,9\n")
    target = str(tmp_path / "packs")
    options = ["--category", "trial", "--severity", "5", "--to", target]
    assert main(["convert", str(plain), str(table), *options]) == 1
    told = capsys.readouterr()
    assert [line.split(": ")[0] for line in told.err.splitlines()] == [
        f"{table}:2",
        f"{table}:3",
        f"{plain}:3",
        "3 were not taken",
    ]
    assert "trial.toml: 1 terms" in told.out


def test_convert_never_writes_over_a_file(tmp_path, capsys):
    source = tmp_path / "list.txt"
    source.write_text("go away\n")
    options = ["convert", str(source), "--to", str(tmp_path / "packs")]
    assert main(options) == 0
    made = tmp_path / "packs" / "en" / "imported.toml"
    before = made.read_bytes()
    assert main(options) == 1
    assert "is there already" in capsys.readouterr().err
    listed = tmp_path / "out.csv"
    assert main(["convert", str(made), "--to", str(listed)]) == 0
    assert main(["convert", str(made), "--to", str(listed)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert made.read_bytes() == before


def test_convert_says_that_a_shipped_pack_has_the_name(tmp_path, capsys):
    source = tmp_path / "list.txt"
    source.write_text("go away\n")
    options = ["--category", "canary", "--to", str(tmp_path / "packs")]
    assert main(["convert", str(source), *options]) == 0
    assert "has the name of a shipped pack" in capsys.readouterr().out
    assert read_pack(tmp_path / "packs" / "en" / "canary.toml").title == "Canary (a drill)"


def test_convert_makes_a_list_of_packs(pack, tmp_path, capsys):
    assert main(["convert", str(pack)]) == 0
    out = capsys.readouterr().out
    listed = tmp_path / "out.csv"
    assert main(["convert", str(pack), "--to", str(listed)]) == 0
    assert listed.read_bytes() == b"\xef\xbb\xbf" + out.encode()
    assert list(csv.reader(io.StringIO(out))) == [
        ["phrase", "category", "severity", "group"],
        ["i want to go home", "trial", "critical", "go-home"],
        ["i wanna go home", "trial", "critical", "go-home"],
        ["stay here", "trial", "medium", "stay"],
        ["stay there", "trial", "medium", "stay"],
    ]
    assert main(["convert", str(listed), "--to", str(tmp_path / "packs")]) == 0
    again = read_pack(tmp_path / "packs" / "en" / "trial.toml")
    assert [(term.id, term.severity) for term in again.terms] == [
        (term.id, term.severity) for term in read_pack(pack).terms
    ]
    capsys.readouterr()


def test_convert_tells_a_term_that_a_list_cannot_say(pack, capsys):
    pack.write_text(GOOD)
    assert main(["convert", str(pack)]) == 1
    told = capsys.readouterr()
    assert "stay" not in told.out
    assert "en/trial.toml:22: 'stay: stay (here|there)' has conditions" in told.err


@pytest.mark.parametrize("options", [[], ["--to", "x"]])
def test_convert_takes_lists_or_packs_but_not_both(pack, tmp_path, capsys, options):
    source = tmp_path / "list.txt"
    source.write_text("go away\n")
    sources = [str(source), str(pack)] if options else [str(source)]
    assert main(["convert", *sources, *options]) == 2
    assert "--to FOLDER" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--language", "../x"],
        ["--language", "EN"],
        ["--category", "../x"],
        ["--category", ""],
        ["--severity", "6"],
    ],
)
def test_convert_takes_no_name_that_leaves_the_folder(tmp_path, capsys, options):
    with pytest.raises(SystemExit) as ended:
        main(["convert", "list.txt", "--to", str(tmp_path), *options])
    assert ended.value.code == 2
    capsys.readouterr()
