"""What crosses the local socket, and what is sealed: strict, since a pupil may have written it."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import examples
from tests.wire.examples import EVENT, NOW, finding
from wire import details as sealed
from wire import local
from wire.codec import CodecError
from wire.details import Details, Picture, Who
from wire.event import AccountKind, EvidenceRules, PictureState
from wire.v1 import local_pb2 as pb

_WHO = Who(account="uid:1001@oak", kind=AccountKind.PERSON, login="r.weasel", host="lab-7")
_DETAILS = Details(
    application="Writer",
    window_title="Essay",
    before="well ",
    matched="nobody likes you",
    after=" said the fox",
)
_FOUND = local.Found(
    event=EVENT,
    matched_at=NOW,
    finding=finding(),
    picture=PictureState.FOLLOWS,
    details=_DETAILS,
)
_SHOT = local.Shot(event=EVENT, webp=b"RIFF", width=1920, height=1080, taken_at=NOW, of="window")

_FORMS = {
    "from session": (
        examples.from_session,
        local.encode_from_session,
        local.decode_from_session,
    ),
    "to session": (examples.to_session, local.encode_to_session, local.decode_to_session),
    "details": (examples.details(examples.whos), sealed.encode_details, sealed.decode_details),
    "picture": (examples.pictures, sealed.encode_picture, sealed.decode_picture),
}


@pytest.mark.parametrize("form", _FORMS)
@given(data=st.data())
def test_there_and_back(form, data):
    strategy, encode, decode = _FORMS[form]
    original = data.draw(strategy)
    assert decode(encode(original)) == original


@pytest.mark.parametrize("form", _FORMS)
@given(data=st.data())
def test_what_is_changed_gives_a_message_or_a_clear_error(form, data):
    strategy, encode, decode = _FORMS[form]
    raw = bytearray(encode(data.draw(strategy)))
    if raw:
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        changed = decode(bytes(raw))
    except CodecError:
        return
    assert decode(encode(changed)) == changed


@pytest.mark.parametrize("form", _FORMS)
@given(data=st.binary(max_size=400))
def test_any_bytes_give_a_message_or_a_clear_error(form, data):
    with contextlib.suppress(CodecError):
        _FORMS[form][2](data)


def test_a_session_may_not_say_who_it_is():
    with pytest.raises(CodecError, match="may not say who"):
        local.encode_from_session(replace(_FOUND, details=replace(_DETAILS, who=_WHO)))
    frame = pb.FromSession.FromString(local.encode_from_session(_FOUND))
    frame.found.details.who.account = "S-1-5-21-9"
    frame.found.details.who.kind = 1
    with pytest.raises(CodecError, match="may not say who"):
        local.decode_from_session(frame.SerializeToString())


def test_sealed_details_always_say_who():
    with pytest.raises(CodecError, match="do not say who"):
        sealed.encode_details(_DETAILS)
    data = sealed.details_to_pb(_DETAILS).SerializeToString()
    with pytest.raises(CodecError, match="do not say who"):
        sealed.decode_details(data)
    whole = replace(_DETAILS, who=_WHO)
    assert sealed.decode_details(sealed.encode_details(whole)) == whole


def test_details_of_nobody_are_refused():
    with pytest.raises(CodecError, match="account is not said"):
        sealed.encode_details(replace(_DETAILS, who=replace(_WHO, account="")))


_BROKEN = {
    "event of 15": ("event", replace(_FOUND, event=bytes(15))),
    "score": ("score", replace(_FOUND, finding=replace(finding(), score=1001))),
    "time before 1970": ("matched_at", replace(_FOUND, matched_at=-1)),
    "201 characters before": (
        "before",
        replace(_FOUND, details=replace(_DETAILS, before="w" * 201)),
    ),
    "201 characters after": ("after", replace(_FOUND, details=replace(_DETAILS, after="w" * 201))),
    "a title without end": (
        "window_title",
        replace(_FOUND, details=replace(_DETAILS, window_title="t" * 20_001)),
    ),
    "half a character": (
        "surrogate",
        replace(_FOUND, details=replace(_DETAILS, window_title="\udc80")),
    ),
    "too many notes": ("notes", replace(_FOUND, details=replace(_DETAILS, notes=("n",) * 65))),
    "a note too long": ("notes", replace(_FOUND, details=replace(_DETAILS, notes=("n" * 501,)))),
    "no repeats": (
        "repeats",
        local.Again(event=EVENT, finding=finding(), repeats=0, last_at=NOW),
    ),
    "a picture of no bytes": ("image", replace(_SHOT, webp=b"")),
    "a picture too large": ("image", replace(_SHOT, webp=bytes((4 << 20) + 1))),
    "a picture without width": ("width", replace(_SHOT, width=0)),
    "a picture too high": ("height", replace(_SHOT, height=65_536)),
    "why without end": ("why", local.NoShot(event=EVENT, why="w" * 2001)),
    "pid below 0": ("pid", local.SessionHello(version="0.1.0", pid=-1)),
    "event of 17": ("event", local.CanaryAsk(event=bytes(17))),
    "dropped below 0": (
        "dropped",
        local.Watch(hook_alive=True, blind=None, since=NOW, dropped=-1),
    ),
    "a refusal without end": (
        "book_refused",
        local.Watch(hook_alive=True, blind=None, since=NOW, book_refused="w" * 2001),
    ),
}


@pytest.mark.parametrize("case", _BROKEN)
def test_what_breaks_a_rule_is_not_encoded(case):
    word, message = _BROKEN[case]
    with pytest.raises(CodecError, match=word):
        local.encode_from_session(message)


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (local.Rejected(event=bytes(3), words="slower"), "event"),
        (local.Rejected(event=EVENT, words="w" * 2001), "words"),
        (local.StatusReply(json="j" * ((1 << 20) + 1)), "json"),
        (
            local.Settings(policy_version=1, packs=(), evidence=EvidenceRules(never_places=("",))),
            "never_places",
        ),
        (
            local.Settings(policy_version=1, packs=(), evidence=EvidenceRules(), book="b" * 4097),
            "book",
        ),
    ],
)
def test_what_breaks_a_rule_is_not_sent_to_a_session(message, word):
    with pytest.raises(CodecError, match=word):
        local.encode_to_session(message)


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (pb.FromSession(), "empty"),
        (pb.FromSession(found=pb.Found(event=EVENT)), "finding"),
        (pb.FromSession(again=pb.Again(event=EVENT, repeats=1)), "finding"),
        (pb.FromSession(shot=pb.Shot(event=EVENT)), "image"),
        (pb.FromSession(no_shot=pb.NoShot()), "event"),
        (pb.FromSession(watch=pb.Watch(blind=55)), "gap reason 55"),
        (pb.FromSession(canary=pb.CanaryAsk()), "event"),
    ],
)
def test_a_frame_that_breaks_a_rule_is_refused_by_the_service(frame, word):
    with pytest.raises(CodecError, match=word):
        local.decode_from_session(frame.SerializeToString())


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (pb.ToSession(), "empty"),
        (pb.ToSession(settings=pb.Settings()), "evidence rules"),
        (pb.ToSession(taken=pb.Taken(event=EVENT)), "kind is not said"),
        (pb.ToSession(rejected=pb.Rejected()), "event"),
    ],
)
def test_a_frame_that_breaks_a_rule_is_refused_by_the_session(frame, word):
    with pytest.raises(CodecError, match=word):
        local.decode_to_session(frame.SerializeToString())


def test_a_picture_without_sides_is_refused():
    with pytest.raises(CodecError, match="width"):
        sealed.decode_picture(pb.Picture(webp=b"RIFF").SerializeToString())
    picture = Picture(webp=b"RIFF", width=1, height=1, taken_at=NOW, of="window")
    assert sealed.decode_picture(sealed.encode_picture(picture)) == picture


def test_the_largest_frame_fits_its_bound():
    largest = replace(_SHOT, webp=bytes(4 << 20))
    assert len(local.encode_from_session(largest)) < local.MOST_FRAME
