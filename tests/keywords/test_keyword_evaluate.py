import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trialpack import trial_matcher

from keywords.decide import Decision, Detector, Found, Rank
from keywords.evaluate import (
    Judged,
    LabelError,
    Labelled,
    Share,
    changes,
    false_alarms,
    labelled,
    precision,
    recall,
    report,
)
from keywords.grade import Grade
from keywords.pack import Severity
from keywords.priority import Priority


def judged(priority, *, concern, text="go", name="1", **more):
    grade = Grade(Severity.HIGH, 0.5, ())
    found = (Found(grade, "trial", priority, ()),) if priority else ()
    return Judged(Labelled(name, text, concern=concern, **more), Decision(0.5, found, Rank(0.0)))


def real(priority, **more):
    return judged(priority, concern=True, **more)


def harmless(priority):
    return judged(priority, concern=False)


SET = [
    real(Priority.P1, category="suicide", source="chat"),
    real(Priority.P3, category="suicide", source="search"),
    real(None, category="bullying", source="chat", language="cy"),
    real(Priority.P2, category="bullying"),
    harmless(Priority.P2),
    *(harmless(None) for _ in range(9)),
]


def shows(one):
    return one.alerts


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        # Newcombe 1998, table I, method 3 (Wilson)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_intervals_are_wilsons(part, whole, low, high):
    assert Share(part, whole).interval == pytest.approx((low, high), abs=0.00006)


def test_nothing_of_nothing_says_nothing():
    assert math.isnan(Share(0, 0).value)
    assert Share(0, 0).interval == (0.0, 1.0)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_lies_in_its_interval(share):
    low, high = Share(*share).interval
    assert 0 <= low <= Share(*share).value + 1e-9
    assert Share(*share).value - 1e-9 <= high <= 1


def test_precision_recall_and_false_alarms_of_a_small_set():
    assert precision(SET, shows) == Share(3, 4)
    assert recall(SET, shows) == Share(3, 4)
    assert false_alarms(SET, shows) == Share(1, 10)


def test_the_report_has_all_and_each_group():
    lines = list(report(SET))
    assert lines[0] == "14 texts, 4 of them a concern"
    rows = {line[:28].strip(): line[28:] for line in lines if line}
    assert "75.0 (30.1 to 95.4) %" in rows["any alert"]
    assert "100.00 (17.88 to 404.15)" in rows["any alert"]
    assert "100.0 (20.7 to 100.0) %" in rows["P1 or more urgent"]
    assert "66.7 " in rows["P2 or more urgent"]
    assert rows["P3 or more urgent"] == rows["P4 or more urgent"] == rows["any alert"]
    assert [line for line in lines if line.startswith("by ")] == [
        f"by {what}, any alert" for what in ("category", "language", "source")
    ]
    assert {"suicide", "bullying", "(harmless)", "en", "cy", "chat", "search", "(not told)"} <= set(
        rows
    )
    assert rows["(harmless)"].split()[:2] == ["0.0", "(0.0"]
    assert rows["suicide"].split()[-1] == "-"
    assert rows["cy"].split()[0] == "-"


def test_a_report_of_nothing():
    assert next(report([])) == "0 texts, 0 of them a concern"


def test_changes_tell_what_is_lost_won_raised_and_lowered():
    texts = [("a", False), ("b", True), ("c", True), ("d", True), ("e", False), ("f", True)]
    was = [Priority.P3, None, Priority.P1, Priority.P3, None, Priority.P2]
    now = [None, Priority.P2, Priority.P2, Priority.P1, None, Priority.P2]
    before, after = (
        [
            judged(one, concern=concern, name=name)
            for (name, concern), one in zip(texts, ones, strict=True)
        ]
        for ones in (was, now)
    )
    assert list(changes(before, after)) == [
        "won      CONCERN   none -> P2   b: go",
        "lowered  CONCERN     P1 -> P2   c: go",
        "raised   CONCERN     P3 -> P1   d: go",
        "lost     harmless    P3 -> none a: go",
        "4 of 6 texts are decided otherwise",
    ]


def test_changes_show_any_text_on_one_line():
    text = "a\x1b[31m\nb\ud800" + "x" * 200
    lines = list(changes([real(None, text=text)], [real(Priority.P1, text=text)]))
    assert len(lines) == 2
    assert lines[0].isprintable()
    assert lines[0].endswith("x…")
    assert len(lines[0]) < 120


def test_two_sets_of_packs_are_compared():
    rows = [Labelled("1", "go home now", concern=True), Labelled("2", "stay here", concern=False)]
    packs = [f'[[term]]\nphrases = ["{phrase}"]' for phrase in ("go home", "stay here")]
    detectors = [Detector(trial_matcher(pack)) for pack in packs]
    before, after = ([Judged(row, each.decide(row.text)) for row in rows] for each in detectors)
    assert [line.split()[:5] for line in changes(before, after)][:2] == [
        ["lost", "CONCERN", "P3", "->", "none"],
        ["won", "harmless", "none", "->", "P3"],
    ]


def test_a_line_is_read():
    row = {"text": "go", "label": "concern", "category": "x", "source": None, "lang": "cy"}
    assert labelled(row, 7) == Labelled("7", "go", concern=True, category="x", language="cy")
    assert labelled({"id": 3, "text": "", "label": "benign"}, 1) == Labelled("3", "", concern=False)


@pytest.mark.parametrize(
    ("row", "mend"),
    [
        (None, "line 4: needs an object with a text"),
        ([], "line 4: needs an object with a text"),
        ({"label": "benign"}, "line 4: needs an object with a text"),
        ({"text": 3, "label": "benign"}, "line 4: needs an object with a text"),
        ({"text": "go"}, 'line 4: label must be "concern" or "benign"'),
        ({"text": "go", "label": "bad"}, 'line 4: label must be "concern" or "benign"'),
        ({"text": "go", "label": ["benign"]}, "line 4: label must be"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(row, mend):
    with pytest.raises(LabelError, match=mend):
        labelled(row, 4)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(("text", "label", "id"), JSON)))
def test_any_json_is_read_or_refused(row):
    try:
        read = labelled(json.loads(json.dumps(row)), 1)
    except LabelError:
        return
    assert isinstance(read.text, str)
