"""The agents' uplink: gRPC over mutual TLS 1.3, with a certificate that renews itself.

`wire.tls.require_tls13` must run before this module is imported: it imports gRPC.
"""

from importlib.metadata import version

import grpc

from collector.ca import CertificateAuthority, ServerIdentity
from collector.ingest.limits import Limits
from collector.ingest.parts import UplinkParts
from collector.parts import Parts


class UplinkCredentials:
    """What the uplink shows and what it demands; the newest certificate at each handshake."""

    def __init__(self, ca: CertificateAuthority, identity: ServerIdentity) -> None:
        self._ca = ca
        self._configuration = self._configure(identity)
        self.credentials = grpc.dynamic_ssl_server_credentials(
            self._configuration, self._newest, require_client_authentication=True
        )

    def renew(self, identity: ServerIdentity) -> None:
        """Show another certificate from the next handshake on."""
        self._configuration = self._configure(identity)

    def _configure(self, identity: ServerIdentity) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(identity.key_pem, identity.chain_pem)], root_certificates=self._ca.trusted
        )

    def _newest(self) -> grpc.ServerCertificateConfiguration:
        return self._configuration


def uplink_parts(parts: Parts) -> UplinkParts:
    """What the uplink needs of the rest."""
    return UplinkParts(
        school=parts.school.id,
        clock=parts.clock,
        store=parts.store,
        feed=parts.feed,
        devices=parts.devices,
        pseudonym_key=parts.pseudonym_key,
        policy=lambda: parts.policies.current,
        policy_version=lambda: parts.policies.version,
        renew=parts.ca.renew,
        version=version("redshank"),
        limits=Limits(
            message_bytes=parts.settings.message_max_bytes,
            records_per_second=float(parts.settings.records_per_second),
        ),
        tally=parts.metrics.tally,
    )
