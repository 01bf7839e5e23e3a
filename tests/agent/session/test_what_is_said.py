"""Folding, titles, places, the outbox and the details: the session's pure parts."""

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.session.evidence import Scene, details, judge, picture_state
from agent.session.fold import WITHIN, Fold, Subject
from agent.session.outbox import MOST_MESSAGES, MOST_SHOTS, NO_ROOM, Outbox
from agent.session.packbook import Packbook
from agent.session.places import Applications, Places
from agent.session.sources.dead_keys import compose
from agent.session.sources.events import Window
from agent.session.text import MARK, Sighting
from agent.session.titles import MOST_CHARACTERS, Titles
from agent.session.venue import venue
from keywords.bookfile import write_book
from keywords.decide import Detector
from keywords.grade import Place
from keywords.matcher import Matcher
from keywords.termbook import make_book
from tests.agent.session.packs import NAME, TEXT, pack, pack_text
from wire.details import Details
from wire.event import (
    EvidenceRules,
    Finding,
    Kind,
    PackText,
    PictureState,
    Severity,
    Source,
)
from wire.local import Again, Found, NoShot, Shot, decode_from_session, encode_from_session

MATCHER = Matcher([pack()])
OWN = str(os.geteuid())
FINDING = Finding(
    source=Source.TYPED,
    category="canary",
    severity=Severity.LOW,
    score=100,
    reasons=(),
    term_id="heron",
    pack=NAME,
    pack_version=3,
)
GRAVER = Finding(
    source=Source.TYPED,
    category="canary",
    severity=Severity.HIGH,
    score=900,
    reasons=(),
    term_id="heron",
    pack=NAME,
    pack_version=3,
)
HERE = Subject((7, 1), Source.TYPED, NAME, "heron")

DETECTOR = Detector(MATCHER)


def event(number):
    return number.to_bytes(16, "big")


def found(number):
    return Found(
        event=event(number),
        matched_at=number,
        finding=FINDING,
        picture=PictureState.FOLLOWS,
        details=Details(),
    )


def shot(number):
    return Shot(event=event(number), webp=b"w", width=1, height=1, taken_at=1, of="window")


def shown(matcher, text):
    return [(one.term.id, one.pack.version, one.start, one.end) for one in matcher.find(text)]


@pytest.fixture
def kept(tmp_path):
    """The pack's book, as the service keeps it."""
    path = tmp_path / "kept.book"
    path.write_bytes(write_book(make_book([pack()])))
    path.chmod(0o644)
    return path


def sight(text, at=0):
    match = MATCHER.find(text)[at]
    return Sighting(match=match, text=text, pasted=False, notes=())


class TestFold:
    def test_repeats_of_a_minute_become_one_count(self):
        fold = Fold()
        assert not fold.repeated(HERE, FINDING, 1)
        fold.open(HERE, event(1), FINDING, 10.0)
        assert fold.repeated(HERE, FINDING, 2)
        assert fold.repeated(HERE, FINDING, 3)
        assert fold.ended(10.0 + WITHIN - 0.1) == []
        (told,) = fold.ended(10.0 + WITHIN)
        assert (told.event, told.count, told.last_at) == (event(1), 2, 3)
        assert fold.due is None
        assert not fold.repeated(HERE, FINDING, 4)

    def test_what_was_not_repeated_is_not_told_again(self):
        fold = Fold()
        fold.open(HERE, event(1), FINDING, 0.0)
        assert fold.flush() == []

    def test_another_window_term_or_source_is_its_own(self):
        fold = Fold()
        fold.open(HERE, event(1), FINDING, 0.0)
        for other in (
            HERE._replace(window=(8, 1)),
            HERE._replace(term="gull"),
            HERE._replace(source=Source.TITLE),
        ):
            assert not fold.repeated(other, FINDING, 1)

    def test_a_graver_one_is_told_by_itself_and_ends_the_count(self):
        fold = Fold()
        fold.open(HERE, event(1), FINDING, 0.0)
        fold.repeated(HERE, FINDING, 5)
        assert not fold.repeated(HERE, GRAVER, 6)
        (told,) = fold.open(HERE, event(2), GRAVER, 1.0)
        assert (told.event, told.count) == (event(1), 1)

    def test_it_is_bounded_and_loses_no_count(self):
        fold, told = Fold(), []
        for number in range(2000):
            subject = HERE._replace(window=(number, 1))
            told += fold.open(subject, event(number), FINDING, 0.0)
            fold.repeated(subject, FINDING, 1)
        assert len(told + fold.flush()) == 2000


