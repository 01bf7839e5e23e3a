"""Account ids, where they travel beside a salt."""

from wire.codec.checks import SALT_SIZE, CodecError, short, sized

MOST_ACCOUNT = 512


def check_account(account: str, salt: bytes, *, required: bool) -> None:
    """Refuse an account without its salt, and the other way round."""
    short(account, MOST_ACCOUNT, "account")
    if account or required:
        sized(salt, SALT_SIZE, "account_salt")
    if not account and (salt or required):
        raise CodecError("account is not said")
