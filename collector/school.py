"""The school that this collector serves."""

import re
from dataclasses import dataclass
from typing import Final

from cryptography.x509 import Certificate, load_der_x509_certificate
from sqlalchemy import Connection, select

from collector.errors import CollectorError
from collector.store import schema

ID_FORM: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ID_MAX: Final = 40


class SchoolError(CollectorError):
    """There is no school in this database, or more than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """Whom the collector serves, and whose root its agents trust."""

    id: str
    """Lower case, digits and single hyphens; stands in every certificate and every key."""
    name: str
    root: Certificate


def check_id(school: str) -> str:
    """The id, if it has the form of one.

    Raises:
        ValueError: it has not; the message says what the form is.
    """
    if len(school) > ID_MAX or not ID_FORM.fullmatch(school):
        raise ValueError(
            f"a school's id is at most {ID_MAX} lower-case letters, digits and single hyphens,"
            " and starts with a letter, for example marsh-lane"
        )
    return school


def read_school(conn: Connection) -> School:
    """The one school of this database.

    Raises:
        SchoolError: setup has not run, or the database holds several.
    """
    rows = conn.execute(select(schema.schools)).all()
    if len(rows) != 1:
        raise SchoolError(
            "there is no school in this database: an earlier setup was cut short. Empty the data"
            " directory, delete that setup's recovery sheet, and run `redshank-collector setup`"
            if not rows
            else "this database holds several schools; this version serves one"
        )
    row = rows[0]
    return School(
        id=row.school, name=row.name, root=load_der_x509_certificate(row.root_certificate)
    )
