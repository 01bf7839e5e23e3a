"""Good examples of everything that travels, and strategies that make more of them."""

import string

from hypothesis import strategies as st

from wire.codec.trust import MOST_PICTURE
from wire.details import Details, Picture, Who
from wire.event import (
    ZERO_HASH,
    AccountKind,
    Envelope,
    EvidenceRules,
    Finding,
    Gap,
    GapReason,
    Header,
    Heartbeat,
    Hello,
    KeyStatement,
    Kind,
    Lane,
    LaneHead,
    PackText,
    Part,
    PartKind,
    PictureState,
    Policy,
    Position,
    Purpose,
    Receipt,
    Refusal,
    RefusalReason,
    Renewal,
    RenewalRequest,
    Severity,
    SignedIn,
    SignedKey,
    SignedPolicy,
    Source,
    Tombstone,
    TombstoneReason,
    Welcome,
)
from wire.local import (
    Again,
    CanaryAsk,
    Found,
    NoShot,
    Rejected,
    SessionHello,
    Settings,
    Shot,
    StatusAsk,
    StatusReply,
    Taken,
    Watch,
)

SCHOOL = "oakfield"
DEVICE = "0199c3f0-7a10-7abc-8def-0123456789ab"
EVENT = bytes.fromhex("0199c3f07a107abc8def0123456789ab")
EPOCH = bytes(range(16))
NOW = 1_790_000_000_000_000
DAY = 86_400_000_000

U31 = (1 << 31) - 1
U32 = (1 << 32) - 1
I63 = (1 << 63) - 1

_letters = string.ascii_lowercase + "_"
codes = st.text(_letters, min_size=1, max_size=40)
ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
events = st.binary(min_size=16, max_size=16).filter(any)
hashes = st.binary(min_size=32, max_size=32)
epochs = st.binary(min_size=16, max_size=16)
times = st.integers(0, I63)
offsets = st.integers(-I63, I63)
counts = st.integers(0, U32)


def texts(most):
    # Protobuf holds any text that UTF-8 holds; half a surrogate pair it does not.
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=most)


def tuples_of(strategy, most):
    return st.lists(strategy, max_size=most).map(tuple)


packs = st.builds(
    "{}/{}".format,
    st.text(string.ascii_lowercase, min_size=2, max_size=8),
    st.text(_letters, min_size=1, max_size=40),
)
findings = st.builds(
    Finding,
    source=st.sampled_from(Source),
    category=codes,
    severity=st.sampled_from(Severity),
    score=st.integers(0, 1000),
    reasons=tuples_of(codes, 16),
    term_id=st.text(string.ascii_letters + string.digits + "_.:/-", min_size=1, max_size=80),
    pack=packs,
    pack_version=st.integers(1, U32),
)


def parts(kind):
    return st.builds(
        Part,
        kind=st.just(kind),
        key_id=epochs,
        sealed_digest=hashes,
        plain_digest=hashes,
        size=st.integers(80, 8 << 20),
    )


def positions(lanes):
    first = st.builds(
        Position, lane=lanes, epoch=epochs, sequence=st.just(1), previous=st.just(ZERO_HASH)
    )
    later = st.builds(
        Position, lane=lanes, epoch=epochs, sequence=st.integers(2, I63), previous=hashes
    )
    return first | later


def _headers(kind, lanes, **fields):
    return st.builds(
        Header,
        school=ids,
        device=ids,
        position=positions(lanes),
        kind=st.just(kind),
        event=events,
        matched_at=times,
        clock_offset=offsets,
        account_kind=st.sampled_from(AccountKind),
        account_digest=hashes,
        policy_version=times,
        **fields,
    )


_text, _picture = st.just(Lane.TEXT), st.just(Lane.PICTURE)
headers = st.one_of(
    _headers(
        Kind.EVENT,
        _text,
        finding=findings,
        picture=st.sampled_from(PictureState),
        part=parts(PartKind.DETAILS),
    ),
    _headers(Kind.REPEAT, _text, finding=findings, repeats=st.integers(1, U32)),
    _headers(Kind.PICTURE, _picture, part=parts(PartKind.PICTURE)),
    _headers(
        Kind.TOMBSTONE,
        _text | _picture,
        tombstone=st.builds(
            Tombstone, reason=st.sampled_from(TombstoneReason), lost_hash=st.just(b"") | hashes
        ),
    ),
)

