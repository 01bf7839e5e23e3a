"""Pictures: grabbed at once, encoded in a process of its own, bounded in size, time and number."""

import io
import os
import random
import subprocess
import sys
import time

import pytest
from PIL import Image

from agent.session import picture
from agent.session.encode import ANSWER, REQUEST, EncodeError, encode
from agent.session.picture import (
    MOST_WAITING,
    TOO_MANY,
    WIDEST,
    Camera,
    PictureError,
    Pixels,
    encode_apart,
    grab,
)
from agent.session.sources.events import Rectangle
from wire.local import NoShot, Shot

WEBP = b"RIFF\x04\0\0\0WEBP"
"""The smallest thing that says of itself that it is one."""


def noise(width, height, seed=1):
    return Pixels(width, height, random.Random(seed).randbytes(width * height * 4))


def decoded(webp):
    return Image.open(io.BytesIO(webp))


def test_colours_and_sides_are_kept():
    pixels = bytes([200, 100, 30, 0]) * (120 * 80)  # blue, green, red, nothing
    width, height, webp = encode(120, 80, pixels, widest=WIDEST, most_bytes=100_000)
    image = decoded(webp)
    assert image.size == (width, height) == (120, 80)
    red, green, blue = image.convert("RGB").getpixel((60, 40))
    assert abs(red - 30) < 12
    assert abs(green - 100) < 12
    assert abs(blue - 200) < 12


def test_wide_screens_are_made_narrower():
    width, height, webp = encode(
        3840, 1080, bytes(3840 * 1080 * 4), widest=WIDEST, most_bytes=100_000
    )
    assert decoded(webp).size == (width, height) == (1920, 540)


def test_it_goes_down_until_it_fits():
    pixels = noise(800, 600)
    _, _, large = encode(800, 600, pixels.data, widest=WIDEST, most_bytes=10_000_000)
    width, height, small = encode(800, 600, pixels.data, widest=WIDEST, most_bytes=30_000)
    assert len(small) <= 30_000 < len(large)
    assert width < 800
    assert decoded(small).size == (width, height)


def test_what_cannot_fit_and_what_is_no_picture_is_refused():
    with pytest.raises(EncodeError):
        encode(300, 300, noise(300, 300).data, widest=WIDEST, most_bytes=50)
    for width, height, data in ((0, 5, b""), (5, 5, b"x"), (1 << 31, 1 << 31, b"")):
        with pytest.raises(EncodeError):
            encode(width, height, data, widest=WIDEST, most_bytes=1000)


def test_the_process_apart_does_the_same():
    pixels = noise(64, 48)
    expected = encode(64, 48, pixels.data, widest=WIDEST, most_bytes=100_000)
    assert encode_apart(pixels, 100_000) == expected


def test_a_cut_request_is_an_error_in_words():
    for request in (b"", b"x", REQUEST.pack(10, 10, 10, 10), REQUEST.pack(1, 1, 1, 99) + b"xxx"):
        done = subprocess.run(
            (sys.executable, "-m", "agent.session.encode"),
            input=request,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(("proto", "."))},
            timeout=20,
            check=False,
        )
        assert done.returncode == 1
        assert done.stdout == b""
        assert done.stderr
        assert b"Traceback" not in done.stderr


def script(text):
    return (sys.executable, "-c", text)


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        (("/nonexistent/python",), "did not start"),
        (script("import sys; sys.exit('no webp here')"), "no webp here"),
        (script("pass"), "failed"),
        (script("import sys; sys.stdin.buffer.read(); sys.stdout.write('abc')"), "failed"),
        (script("import sys; sys.stdin.buffer.read(); sys.stdout.write('abcd' * 90)"), "failed"),
        (script("import os; os.kill(os.getpid(), 9)"), "failed"),
        (
            script("import sys; w = sys.stdout.buffer.write\nwhile True: w(bytes(99999))"),
            "more than was asked for",
        ),
    ],
)
def test_an_encoder_that_fails_says_why(encoder, words):
    with pytest.raises(PictureError, match=words):
        encode_apart(noise(200, 200), 1000, encoder)


@pytest.mark.parametrize("reads", [True, False])
def test_an_encoder_that_hangs_is_ended(monkeypatch, reads):
    monkeypatch.setattr(picture, "MOST_SECONDS", 0.5)
    text = f"import sys, time\nif {reads}: sys.stdin.buffer.read()\ntime.sleep(60)"
    began = time.monotonic()
    with pytest.raises(PictureError, match="took more"):
        encode_apart(noise(400, 400), 1000, script(text))
    assert time.monotonic() - began < 3


def test_one_at_a_time_and_few_wait():
    done, slow = (
        [],
        script(
            "import sys, time; sys.stdin.buffer.read(); time.sleep(0.4);"
            f"sys.stdout.buffer.write({ANSWER.pack(1, 1) + WEBP!r})"
        ),
    )
    camera = Camera(done.append, grabber=lambda _: noise(8, 8), encoder=slow)
    for number in range(MOST_WAITING + 3):
        camera.take(number.to_bytes(16, "big"), None, taken_at=1, most_bytes=1000)
        time.sleep(0.05)
    camera.finish(10)
    shots = [one for one in done if isinstance(one, Shot)]
    refused = [one for one in done if isinstance(one, NoShot)]
    assert (len(shots), len(refused)) == (MOST_WAITING + 1, 2)
    assert {one.why for one in refused} == {TOO_MANY}
    assert [one.event for one in shots] == sorted(one.event for one in shots)
    assert shots[0].of == "all monitors"
    camera.take(bytes(16), Rectangle(0, 0, 1, 1), taken_at=1, most_bytes=1000)
    camera.finish(10)
    assert done[-1].of == "window"


def test_a_grab_that_fails_is_told():
    done = []

    def broken(_):
        raise PictureError("no screen")

    Camera(done.append, grabber=broken).take(bytes(16), None, taken_at=1, most_bytes=1)
    assert done == [NoShot(event=bytes(16), why="no screen")]


@pytest.mark.screen
def test_a_real_grab(on_screen):
    pixels = grab(Rectangle(-50, 1000, 200, 500))
    assert (pixels.width, pixels.height, len(pixels.data)) == (150, 80, 150 * 80 * 4)
    whole = grab(None)
    assert (whole.width, whole.height) == (1920, 1080)
    with pytest.raises(PictureError):
        grab(Rectangle(5000, 5000, 10, 10))


@pytest.mark.screen
def test_a_grab_without_a_screen(monkeypatch):
    monkeypatch.setenv("DISPLAY", "")
    with pytest.raises(PictureError):
        grab(None)
