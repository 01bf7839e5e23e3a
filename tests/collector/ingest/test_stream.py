"""What a device says and hears over a real stream."""

import asyncio
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.alerts import worst_first
from collector.devices import DeviceState
from collector.errors import CommitFailed
from collector.ingest.limits import Limits
from collector.ingest.record import Recorder
from collector.pseudonym import pseudonym_of
from collector.store import schema
from collector.store.sweep import GRACE, sweep
from tests.collector.device import CLOCK, Device
from tests.collector.school import until
from wire import certs, seal
from wire.account import new_salt
from wire.chain import fresh_epoch, next_position
from wire.codec import decode_header
from wire.event import (
    AccountKind,
    Gap,
    GapReason,
    Lane,
    PartKind,
    PictureState,
    RefusalReason,
    Renewal,
    RenewalRequest,
    SignedIn,
    TombstoneReason,
)
from wire.ids import new_event
from wire.seal import SealContext, join, key_id, open_part
from wire.v1 import uplink_pb2 as pb


async def count(rig, table):
    return len(await rig.rows(table))


async def test_events_are_receipted_once_they_are_stored(rig):
    device = await rig.enrol()
    envelopes = [device.event() for _ in range(20)]
    async with rig.line(device) as line:
        await line.send(*envelopes)
        await line.until_receipted(device.heads[Lane.TEXT])
        assert line.refusals == []
    records = await rig.rows(schema.records)
    assert sorted(row.header for row in records) == sorted(e.header for e in envelopes)
    keys = await rig.store.read_keys(lambda c: c.execute(schema.part_keys.select()).all())
    assert len(keys) == 20
    (alert,) = await rig.store.read(lambda conn: worst_first(conn, "oak"))
    assert (alert.events, alert.priority, alert.room) == (20, 1, "R1")


async def test_a_part_is_kept_in_two_files_and_opens_when_joined(rig):
    device = await rig.enrol()
    envelope = device.event(plain=b"words around the match")
    async with rig.line(device) as line:
        await line.send(envelope)
        await line.until_receipted(device.heads[Lane.TEXT])
    (record,) = await rig.rows(schema.records)
    (key,) = await rig.store.read_keys(lambda c: c.execute(schema.part_keys.select()).all())
    assert key.enc not in record.sealed
    sealed = join(key.enc, record.sealed)
    context = SealContext(
        school="oak",
        device=device.device,
        event=record.event,
        kind=PartKind.DETAILS,
        key_id=key_id(rig.evidence_key),
    )
    part = decode_header(record.header).part
    assert open_part(sealed, private_key=rig.private, context=context, part=part) == (
        b"words around the match"
    )


async def test_the_account_goes_no_further_than_the_pseudonym(rig, tmp_path):
    account = "S-1-5-21-777-unusual-account"
    device = await rig.enrol()
    async with rig.line(device) as line:
        envelope = device.event(account=account)
        await line.send(envelope)
        await line.say(
            device.heartbeat(
                sessions=(
                    SignedIn(
                        account=account,
                        account_salt=new_salt(),
                        kind=AccountKind.PERSON,
                        hook_alive=True,
                    ),
                )
            )
        )
        await line.until_receipted(device.heads[Lane.TEXT])
        while line.beat != 1:
            await line.hear()
    pseudonym = pseudonym_of(account, school="oak", key=rig.parts.pseudonym_key)
    (event,) = await rig.rows(schema.events)
    (row,) = await rig.rows(schema.devices)
    assert event.pseudonym == pseudonym
    assert row.signed_in == f'["{pseudonym}"]'
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        written = path.read_bytes()
        assert account.encode() not in written
        assert envelope.account_salt not in written


async def test_a_picture_joins_its_event_whichever_comes_first(rig):
    device = await rig.enrol()
    first, second = new_event(CLOCK), new_event(CLOCK)
    async with rig.line(device) as line:
        text = device.event(event=first, picture=PictureState.FOLLOWS)
        await line.send(text, device.picture(first))
        await line.until_receipted(device.heads[Lane.PICTURE])
        await line.send(device.picture(second))
        await line.until_receipted(device.heads[Lane.PICTURE])
        await line.send(device.event(event=second, picture=PictureState.FOLLOWS))
        await line.until_receipted(device.heads[Lane.TEXT])
    assert {row.event: row.picture for row in await rig.rows(schema.events)} == {
        first: "here",
        second: "here",
    }


