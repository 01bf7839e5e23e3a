"""The packs' book: made once, kept whole, looked at before it is used, and never in the way."""

import os
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.books.make import MakeError, Maker, Wanted, make
from agent.books.opening import BookRefused, open_book
from agent.service import shelf as shelf_of
from agent.service.shelf import UNUSED_FOR, Made, Shelf, name_of
from keywords.arrayfile import ArrayFileError
from keywords.bookfile import check_whole, read_book, write_book
from keywords.matcher import Matcher
from keywords.pack import parse_pack
from keywords.termbook import make_book
from tests.agent.service.conftest import Pc
from tests.agent.service.simulator import canary_pack
from tests.agent.session.packs import NAME, TEXT
from tests.keywords.trialpack import trial_pack
from wire.event import PackText
from wire.local import SessionHello, Settings, Watch

OWN = {os.geteuid()}
BROKEN = (sys.executable, "-c", "raise SystemExit(3)")
PACKS = (PackText(name=NAME, version=3, text=TEXT.encode()),)
OTHERS = (replace(PACKS[0], text=TEXT.replace("blue heron", "blue plover").encode()),)
TRIAL = trial_pack(
    """
[[term]]
phrases = ["end it tonight"]
severity = 4
[[term]]
phrases = ["zap"]
unless = ["game"]
[[term]]
phrases = ["bad class (trip|)"]
near = ["tonight"]
[[term]]
phrases = ["zig it"]
unless_then = ["for fun"]
[[term]]
phrases = ["plover"]
part = true
[[term]]
phrases = ["🔪", "ok🔪 then"]
"""
)
RAW = write_book(make_book([TRIAL]))
MADE, READ = Matcher([TRIAL]), Matcher(read_book(RAW))
HEADER_ENDS = 12 + int.from_bytes(RAW[8:12], "little")

WORDS = (
    *("zap", "zapp", "z4p", "z.a.p", "game", "end", "it", "tonight", "3nd", "1t", "bad", "class"),
    *("trip", "zig", "for", "fun", "plover", "sandplovers", "🔪", "ok🔪", "then", ",", ".", "I"),
)
sentences = st.lists(
    st.sampled_from(WORDS) | st.text(max_size=6),
    max_size=14,
).map(" ".join)


def told(match):
    return (
        match.term.id,
        match.pack.name,
        match.pack.version,
        match.start,
        match.end,
        match.disguised,
    )


@given(sentences)
def test_a_book_that_was_read_finds_and_grades_exactly_what_one_in_memory_does(text):
    made, read = MADE.find(text), READ.find(text)
    assert list(map(told, read)) == list(map(told, made))
    for one, other in zip(read, made, strict=True):
        fields = ("severity", "says", "within", "only_in", "first_person", "ages")
        assert [getattr(one.term, field) for field in fields] == [
            getattr(other.term, field) for field in fields
        ]


@given(sentences)
def test_key_by_key_it_says_the_same(text):
    one, other = READ.start, MADE.start
    for char in text:
        one, found = READ.step(one, char)
        other, expected = MADE.step(other, char)
        assert list(map(told, found)) == list(map(told, expected))
        assert one == other


@pytest.mark.parametrize("end", [0, 1, 7, 8, 11, 12, 13, HEADER_ENDS - 1, HEADER_ENDS])
def test_a_book_that_is_cut_in_its_head_is_refused(end):
    with pytest.raises(ArrayFileError, match="book"):
        read_book(RAW[:end])


@given(st.integers(0, len(RAW) - 1))
def test_a_book_that_is_cut_anywhere_is_refused(end):
    with pytest.raises(ArrayFileError, match="book"):
        read_book(RAW[:end])
    with pytest.raises(ArrayFileError, match="cut or damaged"):
        check_whole(RAW[:end])