class TestTitles:
    def test_a_term_is_told_when_it_comes_and_not_while_it_stays(self):
        titles = Titles()
        assert len(titles.see((1, 1), "blue heron - Search", MATCHER)) == 1
        assert titles.see((1, 1), "(1) blue heron - Search", MATCHER) == []
        assert titles.see((1, 1), "News", MATCHER) == []
        assert len(titles.see((1, 1), "blue heron", MATCHER)) == 1
        assert len(titles.see((2, 1), "blue heron", MATCHER)) == 1

    def test_one_title_tells_a_term_once(self):
        assert len(Titles().see((1, 1), "blue heron, blue heron", MATCHER)) == 1

    def test_a_very_long_title_is_looked_at_in_part(self):
        title = "\u202e\x07<b>" + "x " * MOST_CHARACTERS + " blue heron"
        assert Titles().see((1, 1), title, MATCHER) == []
        assert len(Titles().see((1, 1), "blue heron " + title, MATCHER)) == 1

    def test_many_windows_do_not_fill_the_memory(self):
        titles = Titles()
        for handle in range(1000):
            titles.see((handle, 1), "blue heron", MATCHER)
        assert len(titles._held) < 200


class TestPlaces:
    @pytest.mark.parametrize(
        ("title", "address"),
        [
            ("", "https://www.childline.org.uk/get-support/"),
            ("", "https://childline.org.uk"),
            ("", "https://messenger.kooth.com/chat"),
            ("", "https://www.nhs.uk/mental-health/"),
            ("", "HTTPS://WWW.SAMARITANS.ORG./how-we-can-help/"),
            ("Home | Childline - Chromium", ""),
            ("Samaritans | Every life lost is a tragedy", ""),
            ("Kooth", ""),
            ("PAPYRUS UK Suicide Prevention", ""),
            ("Get help with anxiety - NHS", ""),
            ("Get help with anxiety - NHS - Mozilla Firefox", ""),
            ("Redshank · alert", ""),
            ("childline chat - Google Search", "https://www.google.com/search?q=childline"),
        ],
    )
    def test_confidential_help_is_never_captured(self, title, address):
        assert Places().never(title=title, address=address)

    @pytest.mark.parametrize(
        ("title", "address"),
        [
            ("Ancient Egypt: papyrus - Wikipedia", "https://en.wikipedia.org/wiki/Papyrus"),
            ("History of the NHS", ""),
            ("News", "https://notchildline.org.uk/"),
            ("News", "https://childline.org.uk.example.com/"),
            ("News", "https://example.com/childline.org.uk"),
            ("", "http://[broken"),
            ("", ""),
            ("Good Samaritan - BBC", ""),
        ],
    )
    def test_other_places_are(self, title, address):
        assert not Places().never(title=title, address=address)

    def test_a_school_adds_and_takes_away(self):
        places = Places(("desk.school.uk/app", "!title:Kooth", "Counselling service", "  "))
        assert places.never(title="", address="https://desk.school.uk/app/1")
        assert not places.never(title="", address="https://desk.school.uk/application")
        assert not places.never(title="Kooth", address="")
        assert places.never(title="The Counselling Service | School", address="")

    @given(st.text(max_size=60), st.text(max_size=60))
    def test_any_title_and_address_can_be_asked(self, title, address):
        Places().never(title=title, address=address)

    @given(st.lists(st.text(max_size=30), max_size=5))
    def test_any_rule_can_be_given(self, rules):
        Places(rules).never(title="x", address="https://example.org")

    def test_applications_by_name_path_and_pattern(self):
        named = Applications(("KeePassXC", "*/games/*", "putty.exe"))
        assert named.has("keepassxc", "/usr/bin/keepassxc")
        assert named.has("x", "/usr/games/x")
        assert named.has("PuTTY", r"C:\Tools\PUTTY.EXE")
        assert not named.has("xterm", "/usr/bin/xterm")
        assert not Applications(("", " ")).has("", "")


