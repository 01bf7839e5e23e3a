"""After a restart, with nobody signed in, nothing planted can be read: not on the disk, not in memory.

Two hundred sentences, names and accounts go up through real sealed envelopes, and one in
ten has a picture. Then the collector is started again, somebody visits the desk's first
page, and every file of the data directory and every readable byte of the process are
searched, in the encodings in which they could lie there. Root reads the memory: nothing in
a process can keep root out, so there must be nothing to find.
"""

import io
import secrets
import signal
from pathlib import Path

import pytest
from PIL import Image

from tests.collector.serving import PASSPHRASE, PASSWORD, Serving, make_school, remove_template
from tests.collector.test_serve import device_of, in_thread, line_of
from wire.details import Details, Picture, Who, encode_details, encode_picture
from wire.event import AccountKind, Lane, PictureState

ITEMS = 200
WITH_PICTURE = 10
RUN = secrets.token_hex(8)
"""Stands in every planted text, so that one search finds any of them."""
PLAIN = {RUN.encode(), RUN.encode("utf-16-le"), RUN.upper().encode()}
MARK = b"control-needle-that-must-be-found-"


@pytest.fixture(scope="module", autouse=True)
def _template():
    yield
    remove_template()


class Planted:
    """What one event holds that nobody may read."""

    def __init__(self, number):
        tag = f"{RUN}{number:03}"
        self.sentence = f"planted sentence {number} about the grey heron {tag}"
        self.account = f"S-1-5-21-77-{number}-{tag}"
        self.name = f"Planted Pupil {tag}"
        self.address = f"https://planted.example/{tag}"
        self.webp = _webp() if number % WITH_PICTURE == 0 else b""

    def details(self):
        who = Who(
            account=self.account,
            kind=AccountKind.PERSON,
            login=self.account[-12:],
            full_name=self.name,
            host="LAB2-14",
        )
        return encode_details(
            Details(
                who=who,
                before="just before ",
                matched=self.sentence,
                after=" and after",
                application="Editor",
                window_title=f"{self.name} writes",
                address=self.address,
            )
        )


def _webp():
    image = Image.frombytes("RGB", (64, 64), secrets.token_bytes(64 * 64 * 3))
    out = io.BytesIO()
    image.save(out, "WEBP", quality=60)
    return out.getvalue()


async def plant(running, items):
    """Send every item up, and wait until each is receipted."""
    pc = await in_thread(running.enrol)
    device, line = device_of(pc), line_of(running, pc)
    await line.greet(device)
    for item in items:
        shows = PictureState.FOLLOWS if item.webp else PictureState.BY_POLICY
        envelope = device.event(account=item.account, picture=shows, plain=item.details())
        await line.send(envelope)
        if item.webp:
            from wire.codec import decode_header  # noqa: PLC0415

            event = decode_header(envelope.header).event
            shot = Picture(
                webp=item.webp, width=64, height=64, taken_at=device.clock.now(), of="window"
            )
            await line.send(device.picture(event, encode_picture(shot)))
    for lane in (Lane.TEXT, Lane.PICTURE):
        await line.until_receipted(device.heads[lane], within=30)
    await line.close()


def found_in(needles, chunks):
    """Which needles stand in the chunks; each chunk overlaps the next by more than a needle."""
    found = set()
    for chunk in chunks:
        found |= {needle for needle in needles if needle not in found and needle in chunk}
    return found


def files_of(directory):
    for path in sorted(Path(directory).rglob("*")):
        if path.is_file():
            yield path.read_bytes()


def memory_of(pid, *, most=64 << 20):
    """Every readable byte of a process, as a core image would hold it."""
    overlap = 4096
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            if "r" not in rights or line.rstrip().endswith(
                ("[vvar]", "[vsyscall]", "[vvar_vclock]")
            ):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            at = start
            while at < end:
                size = min(most, end - at)
                try:
                    memory.seek(at)
                    yield memory.read(size)
                except (OSError, ValueError):
                    break
                at += size - overlap if at + size < end else size


@pytest.mark.root
@pytest.mark.timeout(240)
async def test_nothing_planted_is_readable_after_a_restart(tmp_path):
    made = make_school(tmp_path)
    items = [Planted(number) for number in range(ITEMS)]
    needles = PLAIN | {item.webp[40:104] for item in items if item.webp}
    assert len(needles) == len(PLAIN) + ITEMS // WITH_PICTURE
    assert all(found_in(PLAIN, [item.details()]) for item in items)
    running = await in_thread(Serving(made).__enter__)
    try:
        await plant(running, items)
        assert await in_thread(running.stop, signal.SIGKILL) == -signal.SIGKILL
        assert found_in(needles, files_of(made.data)) == set()

        running = await in_thread(Serving(made).__enter__)
        status, _ = await in_thread(running.get, "desk", "/signin")
        assert status == 200
        # The search works: what is public is found where it is.
        room = MARK + secrets.token_hex(8).encode()
        await in_thread(running.ask, "enrol-token", room=room.decode())
        image = await in_thread(found_in, needles | {room}, memory_of(running.process.pid))
        assert image == {room}
        assert found_in(needles | {room}, files_of(made.data)) == {room}
        assert found_in(needles, [str(running.log).encode()]) == set()
    finally:
        await in_thread(running.__exit__)


@pytest.mark.root
async def test_no_secret_of_a_person_is_in_memory_before_they_sign_in(tmp_path):
    made = make_school(tmp_path)
    running = await in_thread(Serving(made).__enter__)
    try:
        needles = {PASSWORD.encode(), PASSPHRASE.encode()}
        image = await in_thread(found_in, needles, memory_of(running.process.pid))
        assert image == set()
        assert found_in(needles, files_of(made.data)) == set()
    finally:
        await in_thread(running.__exit__)