@given(st.integers(0, HEADER_ENDS - 1), st.integers(1, 255))
def test_a_flipped_byte_of_the_header_is_refused(at, change):
    raw = bytearray(RAW)
    raw[at] ^= change
    with pytest.raises(ArrayFileError, match="book"):
        read_book(bytes(raw))


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_a_flipped_byte_anywhere_is_seen_by_whoever_keeps_it(at, change):
    raw = bytearray(RAW)
    raw[at] ^= change
    with pytest.raises(ArrayFileError, match="cut or damaged"):
        check_whole(bytes(raw))


def test_another_releases_book_is_refused(monkeypatch):
    monkeypatch.setattr("keywords.bookfile.RELEASE", "another")
    with pytest.raises(ArrayFileError, match="another release"):
        read_book(RAW)


@pytest.mark.parametrize("raw", [b"", b"RSBOOK1\n", b"RSRANK1\n" + RAW[8:], bytes(100)])
def test_what_is_no_book_is_refused(tmp_path, raw):
    path = tmp_path / "x.book"
    path.write_bytes(raw)
    with pytest.raises(BookRefused, match=r"x\.book"):
        open_book(str(path), OWN)


def test_a_book_of_another_account_is_refused(tmp_path):
    path = tmp_path / "x.book"
    path.write_bytes(RAW)
    path.chmod(0o644)
    with pytest.raises(BookRefused, match="another account"):
        open_book(str(path), {os.geteuid() + 1})


@given(st.binary(max_size=200))
@settings(max_examples=20)
def test_any_bytes_can_be_given_as_a_pack(text):
    wanted = Wanted({"en/x": text, NAME: TEXT.encode()}, {})
    report, book = make(Wanted.from_json(wanted.to_json()))
    assert report.good >= {NAME}
    assert len(Matcher(read_book(book)).find("a blue heron")) == 1


def test_a_malformed_pack_leaves_its_last_good_version():
    report, book = make(Wanted({NAME: b"no pack"}, {NAME: TEXT.encode()}))
    assert report.good == frozenset()
    assert len(report.problems) == 1
    assert len(Matcher(read_book(book)).find("a blue heron")) == 1


