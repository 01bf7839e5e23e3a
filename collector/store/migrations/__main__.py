"""Drafts the next step of a file: `python -m collector.store.migrations FILE "what changes"`."""

import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from collector.store.migrate import STEPS, config_for, upgrade
from collector.store.writer import FileWriter


def main(name: str, message: str) -> None:
    """Write what lies between the last step and `schema` as a new step, for a person to check."""
    number = len(list((STEPS / name).glob("step_*.py"))) + 1
    with tempfile.TemporaryDirectory() as folder:
        writer = FileWriter(Path(folder) / f"{name}.db")
        upgrade(writer, name)

        def job(connection: Connection) -> None:
            config = config_for(name, connection)
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")

        writer.commit([job])[0].result()
        writer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