async def test_a_shed_picture_is_named(rig):
    device = await rig.enrol()
    event = new_event(CLOCK)
    async with rig.line(device) as line:
        text = device.event(event=event, picture=PictureState.FOLLOWS)
        await line.send(text, device.tombstone(event, TombstoneReason.SHED))
        await line.until_receipted(device.heads[Lane.PICTURE])
    (row,) = await rig.rows(schema.events)
    (warning,) = await rig.rows(schema.warnings)
    assert row.picture == "shed"
    assert (warning.kind, warning.device, warning.first, warning.last) == (
        "lost_shed",
        device.device,
        1,
        1,
    )


async def test_repeats_add_to_the_count(rig):
    device = await rig.enrol()
    event = new_event(CLOCK)
    async with rig.line(device) as line:
        await line.send(device.event(event=event), device.repeat(event, repeats=7))
        await line.until_receipted(device.heads[Lane.TEXT])
    (row,) = await rig.rows(schema.events)
    (alert,) = await rig.rows(schema.alerts)
    assert (row.repeats, alert.events) == (7, 8)


async def test_a_replay_is_receipted_again_and_changes_nothing(rig):
    device = await rig.enrol()
    envelopes = [device.event() for _ in range(10)]
    async with rig.line(device) as line:
        await line.send(*envelopes)
        await line.until_receipted(device.heads[Lane.TEXT])
        change = rig.feed.change
        for _ in range(100):
            await line.send(*envelopes)
        await line.say(device.heartbeat())
        while line.beat != 1:
            await line.hear()
        await line.until(lambda: rig.parts.tally.again == 1000)
        assert line.refusals == []
    assert rig.feed.change == change
    assert await count(rig, schema.records) == await count(rig, schema.events) == 10
    assert await rig.warnings() == []


async def test_ten_thousand_replayed_or_foreign_envelopes_make_no_row(rigs):
    rig = await rigs(limits=Limits(records_per_second=1e6, burst=1e6))
    one, other = await rig.enrol(), await rig.enrol()
    mine = [one.event() for _ in range(20)]
    theirs = [other.event() for _ in range(20)]
    async with rig.line(one) as line, rig.line(other) as its:
        await line.send(*mine)
        await line.until_receipted(one.heads[Lane.TEXT])
        await its.send(*theirs)
        await its.until_receipted(other.heads[Lane.TEXT])
        before = await count(rig, schema.records), await count(rig, schema.events)

        async def hear():
            while rig.parts.tally.again + len(line.refusals) < 10_000:
                await line.hear(30)

        hearing = asyncio.ensure_future(hear())
        for _ in range(250):
            await line.send(*mine)
            await line.send(*theirs)
        await asyncio.wait_for(hearing, 60)
        assert {refusal.reason for refusal in line.refusals} == {RefusalReason.WRONG_DEVICE}
        assert rig.parts.tally.refused == {"WRONG_DEVICE": 5000}
    assert before == (await count(rig, schema.records), await count(rig, schema.events)) == (40, 40)
    assert await rig.warnings() == ["wrong_device"]


async def test_a_missing_record_is_named_and_can_still_come(rig):
    device = await rig.enrol()
    first, *rest = [device.event() for _ in range(5)]
    async with rig.line(device) as line:
        await line.send(first, *rest[2:])
        refusal = await line.until_refused()
        assert (refusal.reason, refusal.expected.sequence) == (RefusalReason.GAP, 1)
        (warning,) = await rig.rows(schema.warnings)
        assert (warning.kind, warning.first, warning.last) == ("gap", 2, 3)
        assert device.device == warning.device
        assert "2 to 3 (2 records)" in warning.words
        await line.send(*rest)
        await line.until_receipted(device.heads[Lane.TEXT])
    assert len(await rig.rows(schema.events)) == 5


