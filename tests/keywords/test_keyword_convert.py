import csv
from io import StringIO
from string import ascii_lowercase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trialpack import trial_pack

from keywords.check import check_pack
from keywords.convert import to_csv, to_packs
from keywords.pack import Severity, parse_pack
from keywords.wordlist import COLUMNS, IDENTITIES, Assumed, Row, decode, read_list


def packs_of(text, *, heads=(), assumed=None):
    """The packs of a list, each of which is right, and why rows were refused, by line."""
    listed = read_list(text, assumed, file="list.csv")
    packed = to_packs(listed.rows, language="en", heads=heads)
    packs = {name: parse_pack(toml, name=name) for name, toml in packed.packs.items()}
    for pack in packs.values():
        assert [str(problem) for problem in check_pack(pack)] == []
    refused = [*listed.refused, *packed.refused]
    return packs, {one.line: one.reason for one in refused}


def phrases_of(pack):
    return {phrase for term in pack.terms for phrase in term.phrases}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("phrase", [name for name, what in COLUMNS.items() if what == "phrase"])
@pytest.mark.parametrize("level", ["severity", "LEVEL", "Risk"])
def test_columns_are_known_by_their_names(delimiter, phrase, level):
    table = [
        ["Category", phrase.upper(), level, "List"],
        ["Self-Harm", "go away", "4", "a"],
        ["Self-Harm", "come back", "low", "b"],
    ]
    text = "# exported\n\n" + "\n".join(delimiter.join(row) for row in table)
    packs, refused = packs_of(text)
    assert refused == {}
    (pack,) = packs.values()
    assert (pack.name, pack.title) == ("en/self_harm", "Self-Harm")
    assert [(term.id, term.severity, term.match) for term in pack.terms] == [
        ("a", Severity.HIGH, "go away"),
        ("b", Severity.LOW, "come back"),
    ]


@pytest.mark.parametrize(
    ("header", "said", "severity"),
    [
        ("severity", "1", 1),
        ("severity", "5", 5),
        ("severity", "3.0", 3),
        ("risk", "Low", 2),
        ("risk", "MEDIUM", 3),
        ("risk", "high", 4),
        ("risk", "critical", 5),
        ("level", "P1", 5),
        ("level", "p5", 1),
        ("priority", "1", 5),
        ("priority", "P2", 4),
        ("priority", "high", 4),
        ("level", "", 2),
    ],
)
def test_severities_are_read(header, said, severity):
    listed = read_list(f"phrase,{header}\ngo away,{said}\n", Assumed(severity=2))
    assert [row.severity for row in listed.rows] == [severity]


def test_how_the_list_was_understood_is_told():
    notes = read_list("\ufeffword,priority,notes,word\ngo away,,x,y").notes
    assert notes == (
        "read as columns phrase, severity",
        "not used: column 'notes'",
        "not used: column 'word'",
        "numbers under priority: 1 is the most urgent",
        "1 rows have no severity: taken as 3",
    )
    assert read_list("go away").notes[0] == "read as one phrase a line"
    assert read_list("").rows == ()
    assert read_list("phrase,severity").rows == ()


def test_a_plain_list_is_one_phrase_a_line():
    packs, refused = packs_of(
        "# mine\r\ngo away\r\n\r\n  come back \rstay\nhere; there\na, b\n",
        assumed=Assumed("trial", 5),
    )
    assert phrases_of(packs["en/trial"]) == {"go away", "come back", "stay"}
    assert {term.severity for term in packs["en/trial"].terms} == {Severity.CRITICAL}
    assert set(refused) == {6, 7}
    assert "give them a header" in refused[6]


def test_a_line_too_long_for_a_header_is_a_phrase():
    _, refused = packs_of("x" * 200_000)
    assert "is longer than" in refused[1]


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [
        ("", "is empty"),
        ("go*", "wildcard"),
        ("g?o", "wildcard"),
        ("go?", "wildcard"),
        ("%go%", "wildcard"),
        ("g(o|a)", "regular expression"),
        (r"\bgo\b", "regular expression"),
        ("^go", "regular expression"),
        ("go.+", "regular expression"),
        ("/go/i", "regular expression"),
        ("go AND away", "search"),
        ("{go}", "regular expression"),
        ("go~", "regular expression"),
        ("\u200b", "nothing that can be seen"),
        ("...", "nothing that can be seen"),
        ("g", "single letter"),
        ("7", "single letter or digit"),
        ("g" * 201, "longer than 200"),
        ("go " * 16, "longer than"),
        (".".join("abcdefghijklmnop"), "15 words"),
        ("\ufffd go", "no text"),
        (f"{chr(0xD800)} go", "no text"),
    ],
)
def test_what_cannot_be_a_phrase_is_refused(phrase, reason):
    packs, refused = packs_of(f"phrase,notes\ngo on,x\n{phrase},x\n")
    assert phrases_of(packs["en/imported"]) == {"go on"}
    assert reason in refused[3]


