import math
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trialpack import trial_matcher, trial_pack

from keywords.decide import (
    IDENTITY_MORE,
    P3_PATTERN_FROM,
    P4_PATTERN_FROM,
    REACH,
    Decision,
    Detector,
    Rank,
    by_pattern,
    overall,
)
from keywords.grade import Place
from keywords.matcher import Matcher
from keywords.pack import AGES, Severity
from keywords.priority import Priority
from keywords.reasons import REASONS

MATCHER = trial_matcher(
    """
[[term]]
id = "end"
phrases = ["end it"]
severity = 5
[[term]]
id = "mild"
phrases = ["fed up"]
severity = 1
says = ["ambiguous"]
[[term]]
id = "searched"
phrases = ["ways out"]
severity = 4
only_in = ["search", "title"]
[[term]]
id = "own"
phrases = ["hurt (today|now)"]
severity = 4
first_person = true
[[term]]
id = "young"
phrases = ["older boy"]
severity = 3
ages = ["primary"]
[[term]]
id = "then"
phrases = ["so sad"]
severity = 3
unless_then = ["song"]
"""
)
MOST_REASONS = trial_matcher(
    """
[[term]]
phrases = ["top it"]
severity = 5
says = ["underway", "imminent", "plan", "goodbye", "intent", "first_person", "urging", "threat",
  "victim", "directed"]
[[term]]
phrases = ["end it"]
severity = 1
says = ["ambiguous"]
"""
)
URGENT_PACK = replace(
    trial_pack(
        """
[[term]]
phrases = ["worst thing"]
severity = 5
says = ["first_person", "plan"]
[[term]]
phrases = ["end it"]
severity = 4
[[term]]
phrases = ["middling thing"]
severity = 3
says = ["directed", "threat"]
"""
    ),
    name="en/suicide",
    category="suicide",
)
URGENT = Matcher([URGENT_PACK])


@dataclass(frozen=True)
class ByWords:
    """A ranker that counts words of its own: pure, and it keeps nothing."""

    words: tuple[str, ...] = ()
    each: float = P3_PATTERN_FROM + 1
    rest: float = -2.0
    version: int = 4

    def rank(self, text: str) -> Rank:
        heard = sum(word in text for word in self.words)
        return Rank(self.each if heard else self.rest, "suicide", 0.5)


CRY = ByWords(("nothing left",))
TEXTS = st.lists(
    st.sampled_from(
        ["end it", "fed up", "ways out", "hurt now", "older boy", "so sad", "nothing left"]
    )
    | st.sampled_from(
        ["i", "you", "essay", "song", "lol", "not", ".", "\n", "e n d it", "\ud800", "😭"]
    )
    | st.text(max_size=5),
    max_size=8,
).map(" ".join)


def terms(decision):
    return [one.match.term.id if one.match else "pattern" for one in decision.found]


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (Place.SEARCH, ["searched"]),
        (Place.TITLE, ["searched"]),
        (Place.CHAT, []),
        (Place.DOCUMENT, []),
        (Place.UNKNOWN, []),
    ],
)
def test_only_in_holds_where_the_place_is_known(place, found):
    assert terms(Detector(MATCHER).decide("ways out", place=place)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("i hurt now", ["own"]),
        ("they hurt me, i hurt today", ["own"]),
        ("he is hurt now", []),
        ("hurt now", []),
        ("i went out. it hurt now", []),
    ],
)
def test_first_person_holds_in_the_writers_own_clause(text, found):
    assert terms(Detector(MATCHER).decide(text)) == found


def test_what_is_typed_after_it_is_not_yet_known():
    """A finding falls when its term is complete."""
    assert terms(Detector(MATCHER).decide("hurt now me")) == []
    assert terms(Detector(MATCHER).decide("me hurt now")) == ["own"]


@pytest.mark.parametrize("age", ["", *AGES])
def test_ages_hold_for_those_and_where_the_age_is_not_known(age):
    found = terms(Detector(MATCHER).decide("older boy", age=age))
    assert found == (["young"] if age in {"", "primary"} else [])


