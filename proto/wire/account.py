"""What a signed header says of an account: SHA-256(salt ‖ account id), and no more.

The account id (SID, object id, or realm and uid) and its 32 random bytes of salt
travel beside the header. The collector checks that they give this digest, makes
the pseudonym and drops them; without the salt the digest cannot be guessed at.
"""

import hashlib
import hmac
import secrets

SALT_SIZE = 32


def new_salt() -> bytes:
    """A fresh salt."""
    return secrets.token_bytes(SALT_SIZE)


def account_digest(account: str, salt: bytes) -> bytes:
    """The 32 bytes for a header. Raises ValueError for a salt of another size."""
    if len(salt) != SALT_SIZE:
        raise ValueError(f"a salt has {SALT_SIZE} bytes, not {len(salt)}")
    return hashlib.sha256(salt + account.encode()).digest()


def is_account(account: str, salt: bytes, digest: bytes) -> bool:
    """Whether the header's digest speaks of this account."""
    return len(salt) == SALT_SIZE and hmac.compare_digest(account_digest(account, salt), digest)