async def test_a_gap_is_said_once_for_all_that_was_in_flight_behind_it(rig):
    device = await rig.enrol()
    _, *rest = [device.event() for _ in range(256)]
    async with rig.line(device) as line:
        async with rig.held():
            await line.send(*rest)
            await until(lambda: rig.uplink.intake.coming == 255)
        await line.say(device.heartbeat())
        await line.until(lambda: line.beat == 1)
        assert rig.parts.tally.refused == {"GAP": 255}
        assert len(line.refusals) <= 3  # one for each of at most three batches
        await line.send(*[envelope for _, envelope in device.spool])
        await line.until_receipted(device.heads[Lane.TEXT])


async def test_another_record_under_a_taken_number_is_a_fork(rig):
    device = await rig.enrol()
    first = device.event()
    async with rig.line(device) as line:
        await line.send(first)
        await line.until_receipted(device.heads[Lane.TEXT])
        device.heads[Lane.TEXT] = replace(device.heads[Lane.TEXT], sequence=0, hash=bytes(32))
        await line.send(device.event())
        refusal = await line.until_refused()
    assert (refusal.reason, refusal.expected.sequence) == (RefusalReason.FORK, 1)
    assert await rig.warnings() == ["fork"]
    (record,) = await rig.rows(schema.records)
    assert record.header == first.header


async def test_a_known_event_with_other_content_is_kept_and_told(rig):
    device, other = await rig.enrol(), await rig.enrol()
    event = new_event(CLOCK)
    async with rig.line(device) as line, rig.line(other) as its:
        await line.send(device.event(event=event, plain=b"one"))
        await line.send(device.event(event=event, plain=b"two"))
        await line.until_receipted(device.heads[Lane.TEXT])
        await its.send(other.event(event=event, plain=b"three"))
        await its.until_receipted(other.heads[Lane.TEXT])
    warnings = await rig.rows(schema.warnings)
    assert sorted((row.kind, row.device, row.first) for row in warnings) == sorted(
        [("known_event", device.device, 2), ("known_event", other.device, 1)]
    )
    keys = await rig.store.read_keys(lambda c: c.execute(schema.part_keys.select()).all())
    assert len({row.enc for row in keys}) == len(await rig.rows(schema.records)) == 3
    (row,) = await rig.rows(schema.events)
    assert row.device == device.device


async def test_the_same_evidence_in_a_new_epoch_is_no_news(rig):
    device = await rig.enrol()
    event = new_event(CLOCK)
    envelope = device.event(event=event)
    async with rig.line(device) as line:
        await line.send(envelope)
        await line.until_receipted(device.heads[Lane.TEXT])
        device.heads[Lane.TEXT] = fresh_epoch(Lane.TEXT)
        header = replace(
            decode_header(envelope.header), position=next_position(device.heads[Lane.TEXT])
        )
        again = device.spooled(header, envelope.sealed, envelope.account, envelope.account_salt)
        await line.send(again)
        await line.until_receipted(device.heads[Lane.TEXT])
    assert await rig.warnings() == ["new_epoch"]
    assert len(await rig.rows(schema.events)) == 1


@pytest.mark.parametrize("through", ["hello", "heartbeat", "record"])
async def test_a_new_epoch_names_what_the_old_one_owed(rig, through):
    device = await rig.enrol()
    sent = [device.event() for _ in range(3)]
    async with rig.line(device) as line:
        await line.send(*sent)
        await line.until_receipted(device.heads[Lane.TEXT])
        lost = [device.event() for _ in range(4)]
        await line.say(device.heartbeat())
        while line.beat != 1:
            await line.hear()
        old = device.heads[Lane.TEXT].epoch
        device.heads[Lane.TEXT] = fresh_epoch(Lane.TEXT)
        fresh = device.event()
        if through == "heartbeat":
            await line.say(device.heartbeat(2))
            while line.beat != 2:
                await line.hear()
        elif through == "record":
            await line.send(fresh)
            await line.until_receipted(device.heads[Lane.TEXT])
    if through == "hello":
        async with rig.line(device):
            pass
    (warning,) = await rig.rows(schema.warnings)
    assert len(lost) == 4
    assert (warning.kind, warning.epoch, warning.first, warning.last) == ("new_epoch", old, 4, 7)
    assert warning.device == device.device


