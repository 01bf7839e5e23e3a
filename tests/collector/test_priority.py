from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.priority import (
    DAY,
    HOUR,
    MINUTE,
    Corroboration,
    History,
    Rules,
    age,
    due_at,
    judge,
)
from keywords.priority import Priority
from tests.collector.device import GRAVE, MILD
from wire.event import AccountKind, Finding, Severity, Source

NOW = 1_800_000_000_000_000


def judged(finding=GRAVE, *, late_by=0, kind=AccountKind.PERSON, serious=0, terms=1):
    return judge(
        finding,
        matched_at=NOW - late_by,
        received_at=NOW,
        account_kind=kind,
        history=History(serious=serious),
        corroboration=Corroboration(terms=terms),
        rules=Rules(),
    )


findings = st.builds(
    Finding,
    source=st.sampled_from(Source),
    category=st.sampled_from(["suicide", "bullying", "canary"]),
    severity=st.sampled_from(Severity),
    score=st.integers(0, 1000),
    reasons=st.lists(st.sampled_from(["intent", "past", "first_person"]), unique=True).map(tuple),
    term_id=st.just("t"),
    pack=st.just("en/x"),
    pack_version=st.just(1),
)


def test_a_grave_match_is_for_now_and_says_why():
    verdict = judged()
    assert verdict.priority is Priority.P1
    assert verdict.reasons[0] == "Someone's life may be in danger now."
    assert not verdict.late


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"serious": 2}, "This person had 2 serious alerts within 30 days."),
        ({"terms": 3}, "3 different terms were found within 10 minutes of each other."),
    ],
)
def test_history_and_corroboration_raise_by_one_step_and_say_so(change, words):
    verdict = judged(MILD, **change)
    assert verdict.priority == judged(MILD).priority - 1
    assert verdict.reasons[0] == words


def test_both_together_raise_by_one_step_only():
    assert judged(MILD, serious=9, terms=9).priority == judged(MILD).priority - 1


def test_a_shared_account_has_no_history():
    assert judged(MILD, serious=9, kind=AccountKind.SHARED) == judged(MILD)


@pytest.mark.parametrize(
    ("late_by", "is_late"), [(0, False), (15 * MINUTE, False), (15 * MINUTE + 1, True)]
)
def test_a_late_event_keeps_its_priority_and_says_its_age(late_by, is_late):
    verdict = judged(late_by=late_by)
    assert verdict.late is is_late
    assert verdict.priority is Priority.P1
    assert ("15 minutes before it arrived" in verdict.reasons[0]) is is_late


@given(finding=findings, serious=st.integers(0, 9), terms=st.integers(1, 9))
def test_a_canary_is_a_drill_whatever_else(finding, serious, terms):
    verdict = judged(replace(finding, source=Source.CANARY), serious=serious, terms=terms)
    assert (verdict.priority, verdict.drill) == (Priority.P4, True)


@given(finding=findings, serious=st.integers(0, 9), terms=st.integers(1, 9))
def test_every_verdict_has_reasons_and_more_evidence_never_lowers_it(finding, serious, terms):
    alone = judged(finding)
    verdict = judged(finding, serious=serious, terms=terms)
    assert verdict.reasons
    if alone.priority is None:
        assert verdict.priority is None
    else:
        assert alone.priority - 1 <= verdict.priority <= alone.priority


def test_the_clock_of_each_priority():
    found = [due_at(priority, NOW, Rules()) for priority in Priority]
    assert found == [NOW + 5 * MINUTE, NOW + HOUR, NOW + 8 * HOUR, None]


@pytest.mark.parametrize(
    ("micros", "words"),
    [(1, "less than a minute"), (MINUTE, "1 minute"), (3 * HOUR, "3 hours"), (2 * DAY, "2 days")],
)
def test_age_in_words(micros, words):
    assert age(micros) == words
