"""Who may do what: one table, and nothing beside it.

Each route of the desk has a name, and each name a row here; an application with
a route that has none is not built. `NOBODY` stands for someone who is not signed
in. A technician sees devices and never evidence; governors see counts.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """What a member of staff is here."""

    DSL = "dsl"
    DEPUTY = "deputy"
    COORDINATOR = "coordinator"
    HEADTEACHER = "headteacher"
    SENIOR_LEADER = "senior_leader"
    TECHNICIAN = "technician"
    GOVERNOR = "governor"
    CHAIR = "chair_of_governors"
    PROTECTION_OFFICER = "data_protection_officer"
    NOBODY = "nobody"


TITLES: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.DSL: "Designated safeguarding lead",
        Role.DEPUTY: "Deputy safeguarding lead",
        Role.COORDINATOR: "Online safety coordinator",
        Role.HEADTEACHER: "Headteacher",
        Role.SENIOR_LEADER: "Senior leader",
        Role.TECHNICIAN: "Technician",
        Role.GOVERNOR: "Governor",
        Role.CHAIR: "Chair of governors",
        Role.PROTECTION_OFFICER: "Data protection officer",
        Role.NOBODY: "Nobody",
    }
)

STAFF: Final = frozenset(Role) - {Role.NOBODY}
ANYONE: Final = frozenset(Role)
SAFEGUARDING: Final = frozenset({Role.DSL, Role.DEPUTY, Role.COORDINATOR})
DEVICES: Final = SAFEGUARDING | {Role.TECHNICIAN}
COUNTS: Final = SAFEGUARDING | {
    Role.GOVERNOR,
    Role.CHAIR,
    Role.SENIOR_LEADER,
    Role.HEADTEACHER,
    Role.PROTECTION_OFFICER,
}
AUDITORS: Final = frozenset({Role.PROTECTION_OFFICER, Role.HEADTEACHER})

TABLE: Final[Mapping[str, frozenset[Role]]] = MappingProxyType(
    {
        "static": ANYONE,
        "signin_page": ANYONE,
        "signin": ANYONE,
        "signout": STAFF,
        "home": STAFF,
        "alerts": SAFEGUARDING,
        "live": SAFEGUARDING,
        "alert": SAFEGUARDING,
        "acknowledge": SAFEGUARDING,
        "false_alarm": SAFEGUARDING,
        "names": SAFEGUARDING,
        "picture": SAFEGUARDING,
        "vault": SAFEGUARDING,
        "unlock": SAFEGUARDING,
        "lock": SAFEGUARDING,
        "devices": DEVICES,
        "warning_seen": DEVICES,
        "counts": COUNTS,
        "audit": AUDITORS,
    }
)

REVEAL: Final = SAFEGUARDING
"""Who may open evidence at all; asked again by `collector.reveal`, whatever the route."""


class NoRowError(Exception):
    """A route has no row in the table; the application is not built."""


def allowed(route: str, role: Role) -> bool:
    """Whether the role may use the route.

    Raises:
        NoRowError: the table does not know the route.
    """
    row = TABLE.get(route)
    if row is None:
        raise NoRowError(f"the route '{route}' has no row in collector.permissions.TABLE")
    return role in row