@pytest.mark.parametrize(
    "phrase",
    [*IDENTITIES, "I am gay", "g4y", "G A Y", "gay lesbian", "the Muslims", "is a trans girl"],
)
def test_who_somebody_is_is_refused(phrase):
    _, refused = packs_of(f"phrase,notes\n{phrase},x")
    assert "who somebody is" in refused[2]


@pytest.mark.parametrize(
    "phrase", ["hate all gay people", "how do i go?", "🔪", "50%", "18+", "km"]
)
def test_what_only_looks_like_it_is_taken(phrase):
    packs, refused = packs_of(f"phrase,notes\n{phrase},x")
    assert refused == {}
    assert phrases_of(packs["en/imported"]) == {phrase}


@pytest.mark.parametrize(
    ("rows", "line", "reason"),
    [
        ("go away,3,trial\nGo  AWAY!,5,trial", 3, "stands at line 2 too, with severity 3"),
        ("go away,9,trial", 2, "has severity '9'"),
        ("go away,very,trial", 2, "has severity 'very'"),
        ("go away,3,\u4e16", 2, "has category"),
        ("go away,3,\ud800a", 2, "has category"),
        (f"go away,3,{'x' * 61}", 2, "has category"),
        ("go away,3,trial,more", 2, "more cells than the header"),
        ('go away,3,"trial\nstay,3,trial"', 2, "goes on to line 3"),
        ('"go away,3,trial\nstay,3,trial', 2, "cannot be read up to line 3"),
        ('"go" away,3,trial', 2, "cannot be read up to line 2"),
        ("go away,5,trial\ngo-away now,3,trial\ngoawaynow,3,trial", 0, ""),
        ("go away now,5,trial\ngoawaynow,3,trial", 3, "is found by go-away-now already"),
    ],
)
def test_rows_that_are_wrong_are_told_by_line(rows, line, reason):
    packs, refused = packs_of(f"phrase,severity,category\n{rows}")
    assert reason in refused.get(line, "")
    assert sum(len(phrases_of(pack)) for pack in packs.values()) + len(refused) >= 1


def test_the_same_phrase_in_two_files_is_told_with_the_file():
    rows = [Row("go away", "trial", 3, "", 1, "a.csv"), Row("go away", "trial", 3, "", 7, "b.csv")]
    packed = to_packs(rows, language="en")
    assert [str(one) for one in packed.refused] == [
        "b.csv:7: 'go away' stands at a.csv:1 too, with severity 3"
    ]


def test_blank_rows_and_short_rows():
    packs, refused = packs_of("phrase,severity\n,\n\ngo away\n")
    assert refused == {}
    assert phrases_of(packs["en/imported"]) == {"go away"}


def test_a_phrase_lost_to_a_lost_one_is_kept():
    """The gravest is found glued and hides the second; the third is hidden by the second alone."""
    rows = [
        Row("overthere", "trial", 3, "", 3),
        Row("over there", "trial", 4, "", 2),
        Row("over theree", "trial", 5, "", 1),
    ]
    packed = to_packs(rows, language="en")
    pack = parse_pack(packed.packs["en/trial"], name="en/trial")
    assert list(check_pack(pack)) == []
    assert len(phrases_of(pack)) + len(packed.refused) == 3


def test_groups_become_terms_and_each_has_its_own_id():
    packs, refused = packs_of(
        "phrase,group,severity\n"
        "go away,Leave!,3\ncome back,Leave!,3\nstay here,leave,3\nsit down,Leave!,5\n"
        "\u4f60\u597d,,3\n\u518d\u89c1,,3\nsit-up,,3\n"
    )
    assert refused == {}
    assert [(term.id, term.phrases) for term in packs["en/imported"].terms] == [
        ("leave", ("go away", "come back")),
        ("leave-2", ("stay here",)),
        ("leave-3", ("sit down",)),
        ("term", ("\u4f60\u597d",)),
        ("term-2", ("\u518d\u89c1",)),
        ("sit-up", ("sit-up",)),
    ]


def test_a_large_group_is_cut():
    lines = "\n".join(f"number {n} here,all" for n in range(1000, 1250))
    packs, refused = packs_of(f"phrase,group\n{lines}")
    assert refused == {}
    assert [len(term.phrases) for term in packs["en/imported"].terms] == [200, 50]


def test_a_pack_that_is_full_refuses_the_rest(monkeypatch):
    monkeypatch.setattr("keywords.convert.MAX_TERMS", 1)
    packs, refused = packs_of("go away\ncome back\n")
    assert phrases_of(packs["en/imported"]) == {"go away"}
    assert "split the category" in refused[2]
    monkeypatch.setattr("keywords.convert.MAX_BYTES", 10)
    packs, refused = packs_of("go away\n")
    assert packs == {}
    assert "split the category" in refused[1]


def test_a_pack_of_the_same_name_gives_its_head():
    head = trial_pack('[[term]]\nphrases = ["x y"]')
    packs, _ = packs_of("phrase,category\ngo away,Trial", heads=[head])
    pack = packs["en/trial"]
    assert (pack.title, pack.see, pack.guidance) == (head.title, head.see, head.guidance)
    assert pack.version == head.version + 1


