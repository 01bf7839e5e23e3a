"""The session as a dialogue: a user on fake sources, a service on a real local socket."""

import threading
import time
from dataclasses import replace

import pytest

from agent.session.picture import PictureError
from agent.session.scribe import PAUSE
from agent.session.sources.events import Key, Pasted, Rectangle, Window
from agent.session.watcher import GONE, OVERLAPPED, Watcher
from keywords.bookfile import write_book
from keywords.termbook import make_book
from tests.agent.session.fakes import Desktop, grey
from tests.agent.session.packs import pack, pack_text
from tests.agent.session.service import Service
from wire.clock import SystemClock
from wire.event import EvidenceRules, GapReason, PictureState, Source
from wire.local import Again, Found, NoShot, Rejected, SessionHello, Settings, Shot, Watch


class Session:
    """A watcher in a thread, its user and its service."""

    def __init__(
        self, path, rules=None, *, fields=False, grabber=grey, blind=None, open_service=True
    ):
        self.clock = SystemClock()
        self.user = Desktop(self.clock, fields=fields)
        self.user.blind = blind
        self.service = Service(str(path / "s.sock"), rules)
        if not open_service:
            self.service.close()
        self.watcher = Watcher(
            self.service.connect, clock=self.clock, sources=self.user.open, grabber=grabber
        )
        self.code = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        self.code = self.watcher.run()

    def end(self):
        self.watcher.stop()
        self.thread.join(10)
        self.service.close()
        assert self.code == 0


@pytest.fixture
def begin(tmp_path):
    sessions = []

    def make(rules=None, **how):
        session = Session(tmp_path, rules, **how)
        sessions.append(session)
        if how.get("open_service", True):
            session.service.watched(alive=how.get("blind") is None)
            time.sleep(0.05)
        return session

    yield make
    for session in sessions:
        session.end()


def test_a_typed_term_becomes_a_finding_and_a_picture(begin):
    session = begin()
    user, service = session.user, session.service
    user.window(1, "Notes")
    user.type("look, a blue heron ")
    (found,) = service.wait_for(Found)
    assert found.finding.source is Source.TYPED
    assert (found.finding.term_id, found.finding.pack, found.finding.pack_version) == (
        "heron",
        "en/canary",
        3,
    )
    assert (found.details.before, found.details.matched) == ("look, a ", "blue heron")
    assert (found.details.window_title, found.details.application) == ("Notes", "editor")
    assert found.details.address_unknown_because
    assert found.picture is PictureState.FOLLOWS
    (shot,) = service.wait_for(Shot)
    assert (shot.event, shot.width, shot.height, shot.of) == (found.event, 40, 30, "window")
    assert shot.webp[8:12] == b"WEBP"
    assert isinstance(service.came[0], SessionHello)
    kinds = [type(one) for one in service.came]
    assert kinds.index(Found) < kinds.index(Shot)


def test_a_book_is_used_and_one_that_is_refused_is_told_until_packs_come(begin, tmp_path):
    session = begin()
    user, service = session.user, session.service
    kept = tmp_path / "kept.book"
    kept.write_bytes(write_book(make_book([pack()])))
    kept.chmod(0o664)
    with_book = replace(service.settings, policy_version=2, packs=(), book=str(kept))
    service.say(with_book)
    (told,) = service.wait_for(Watch, lambda one: one.book_refused)
    assert "other accounts may write it" in told.book_refused
    user.window(1, "Notes")
    user.type("look, a blue heron ")
    service.wait_for(Found)
    kept.chmod(0o644)
    service.say(replace(with_book, policy_version=3))
    service.wait_for(Watch, lambda one: one.hook_alive and not one.book_refused, count=2)
    user.window(2, "More notes")
    user.type("the zesty gull ")
    service.wait_for(Found, lambda one: one.finding.term_id == "gull")


def test_a_pause_ends_a_term(begin):
    session = begin()
    session.user.window(1)
    began = time.monotonic()
    session.user.type("a blue heron")
    session.service.wait_for(Found)
    assert PAUSE <= time.monotonic() - began < PAUSE + 1