class TestOutbox:
    def test_what_is_durable_is_forgotten(self):
        box = Outbox()
        box.keep(found(1))
        box.keep(shot(1))
        box.taken(event(1), Kind.EVENT)
        assert box.waiting() == [shot(1)]
        box.taken(event(1), Kind.PICTURE)
        assert len(box) == 0

    def test_a_tombstone_stands_for_the_picture_that_was_not_made(self):
        box = Outbox()
        box.keep(NoShot(event=event(1), why="x"))
        box.taken(event(1), Kind.TOMBSTONE)
        assert len(box) == 0

    def test_pictures_are_few_and_their_loss_is_told(self):
        box = Outbox()
        kept = [box.keep(shot(number)) for number in range(MOST_SHOTS + 1)]
        assert kept[-1] == NoShot(event=event(MOST_SHOTS), why=NO_ROOM)
        assert box.dropped == 1

    def test_without_room_findings_go_last(self):
        box = Outbox()
        for number in range(MOST_MESSAGES - 1):
            box.keep(found(number))
        again = Again(event=event(1), finding=FINDING, repeats=1, last_at=1)
        box.keep(again)
        box.keep(found(5000))
        assert again not in box.waiting()
        assert len(box) == MOST_MESSAGES
        box.keep(found(5001))
        assert found(0) not in box.waiting()
        assert box.dropped == 2

    def test_what_is_refused_for_good_is_counted(self):
        box = Outbox()
        box.keep(found(1))
        box.keep(shot(1))
        box.refused(event(1))
        assert (len(box), box.dropped) == (0, 2)


class TestDetails:
    def test_the_words_around_are_at_most_200_on_either_side(self):
        text = "x" * 300 + " blue heron " + "y" * 300
        sighting = sight(text)
        judged = judge(sighting, Scene(Window(1)), Source.TYPED, DETECTOR)
        said = details(sighting, Scene(Window(1)), judged.grade, judged.place)
        assert (len(said.before), said.matched, len(said.after)) == (200, "blue heron", 200)

    @given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=2000))
    def test_any_text_and_title_can_be_sent(self, before, after, title):
        text = f"{before} blue heron {after}"
        window = Window(1, title=title * 6, application=title[:9], process_path=title)
        scene = Scene(window, address=title)
        for sighting in (sight(text, at) for at in range(len(MATCHER.find(text)))):
            judged = judge(sighting, scene, Source.TYPED, DETECTOR)
            message = Found(
                event=event(1),
                matched_at=1,
                finding=judged.finding,
                picture=PictureState.FOLLOWS,
                details=details(sighting, scene, judged.grade, judged.place),
            )
            assert decode_from_session(encode_from_session(message)) == message

    def test_half_a_character_can_be_sent(self):
        sighting = sight("\ud83d blue heron \udc00")
        judged = judge(sighting, Scene(Window(1)), Source.TYPED, DETECTOR)
        details(sighting, Scene(Window(1)), judged.grade, judged.place).before.encode()

    def test_a_move_of_the_caret_is_shown(self):
        sighting = sight(f"hello{MARK}blue heron")
        judged = judge(sighting, Scene(Window(1)), Source.TYPED, DETECTOR)
        assert details(sighting, Scene(Window(1)), judged.grade, judged.place).before == "hello⋯"

    def test_the_address_or_why_not(self):
        sighting = sight("blue heron")
        for scene, expected in (
            (Scene(Window(1), "https://x.org", "why"), ("https://x.org", "")),
            (Scene(Window(1), "", "it does not tell"), ("", "it does not tell")),
        ):
            judged = judge(sighting, scene, Source.TYPED, DETECTOR)
            said = details(sighting, scene, judged.grade, judged.place)
            assert (said.address, said.address_unknown_because) == expected

    def test_no_picture_where_policy_wants_none(self):
        rules = EvidenceRules(no_picture=("canary",))
        assert picture_state(FINDING, rules) is PictureState.BY_POLICY
        assert picture_state(FINDING, EvidenceRules()) is PictureState.FOLLOWS

    @pytest.mark.parametrize(
        ("application", "title", "address", "place"),
        [
            ("chromium", "", "https://www.google.co.uk/search?q=x", Place.SEARCH),
            ("chromium", "x - Google Search", "", Place.SEARCH),
            ("Discord.exe", "", "", Place.CHAT),
            ("chromium", "", "https://web.whatsapp.com/", Place.CHAT),
            ("WINWORD.EXE", "Essay", "", Place.DOCUMENT),
            ("chromium", "", "https://docs.google.com/document/d/1", Place.DOCUMENT),
            ("xterm", "x", "", Place.UNKNOWN),
            ("chromium", "", "http://[", Place.UNKNOWN),
        ],
    )
    def test_the_kind_of_place(self, application, title, address, place):
        assert venue(application=application, title=title, address=address) is place

    def test_a_title_is_a_place_of_its_own(self):
        judged = judge(sight("blue heron"), Scene(Window(1)), Source.TITLE, DETECTOR)
        assert (judged.finding.source, judged.place) == (Source.TITLE, Place.TITLE)


