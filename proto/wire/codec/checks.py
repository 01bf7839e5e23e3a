"""The rules that a field can break, and how they are worded."""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any, Protocol, TypeVar

from google.protobuf.message import DecodeError

from wire.ids import IDENTIFIER

CODE = re.compile(r"[a-z_]{1,40}")
PACK = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8})*/[a-z0-9_-]{1,40}")
TERM = re.compile(r"[A-Za-z0-9_.:/-]{1,80}")

HASH_SIZE = 32
EPOCH_SIZE = 16
EVENT_SIZE = 16
KEY_ID_SIZE = 16
SALT_SIZE = 32
LARGEST = (1 << 63) - 1

E = TypeVar("E", bound=IntEnum)


class CodecError(ValueError):
    """A message breaks the format; the words name the field, never its value."""


class Parsed(Protocol):
    """A generated class: all that parsing needs."""

    def ParseFromString(self, serialized: bytes, /) -> Any:  # noqa: N802  # protobuf's name
        """Fill from bytes."""
        ...


M = TypeVar("M", bound=Parsed)


def parse(empty: M, data: bytes, what: str) -> M:
    """`empty`, filled from `data`."""
    try:
        empty.ParseFromString(data)
    except (DecodeError, TypeError):
        raise CodecError(f"{what} is cut or is not one at all") from None
    return empty


def table(kind: type[E]) -> Mapping[int, E]:
    """An enumeration's members by number: thirteen times as fast as calling the class."""
    return {int(member): member for member in kind}


def member(known: Mapping[int, E], number: int, what: str) -> E:
    """The member with that number."""
    found = known.get(number)
    if found is None:
        raise CodecError(f"{what} {number} is not known" if number else f"{what} is not said")
    return found


def optional(known: Mapping[int, E], number: int, what: str) -> E | None:
    """The member with that number; none for zero."""
    return member(known, number, what) if number else None


def number_of(value: IntEnum | None) -> Any:
    """An enumeration's number; the stubs ask for classes that do not exist at run time."""
    return 0 if value is None else int(value)


def sized(value: bytes, size: int, what: str) -> None:
    """Refuse bytes of another length."""
    if len(value) != size:
        raise CodecError(f"{what} has {len(value)} bytes instead of {size}")


def some(value: bytes, most: int, what: str) -> None:
    """Refuse no bytes, and too many."""
    if not value:
        raise CodecError(f"{what} is empty")
    if len(value) > most:
        raise CodecError(f"{what} has {len(value)} bytes, more than {most}")


def matching(value: str, pattern: re.Pattern[str], what: str) -> None:
    """Refuse text of another form."""
    if pattern.fullmatch(value) is None:
        raise CodecError(f"{what} does not have the form {pattern.pattern}")


def identifier(value: str, what: str) -> None:
    """Refuse what cannot be a school's or a device's id."""
    matching(value, IDENTIFIER, what)


def short(value: str, most: int, what: str) -> None:
    """Refuse text that is too long, or that UTF-8 cannot hold."""
    if len(value) > most:
        raise CodecError(f"{what} has {len(value)} characters, more than {most}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise CodecError(f"{what} holds half a surrogate pair") from None


def counted(value: int, most: int, what: str, *, least: int = 0) -> None:
    """Refuse a number out of bounds."""
    if not least <= value <= most:
        raise CodecError(f"{what} is not between {least} and {most}")


def few(values: Sequence[Any] | Iterable[Any], most: int, what: str) -> None:
    """Refuse a list that is too long."""
    length = len(values)  # type: ignore[arg-type]  # protobuf's containers know their length
    if length > most:
        raise CodecError(f"{what} has {length} entries, more than {most}")