@pytest.mark.parametrize(
    ("raw", "text", "encoding"),
    [
        ("café".encode(), "café", "UTF-8"),
        ("café".encode("utf-8-sig"), "café", "UTF-8"),
        ("café".encode("utf-16"), "café", "UTF-16"),
        ("café".encode("cp1252"), "café", "Windows-1252"),
        (b"\xff\xfex", "\ufffd", "UTF-16"),
        (b"\x81", "\ufffd", "Windows-1252"),
    ],
)
def test_bytes_are_decoded(raw, text, encoding):
    assert decode(raw) == (text, encoding)


def test_the_innocent_line_is_near():
    packs, _ = packs_of("go far away\nstay\n🔪\n")
    lines = {term.match: term.innocent for term in packs["en/imported"].terms}
    assert sorted(lines["go far away"].split()) == ["away", "far", "go"]
    assert len(lines["stay"]) == len("stay")
    assert lines["🔪"] == "b instead"


def test_the_innocent_line_is_not_one_of_the_groups_phrases():
    lines = "\n".join(f"s{letter},all" for letter in ascii_lowercase)
    packs, _ = packs_of(f"phrase,group\n{lines}")
    (term,) = packs["en/imported"].terms
    assert term.innocent == "aa"


PACK = trial_pack(
    """
[sets]
who = ["him", "her"]
[[term]]
id = "go"
phrases = ["go (away|back) {who}", "=go on"]
severity = 5
[[term]]
id = "minus"
phrases = ["-1 day"]
severity = 1
[[term]]
id = "near"
phrases = ["go home"]
near = ["now"]
first_person = true
[[term]]
id = "many"
phrases = ["(a|b|c|d|e|f|g) (a|b|c|d|e|f|g) (a|b|c|d|e|f|g) home"]
"""
)


def test_packs_become_a_list():
    text, refused = to_csv([PACK])
    assert text.splitlines() == [
        "phrase,category,severity,group",
        "go away him,trial,critical,go",
        "go away her,trial,critical,go",
        "go back him,trial,critical,go",
        "go back her,trial,critical,go",
        "'=go on,trial,critical,go",
        "'-1 day,trial,low,minus",
    ]
    conditions, too_many = map(str, refused)
    assert conditions == (
        "en/trial.toml:28: 'near: go home' has conditions that a list cannot say: near, first_person"
    )
    assert too_many == (
        "en/trial.toml:37: 'many: (a|b|c|d|e|f|g) (a|b|c|d|e|f|g) (a|b|c|d|e|f|g) home'"
        " stands for more than 300 plain phrases"
    )


def test_no_cell_is_a_formula():
    for start in ("=", "+", "-", "@"):
        pack = trial_pack(f'[[term]]\nphrases = ["{start}go on"]')
        (_, row) = csv.reader(StringIO(to_csv([pack])[0]))
        assert row[0] == f"'{start}go on"


WORDS = st.text("zxqkwv ", min_size=2, max_size=12)
ANY = st.text(max_size=40) | st.text("abg*?+-='\" ,;\t\n()|~", max_size=30)


@given(st.lists(st.tuples(WORDS, st.integers(1, 5), st.sampled_from(["", "one", "two"]))))
def test_what_is_taken_survives_the_way_to_a_list_and_back(rows):
    given_rows = [
        Row(" ".join(phrase.split()), "trial", severity, group, line)
        for line, (phrase, severity, group) in enumerate(rows, 2)
        if len(phrase.replace(" ", "")) > 1
    ]
    packed = to_packs(given_rows, language="en")
    packs = [parse_pack(toml, name=name) for name, toml in packed.packs.items()]
    assert sum(len(phrases_of(pack)) for pack in packs) + len(packed.refused) == len(given_rows)
    text, refused = to_csv(packs)
    assert refused == ()
    again, lost = packs_of(text)
    assert lost == {}
    for pack in packs:
        other = again[pack.name]
        assert phrases_of(other) == phrases_of(pack)
        assert {(term.id, term.severity) for term in other.terms} == {
            (term.id, term.severity) for term in pack.terms
        }


@given(
    ANY | st.lists(ANY, max_size=6).map(lambda cells: "word,severity,group\n" + "\n".join(cells))
)
@settings(max_examples=200)
def test_any_text_is_taken_or_refused(text):
    packs_of(text)


@given(ANY)
def test_any_phrase_is_taken_or_refused_and_its_cell_is_read_back(phrase):
    cells = StringIO()
    csv.writer(cells).writerows([["phrase", "notes"], [phrase, "x"]])
    packs, refused = packs_of(cells.getvalue())
    assert sum(len(phrases_of(pack)) for pack in packs.values()) + len(refused) == 1


@given(st.binary(max_size=60))
def test_any_bytes_are_read(raw):
    packs_of(decode(raw)[0])
