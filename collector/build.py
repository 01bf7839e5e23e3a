"""Puts the collector together from its settings. Nothing else constructs these parts."""

from collections.abc import Sequence
from functools import partial

from cryptography.exceptions import InvalidSignature
from cryptography.x509 import Certificate
from sqlalchemy.exc import SQLAlchemyError

from collector import alerts, secrets
from collector.alerts import AlertRow
from collector.audit import Audit
from collector.ca import CertificateAuthority
from collector.devices import DeviceBook
from collector.errors import CollectorError, StoreError
from collector.feed import Feed
from collector.metrics import Metrics
from collector.parts import Parts
from collector.policy import Policies
from collector.school import School, read_school
from collector.settings import Settings
from collector.store import Store
from collector.vault import Vault
from collector.web.lines import render_line
from wire.certs import Authority, CertificateRefused, read_certificate
from wire.clock import Clock, SystemClock

__all__ = ["NotSetUp", "Parts", "build"]


class NotSetUp(CollectorError):
    """The data directory holds no school yet."""


def build(settings: Settings, *, clock: Clock | None = None) -> Parts:
    """Open the store, read the keys, and make every part; `parts.store.close()` ends it.

    Raises:
        NotSetUp: setup has not run there.
        CollectorError: the store is in use, a key is missing, the school cannot be read.
    """
    clock = clock or SystemClock()
    if not (settings.data / "main.db").exists():
        raise NotSetUp(
            f"{settings.data}: no school is set up there; run `redshank-collector setup --data"
            f" {settings.data} …`, or name another directory by --data or REDSHANK_DATA"
        )
    kept = settings.secrets_directory
    for closed in (settings.data, kept):
        secrets.check_closed(closed)
    issuer_key = secrets.read_p256(kept / secrets.ISSUER)
    policy_key = secrets.read_ed25519(kept / secrets.POLICY)
    pseudonym_key = secrets.read_pseudonym_key(kept / secrets.PSEUDONYM)
    try:
        store = Store.open(settings.data)
    except SQLAlchemyError as error:
        raise StoreError(_damaged(settings, error)) from None
    try:
        school = store.read_now(read_school)
        issuer = Authority(_issuer(settings, school), issuer_key)
        feed = Feed(render_line, partial(_changed_since, store, school.id))
        audit = Audit(school.id, clock)
        feed.change = store.read_now(partial(alerts.last_change, school=school.id))
        return Parts(
            settings=settings,
            school=school,
            clock=clock,
            store=store,
            feed=feed,
            devices=DeviceBook(store, school.id),
            policies=Policies(
                store, school.id, clock, audit, key=policy_key, days=settings.policy_days
            ),
            ca=CertificateAuthority(school=school.id, root=school.root, issuer=issuer, clock=clock),
            vault=Vault(store, school.id, clock, idle=settings.vault_idle_minutes * 60),
            audit=audit,
            metrics=Metrics(),
            pseudonym_key=pseudonym_key,
        )
    except BaseException as error:
        store.close()
        if isinstance(error, SQLAlchemyError):
            raise StoreError(_damaged(settings, error)) from None
        raise


def _damaged(settings: Settings, error: SQLAlchemyError) -> str:
    return f"{settings.data}: the database cannot be read ({error.__cause__}); restore a backup"


async def _changed_since(store: Store, school: str, change: int) -> Sequence[AlertRow]:
    return await store.read(lambda conn: alerts.changed_since(conn, school, change))


def _issuer(settings: Settings, school: School) -> Certificate:
    path = settings.data / "certificates" / "issuer.pem"
    try:
        certificate = read_certificate(path.read_bytes())
        certificate.verify_directly_issued_by(school.root)
    except OSError as error:
        raise secrets.SecretsError(f"{path}: cannot be read ({error.strerror})") from None
    except (CertificateRefused, ValueError, TypeError, InvalidSignature):
        raise secrets.SecretsError(f"{path}: is not this school's issuer certificate") from None
    return certificate
