"""`python -m agent.session --socket PATH`: the session process, as the service starts it."""

import argparse
import logging
import sys

from agent.session.watcher import main as watch


def main() -> int:
    """Read the command line and watch until ended."""
    parser = argparse.ArgumentParser(
        prog="python -m agent.session", description="Watch this session for its service."
    )
    parser.add_argument("--socket", required=True, help="where the service listens")
    parser.add_argument("--verbose", action="store_true", help="say more on standard error")
    given = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO if given.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    return watch(given.socket)


if __name__ == "__main__":
    sys.exit(main())