class TestPackbook:
    def test_a_malformed_pack_leaves_its_last_good_version(self):
        book = Packbook()
        book.update([pack_text()])
        good = book.matcher
        book.update([pack_text("this is no pack"), PackText(name="en/x", version=1, text=b"\xff")])
        assert book.matcher is good
        assert len(book.problems) == 2

    def test_a_pack_that_policy_gave_up_is_no_longer_looked_for(self):
        book = Packbook()
        book.update([pack_text()])
        book.update([])
        assert book.matcher.find("blue heron") == ()

    def test_a_newer_one_is_looked_for(self):
        book = Packbook()
        book.update([pack_text()])
        text = TEXT.replace("blue heron", "grey heron").replace("version = 3", "version = 4")
        book.update([pack_text(text.replace("heron is blue", "heron is grey"), 4)])
        assert book.problems == ()
        assert [match.pack.version for match in book.matcher.find("grey heron")] == [4]

    @pytest.mark.parametrize(
        "command", [("/nonexistent",), (sys.executable, "-c", "1/0"), (sys.executable, "-c", "")]
    )
    def test_without_a_process_apart_it_is_made_here(self, command):
        book = Packbook(command)
        book.update([pack_text()])
        assert len(book.matcher.find("a blue heron")) == 1

    def test_a_release_that_was_just_installed_does_not_end_the_session(self, monkeypatch):
        monkeypatch.setattr("keywords.bookfile.RELEASE", "the one that runs")
        book = Packbook()
        book.update([pack_text()])
        assert len(book.matcher.find("a blue heron")) == 1

    def test_what_is_made_apart_is_the_same(self):
        book = Packbook()
        book.update([pack_text()])
        text = "a blue heron, a zesty gull; redshank walks the tideline"
        assert shown(book.matcher, text) == shown(MATCHER, text)

    def test_a_book_is_taken_and_then_packs_and_then_it_again(self, kept):
        book = Packbook()
        book.open(str(kept), OWN)
        first = book.matcher
        assert shown(first, "a blue heron") == shown(MATCHER, "a blue heron") != []
        book.open(str(kept), OWN)
        assert book.matcher is first
        book.update([])
        assert book.matcher.find("a blue heron") == ()
        book.open(str(kept), OWN)
        assert len(book.matcher.find("a blue heron")) == 1
        assert (book.problems, book.refused) == ((), "")

    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            (lambda path: path.unlink(), "No such file"),
            (lambda path: path.write_bytes(path.read_bytes()[:-1]), "cut"),
            (lambda path: path.write_bytes(b"no book"), "no book of packs"),
            (lambda path: path.chmod(0o664), "other accounts may write it"),
            (lambda path: path.chmod(0o646), "other accounts may write it"),
        ],
    )
    def test_a_book_that_is_refused_leaves_the_matcher_until_packs_come(self, kept, spoil, words):
        book = Packbook()
        book.update([pack_text()])
        good = book.matcher
        spoil(kept)
        book.open(str(kept), OWN)
        assert words in book.refused
        assert book.matcher is good
        book.update([pack_text()])
        assert book.matcher is good
        assert words in book.refused

    def test_a_link_a_pipe_and_a_folder_are_no_book(self, kept):
        link, pipe = kept.with_name("link"), kept.with_name("pipe")
        link.symlink_to(kept)
        os.mkfifo(pipe)
        for path in (link, pipe, kept.parent):
            book = Packbook()
            book.open(str(path), OWN)
            assert book.refused
            assert book.matcher.find("a blue heron") == ()


@pytest.mark.parametrize(
    ("dead", "typed", "expected"),
    [
        ("\u00b4", "e", "é"),
        ("^", " ", "^"),
        ("¨", "U", "Ü"),
        ("~", "n", "ñ"),
        ("^", "x", "^x"),
        ("?", "a", "?a"),
    ],
)
def test_dead_keys(dead, typed, expected):
    assert compose(dead, typed) == expected
