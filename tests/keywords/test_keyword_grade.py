import pytest
from hypothesis import given
from hypothesis import strategies as st
from trialpack import trial_matcher

from keywords.grade import WEIGHTS, Grade, Place, grade
from keywords.pack import Severity
from keywords.priority import Priority, base
from keywords.reasons import REASONS, words

MATCHER = trial_matcher(
    """
[[term]]
id = "end"
phrases = ["end it"]
severity = 4
[[term]]
id = "worst"
phrases = ["worst thing"]
severity = 5
says = ["first_person", "plan"]
[[term]]
id = "least"
phrases = ["least thing"]
severity = 1
"""
)


def graded(text, *, place=Place.UNKNOWN):
    return grade(MATCHER.find(text)[0], text, place=place)


PLAIN = graded("end it")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("i want to end it", "first_person"),
        ("you should end it", "directed"),
        ("he should end it", "about_other"),
        ("im going to end it", "intent"),
        ("end it tonight", "imminent"),
        ("i used to say end it", "past"),
        ("i will not end it", "negated"),
        ("end it lol", "hyperbole"),
        ("end it 😂", "hyperbole"),
        ('he wrote "end it" there', "quotation"),
        ("she said end it", "quotation"),
        ("macbeth essay on why they end it", "schoolwork"),
        ("end it in minecraft", "fiction"),
        ("documentary on those who end it", "general_topic"),
        ("end it please help", "help_seeking"),
        ("my friend wants to end it and she cries", "worried_about_other"),
        ("my homework makes me want to end it", "hyperbole"),
        ("3nd 1t", "disguised"),
    ],
)
def test_what_stands_around_gives_its_reason(text, reason):
    assert reason in graded(text).reasons


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (Place.SEARCH, "in_search"),
        (Place.CHAT, "in_chat"),
        (Place.DOCUMENT, "in_document"),
        (Place.TITLE, "in_title"),
    ],
)
def test_the_place_is_told(place, reason):
    assert reason in graded("end it", place=place).reasons
    assert graded("end it", place=Place.TITLE).score < PLAIN.score


def test_grave_reasons_raise_and_others_lessen():
    assert graded("im going to end it tonight").score > PLAIN.score
    assert graded("macbeth essay on why they end it").score < PLAIN.score
    assert graded("macbeth essay on why they end it").severity < PLAIN.severity
    assert (PLAIN.severity, PLAIN.reasons) == (Severity.HIGH, ())


def test_schoolwork_weighs_less_where_the_writer_speaks_of_themselves():
    own = graded("my macbeth essay is late and i want to end it")
    assert "schoolwork" in own.reasons
    assert own.score > graded("macbeth essay on why they end it").score


def test_the_terms_own_words_tell_who_speaks():
    matcher = trial_matcher('[[term]]\nphrases = ["hurt them", "hurt you", "hurt me"]')
    for text, reason in (
        ("hurt them", "about_other"),
        ("hurt you", "directed"),
        ("hurt me", "first_person"),
    ):
        assert reason in grade(matcher.find(text)[0], text).reasons


def test_another_sentence_is_not_the_writers_own():
    assert "first_person" not in graded("i went home. end it").reasons


def test_only_what_is_near_counts():
    far = "essay " + "x " * 300
    assert graded(far + "end it").reasons == ()


def test_what_a_term_says_itself_goes_first():
    assert {"first_person", "plan"} <= set(graded("the worst thing").reasons)


def test_every_code_has_words_and_every_weight_a_code():
    assert set(WEIGHTS) <= set(REASONS)
    assert all(text.endswith(".") and len(text) > 10 for text in REASONS.values())
    assert all(len(code) <= 40 and code.replace("_", "").isalpha() for code in REASONS)
    assert words("nosuch") == "nosuch"
    assert words("past") == REASONS["past"]


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(Place))
def test_any_surroundings_are_graded(before, after, place):
    text = f"{before} end it {after}"
    for match in MATCHER.find(text):
        result = grade(match, text, place=place)
        assert 0 < result.score < 1
        assert set(result.reasons) <= set(REASONS)
        priority, why = base(result, "suicide")
        assert set(why) <= set(REASONS)
        assert priority is None or isinstance(priority, Priority)


CRITICAL = Grade(Severity.CRITICAL, 0.95, ("first_person",))


@pytest.mark.parametrize(
    ("given_grade", "category", "priority"),
    [
        (CRITICAL, "suicide", Priority.P1),
        (CRITICAL, "bullying", Priority.P2),
        (Grade(Severity.CRITICAL, 0.95, ()), "suicide", Priority.P2),
        (Grade(Severity.CRITICAL, 0.8, ("first_person",)), "suicide", Priority.P2),
        (Grade(Severity.HIGH, 0.99, ("first_person",)), "suicide", Priority.P2),
        (Grade(Severity.HIGH, 0.5, ()), "suicide", Priority.P3),
        (Grade(Severity.MEDIUM, 0.9, ()), "suicide", Priority.P3),
        (Grade(Severity.MEDIUM, 0.3, ()), "suicide", Priority.P4),
        (Grade(Severity.LOW, 0.9, ()), "suicide", Priority.P4),
        (Grade(Severity.LOW, 0.05, ()), "suicide", None),
        (Grade(Severity.CRITICAL, 0.99, ("imminent",)), "canary", Priority.P4),
    ],
)
def test_base_priority(given_grade, category, priority):
    assert base(given_grade, category)[0] is priority


def test_words_alone_never_page_anyone():
    """P1 needs the first person or danger now, whatever the score."""
    for reasons in ((), ("means",), ("about_other",), ("hyperbole",), ("directed", "urging")):
        assert base(Grade(Severity.CRITICAL, 1.0, reasons), "suicide")[0] is Priority.P2