def test_patterns_are_off_unless_they_are_switched_on():
    text = "there is nothing left"
    for detector in (
        Detector(MATCHER, CRY),
        Detector(MATCHER, CRY, patterns=False),
        Detector(MATCHER, None, patterns=True),
    ):
        decision = detector.decide(text)
        assert decision.found == ()
        assert decision.priority is None
        assert decision.lead is None
        assert detector.pattern(text) is None
    switched_on = Detector(MATCHER, CRY, patterns=True)
    assert terms(switched_on.decide(text)) == ["pattern"]
    assert switched_on.pattern(text) == switched_on.decide(text).lead


@given(TEXTS)
def test_without_patterns_nothing_is_found_but_listed_words(text):
    decision = Detector(MATCHER, ByWords(("",))).decide(text)
    assert "pattern" not in terms(decision)


@given(TEXTS, st.sampled_from(Place))
def test_a_pattern_is_not_added_where_a_listed_word_alerts(text, place):
    always = ByWords(("",))
    decision = Detector(MATCHER, always, patterns=True).decide(text, place=place)
    listed = [one for one in decision.found if one.match and one.priority]
    assert ("pattern" in terms(decision)) == (not listed)
    assert all(one.priority is None for one in decision.found if one.match) or listed


def test_a_listed_word_that_does_not_alert_leaves_room_for_the_pattern():
    text = "essay, i am not fed up, nothing left"
    assert terms(Detector(MATCHER, CRY, patterns=True).decide(text))[0] == "pattern"


@pytest.mark.parametrize(
    ("logit", "priority"),
    [
        (P4_PATTERN_FROM - 0.01, None),
        (P4_PATTERN_FROM, Priority.P4),
        (P3_PATTERN_FROM - 0.01, Priority.P4),
        (P3_PATTERN_FROM, Priority.P3),
        (50.0, Priority.P3),
    ],
)
def test_a_pattern_alone_never_is_urgent(logit, priority):
    found = by_pattern(Rank(logit, "suicide"), "any text", Place.UNKNOWN)
    assert (found.priority if found else None) == priority
    if found:
        assert found.match is None
        assert found.category == "suicide"
        assert found.grade.reasons == ("pattern_only",)
        assert found.grade.severity <= Severity.MEDIUM


def test_a_pattern_tells_its_place():
    found = by_pattern(Rank(9.0, "suicide"), "any text", Place.CHAT)
    assert found.grade.reasons == ("pattern_only", "in_chat")


@given(TEXTS, st.booleans(), st.booleans(), st.sampled_from(Place))
def test_every_text_has_a_score_and_a_decision(text, ranked, patterns, place):
    detector = Detector(MATCHER, CRY if ranked else None, patterns=patterns)
    decision = detector.decide(text, place=place)
    assert 0 <= decision.score <= 1
    assert math.isfinite(decision.score)
    assert decision == detector.decide(text, place=place)
    for one in decision.found:
        assert set(one.why) | set(one.grade.reasons) <= set(REASONS)


@given(st.text(st.characters(), max_size=60))
def test_any_text_is_decided(text):
    Detector(MATCHER, CRY, patterns=True).decide(text)


@given(TEXTS, st.booleans(), st.sampled_from(Place), st.sampled_from(["", *AGES]))
def test_the_decision_is_the_most_urgent_event_of_typing_it(text, patterns, place, age):
    detector = Detector(MATCHER, CRY, patterns=patterns)
    state, typed, events = MATCHER.start, "", {}

    def hear(matches):
        for match in matches:
            found = detector.match(match, typed, place=place, age=age)
            if found:
                events.setdefault((match.term.id, match.start), found)

    for char in text:
        typed += char
        state, matches = MATCHER.step(state, char)
        hear(matches)
    hear(MATCHER.settle(state))
    raised = list(events.values())
    if not any(one.priority for one in raised):
        raised += [one for one in [detector.pattern(typed, place=place)] if one]
    decision = detector.decide(text, place=place, age=age)
    assert decision.priority == min((one.priority for one in raised if one.priority), default=None)
    assert len(decision.found) == len(raised)
    assert set(terms(decision)) == {one.match.term.id if one.match else "pattern" for one in raised}


def test_what_is_found_is_in_order_of_urgency():
    decision = Detector(MATCHER).decide("essay, fed up. i will end it tonight. so sad")
    urgencies = [one.priority or 9 for one in decision.found]
    assert urgencies == sorted(urgencies)
    assert decision.lead is decision.found[0]
    assert decision.priority == decision.lead.priority == Priority.P2
    assert terms(decision)[0] == "end"


