import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.pack import (
    PackError,
    Severity,
    inspect_pack,
    load_packs,
    parse_pack,
    read_pack,
    shipped_packs,
)

GOOD = """# A trial.
format = 1
category = "trial"
language = "en"
version = 3
title = "Trial"
four_c = "conduct"
illegal = "no"
see = ["dsl"]
guidance = "Nothing."

[sets]
want = ["want to", "wanna"]

[[term]]
id = "go-home"
phrases = ["i {want} go home"]
severity = 5
match = "i wanna go home"
innocent = "go"

[[term]]
id = "stay"
phrases = ["stay (here|there)"]
severity = 3
match = "stay here"
innocent = "stays here"
near = ["now"]
within = 4
says = ["intent"]
"""


def test_a_good_pack_is_read_whole():
    pack = parse_pack(GOOD, name="en/trial")
    assert (pack.name, pack.category, pack.language, pack.version) == ("en/trial", "trial", "en", 3)
    assert pack.fingerprint == hashlib.sha256(GOOD.encode()).hexdigest()
    first, second = pack.terms
    assert first.phrases == ("i {want} go home",)
    assert pack.sets == (("want", ("want to", "wanna")),)
    assert first.severity is Severity.CRITICAL
    assert second.near == ("now",)
    assert second.within == 4
    assert second.line == 22


@pytest.mark.parametrize(
    ("good", "bad", "line", "field", "mend"),
    [
        ("format = 1", "format = 2", 2, "format", "must be 1"),
        ("format = 1\n", "", 1, "format", "whole number"),
        ('"trial"', '"other"', 3, "category", "'trial'"),
        ('language = "en"', 'language = "cy"', 4, "language", "'en'"),
        ("version = 3", "version = 0", 5, "version", "from 1"),
        ("version = 3", "version = true", 5, "version", "whole number"),
        ('title = "Trial"', "title = 4", 6, "title", "text"),
        ('title = "Trial"', f'title = "{"x" * 81}"', 6, "title", "80"),
        ('"conduct"', '"other"', 7, "four_c", "content"),
        ('illegal = "no"', 'illegal = "yes"', 8, "illegal", "image"),
        ('see = ["dsl"]', 'see = ["head cook"]', 9, "see", "role"),
        ('see = ["dsl"]', 'see = "dsl"', 9, "see", "list"),
        ('"wanna"]', "3]", 13, "want", "list"),
        ('id = "go-home"', 'id = "Go Home"', 16, "id", "small letters"),
        ('id = "go-home"', f'id = "{"x" * 61}"', 16, "id", "60"),
        ('id = "stay"', 'id = "go-home"', 23, "id", "line 15"),
        ("{want}", "{wish}", 17, "phrases", "[sets]"),
        ('phrases = ["i {want} go home"]', "phrases = []", 17, "phrases", "list"),
        ("severity = 5", "severity = 9", 18, "severity", "from 1 to 5"),
        ('match = "i wanna go home"\n', "", 15, "match", "text"),
        ('innocent = "go"', 'innocent = ""', 20, "innocent", "text"),
        ("within = 4", "within = 99", 29, "within", "12"),
        ('near = ["now"]\n', "", 28, "within", "near or unless"),
        ('says = ["intent"]', 'says = ["evil"]', 30, "says", "no reason"),
        ('near = ["now"]', 'near = ["{nosuch}"]', 28, "near", "[sets]"),
        ('near = ["now"]', f"near = {['x'] * 201}", 28, "near", "200"),
        ("within = 4", "wihtin = 4", 29, "wihtin", "no field"),
        ("[sets]", "colour = 3\n[sets]", 12, "colour", "no field"),
        ('title = "Trial"', 'title = "Trial', 6, "TOML", "mend"),
        ("[[term]]", "[[terms]]", 15, "terms", "no field"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_mend(good, bad, line, field, mend):
    text = GOOD.replace(good, bad, 1)
    assert text != GOOD
    _, problems = inspect_pack(text, name="en/trial", file="packs/en/trial.toml")
    first = [problem for problem in problems if problem.field == field]
    assert first, [str(problem) for problem in problems]
    assert first[0].line == line
    assert mend in first[0].mend
    assert str(first[0]).startswith(f"packs/en/trial.toml:{line}: {field}: ")
    with pytest.raises(PackError):
        parse_pack(text, name="en/trial")


def test_text_over_several_lines_does_not_shift_the_lines():
    text = GOOD.replace('"Nothing."', '"""Nothing\n[[term]]\nid = 3\nat all."""')
    assert parse_pack(text, name="en/trial").terms[0].line == 18
    _, problems = inspect_pack(text.replace("severity = 5", "severity = 0"), name="en/trial")
    assert [(problem.line, problem.field) for problem in problems] == [(21, "severity")]


def test_a_pack_has_a_bound(monkeypatch):
    monkeypatch.setattr("keywords.pack.MAX_TERMS", 1)
    with pytest.raises(PackError, match="more than 1; split the pack"):
        parse_pack(GOOD, name="en/trial")


def test_all_that_is_wrong_is_told_at_once():
    text = GOOD.replace("severity = 5", "severity = 9").replace("version = 3", "version = -1")
    _, problems = inspect_pack(text, name="en/trial")
    assert [problem.field for problem in problems] == ["version", "severity"]


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe",
        b"format = 1\n" + b"[" * 5000,
        b"a = " + b"[" * 5000,
        b"version = " + b"9" * 5000,
        b"",
        b"x" * 4_000_001,
        b"term = 3",
        b"term = []",
        b"[[term]]",
        b"sets = 4",
    ],
)
def test_hostile_bytes_are_refused(raw):
    with pytest.raises(PackError):
        parse_pack(raw, name="en/trial")


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    pack, problems = inspect_pack(raw, name="en/trial")
    assert (pack is None) == bool(problems)


@given(st.data())
def test_any_change_of_a_good_pack_is_read_or_refused(data):
    at = data.draw(st.integers(0, len(GOOD)))
    cut = data.draw(st.integers(0, 30))
    put = data.draw(st.text(max_size=5))
    pack, problems = inspect_pack(GOOD[:at] + put + GOOD[at + cut :], name="en/trial")
    assert (pack is None) == bool(problems)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(PackError, match="No such file"):
        read_pack(tmp_path / "en" / "none.toml")


def test_a_pack_is_named_by_its_folder_and_file(tmp_path):
    path = tmp_path / "en" / "trial.toml"
    path.parent.mkdir()
    path.write_text(GOOD, encoding="utf-8")
    assert load_packs([path])[0].name == "en/trial"


def test_four_packs_are_shipped():
    assert {path.stem for path in shipped_packs()} >= {"canary", "suicide", "self_harm", "bullying"}
