"""Figures and spreads, and what is written of them."""

import json

import pytest

from benchmarks import __main__ as command
from benchmarks.table import figure, show_figures, show_spreads, spread


def test_the_ratio_is_to_the_floor_before_the_peer():
    assert figure(30.0, "ms", floor=20.0, peer=60.0)["ratio"] == 1.5
    assert figure(30.0, "ms", peer=60.0)["ratio"] == 0.5
    assert figure(30.0, "ms")["ratio"] is None
    assert figure(None, "ms", floor=20.0)["ratio"] is None
    assert figure(30.0, "ms", floor=0.0)["ratio"] is None


def test_percentiles_are_nearest_rank():
    found = spread(range(1, 201))
    assert (found.count, found.least, found.p50, found.p99, found.most) == (200, 1, 100, 198, 200)
    assert spread([7.0]).p99 == 7.0
    with pytest.raises(ValueError, match="nothing was measured"):
        spread([])


def test_tables_line_up(capsys):
    show_spreads("stage", "ms", {"key to match": spread([1.0, 2.0, 3.0])})
    show_figures("latency", {"p50": figure(30.0, "ms", floor=20.0)})
    text = capsys.readouterr().out
    assert "key to match  3    2   1    3    3    3    ms\n" in text
    assert "p50         30    ms     20     -    1.5\n" in text


def test_what_is_written_has_exactly_the_five_keys(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "OUT", tmp_path)
    path = command.write(
        "x", {"figures": {"a": {"value": 1.0, "unit": "ms", "more": 2}}, "notes": []}
    )
    assert json.loads(path.read_text()) == {
        "figures": {"a": {"value": 1.0, "unit": "ms", "floor": None, "peer": None, "ratio": None}}
    }


def test_an_unknown_name_is_an_error_in_words(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["nonsense"])
    assert stop.value.code == 2
    assert "there is no benchmark nonsense" in capsys.readouterr().err
