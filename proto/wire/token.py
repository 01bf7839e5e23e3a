"""The enrolment token: what a technician pastes into one command line.

Layout: "rs1" ‖ base32 (RFC 4648, lower case, no padding) of 50 bytes:

    secret (16) ‖ trust (32) ‖ check (2)
    trust = SHA-256 of the root certificate in DER
    check = CRC-16/XMODEM (polynomial 0x1021) of the 48 bytes before it, big-endian

So 83 letters and digits that no shell, URL or command line changes. The check
finds every wrong character, every two neighbours swapped, and other damage with
a chance of 65,535 in 65,536; it is no defence, the secret is: 128 random bits,
of which the collector keeps the hash.

Failure rules: white space around is forgiven, and capital letters; else
`TokenError`, whose reason says what to do.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

SECRET_SIZE = 16
TRUST_SIZE = 32
PREFIX = "rs1"
LENGTH = 83

_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyz234567")


class TokenReason(StrEnum):
    """What is wrong with a token."""

    NO_TOKEN = "this is not an enrolment token: one begins with rs1"  # noqa: S105  # no password
    OTHER_VERSION = "this token is of another version: update this agent, or make a new token"
    CUT = "this token is cut: it has 83 characters; copy the whole of it"
    TOO_LONG = "this token is too long: it has 83 characters; copy only the token"
    MISTYPED = "this token is mistyped: copy it again, or compare it character by character"


class TokenError(ValueError):
    """A token cannot be read; the words say what is wrong and never show the token."""

    def __init__(self, reason: TokenReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The right to ask for a certificate, and whom to trust with that."""

    secret: bytes = field(repr=False)
    trust: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_SIZE or len(self.trust) != TRUST_SIZE:
            raise ValueError("a token has a secret of 16 bytes and a trust of 32")

    def text(self) -> str:
        """The token as it is pasted."""
        body = self.secret + self.trust
        body += binascii.crc_hqx(body, 0).to_bytes(2, "big")
        return PREFIX + base64.b32encode(body).decode().lower()


def new_token(trust: bytes) -> Token:
    """A token with a fresh secret. `trust` is SHA-256 of the root certificate in DER."""
    return Token(secret=secrets.token_bytes(SECRET_SIZE), trust=trust)


def read_token(text: str) -> Token:
    """The token from its text. Raises TokenError."""
    text = text.strip().lower()
    if not text.startswith(PREFIX):
        is_other = text.startswith("rs") and text[2:3].isdigit()
        raise TokenError(TokenReason.OTHER_VERSION if is_other else TokenReason.NO_TOKEN)
    letters = text[len(PREFIX) :]
    if not _ALPHABET.issuperset(letters):
        raise TokenError(TokenReason.MISTYPED)
    if len(text) != LENGTH:
        raise TokenError(TokenReason.CUT if len(text) < LENGTH else TokenReason.TOO_LONG)
    body = base64.b32decode(letters.upper())
    if binascii.crc_hqx(body, 0) != 0:
        raise TokenError(TokenReason.MISTYPED)
    return Token(secret=body[:SECRET_SIZE], trust=body[SECRET_SIZE : SECRET_SIZE + TRUST_SIZE])