async def test_a_deleted_spool_is_named_once(rig):
    device = await rig.enrol()
    async with rig.line(device) as line:
        await line.send(device.event(), device.event())
        await line.until_receipted(device.heads[Lane.TEXT])
    device.heads = {lane: fresh_epoch(lane) for lane in Lane}
    for _ in range(2):
        async with rig.line(device):
            pass
    async with rig.line(device) as line:
        await line.send(device.event())
        await line.until_receipted(device.heads[Lane.TEXT])
    assert await rig.warnings() == ["new_epoch"]


async def test_a_spool_set_back_is_named_with_its_numbers(rig):
    device = await rig.enrol()
    async with rig.line(device) as line:
        await line.send(device.event(), device.event())
        earlier = device.heads[Lane.TEXT]
        await line.send(*[device.event() for _ in range(3)])
        await line.until_receipted(device.heads[Lane.TEXT])
    async with rig.line(device, greet=False) as line:
        welcome = await line.greet(device, written=(earlier,))
    (warning,) = await rig.rows(schema.warnings)
    assert (warning.kind, warning.first, warning.last) == ("rolled_back", 3, 5)
    assert welcome.stored == (device.heads[Lane.TEXT],)


async def test_a_lost_tail_is_named_with_its_numbers(rig):
    device = await rig.enrol()
    async with rig.line(device) as line:
        await line.send(device.event())
        await line.until_receipted(device.heads[Lane.TEXT])
        stored = device.heads[Lane.TEXT]
        lost = [device.event(), device.event()]
        await line.say(device.heartbeat())
        while line.beat != 1:
            await line.hear()
    device.heads[Lane.TEXT] = stored
    async with rig.line(device):
        pass
    (warning,) = await rig.rows(schema.warnings)
    assert len(lost) == 2
    assert (warning.kind, warning.first, warning.last) == ("tail_lost", 2, 3)


async def test_a_collector_set_back_is_named_with_its_numbers(rig):
    device = await rig.enrol()
    device.event()
    device.event()
    head = device.heads[Lane.TEXT]
    async with rig.line(device, greet=False) as line:
        await line.greet(device, receipted=(head,))
    (warning,) = await rig.rows(schema.warnings)
    assert (warning.kind, warning.first, warning.last) == ("collector_rolled_back", 1, 2)


async def test_gaps_of_a_heartbeat_are_durable_before_its_receipt(rig):
    device = await rig.enrol()
    gap = Gap(reason=GapReason.HOOK_DEAD, started_at=10, ended_at=20, dropped=3)
    async with rig.line(device) as line:
        for number in (1, 2):
            await line.say(device.heartbeat(number, gaps=(gap,), spool_records=4))
        while line.beat != 2:
            await line.hear()
    (row,) = await rig.rows(schema.gaps)
    assert (row.reason, row.started_at, row.ended_at, row.dropped) == (2, 10, 20, 3)
    (row,) = await rig.rows(schema.devices)
    assert (row.heartbeat, row.spool_records) == (2, 4)


@pytest.mark.parametrize("years", [10, -10])
async def test_a_clock_off_by_ten_years_changes_no_order_and_is_shown(rigs, years):
    off = years * 365 * 86_400 * 1_000_000

    class Wrong:
        def now(self):
            return CLOCK.now() + off

        def monotonic(self):
            return CLOCK.monotonic()

    rig = await rigs()
    device = await rig.enrol(clock=Wrong(), offset=-off)
    unaware = await rig.enrol(clock=Wrong())
    for one in (device, unaware):
        async with rig.line(one) as line:
            await line.send(*[one.event() for _ in range(20)])
            await line.until_receipted(one.heads[Lane.TEXT])
    events = await rig.rows(schema.events)
    now = CLOCK.now()
    assert len(events) == 40
    assert all(abs(now - row.matched_at) < 30_000_000 for row in events)
    for row in await rig.rows(schema.devices):
        assert abs(row.clock_offset + off) < 30_000_000
    for one in (device, unaware):
        records = await rig.rows(schema.records, schema.records.c.device == one.device)
        by_number = [row.header for row in sorted(records, key=lambda row: row.sequence)]
        assert by_number == [envelope.header for _, envelope in one.spool]
    alerts = await rig.store.read(lambda conn: worst_first(conn, "oak"))
    assert not any(alert.late for alert in alerts)