class TestShelf:
    def test_a_book_is_made_once_for_everybody_to_read(self, tmp_path):
        folder = tmp_path / "books"
        before = os.umask(0o077)
        try:
            made = Shelf(folder).make(PACKS)
        finally:
            os.umask(before)
        assert made == Made(str(folder / name_of(PACKS)))
        (kept,) = folder.iterdir()
        assert (kept.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o644, 0o755)
        assert len(Matcher(open_book(made.book, OWN, whole=True)).find("a blue heron")) == 1
        inode = kept.stat().st_ino
        broken = Shelf(folder, command=BROKEN)
        assert broken.find(PACKS) == broken.make(PACKS) == made
        assert kept.stat().st_ino == inode

    def test_other_packs_or_another_release_have_another_name(self, monkeypatch):
        names = {name_of(packs) for packs in (PACKS, OTHERS, (), PACKS * 2)}
        monkeypatch.setattr(shelf_of, "RELEASE", "another")
        assert len(names | {name_of(PACKS)}) == 5

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda path: path.write_bytes(path.read_bytes()[:-1]),
            lambda path: path.write_bytes(bytes([*path.read_bytes()[:-9], 7, *b"12345678"])),
            lambda path: path.chmod(0o666),
            lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
        ],
    )
    def test_what_is_not_as_it_was_kept_is_made_anew(self, tmp_path, spoil):
        shelf = Shelf(tmp_path)
        made = shelf.make(PACKS)
        path = tmp_path / name_of(PACKS)
        spoil(path)
        assert shelf.find(PACKS) is None
        assert shelf.make(PACKS) == made
        assert open_book(made.book, OWN, whole=True)

    def test_what_nobody_used_for_a_week_is_removed(self, tmp_path):
        shelf = Shelf(tmp_path)
        shelf.make(PACKS)
        half_made = tmp_path / "0.new"
        half_made.touch()
        for path in tmp_path.iterdir():
            os.utime(path, (0, path.stat().st_mtime - UNUSED_FOR - 60))
        shelf.make(OTHERS)
        assert {path.name for path in tmp_path.iterdir()} == {name_of(OTHERS)}
        shelf.make(PACKS)
        assert {path.name for path in tmp_path.iterdir()} == {name_of(OTHERS), name_of(PACKS)}

    def test_a_malformed_pack_is_told_and_not_in_the_book(self, tmp_path):
        shelf = Shelf(tmp_path)
        made = shelf.make([*PACKS, PackText(name="en/x", version=1, text=b"\xff")])
        assert made.book == str(tmp_path / name_of(PACKS))
        (problem,) = made.problems
        assert problem.startswith("en/x: ")

    @pytest.mark.parametrize("command", [BROKEN, ("/nonexistent",), (sys.executable, "-c", "")])
    def test_without_a_process_apart_there_is_no_book_and_it_is_said(self, tmp_path, command):
        shelf = Shelf(tmp_path, command=command)
        assert shelf.make(PACKS) == Made()
        assert "the packs' book cannot be kept" in shelf.problem
        assert list(tmp_path.iterdir()) == []
        (problem,) = shelf.make([PackText(name="en/x", version=1, text=b"\xff")]).problems
        assert problem.startswith("en/x: ")

    def test_what_a_release_makes_that_was_just_installed_is_not_used(self, tmp_path, monkeypatch):
        monkeypatch.setattr("keywords.bookfile.RELEASE", "the one that runs")
        shelf = Shelf(tmp_path)
        assert shelf.make(PACKS) == Made()
        assert "another release" in shelf.problem
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_cannot_be_made_is_said(self, tmp_path):
        (tmp_path / "file").touch()
        shelf = Shelf(tmp_path / "file" / "books")
        assert shelf.make(PACKS) == Made()
        assert "Not a directory" in shelf.problem

    def test_a_link_in_place_of_the_folder_is_not_followed(self, tmp_path):
        (tmp_path / "else").mkdir()
        (tmp_path / "books").symlink_to("else")
        shelf = Shelf(tmp_path / "books")
        assert shelf.make(PACKS) == Made()
        assert "not a folder" in shelf.problem
        assert list((tmp_path / "else").iterdir()) == []

    @pytest.mark.root
    def test_a_folder_of_another_account_is_not_used(self, tmp_path):
        os.chown(tmp_path, 61_001, -1)
        shelf = Shelf(tmp_path)
        assert shelf.make(PACKS) == Made()
        assert "another account" in shelf.problem

    def test_a_folder_that_stands_open_is_closed(self, tmp_path):
        folder = tmp_path / "books"
        folder.mkdir()
        folder.chmod(0o777)
        assert Shelf(folder).make(PACKS).book
        assert folder.stat().st_mode & 0o777 == 0o755

    def test_without_a_folder_packs_are_looked_at_all_the_same(self):
        shelf = Shelf()
        assert shelf.find(PACKS) is None
        assert shelf.make(PACKS) == Made()
        assert len(shelf.make([PackText(name="en/x", version=1, text=b"")]).problems) == 1
        assert shelf.problem == ""

    def test_what_is_being_made_can_be_stopped(self, tmp_path):
        maker = Maker((sys.executable, "-c", "import time; time.sleep(60)"))
        maker.stop()
        with pytest.raises(MakeError, match="stopped"):
            maker.make(Wanted({}, {}))
        shelf = Shelf(tmp_path)
        shelf.stop()
        assert shelf.make(PACKS) == Made()
        assert shelf.problem == ""


@pytest.fixture
def slow(monkeypatch, tmp_path):
    """A book is made when this file is there, and not before."""
    sign = tmp_path / "go"
    make_it = Maker.make

    def wait_and_make(self, wanted, file=None):
        end = time.monotonic() + 20
        while not sign.exists() and time.monotonic() < end and not self._stopped:
            time.sleep(0.01)
        return make_it(self, wanted, file)

    monkeypatch.setattr(Maker, "make", wait_and_make)
    return sign


def plover(school, version):
    text = canary_pack().text + b"\n# of a later version\n"
    later = replace(canary_pack(), version=canary_pack().version + 1)
    text = text.replace(
        f"version = {canary_pack().version}".encode(), f"version = {later.version}".encode()
    )
    return school.policy(version, packs=(replace(later, text=text),))


