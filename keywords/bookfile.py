"""Packs made ready, as one file of arrays: built once, then mapped by whoever matches.

Layout: a file of arrays (`keywords.arrayfile`), then eight bytes: the CRC-32 of all up to the
end of its header, and that of all up to here, little-endian. The header has `release` (whose code
made it), `packs` (what is asked of each at a match), `codes` (characters to symbols), `longest`
and `sizes` (symbols of the tries). An entry, JSON in the array `entries`, is read when its term
is found, and not before. Nothing that only `check` needs is kept.

Invariant: whoever maps a book checks its header and its length, so that no offset is believed
that was not written; whoever keeps books checks every byte. A book is never mended but made anew.
"""

import hashlib
import json
import struct
import zlib
from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, overload

from keywords.arrayfile import ArrayFile, ArrayFileError, lay_out, mapped
from keywords.automaton import Automaton, Trie
from keywords.pack import Pack, Severity, Term
from keywords.phrasegraph import PhraseGraph
from keywords.termbook import Entry, TermBook

MAGIC: Final = b"RSBOOK1\n"
ENTRIES_KEPT: Final = 1024
_HEAD: Final = len(MAGIC) + 4
_CHECKS: Final = struct.Struct("<II")
_PACK_FIELDS: Final = (
    *("name", "category", "language", "version", "title", "four_c", "illegal", "see"),
    *("guidance", "fingerprint"),
)


def _release() -> str:
    """What tells the code that makes and reads books from that of another release."""
    digest = hashlib.sha256(MAGIC)
    sources = Path(__file__).parent
    for source in sorted((*sources.glob("*.py"), *sources.glob("*.txt"))):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


RELEASE: Final = _release()
"""Of the code as it was loaded."""


def write_book(book: TermBook) -> bytes:
    """A book as the bytes of its file."""
    packs: dict[int, int] = {}
    told: list[dict[str, Any]] = []
    rows: list[bytes] = []
    for entry in book.entries:
        if id(entry.pack) not in packs:
            packs[id(entry.pack)] = len(told)
            told.append({name: getattr(entry.pack, name) for name in _PACK_FIELDS})
        rows.append(json.dumps(_row(entry, packs[id(entry.pack)])).encode())
    arrays: dict[str, Any] = {f"spelling.{k}": v for k, v in book.spelling.arrays().items()}
    arrays |= {f"phrases.{k}": v for k, v in book.phrases.arrays().items()}
    sizes = {"spelling": book.spelling.size}
    if book.parts is not None:
        arrays |= {f"parts.{k}": v for k, v in book.parts.arrays().items()}
        sizes["parts"] = book.parts.size
        arrays["parted"] = array("i", (one for ones in book.parted for one in ones))
        arrays["parted_from"] = array("i", accumulate(map(len, book.parted), initial=0))
    arrays["entries"] = array("B", b"".join(rows))
    arrays["entries_from"] = array("i", accumulate(map(len, rows), initial=0))
    header = {
        "release": RELEASE,
        "packs": told,
        "codes": book.codes,
        "longest": book.longest,
        "sizes": sizes,
    }
    plain = {name: (part.typecode, part.tobytes()) for name, part in arrays.items()}
    laid = lay_out(MAGIC, header, plain)
    return laid + _CHECKS.pack(zlib.crc32(laid[: _head_of(laid)]), zlib.crc32(laid))


def check_whole(book: bytes | memoryview) -> None:
    """Look at every byte of a book.

    Raises:
        ArrayFileError: one of them is not as it was written.
    """
    end = len(book) - _CHECKS.size
    if end < 0 or zlib.crc32(book[:end]) != _CHECKS.unpack(book[end:])[1]:
        raise ArrayFileError("the book is cut or damaged")


def read_book(book: Path | bytes | memoryview) -> TermBook:
    """The book of a file, mapped; or of its bytes.

    Raises:
        ArrayFileError: it is not there, not whole, or of another release.
    """
    view = mapped(book) if isinstance(book, Path) else memoryview(book)
    end = len(view) - _CHECKS.size
    if bytes(view[: len(MAGIC)]) != MAGIC:
        raise ArrayFileError("this is no book of packs")
    if end < _HEAD or zlib.crc32(view[: _head_of(view)]) != _CHECKS.unpack(view[end:])[0]:
        raise ArrayFileError("the book is cut, or its header is damaged")
    file = ArrayFile(view[:end], MAGIC)
    if file.header.get("release") != RELEASE:
        raise ArrayFileError("the book was made by another release")
    try:
        sizes: dict[str, int] = file.header["sizes"]
        packs = tuple(_pack(row) for row in file.header["packs"])
        has_parts = "parts" in sizes
        return TermBook(
            spelling=Trie.of(_part(file, "spelling", Trie.ARRAYS), sizes["spelling"]),
            phrases=PhraseGraph.of(_part(file, "phrases", PhraseGraph.__slots__)),
            codes=dict(file.header["codes"]),
            entries=_Entries(file, packs),
            longest=int(file.header["longest"]),
            parts=Automaton.of(_part(file, "parts", Automaton.ARRAYS), sizes["parts"])
            if has_parts
            else None,
            parted=_parted(file) if has_parts else (),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ArrayFileError(f"its header is not whole: {error}") from error


def _head_of(book: bytes | memoryview) -> int:
    """Where the header ends."""
    return _HEAD + int.from_bytes(book[len(MAGIC) : _HEAD], "little")


def _part(file: ArrayFile, name: str, fields: Sequence[str]) -> dict[str, memoryview]:
    return {field: file.array(f"{name}.{field}") for field in fields}


def _parted(file: ArrayFile) -> tuple[tuple[int, ...], ...]:
    all_of, starts = file.array("parted"), file.array("parted_from")
    return tuple(tuple(all_of[starts[at] : starts[at + 1]]) for at in range(len(starts) - 1))


def _row(entry: Entry, pack: int) -> list[Any]:
    term = entry.term
    return [
        *(pack, term.id, int(term.severity), term.says, term.within),
        *(term.only_in, term.first_person, term.ages),
        *(sorted(entry.near), sorted(entry.unless), sorted(entry.unless_then), entry.hold),
    ]


def _pack(row: Mapping[str, Any]) -> Pack:
    return Pack(**{**row, "see": tuple(row["see"]), "terms": ()})


class _Entries(Sequence[Entry]):
    """The entries, each read from the file when it is asked for."""

    def __init__(self, file: ArrayFile, packs: tuple[Pack, ...]) -> None:
        self._rows = file.array("entries")
        self._from = file.array("entries_from")
        self._packs = packs
        self._known = lru_cache(maxsize=ENTRIES_KEPT)(self._read)

    def __len__(self) -> int:
        return len(self._from) - 1

    @overload
    def __getitem__(self, number: int) -> Entry: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Entry]: ...
    def __getitem__(self, number: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(number, slice):
            return [self._known(one) for one in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self._known(number)

    def _read(self, number: int) -> Entry:
        row = json.loads(bytes(self._rows[self._from[number] : self._from[number + 1]]))
        pack, name, severity, says, within, only_in, first_person, ages, *conditions = row
        near, unless, unless_then, hold = conditions
        term = Term(
            id=name,
            phrases=(),
            severity=Severity(severity),
            match="",
            innocent="",
            says=tuple(says),
            within=within,
            only_in=tuple(only_in),
            first_person=first_person,
            ages=tuple(ages),
        )
        cues = (frozenset(near), frozenset(unless), frozenset(unless_then))
        return Entry(term, self._packs[pack], *cues, hold)