async def test_a_second_stream_supersedes_the_first(rig):
    device = await rig.enrol()
    async with rig.line(device) as older, rig.line(device) as newer:
        code = await older.until_cut()
        assert code.name == "ABORTED"
        assert older.refusals[-1].reason is RefusalReason.SUPERSEDED
        await newer.send(device.event())
        await newer.until_receipted(device.heads[Lane.TEXT])


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
@pytest.mark.parametrize(
    "times", [10, pytest.param(100, marks=pytest.mark.deep)], ids=["10", "100"]
)
async def test_a_revoked_device_is_cut_off_within_a_second(rig, busy, times):
    for _ in range(times):
        device = await rig.enrol()
        async with rig.line(device) as line:

            async def chatter(device=device, line=line):
                while True:
                    await line.send(device.event())

            talking = asyncio.ensure_future(chatter()) if busy else None
            await asyncio.sleep(0.02)
            started = CLOCK.monotonic()
            await rig.book.deny(device.device)
            code = await line.until_cut()
            assert CLOCK.monotonic() - started < 1
            # A client in the middle of a write may see the cut line before the status.
            assert code.name == "PERMISSION_DENIED" or (busy and code.name == "INTERNAL")
            assert busy or line.refusals[-1].reason is RefusalReason.DENIED
            assert device.device not in rig.book.online()
            if talking:
                with pytest.raises((grpc.aio.AioRpcError, asyncio.InvalidStateError)):
                    await asyncio.wait_for(talking, 2)
        await asyncio.sleep(0.1)  # what was taken before the cut may still be on its way
        stored = await count(rig, schema.records)
        async with rig.line(device, greet=False) as line:
            await line.until_cut()
        assert await count(rig, schema.records) == stored


async def test_a_pending_device_waits_for_the_technician(rig):
    device = await rig.enrol(state=DeviceState.PENDING)
    async with rig.line(device, greet=False) as line:
        assert (await line.until_cut()).name == "PERMISSION_DENIED"
        assert line.refusals[-1].reason is RefusalReason.PENDING
    await rig.book.confirm(device.device)
    async with rig.line(device) as line:
        await line.send(device.event())
        await line.until_receipted(device.heads[Lane.TEXT])


async def test_a_certificate_is_renewed_over_the_stream(rig):
    device = await rig.enrol()
    before = rig.book.get(device.device).certificate
    async with rig.line(device) as line:
        csr = certs.der(certs.make_csr(device.key, "pc"))
        await line.say(RenewalRequest(csr=csr))
        renewal = await line.hear()
        assert isinstance(renewal, Renewal)
        other = certs.der(certs.make_csr(certs.new_key(), "pc"))
        await line.say(RenewalRequest(csr=other))
        assert "the key that the PC already has" in (await line.until_refused()).words
    assert rig.book.get(device.device).certificate == renewal.chain[0] != before


async def test_a_fast_device_is_held_back_and_others_are_not(rigs):
    limits = Limits(records_per_second=100, burst=50)
    rig = await rigs(limits=limits)
    flood, calm = await rig.enrol(), await rig.enrol()
    many = [flood.event() for _ in range(200)]
    async with rig.line(flood) as fast, rig.line(calm) as slow:
        sending = asyncio.ensure_future(fast.send(*many))
        waits = []
        for _ in range(10):
            started = CLOCK.monotonic()
            await slow.send(calm.event())
            await slow.until_receipted(calm.heads[Lane.TEXT])
            waits.append(CLOCK.monotonic() - started)
        assert max(waits) < 0.5
        refusal = await fast.until_refused()
        assert refusal.reason is RefusalReason.RATE
        assert refusal.retry_after_ms > 0
        await sending
        await fast.until_receipted(flood.heads[Lane.TEXT])
    assert len(await rig.rows(schema.events, schema.events.c.device == flood.device)) == 200


