"""The shipped packs: every term's own lines, and what must never alert."""

from collections import Counter

import pytest

from keywords.check import check_pack
from keywords.decide import Detector
from keywords.pack import ROLES, read_head, shipped_packs
from keywords.priority import Priority
from keywords.ranker import Ranker

ILLEGAL = {"nudes": "image", "csam": "image", "suicide": "no", "bullying": "no", "weapons": "act"}
PLAIN = pytest.mark.no_cover
"""Counting lines makes the longest of these three times as long, and covers nothing new."""
NAMES = [f"{path.parent.name}/{path.stem}" for path in shipped_packs()]


def alerts(matcher, text):
    """The matches of a text and the priorities they have, by words alone."""
    return [(one.match.term.id, one.priority) for one in Detector(matcher).decide(text).found]


@PLAIN
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", NAMES)
def test_each_term_finds_its_line_and_leaves_its_innocent_one(shipped, name):
    (pack,) = [pack for pack in shipped if pack.name == name]
    assert [str(problem) for problem in check_pack(pack)] == []


@pytest.mark.parametrize("name", NAMES)
def test_each_pack_says_whom_it_concerns(shipped, name):
    (pack,) = [pack for pack in shipped if pack.name == name]
    assert set(pack.see) <= set(ROLES)
    assert len(pack.guidance) > 60
    assert pack.illegal == ILLEGAL.get(pack.category, pack.illegal)


@PLAIN
@pytest.mark.timeout(400)
def test_all_packs_together_still_find_each_line(shipped, matcher):
    for pack in shipped:
        for term in pack.terms:
            assert any(match.pack.name == pack.name for match in matcher.find(term.match)), term.id


@PLAIN
@pytest.mark.timeout(400)
def test_innocent_lines_never_page_anyone(shipped, matcher):
    detector = Detector(matcher, Ranker(), patterns=True)
    lines = [term.innocent for pack in shipped for term in pack.terms]
    assert [line for line in lines if detector.decide(line).priority is Priority.P1] == []


IDENTITIES = (
    "gay", "lesbian", "bisexual", "trans", "transgender", "non binary", "queer", "asexual",
    "muslim", "jewish", "christian", "hindu", "sikh", "catholic", "atheist", "black", "white",
    "asian", "polish", "romanian", "pakistani", "gypsy", "traveller", "autistic", "disabled",
    "deaf", "blind", "dyslexic", "adhd", "a refugee", "foster child", "in care", "a girl", "a boy",
)  # fmt: skip
SENTENCES = (
    "{}",
    "i am {}",
    "im {} and happy",
    "am i {}",
    "how do i know if i am {}",
    "my friend is {}",
    "is it ok to be {}",
    "famous {} people in history",
    "he came out as {}",
    "coming out as {} to my parents",
    "what does {} mean",
    "my mum is {}",
    "{} pride month poster",
    "the {} pupils had a great assembly",
    "are you {}",
    "she told me she is {}",
    "do you think im {}",
    "proud to be {}",
)


@pytest.mark.parametrize("identity", IDENTITIES)
def test_who_somebody_is_never_alerts(matcher, identity):
    for sentence in SENTENCES:
        text = sentence.format(identity)
        assert alerts(matcher, text) == [], text


INNOCENT_WORDS = (
    "scunthorpe penistone cockfosters essex sussex middlesex clitheroe lightwater assassin"
    " classic bass grass class assess analysis therapist dickens whittington cocktail shuttlecock"
    " peacock hancock matsushita arsenal sextant sextet circumstance accumulate document cucumber"
    " raccoon tycoon cocoon chinook niggle snigger dyke vandyke spicy homogeneous pussycat"
    " swallowed skyscraper skys suicidology overdosed executed diet dietary dyed"
    " executor harmony pharmacist execute cutlery cutler cuticle scissors haircut shortcut slash"
    " backslash razorbill bladed killjoy skill skilled skillet painkiller buzzkill overkill"
    " hangar hanger hanging gardens noosed mongoose goose bleachers burnt burnley hurtle hurdles"
    " slagheap sketch hoedown hoes tartan tartlet bikes retarder retardation flidded spasticity"
    " wogan cooncil gimped plebeian matricide regicide pesticide homicide"
    " fungicide ecocide insecticide diehard dielectric undying studying dying embers"
)