statements = st.builds(
    KeyStatement,
    school=ids,
    purpose=st.sampled_from(Purpose),
    public_key=hashes,
    epoch=st.integers(1, I63),
    not_before=st.integers(0, 1 << 61),
    not_after=st.integers(1 << 61, I63),
)
signed_keys = st.builds(
    SignedKey,
    statement=st.binary(min_size=1, max_size=512),
    signature=st.binary(min_size=1, max_size=128),
)
entries = texts(100).filter(str.strip)
rules = st.builds(
    EvidenceRules,
    no_picture=tuples_of(codes, 4),
    all_monitors=tuples_of(codes, 4),
    never_places=tuples_of(entries, 4),
    excluded_applications=tuples_of(entries, 4),
    held_applications=tuples_of(entries, 4),
    shared_accounts=tuples_of(entries, 4),
    picture_max_bytes=st.integers(1, MOST_PICTURE),
    patterns=st.booleans(),
)
pack_texts = st.builds(
    PackText, name=packs, version=st.integers(1, U32), text=st.binary(max_size=200)
)
policies = st.builds(
    Policy,
    school=ids,
    version=st.integers(1, I63),
    issued_at=st.integers(0, 1 << 61),
    expires_at=st.integers(1 << 61, I63),
    packs=tuples_of(pack_texts, 4),
    evidence=rules,
    keys=tuples_of(signed_keys, 4),
)
signed_policies = st.builds(
    SignedPolicy,
    policy=st.binary(min_size=1, max_size=300),
    signature=st.binary(min_size=1, max_size=128),
    signer=signed_keys,
)


def heads(lane):
    return st.builds(LaneHead, lane=st.just(lane), epoch=epochs, sequence=st.just(0)) | st.builds(
        LaneHead, lane=st.just(lane), epoch=epochs, sequence=st.integers(1, I63), hash=hashes
    )


any_head = heads(Lane.TEXT) | heads(Lane.PICTURE)
both_heads = st.one_of(
    st.just(()),
    any_head.map(lambda head: (head,)),
    st.tuples(heads(Lane.TEXT), heads(Lane.PICTURE)),
)
_salts = hashes
_accounts = texts(60).filter(bool)
envelopes = st.one_of(
    st.builds(
        Envelope,
        header=st.binary(min_size=1, max_size=400),
        signature=st.binary(min_size=1, max_size=128),
        sealed=st.binary(max_size=400),
        account=_accounts,
        account_salt=_salts,
    ),
    st.builds(
        Envelope,
        header=st.binary(min_size=1, max_size=400),
        signature=st.binary(min_size=1, max_size=128),
    ),
)
_gap_reasons = st.sampled_from(GapReason)
heartbeats = st.builds(
    Heartbeat,
    number=st.integers(1, I63),
    sent_at=times,
    sessions=tuples_of(
        st.builds(
            SignedIn,
            account=_accounts,
            account_salt=_salts,
            kind=st.sampled_from(AccountKind),
            hook_alive=st.booleans(),
            blind=st.none() | _gap_reasons,
        ),
        3,
    ),
    gaps=tuples_of(
        st.builds(Gap, reason=_gap_reasons, started_at=times, ended_at=times, dropped=counts), 3
    ),
    spool_records=times,
    spool_bytes=times,
    policy_version=times,
    policy_problem=texts(200),
    clock_offset=offsets,
    written=both_heads,
    agent_version=texts(64),
    quarantined=counts,
)
hellos = st.builds(
    Hello,
    agent_version=texts(64),
    policy_version=times,
    sent_at=times,
    written=both_heads,
    receipted=both_heads,
)
renewal_requests = st.builds(RenewalRequest, csr=st.binary(min_size=1, max_size=500))
from_agent = hellos | envelopes | heartbeats | renewal_requests

