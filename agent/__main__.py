"""`python -m agent`, and `redshank-agent`."""

import sys


def main() -> int:
    """Run the command line."""
    from agent.cli import main as run  # noqa: PLC0415  # a session process loads less this way

    return run()


if __name__ == "__main__":
    sys.exit(main())