class TestInService:
    def test_a_session_gets_the_book_and_not_the_packs(self, pc):
        session = pc.start().session()
        given = session.hello()
        assert given.packs == ()
        matcher = Matcher(open_book(given.book, {int(session.channel.service)}))
        pack = parse_pack(canary_pack().text, name="en/canary")
        assert matcher.find(pack.terms[0].match)
        assert pc.status()["book"] == {"ready": True, "problem": "", "refused": []}
        session.close()

    def test_whoever_refuses_the_book_gets_the_packs_once_and_it_is_said(self, pc):
        session = pc.start().session()
        session.hello()
        well = Watch(hook_alive=True, blind=None, since=1)
        for _ in range(3):
            session.channel.send(replace(well, book_refused="it is \x1b[31mred"))
        given = session.channel.receive(5)
        assert isinstance(given, Settings)
        assert (given.book, given.packs) == ("", (canary_pack(),))
        assert session.channel.receive(0.3) is None
        said = pc.until(lambda said: said["book"]["refused"])
        assert said["book"]["refused"] == ["it is ?[31mred"]
        session.channel.send(well)
        pc.until(lambda said: not said["book"]["refused"])
        session.close()

    def test_without_a_folder_sessions_get_the_packs(self, school, collector, place):
        school.enrol(place, port=collector.port)
        pc = Pc(place, books=None).start()
        session = pc.session()
        assert session.hello().packs == (canary_pack(),)
        session.close()
        pc.stop()

    def test_a_folder_that_cannot_be_used_is_said_and_packs_are_sent(
        self, school, collector, place
    ):
        school.enrol(place, port=collector.port)
        (place / "file").touch()
        pc = Pc(place, books=place / "file").start()
        session = pc.session()
        assert session.hello().packs == (canary_pack(),)
        assert "File exists" in pc.status()["book"]["problem"]
        session.close()
        pc.stop()

    def test_at_the_first_start_settings_come_when_the_book_is_made(
        self, school, collector, place, slow
    ):
        school.enrol(place, port=collector.port)
        pc = Pc(place, books=place / "books").start()
        session = pc.session()
        session.channel.send(SessionHello(version="0.1.0", pid=1))
        assert session.channel.receive(0.5) is None
        assert not pc.status()["book"]["ready"]
        assert pc.status()["policy"]["version"] == 1
        slow.touch()
        given = session.channel.receive(10)
        assert isinstance(given, Settings)
        assert given.book.startswith(str(place / "books"))
        session.close()
        pc.stop()

    def test_while_a_new_book_is_made_the_policy_before_it_stays_in_force(
        self, school, collector, place, slow
    ):
        school.enrol(place, port=collector.port)
        slow.touch()
        pc = Pc(place, books=place / "books").start()
        session = pc.session()
        first = session.hello()
        slow.unlink()
        collector.wait(lambda c: c.streams)
        collector.say(plover(school, 2))
        pc.until(lambda _: pc.service.policy._wanted is not None)
        assert session.channel.receive(0.5) is None
        assert pc.status()["policy"]["version"] == 1
        later = pc.session()
        assert later.hello() == first
        collector.say(plover(school, 3))
        slow.touch()
        given = session.channel.receive(10)
        assert given.policy_version == 3
        assert given.book not in {"", first.book}
        assert later.channel.receive(10) == given
        collector.wait(lambda c: c.beats and c.beats[-1].policy_version == 3)
        session.close()
        later.close()
        pc.stop()

    @pytest.mark.usefixtures("slow")
    def test_it_stops_while_a_book_is_made(self, school, collector, place):
        school.enrol(place, port=collector.port)
        pc = Pc(place, books=place / "books").start()
        pc.until(lambda _: pc.service.policy._worker is not None)
        began = time.monotonic()
        pc.stop()
        assert time.monotonic() - began < 10
        assert not list((place / "books").glob("*"))