def test_leaving_the_window_ends_a_term(begin):
    session = begin()
    session.user.window(1, "One")
    session.user.type("a blue heron")
    session.user.window(2, "Two")
    (found,) = session.service.wait_for(Found, seconds=0.6)
    assert found.details.window_title == "One"


def test_each_window_has_its_own_text(begin):
    session = begin()
    session.user.window(1)
    session.user.type("blue ")
    session.user.window(2)
    session.user.type("heron ")
    session.user.window(1)
    session.user.type("heron ")
    found = session.service.wait_for(Found)
    time.sleep(0.2)
    assert len(session.service.all(Found)) == len(found) == 1


def test_repeats_are_counted_and_told_at_the_end(begin):
    session = begin()
    session.user.window(1)
    session.user.type("blue heron " * 4)
    (found,) = session.service.wait_for(Found)
    session.user.lock(locked=True)
    (again,) = session.service.wait_for(Again)
    assert (again.event, again.repeats) == (found.event, 3)
    assert len(session.service.all(Found)) == 1


def test_a_title_is_a_signal_of_its_own(begin):
    session = begin()
    session.user.window(1, "blue heron - Search")
    (found,) = session.service.wait_for(Found)
    assert found.finding.source is Source.TITLE
    assert found.details.matched == "blue heron"


def test_a_paste_is_read_once_and_marked(begin):
    session = begin()
    session.user.window(1)
    session.user.clipboard.pasted = Pasted("a blue heron ")
    for _ in range(3):  # a key held down
        session.user.shortcut("v")
    (found,) = session.service.wait_for(Found)
    assert found.details.pasted
    session.user.type("zesty gull ")
    session.service.wait_for(Found, count=2)
    assert session.user.clipboard.reads == 1


def test_a_password_managers_paste_is_a_stated_gap(begin):
    session = begin()
    session.user.window(1)
    session.user.clipboard.pasted = Pasted("", "it says not to keep it")
    session.user.shortcut("v")
    session.user.type(" blue heron ")
    (found,) = session.service.wait_for(Found)
    assert found.details.notes == ("a paste is missing: it says not to keep it",)


def test_a_copy_is_no_text_and_reads_nothing(begin):
    session = begin()
    session.user.window(1)
    session.user.type("blue ")
    session.user.shortcut("c")
    session.user.type("heron ")
    session.service.wait_for(Found)
    assert session.user.clipboard.reads == 0


def test_a_password_is_in_nothing_that_is_sent(begin):
    session = begin(fields=True)
    session.user.window(1, process=10)
    session.user.focus(10, "name", secure=False)
    time.sleep(0.4)
    session.user.type("zesty gull ")
    session.user.key(Key.TAB)
    session.user.type("blue heron ")
    session.user.focus(10, "password", secure=True)
    session.user.type("blue heron ")
    time.sleep(0.5)
    session.user.type("blue heron ")
    session.user.key(Key.ENTER)
    session.user.focus(10, "next", secure=False)
    time.sleep(0.4)
    session.user.type("redshank walks the tideline ")
    session.service.wait_for(Found, count=2)
    assert b"heron" not in session.service.bytes()


def test_keys_after_a_tab_are_looked_at_where_the_field_is_plain(begin):
    session = begin(fields=True)
    session.user.window(1, process=10)
    time.sleep(0.4)
    session.user.key(Key.TAB)
    session.user.type("blue heron ")
    session.user.focus(10, "next", secure=False)
    session.service.wait_for(Found)


@pytest.mark.parametrize(
    "rules",
    [
        EvidenceRules(excluded_applications=("editor",)),
        EvidenceRules(never_places=("title:Counselling",)),
    ],
    ids=["application", "place"],
)
def test_what_is_excluded_is_captured_in_no_way(begin, rules):
    session = begin(rules)
    session.user.window(1, "Counselling: blue heron")
    session.user.type("blue heron ")
    session.user.window(2, "Other", application="browser")
    session.user.type("zesty gull ")
    session.service.wait_for(Found)
    assert b"heron" not in session.service.bytes()