async def test_a_failed_commit_receipts_nothing_and_nothing_is_lost(rigs):
    class Failing(Recorder):
        fails = 0

        def main(self, batch, conn):
            if self.fails:
                self.fails -= 1
                raise CommitFailed("the disk is full")
            return super().main(batch, conn)

    recorder = Failing("oak")
    rig = await rigs(recorder=recorder)
    device = await rig.enrol()
    async with rig.line(device) as line:
        await line.send(device.event())
        await line.until_receipted(device.heads[Lane.TEXT])
        stored = device.heads[Lane.TEXT]
        recorder.fails = 1
        await line.send(device.event(), device.event())
        assert (await line.until_cut()).name == "UNAVAILABLE"
        assert line.refusals[-1].reason is RefusalReason.UNAVAILABLE
        assert line.receipts[Lane.TEXT] == stored
    async with rig.line(device) as line:
        await line.send(*[envelope for _, envelope in device.spool])
        await line.until_receipted(device.heads[Lane.TEXT])
    assert len(await rig.rows(schema.events)) == 3
    (alert,) = await rig.rows(schema.alerts)
    assert alert.events == 3


async def test_a_record_that_breaks_the_recorder_does_not_stop_the_others(rigs):
    class Choking(Recorder):
        def main(self, batch, conn):
            if any(record.header.device == choke.device for record in batch):
                raise ValueError("a bug")
            return super().main(batch, conn)

    rig = await rigs(recorder=Choking("oak"))
    choke, well = await rig.enrol(), await rig.enrol()
    async with rig.line(choke) as bad, rig.line(well) as good:
        await bad.send(choke.event())
        await good.send(well.event())
        await good.until_receipted(well.heads[Lane.TEXT])
        assert (await bad.until_refused()).reason is RefusalReason.MALFORMED


async def test_orphans_are_swept_and_records_keep_their_parts(rig):
    device = await rig.enrol()
    event = new_event(CLOCK)
    async with rig.line(device) as line:
        text = device.event(event=event, picture=PictureState.FOLLOWS)
        await line.send(text, device.picture(event))
        await line.until_receipted(device.heads[Lane.PICTURE])
        lost = [device.event(), device.event()]
        await line.send(lost[1])  # its key is written, and then the record is refused
        await line.until_refused()
    await rig.store.write_pictures(
        lambda conn: (
            conn.execute(
                schema.picture_parts.insert().values(
                    school="oak",
                    event=b"o" * 16,
                    digest=b"d",
                    device="d",
                    ciphertext=b"x",
                    received_at=1,
                )
            )
            and None
        )
    )
    early = await sweep(rig.store, "oak", now=CLOCK.now())
    assert (early.keys, early.pictures) == (0, 1)
    late = await sweep(rig.store, "oak", now=CLOCK.now() + 2 * GRACE)
    assert (late.keys, late.pictures) == (1, 0)
    keys = await rig.store.read_keys(lambda c: c.execute(schema.part_keys.select()).all())
    assert sorted(row.part for row in keys) == [1, 2]


async def test_malformed_messages_are_refused_in_words_and_stop_nobody(rig):
    well = await rig.enrol()
    loop = asyncio.get_running_loop()

    async def said(bad, message):
        async with rig.line(bad) as line, rig.line(well) as its:
            await line.say_bytes(message)
            refusal = await line.until_refused()
            await its.send(well.event())
            await its.until_receipted(well.heads[Lane.TEXT])
        return refusal

    @settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
    @given(
        how=st.sampled_from(["noise", "flip", "cut", "empty", "hello", "account", "swap"]),
        field=st.sampled_from(["header", "signature", "sealed", "account_salt"]),
        at=st.floats(0, 1, exclude_max=True),
        bit=st.integers(0, 7),
        noise=st.binary(max_size=300),
        text=st.text(st.characters(codec="utf-8"), max_size=20),
    )
    def try_them(**drawn):
        bad = asyncio.run_coroutine_threadsafe(rig.enrol(), loop).result(10)
        message = malformed(bad, **drawn)
        refusal = asyncio.run_coroutine_threadsafe(said(bad, message), loop).result(10)
        assert refusal.words

    # Hypothesis is not asynchronous: it runs beside the loop, and asks it.
    await asyncio.to_thread(try_them)
    assert await rig.rows(schema.events, schema.events.c.device != well.device) == []