def test_what_waits_for_more_is_decided_at_the_end():
    assert terms(Detector(MATCHER).decide("so sad")) == ["then"]
    assert terms(Detector(MATCHER).decide("so sad song")) == []
    assert terms(Detector(MATCHER).decide("so sad today")) == ["then"]


def test_the_ranker_moves_a_score_within_bounds():
    plain = Detector(MATCHER).decide("i will end it").found[0].grade
    grave = Detector(MATCHER, ByWords(rest=50.0)).decide("i will end it").found[0].grade
    mild = Detector(MATCHER, ByWords(rest=-50.0)).decide("i will end it").found[0].grade
    assert mild.score < plain.score < grave.score
    assert "reads_as_concern" in grave.reasons
    assert "reads_as_ordinary" in mild.reasons


@pytest.mark.parametrize(
    ("words", "rest", "priority"),
    [
        ("my worst thing", 0.0, Priority.P1),
        ("my worst thing", -0.1, Priority.P2),
        ("i want to end it", 0.0, Priority.P2),
        ("i want to end it", -0.1, Priority.P3),
        ("you middling thing", 0.0, Priority.P3),
        ("you middling thing", -0.1, Priority.P4),
    ],
)
def test_what_the_ranker_doubts_is_one_step_less_urgent(words, rest, priority):
    found = Detector(URGENT, ByWords(rest=rest)).decide(words)
    assert found.priority is priority


def test_another_language_is_judged_by_its_terms_alone():
    polish = replace(URGENT_PACK, language="pl", name="pl/suicide")
    denied, doubting = "lol i will not end it", ByWords(rest=-5.0)
    (found,) = Detector(Matcher([polish]), doubting).decide(denied).found
    assert found.grade.reasons == ()
    assert found.ranked == 0.0
    (english,) = Detector(Matcher([URGENT_PACK]), doubting).decide(denied).found
    assert {"negated", "hyperbole", "reads_as_ordinary"} <= set(english.grade.reasons)


def test_the_ranker_reads_near_a_match_alone():
    seen = []

    class Seeing:
        version = 1

        def rank(self, text):
            seen.append(text)
            return Rank(0.0)

    text = "x " * 5000 + "end it" + " y" * 5000
    (match,) = MATCHER.find(text)
    Detector(MATCHER, Seeing()).match(match, text)
    assert [len(one) for one in seen] == [2 * REACH + len("end it")]


def test_the_rankers_version_is_told():
    assert Detector(MATCHER).ranker_version == 1
    assert Detector(MATCHER, CRY).ranker_version == CRY.version


def test_a_listed_word_raises_the_score_and_so_does_the_ranker():
    detector = Detector(MATCHER, CRY)
    scores = [
        detector.decide(text).score
        for text in ("a nice day", "i end it", "nothing left", "i end it, nothing left")
    ]
    assert scores == sorted(scores)
    assert len(set(scores)) == len(scores)
    assert Detector(MATCHER).decide("a nice day").score == 0.0
    assert Detector(MATCHER).decide("end it").score > 0.0


@pytest.mark.parametrize(
    ("text", "logit"),
    [("macbeth essay minecraft, documentary, he said lol not end it", -9.0), ("top it", 9.0)],
)
def test_scores_that_are_rounded_to_none_or_all_have_a_place(text, logit):
    decision = Detector(MOST_REASONS, ByWords(rest=logit)).decide(text)
    assert decision.found[0].grade.score in {0.0, 1.0}
    assert 0 < decision.score < 1


@pytest.mark.parametrize("logit", [-1e9, 1e9])
def test_no_logit_is_too_large(logit):
    assert 0 <= overall(Rank(logit), (), ranked=True) <= 1


def test_an_empty_decision():
    decision = Decision(0.0, (), Rank(0.0))
    assert decision.priority is None
    assert decision.lead is None
    assert Detector(Matcher([])).decide("end it").found == ()


def test_a_text_that_says_who_somebody_is_needs_more():
    rank = Rank(P4_PATTERN_FROM + 0.1, "hate")
    assert by_pattern(rank, "they are so loud", Place.UNKNOWN) is not None
    assert by_pattern(rank, "they are Muslim, so what", Place.UNKNOWN) is None
    sure = Rank(P4_PATTERN_FROM + IDENTITY_MORE + 0.1, "hate")
    assert by_pattern(sure, "they are Muslim, so what", Place.UNKNOWN) is not None
