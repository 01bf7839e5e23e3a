"""HPKE (RFC 9180) written out, with a chosen ephemeral key: what the vectors are made with.

Base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. It shares no code
with what it is held against, and is nobody's to seal with: its ephemeral key is known.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEM = b"KEM\x00\x20"
_HPKE = b"HPKE\x00\x20\x00\x01\x00\x02"


def _extract(suite, salt, label, material):
    data = b"HPKE-v1" + suite + label + material
    return hmac.digest(salt or bytes(32), data, hashlib.sha256)


def _expand(suite, key, label, info, length):
    info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    out, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes((counter,)), hashlib.sha256)
        out += block
    return out[:length]


def seal(plain, public_key, info, ephemeral):
    """Enc ‖ ciphertext, from a private ephemeral key of 32 bytes."""
    sender = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = sender.public_key().public_bytes_raw()
    shared = sender.exchange(X25519PublicKey.from_public_bytes(public_key))
    prk = _extract(_KEM, b"", b"eae_prk", shared)
    secret = _expand(_KEM, prk, b"shared_secret", enc + public_key, 32)
    context = (
        b"\x00"
        + _extract(_HPKE, b"", b"psk_id_hash", b"")
        + _extract(_HPKE, b"", b"info_hash", info)
    )
    schedule = _extract(_HPKE, secret, b"secret", b"")
    key = _expand(_HPKE, schedule, b"key", context, 32)
    nonce = _expand(_HPKE, schedule, b"base_nonce", context, 12)
    return enc + AESGCM(key).encrypt(nonce, plain, b"")
