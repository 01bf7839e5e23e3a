"""The recovery sheet: what the school's root opens, and the page that keeps it.

The root is a P-256 key whose private number (32 bytes, big-endian) is written as 24
words of BIP-39's English list, checksum included. From it alone can be had:

- the root itself, which signs keys and the agents' CA;
- the evidence key, from the wrap under `recovery` in the database (`collector.vault`);
- the pseudonym key, from the line on the sheet:
      nonce (12) ‖ AES-256-GCM(key, nonce, pseudonym key), in base32 without padding,
      key = HKDF-SHA256(root number, salt = school id, info = "redshank pseudonym recovery v1"),
      associated data = the info again

So the line may be copied, the words must not be.
"""

import base64
import binascii
import os
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from mnemonic import Mnemonic

from collector.errors import CollectorError
from wire.root import root_from_scalar

WORDS: Final = 24
_NONCE_BYTES: Final = 12
_PSEUDONYM_INFO: Final = b"redshank pseudonym recovery v1"


class RecoveryError(CollectorError):
    """The words or the line are not what the sheet says."""


def root_from(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The root from its private number.

    Raises:
        RecoveryError: it is not a number that P-256 has.
    """
    try:
        return root_from_scalar(secret)
    except ValueError:
        raise RecoveryError("these words are no root key") from None


def to_words(secret: bytes) -> tuple[str, ...]:
    """Thirty-two bytes as 24 words."""
    return tuple(Mnemonic("english").to_mnemonic(secret).split())


def from_words(text: str) -> bytes:
    """The 32 bytes again; case, numbers and line breaks between the words do not matter.

    Raises:
        RecoveryError: a word is not in the list, there are not 24, or the checksum is wrong.
    """
    list_ = Mnemonic("english")
    words = [word for word in text.lower().split() if not word.strip(".):").isdecimal()]
    unknown = [number for number, word in enumerate(words, 1) if word not in list_.wordlist]
    if unknown:
        raise RecoveryError(f"word {unknown[0]} is not in the list of words: read it again")
    if len(words) != WORDS:
        raise RecoveryError(f"there are {len(words)} words; the sheet has {WORDS}")
    try:
        return bytes(list_.to_entropy(words))
    except ValueError:
        raise RecoveryError(
            "every word is in the list, but together they are not right: one was misread,"
            " or two changed places"
        ) from None


def wrap_pseudonym(secret: bytes, pseudonym: bytes, *, school: str) -> str:
    """The pseudonym key as a line for the sheet."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_pseudonym_wrapping(secret, school)).encrypt(nonce, pseudonym, _PSEUDONYM_INFO)
    text = base64.b32encode(nonce + sealed).decode("ascii").rstrip("=").lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def unwrap_pseudonym(secret: bytes, line: str, *, school: str) -> bytes:
    """The pseudonym key from the line.

    Raises:
        RecoveryError: the line is mistyped, or belongs to another sheet.
    """
    text = "".join(line.split()).replace("-", "").upper()
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
        return AESGCM(_pseudonym_wrapping(secret, school)).decrypt(
            raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _PSEUDONYM_INFO
        )
    except (binascii.Error, InvalidTag, ValueError):
        raise RecoveryError("the pseudonym line is mistyped, or is of another sheet") from None


def _pseudonym_wrapping(secret: bytes, school: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, school.encode(), _PSEUDONYM_INFO).derive(secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What the page shows."""

    school_name: str
    school: str
    made_at: datetime
    fingerprint: str
    """SHA-256 of the root's certificate, hex: which root this is."""
    words: tuple[str, ...]
    pseudonym_line: str


def render_sheet(sheet: Sheet) -> str:
    """The sheet as one HTML page that needs nothing else and prints on one side of A4."""
    words = "".join(f"<li>{escape(word)}</li>" for word in sheet.words)
    code = segno.make(" ".join(sheet.words), error="m", micro=False)
    drawn = code.svg_inline(scale=3, border=4, omitsize=False)
    print_ = sheet.fingerprint
    fingerprint = " ".join(print_[at : at + 4] for at in range(0, len(print_), 4))
    return _PAGE.format(
        name=escape(sheet.school_name),
        school=escape(sheet.school),
        day=f"{sheet.made_at.day} {sheet.made_at:%B %Y}",
        words=words,
        code=drawn,
        fingerprint=escape(fingerprint),
        pseudonym=escape(sheet.pseudonym_line),
    )


_PAGE: Final = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Recovery sheet: {name}</title>
<style>
@page {{ size: A4; margin: 16mm }}
body {{ font: 11pt/1.45 "Liberation Sans", Arial, sans-serif; color: #111; background: #fff;
  max-width: 178mm; margin: 0 auto; padding: 8mm 0 }}
h1 {{ font-size: 19pt; margin: 0 }} h2 {{ font-size: 12pt; margin: 5mm 0 1mm }}
p {{ margin: 0 0 2mm }} ul {{ margin: 0; padding-left: 5mm }}
.rule {{ border: 1.5pt solid #111; padding: 3mm 4mm; margin: 4mm 0 }}
.key {{ display: flex; gap: 8mm; align-items: center }}
ol {{ columns: 3; margin: 0; padding-left: 9mm; flex: 1; font: 12.5pt/1.75 "Liberation Mono", monospace }}
code {{ font: 9.5pt/1.5 "Liberation Mono", monospace; overflow-wrap: anywhere }}
.signed {{ display: grid; grid-template-columns: 1fr 1fr; gap: 10mm; margin-top: 9mm }}
.signed div {{ border-top: .5pt solid #111; padding-top: 1mm; font-size: 9.5pt }}
</style>
</head>
<body>
<h1>Recovery sheet</h1>
<p>{name} ({school}), made on {day}. Redshank safeguarding monitoring.</p>
<div class="rule"><strong>Print this page on a printer that keeps no copy, put the paper into the
headteacher's safe in a sealed and signed envelope, and delete the file.</strong>
Do not photograph it, scan it, email it or type it into anything but Redshank's own
recovery commands.</div>
<h2>The school's root key</h2>
<div class="key"><ol>{words}</ol>{code}</div>
<p>The square holds the same 24 words.</p>
<h2>What it opens</h2>
<ul>
<li>All evidence that Redshank holds for this school, if every person who can open the vault
has gone or has forgotten the passphrase.</li>
<li>The authority over keys: only with it can the school appoint a new evidence key, a new
policy key or a new certificate authority that its PCs will accept.</li>
<li>With the line below, a restored server's memory of who is who.</li>
</ul>
<p>Whoever holds these words and a copy of the database can read every word and picture in it.
Without them, and without a passphrase, nobody can: not the supplier, not the technician.</p>
<h2>The pseudonym line (opens with the words alone)</h2>
<p><code>{pseudonym}</code></p>
<h2>Which root this is (SHA-256 of its certificate)</h2>
<p><code>{fingerprint}</code></p>
<h2>Once a year</h2>
<p>Take it out, run <code>redshank-collector recover-check</code> on the server, type the words,
and see that it says they fit. Write the date on the envelope.</p>
<div class="signed"><div>Put into the safe by, on</div><div>Witnessed by</div></div>
</body>
</html>
"""