def test_typing_in_a_held_application_is_not_matched_but_its_title_is(begin):
    session = begin(EvidenceRules(held_applications=("xterm",)))
    session.user.window(1, "zesty gull", application="xterm")
    session.user.type("blue heron ")
    session.user.window(2)
    session.service.wait_for(Found)
    assert b"heron" not in session.service.bytes()


def test_the_address_decides_too_and_wipes_what_stood_there(begin):
    session = begin(fields=True)
    session.user.window(1, "A page", process=10)
    session.user.address(10, "https://example.org/")
    time.sleep(0.4)
    session.user.type("blue ")
    time.sleep(0.1)
    session.user.address(10, "https://www.childline.org.uk/chat")
    session.user.type("heron blue heron ")
    time.sleep(0.1)
    session.user.address(10, "https://example.org/")
    session.user.type("heron zesty gull ")
    (found,) = session.service.wait_for(Found)
    assert found.finding.term_id == "gull"
    assert found.details.address == "https://example.org/"
    assert b"blue" not in session.service.bytes()


def test_the_lock_screens_password_is_not_looked_at(begin):
    session = begin()
    session.user.window(1)
    session.user.type("blue ")
    session.user.lock(locked=True)
    session.user.type("blue heron ")
    session.user.lock(locked=False)
    session.user.type("heron zesty gull ")
    (found,) = session.service.wait_for(Found)
    assert found.finding.term_id == "gull"
    assert found.details.before == "heron "


def test_no_picture_by_policy(begin):
    session = begin(EvidenceRules(no_picture=("canary",)))
    session.user.window(1)
    session.user.type("blue heron ")
    (found,) = session.service.wait_for(Found)
    assert found.picture is PictureState.BY_POLICY
    time.sleep(0.3)
    assert not session.service.all(Shot) + session.service.all(NoShot)


def test_all_monitors_only_where_policy_says_so(begin):
    session = begin(EvidenceRules(all_monitors=("canary",)))
    session.user.window(1)
    session.user.type("blue heron ")
    (shot,) = session.service.wait_for(Shot)
    assert (shot.of, shot.width) == ("all monitors", 64)


def test_confidential_help_is_in_no_picture(begin):
    session = begin(EvidenceRules(all_monitors=("canary",)))
    help_window, own = Window(9, "Childline | chat"), Window(1, "Notes", "editor", "", 10)
    session.user.windows.places = [
        (help_window, Rectangle(100, 0, 10, 10)),
        (own, Rectangle(0, 0, 40, 30)),
    ]
    session.user.window(1, "Notes")
    session.user.type("blue heron ")
    (shot,) = session.service.wait_for(Shot)
    assert shot.of == "window"
    session.user.windows.places = [
        (own, Rectangle(0, 0, 40, 30)),
        (help_window, Rectangle(20, 20, 100, 100)),
    ]
    session.user.type("zesty gull ")
    (missing,) = session.service.wait_for(NoShot)
    assert missing.why == OVERLAPPED


def test_a_picture_that_fails_is_told_and_the_event_goes_out(begin):
    def broken(rectangle):
        raise PictureError("the screen is on fire")

    session = begin(grabber=broken)
    session.user.window(1)
    session.user.type("blue heron ")
    (found,) = session.service.wait_for(Found)
    (missing,) = session.service.wait_for(NoShot)
    assert (missing.event, missing.why) == (found.event, "the screen is on fire")


def test_a_window_that_is_gone_has_no_picture(begin):
    session = begin()
    session.user.windows.rectangle = lambda _: None
    session.user.window(1)
    session.user.type("blue heron ")
    (missing,) = session.service.wait_for(NoShot)
    assert missing.why == GONE


def test_a_dead_keyboard_is_told_and_mended(begin):
    session = begin()
    session.user.keyboard_dies()
    (dead,) = session.service.wait_for(Watch, lambda one: not one.hook_alive)
    assert dead.blind is GapReason.HOOK_DEAD
    session.service.wait_for(Watch, lambda one: one.hook_alive, count=2)
    session.user.window(1)
    session.user.type("blue heron ")
    session.service.wait_for(Found)


