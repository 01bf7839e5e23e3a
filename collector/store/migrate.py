"""Brings a file's tables up to date when it is opened.

The steps are in `migrations/FILE/`, in order; `alembic_version` of each file says
where it stands. A test holds that the steps and the tables agree. `migrations/__main__.py`
drafts a step after a change of `schema`.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData

from collector.store import tables
from collector.store.writer import FileWriter

METADATA: dict[str, MetaData] = {
    "main": tables.main,
    "pictures": tables.pictures,
    "keys": tables.keys,
}
STEPS = Path(__file__).with_name("migrations")


def upgrade(writer: FileWriter, name: str) -> None:
    """Apply the steps that the file has not seen, all in one transaction."""

    def job(connection: Connection) -> None:
        command.upgrade(config_for(name, connection), "head")

    writer.commit([job])[0].result()


def config_for(name: str, connection: Connection) -> Config:
    """Tell Alembic which file's steps to take, and on which connection."""
    config = Config()
    config.set_main_option("script_location", str(STEPS))
    config.set_main_option("version_locations", str(STEPS / name))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "step_%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    config.attributes["metadata"] = METADATA[name]
    return config
