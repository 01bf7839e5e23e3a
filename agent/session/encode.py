"""Turn raw pixels into WebP: `python -m agent.session.encode`, a process that lives for one picture.

Reads from its input, in network byte order: width, height, the widest and the most
bytes allowed (four bytes each), then width x height pixels as BGRX. Writes width,
height (four bytes each) and the WebP. It goes down in quality, then in size, until
the picture fits. PIL is imported here alone, so that its memory ends with the process.
"""

import io
import struct
import sys

REQUEST = struct.Struct("!IIII")
ANSWER = struct.Struct("!II")
MOST_PIXELS = 16384 * 8192
QUALITIES = (60, 45, 30)
_METHOD = 2  # 161 ms for a screen of text where 4 takes twice that for 5% fewer bytes
_SMALLER = 0.7
_NARROWEST = 200


def is_webp(data: bytes) -> bool:
    """Whether this is a WebP by its container (RFC 9649, section 2.4), as long as it says."""
    length = int.from_bytes(data[4:8], "little") + 8
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP" and length == len(data)


class EncodeError(Exception):
    """The picture cannot be encoded within its bounds."""


def encode(
    width: int, height: int, pixels: bytes, *, widest: int, most_bytes: int
) -> tuple[int, int, bytes]:
    """Width, height and WebP of BGRX pixels, at most `widest` wide and `most_bytes` long.

    Raises:
        EncodeError: the sides and the pixels disagree, or it does not fit.
    """
    from PIL import Image  # noqa: PLC0415 - heavy: only where a picture is made

    if not 0 < width * height <= MOST_PIXELS or len(pixels) != width * height * 4:
        raise EncodeError("the pixels do not fit the picture's sides")
    image = Image.frombuffer("RGB", (width, height), pixels, "raw", "BGRX", 0, 1)
    if width > widest:
        image = image.resize((widest, max(1, height * widest // width)), Image.Resampling.BILINEAR)
    while True:
        for quality in QUALITIES:
            out = io.BytesIO()
            image.save(out, "WEBP", quality=quality, method=_METHOD)
            if out.tell() <= most_bytes:
                return image.width, image.height, out.getvalue()
        if image.width * _SMALLER < _NARROWEST:
            raise EncodeError(f"the picture does not fit in {most_bytes} bytes")
        image = image.resize(
            (int(image.width * _SMALLER), max(1, int(image.height * _SMALLER))),
            Image.Resampling.BILINEAR,
        )


def main() -> int:
    """One picture from standard input to standard output; 1 with words if it fails."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    try:
        width, height, widest, most_bytes = REQUEST.unpack(source.read(REQUEST.size))
        pixels = source.read()
        width, height, webp = encode(width, height, pixels, widest=widest, most_bytes=most_bytes)
    except (EncodeError, struct.error, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sink.write(ANSWER.pack(width, height) + webp)
    return 0


if __name__ == "__main__":
    sys.exit(main())