@pytest.mark.parametrize("reason", [GapReason.WAYLAND, GapReason.NO_DISPLAY])
def test_a_blind_session_says_why_and_keeps_trying(begin, reason):
    session = begin(blind=reason)
    assert session.service.watched(alive=False).blind is reason
    session.user.blind = None
    session.service.watched(alive=True)
    assert session.user.opened >= 2


def test_what_is_found_while_the_service_is_away_comes_later(begin):
    session = begin()
    session.service.close()
    session.user.window(1)
    session.user.type("blue heron ")
    time.sleep(0.3)
    session.service.open()
    (found,) = session.service.wait_for(Found)
    (shot,) = session.service.wait_for(Shot)
    assert shot.event == found.event


def test_what_the_service_did_not_keep_is_said_again(begin):
    session = begin()
    session.service.taking = False
    session.user.window(1)
    session.user.type("blue heron ")
    (found,) = session.service.wait_for(Found)
    session.service.wait_for(Shot)
    session.service.close()
    session.service.taking = True
    session.service.open()
    twice = session.service.wait_for(Found, count=2)
    assert twice == [found, found]


def test_a_rejected_finding_is_sent_again_when_asked_for(begin):
    session = begin()
    session.service.taking = False
    session.user.window(1)
    session.user.type("blue heron ")
    (found,) = session.service.wait_for(Found)
    session.service.say(Rejected(event=found.event, words="wait", retry_after_ms=100))
    session.service.wait_for(Found, count=2)


def test_a_new_policy_comes_into_force_and_a_malformed_pack_does_not(begin):
    session = begin()
    session.user.window(1)
    session.service.say(
        Settings(policy_version=2, packs=(pack_text("broken"),), evidence=EvidenceRules())
    )
    time.sleep(0.1)
    session.user.type("blue heron ")
    session.service.wait_for(Found)
    session.service.say(Settings(policy_version=3, packs=(), evidence=EvidenceRules()))
    time.sleep(0.1)
    session.user.type("zesty gull ")
    time.sleep(0.3)
    assert len(session.service.all(Found)) == 1


def test_the_end_tells_what_was_counted(tmp_path):
    session = Session(tmp_path)
    session.service.watched()
    time.sleep(0.05)
    session.user.window(1)
    session.user.type("blue heron blue heron ")
    session.service.wait_for(Found)
    session.end()
    time.sleep(0.1)
    assert [one.repeats for one in session.service.all(Again)] == [1]


@pytest.mark.parametrize(
    ("rules", "above"),
    [
        (EvidenceRules(), Window(1, "Childline | chat", "editor", "", 10)),
        (
            EvidenceRules(excluded_applications=("keepassxc",)),
            Window(9, "Passwords", "keepassxc", "/usr/bin/keepassxc", 11),
        ),
    ],
)
def test_what_shows_at_the_moment_of_the_picture_decides(begin, rules, above):
    """The page may have changed since the key; an excluded program may stand above."""
    session = begin(rules)
    places = [(above, Rectangle(0, 0, 40, 30))]
    if above.handle != 1:
        places.insert(0, (Window(1, "Notes", "editor", "", 10), Rectangle(0, 0, 40, 30)))
    session.user.windows.places = places
    session.user.window(1, "Notes")
    session.user.type("blue heron ")
    (missing,) = session.service.wait_for(NoShot)
    assert missing.why == OVERLAPPED


def test_an_orphan_without_a_service_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("agent.session.watcher.WATCH_EVERY", 0.2)
    monkeypatch.setattr("agent.session.watcher.ORPHANED_AFTER", 1.0)
    session = Session(tmp_path)
    session.service.watched()
    session.watcher._parent = 0
    time.sleep(1.5)
    assert session.thread.is_alive()  # while there is a service it goes on
    session.service.close()
    session.thread.join(10)
    assert session.code == 0