def test_innocent_words_that_hold_others_never_alert(matcher):
    serious = [
        (word, name, priority)
        for word in INNOCENT_WORDS.split()
        for name, priority in alerts(matcher, word)
        if priority is not None and priority < Priority.P4
    ]
    assert serious == []
    assert alerts(matcher, INNOCENT_WORDS) == []


EVERYDAY = (
    "romeo and juliet act 5 scene 3 why does juliet take poison",
    "an inspector calls essay plan on eva smith and responsibility",
    "how to cut and paste in google docs",
    "how to cut a hexagon into equal parts",
    "can you kill a mockingbird chapter summary",
    "how do i kill a process on a chromebook",
    "we ran 10 kms for charity on sunday",
    "the deadline is dead close and this homework is killing me lol",
    "i could die of embarrassment lol",
    "im dead that was so funny",
    "hanging out with friends at the weekend",
    "hang on i will be there at 5",
    "what was the blade runner film about",
    "burning magnesium ribbon experiment results",
    "why did the romans jump off the wall",
    "the cuts to library budgets hurt people",
    "how to remove a scratch from my phone screen",
    "shut up thats so cool",
    "no one asked about the trip yet",
    "everyone hates mondays",
    "you are so good at this",
    "your new hair is so nice",
    "ill get you a drink after school",
    "meet me outside the library after school",
    "we are going to beat them 3 nil in the final",
    "i hate peas and sprouts",
    "lets all ignore the noise and carry on",
    "he took two paracetamol for his headache",
    "how many tablets are in the pack of vitamins",
    "my legs hurt after pe",
    "i want to go to bed and sleep for a week",
    "tired of revising for mocks",
    "world mental health day assembly slides",
    "the black death killed a third of europe",
    "she died in 1603 and james became king",
)


def test_everyday_lines_raise_nothing_serious(matcher):
    serious = [
        (line, name, priority)
        for line in EVERYDAY
        for name, priority in alerts(matcher, line)
        if priority is not None and priority < Priority.P4
    ]
    assert serious == []


GRAVE = (
    ("im going to kill myself tonight", Priority.P1),
    ("i just took loads of pills", Priority.P1),
    ("this is my last message goodbye everyone", Priority.P1),
    ("i want to die", Priority.P2),
    ("i cut myself again last night", Priority.P2),
    ("go kill yourself no one likes you", Priority.P2),
    ("my friend said she wants to kill herself", Priority.P2),
    ("how to hide my scars for pe", Priority.P2),
    ("they keep calling me names at lunch", Priority.P3),
    ("were gonna make a hate account about jess", Priority.P3),
)


@pytest.mark.parametrize(("text", "at_least"), GRAVE)
def test_grave_lines_reach_their_priority(matcher, text, at_least):
    found = [priority for _, priority in alerts(matcher, text) if priority is not None]
    assert found
    assert min(found) <= at_least


def test_the_canary_is_a_drill_and_nothing_else(matcher):
    (found,) = Detector(matcher).decide("redshank walks the tideline at dawn").found
    assert (found.category, found.priority, found.why) == ("canary", Priority.P4, ("canary",))


def test_no_term_is_there_twice(shipped):
    for pack in shipped:
        for of in ("id", "match"):
            count = Counter(getattr(term, of) for term in pack.terms)
            assert [one for one, times in count.items() if times > 1] == [], pack.name


def test_there_are_five_thousand_english_terms(shipped):
    assert sum(len(pack.terms) for pack in shipped if pack.language == "en") >= 5_000


def test_memory_of_the_automata_is_small(english, matcher):
    assert english.nbytes < 10_000_000
    assert matcher.nbytes < 15_000_000  # with all ten languages


def test_a_head_says_what_the_whole_pack_says(shipped):
    for path, pack in zip(shipped_packs(), shipped, strict=True):
        head = read_head(path)
        assert head.terms == ()
        for said in ("name", "title", "guidance", "illegal", "see", "version"):
            assert getattr(head, said) == getattr(pack, said)