def malformed(device, *, how, field, at, bit, noise, text):
    envelope = device.event()
    message = pb.AgentMessage()
    target = message.envelope
    target.header, target.signature = envelope.header, envelope.signature
    target.sealed, target.account = envelope.sealed, envelope.account
    target.account_salt = envelope.account_salt
    raw = bytearray(getattr(target, field))
    if how == "noise":
        setattr(target, field, noise)
    elif how == "flip":
        raw[int(at * len(raw))] ^= 1 << bit
        setattr(target, field, bytes(raw))
    elif how == "cut":
        setattr(target, field, bytes(raw[: int(at * len(raw))]))
    elif how == "empty":
        return pb.AgentMessage()
    elif how == "hello":
        return pb.AgentMessage(hello=pb.Hello(agent_version="1", sent_at=1))
    elif how == "account":
        target.account = text
    else:
        target.sealed = device.event(plain=b"another").sealed
    return message


async def test_a_stream_begins_with_a_hello(rig):
    device = await rig.enrol()
    async with rig.line(device, greet=False) as line:
        await line.send(device.event())
        assert (await line.until_cut()).name == "FAILED_PRECONDITION"
        assert line.refusals[-1].reason is RefusalReason.NOT_HELLO


async def test_a_silent_stream_is_ended(rigs):
    rig = await rigs(limits=Limits(hello_seconds=0.2))
    device = await rig.enrol()
    async with rig.line(device, greet=False) as line:
        assert (await line.until_cut()).name == "FAILED_PRECONDITION"


async def test_what_is_too_large_or_sealed_to_another_key_is_refused(rig):
    device = await rig.enrol()
    async with rig.line(device) as line:
        await line.send(device.event(plain=bytes(100_000)))
        assert (await line.until_refused()).reason is RefusalReason.TOO_LARGE
        device.evidence_key = seal.public_half(seal.new_private_key())
        await line.send(device.event())
        assert (await line.until_refused()).reason is RefusalReason.UNKNOWN_KEY


async def test_a_thousand_forged_claims_are_nobody_else(rigs):
    rig = await rigs(limits=Limits(records_per_second=1e6, burst=1e6))
    victim, forger = await rig.enrol(), await rig.enrol()
    claims = []
    for n in range(1000):
        claimed = Device("oak", rig.evidence_key, device=victim.device, key=victim.key)
        if n % 4 == 0:  # names the victim, signed by the forger
            claimed.signs_as = forger.key
        elif n % 4 == 1:  # names the victim, signed by the victim: stolen from its line
            pass
        elif n % 4 == 2:  # another school
            claimed.school, claimed.device, claimed.key = "elm", forger.device, forger.key
        else:  # the forger's own name, another's signature
            claimed.device = forger.device
        claims.append(claimed.event())
    forged = [forger.event(account=f"S-1-5-{n}") for n in range(5)]
    # An account that the signature does not speak of: the user's claim.
    false_users = [replace(one, account="S-1-5-21-headteacher") for one in forged]
    async with rig.line(forger) as line:
        sending = asyncio.ensure_future(line.send(*claims, *false_users))
        while len(line.refusals) < 1005:
            await line.hear(20)
        await sending
        assert {refusal.reason for refusal in line.refusals} == {
            RefusalReason.WRONG_DEVICE,
            RefusalReason.WRONG_SCHOOL,
            RefusalReason.BAD_SIGNATURE,
            RefusalReason.BAD_DIGEST,
        }
    assert await rig.rows(schema.records) == []
    assert await rig.rows(schema.events) == []