receipts = st.builds(Receipt, head=any_head, heartbeat=times) | st.builds(
    Receipt, heartbeat=st.integers(1, I63)
)
welcomes = st.builds(
    Welcome,
    received_at=times,
    stored=both_heads,
    policy_version=times,
    collector_version=texts(64),
)
refusals = st.builds(
    Refusal,
    reason=st.sampled_from(RefusalReason),
    words=texts(200),
    expected=st.none() | any_head,
    retry_after_ms=counts,
    lane=st.none() | st.sampled_from(Lane),
    sequence=times,
)
renewals = st.builds(
    Renewal,
    chain=st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=4).map(tuple),
)
from_collector = receipts | welcomes | refusals | renewals | signed_policies

whos = st.builds(
    Who,
    account=_accounts,
    kind=st.sampled_from(AccountKind),
    login=texts(40),
    full_name=texts(40),
    session=texts(20),
    host=texts(40),
)


def details(who):
    return st.builds(
        Details,
        who=who,
        application=texts(40),
        process_path=texts(40),
        window_title=texts(300),
        address=texts(100),
        address_unknown_because=texts(40),
        before=texts(200),
        matched=texts(60),
        after=texts(200),
        pasted=st.booleans(),
        notes=tuples_of(texts(40), 3),
        picture_problem=texts(40),
        place=texts(20),
        reasons=tuples_of(texts(40), 3),
    )


_sides = st.integers(1, 65_535)
_images = st.binary(min_size=1, max_size=300)
pictures = st.builds(
    Picture, webp=_images, width=_sides, height=_sides, taken_at=times, of=texts(20)
)
from_session = st.one_of(
    st.builds(SessionHello, version=texts(64), pid=counts),
    st.builds(
        Found,
        event=events,
        matched_at=times,
        finding=findings,
        picture=st.sampled_from(PictureState),
        details=details(st.none()),
    ),
    st.builds(Again, event=events, finding=findings, repeats=st.integers(1, U32), last_at=times),
    st.builds(
        Shot, event=events, webp=_images, width=_sides, height=_sides, taken_at=times, of=texts(20)
    ),
    st.builds(NoShot, event=events, why=texts(100)),
    st.builds(
        Watch,
        hook_alive=st.booleans(),
        blind=st.none() | _gap_reasons,
        since=times,
        dropped=counts,
        book_refused=texts(100),
    ),
    st.builds(CanaryAsk, event=events),
    st.just(StatusAsk()),
)
to_session = st.one_of(
    st.builds(
        Settings,
        policy_version=times,
        packs=tuples_of(pack_texts, 3),
        evidence=rules,
        book=texts(100),
    ),
    st.builds(Taken, event=events, kind=st.sampled_from(Kind)),
    st.builds(Rejected, event=events, words=texts(100), retry_after_ms=counts),
    st.builds(StatusReply, json=texts(200)),
)


def finding():
    return Finding(
        source=Source.TYPED,
        category="bullying",
        severity=Severity.MEDIUM,
        score=640,
        reasons=("second_person", "chat"),
        term_id="nobody-likes-you",
        pack="en/bullying",
        pack_version=3,
    )


def part(kind=PartKind.DETAILS):
    return Part(
        kind=kind,
        key_id=b"k" * 16,
        sealed_digest=b"s" * 32,
        plain_digest=b"p" * 32,
        size=500,
    )


def header(**changes):
    fields = {
        "school": SCHOOL,
        "device": DEVICE,
        "position": Position(lane=Lane.TEXT, epoch=EPOCH, sequence=1, previous=ZERO_HASH),
        "kind": Kind.EVENT,
        "event": EVENT,
        "matched_at": NOW,
        "clock_offset": -250_000,
        "account_kind": AccountKind.PERSON,
        "account_digest": b"a" * 32,
        "policy_version": 7,
        "finding": finding(),
        "picture": PictureState.FOLLOWS,
        "part": part(),
    }
    return Header(**(fields | changes))
