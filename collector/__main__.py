"""`redshank-collector`, with the exit codes of sysexits where they help a service manager.

0 done · 1 it failed, and the message says why · 2 wrong usage · 78 wrong configuration:
starting again changes nothing (systemd: `RestartPreventExitStatus=78`).
"""

import sys

from collector.cli import app
from collector.errors import CollectorError
from collector.settings import SettingsError
from keywords.pack import PackError

FAILED = 1
CONFIGURATION = 78


def main() -> None:
    """Run the command line and exit."""
    try:
        app()
    except SettingsError as error:
        _fail(error, CONFIGURATION)
    except (CollectorError, PackError) as error:
        wrong = any(kind.__name__ in _CONFIGURATION for kind in type(error).__mro__)
        _fail(error, CONFIGURATION if wrong else FAILED)


_CONFIGURATION = frozenset({"NotSetUp", "SecretsError", "DeskCertificateError", "SetupError"})
"""By name, so that a short command does not load the rooms that raise them."""


def _fail(error: Exception, code: int) -> None:
    print(f"redshank-collector: {error}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
