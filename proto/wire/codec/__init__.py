"""Dataclasses to bytes and back, strictly.

Each `encode_` and `pack_` checks what it is given, each `decode_` and `unpack_`
what it was sent, by the same rules: sizes of ids, hashes, digests and salts, the
form of codes, known numbers of enumerations, messages that must be there, length
of lists and texts. What breaks a rule raises `CodecError` with words that name
the field, and never a value, since values may be what somebody typed.

Rules of the format that protobuf does not know:
- An enumeration's zero is 'not said'; it is refused where something must be said.
- Whole numbers fit 63 bits, so that a database column holds them.
- Fields that are not known are ignored, so that a newer end can add; what may
  not be ignored raises `schema`, and another schema is refused.
- What is signed (header, statement, policy) is kept as sent. Decoding it and
  encoding it again is not promised to give the same bytes.

The generated protobuf classes stop here and at the two gRPC ends.
"""

from wire.codec.checks import CodecError
from wire.codec.messages import pack_agent, pack_collector, unpack_agent, unpack_collector
from wire.codec.records import decode_header, encode_header
from wire.codec.trust import (
    decode_policy,
    decode_signed_key,
    decode_signed_policy,
    decode_statement,
    encode_policy,
    encode_signed_key,
    encode_signed_policy,
    encode_statement,
)

__all__ = [
    "CodecError",
    "decode_header",
    "decode_policy",
    "decode_signed_key",
    "decode_signed_policy",
    "decode_statement",
    "encode_header",
    "encode_policy",
    "encode_signed_key",
    "encode_signed_policy",
    "encode_statement",
    "pack_agent",
    "pack_collector",
    "unpack_agent",
    "unpack_collector",
]
