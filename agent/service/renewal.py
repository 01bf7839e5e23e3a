"""The device's certificate is renewed: over the stream each month, over HTTPS once it expired."""

import logging
import subprocess
from collections.abc import Sequence

from agent.service.identity import Files, Identity, IdentityError
from wire.event import Renewal

_log = logging.getLogger(__name__)
_EVENT = {"event": "renewal"}


class Renewer:
    """Holds the identity with its newest certificate; one thread at a time changes it."""

    def __init__(self, files: Files, identity: Identity, request_command: Sequence[str]) -> None:
        self._files = files
        self._request_command = request_command
        self.identity = identity

    def ask(self) -> bytes | None:
        """A request (DER) for a new certificate; None if none could be made."""
        # In a process of its own: x509 would stay in ours for good.
        try:
            done = subprocess.run(  # noqa: S603  # our own command
                [*self._request_command, str(self._files.state)],
                capture_output=True,
                timeout=60,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            _log.warning("no renewal was asked for: %s", error, extra=_EVENT)
            return None
        return done.stdout

    def take(self, renewal: Renewal) -> None:
        """Take a new certificate into use if it is ours; the next stream is made with it."""
        from agent.service import enrol  # noqa: PLC0415  # once a month

        try:
            self.identity = enrol.install(self._files, self.identity, renewal.chain)
        except (enrol.EnrolError, IdentityError, OSError) as error:
            _log.warning("a renewal was refused: %s", error, extra=_EVENT)
            return
        _log.info("the certificate was renewed", extra=_EVENT)

    def over_https(self) -> str:
        """Renew by proof of the old key; why it failed, empty if it did not."""
        from agent.service import enrol  # noqa: PLC0415  # after a long holiday

        try:
            self.identity = enrol.renew(self._files, self.identity)
        except (enrol.EnrolError, IdentityError, OSError) as error:
            _log.warning("renewal over HTTPS failed: %s", error, extra=_EVENT)
            return str(error)
        _log.info("the certificate was renewed over HTTPS", extra=_EVENT)
        return ""
