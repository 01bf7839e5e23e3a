"""Enumerations by their number, where several messages share them."""

from wire.codec.checks import table
from wire.event import AccountKind, Kind, Lane

LANES = table(Lane)
KINDS = table(Kind)
ACCOUNT_KINDS = table(AccountKind)
