"""Makes a school: its root, its keys, its first lead, its first policy, its recovery sheet.

Done once, in an empty data directory:

    collector.toml             settings
    main.db, pictures.db, …    the store (`collector.store`)
    certificates/              root.pem, issuer.pem, desk.pem
    secrets/                   the server's own keys (`collector.secrets`)

The root's private key is in memory until the sheet is written, and then nowhere but on
the sheet. The private evidence key leaves memory only wrapped. If anything fails, what
was made is removed, the sheet too.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection, insert
from sqlalchemy.exc import SQLAlchemyError

from collector import secrets, staff, vault
from collector.audit import Act, Audit
from collector.desk_certificate import check_pair, in_utc, self_signed
from collector.errors import CollectorError, CommitFailed
from collector.permissions import Role
from collector.policy import DAY, store_signed
from collector.recovery import Sheet, render_sheet, to_words, wrap_pseudonym
from collector.rules import default_rules, desk_place
from collector.school import check_id
from collector.settings import FILE_NAME, Settings, split_address
from collector.store import Store, schema
from keywords.pack import load_packs
from wire import certs, codec, root
from wire.clock import Clock
from wire.event import KeyStatement, PackText, Policy, Purpose, SignedKey
from wire.seal import key_id

PASSPHRASE_MIN: Final = 15
PASSPHRASE_MAX: Final = 256
KEY_DAYS: Final = 3_653
"""Ten years: how long the root vouches for the evidence key and the policy key."""
NAME_MAX: Final = 120


class SetupError(CollectorError):
    """Setup cannot be done as asked; nothing was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to make."""

    data: Path
    school: str
    name: str
    host: str
    dsl_login: str
    dsl_name: str
    password: str = field(repr=False)
    passphrase: str = field(repr=False)
    sheet: Path
    packs: tuple[Path, ...]
    """The packs of the first policy."""
    desk: tuple[Path, Path] | None = None
    """The school's own desk certificate and key; None: a self-signed one."""
    settings: Mapping[str, str | int] = field(default_factory=dict)
    """Further settings for the file, by name."""
    policy_days: int = 90

    @property
    def desk_place(self) -> str:
        """By what the desk is never captured."""
        listens = str(
            self.settings.get("desk_listen", Settings.model_fields["desk_listen"].default)
        )
        return desk_place(self.host, split_address(listens)[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was made, to tell the technician."""

    root_fingerprint: str
    sheet: Path
    config: Path
    desk_self_signed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    root: certs.Authority
    issuer: certs.Authority
    evidence: X25519PrivateKey
    policy: Ed25519PrivateKey
    audit: Ed25519PrivateKey
    pseudonym: bytes
    signed: tuple[SignedKey, ...]

    @property
    def evidence_id(self) -> bytes:
        return key_id(self.evidence.public_key().public_bytes_raw())


def setup(wanted: Wanted, clock: Clock) -> Made:
    """Make the school.

    Raises:
        SetupError: something wanted is wrong, or the directory is not empty.
        StaffError, DeskCertificateError, PackError: the part that they speak of is wrong.
    """
    now = clock.now()
    password_hash = _check(wanted, now)
    packs = read_packs(wanted.packs)
    keys = _make_keys(wanted.school, now)
    _make_directory(wanted.data)
    try:
        _make(wanted, keys, packs, password_hash=password_hash, clock=clock)
    except BaseException as error:
        _empty(wanted.data)
        if isinstance(error, OSError | SQLAlchemyError | CommitFailed):
            raise SetupError(
                f"{wanted.data}: cannot be written ({_words_of(error)}); what was made is removed"
                " again"
            ) from None
        raise
    return Made(
        root_fingerprint=certs.trust_of(keys.root.certificate).hex(),
        sheet=wanted.sheet,
        config=wanted.data / FILE_NAME,
        desk_self_signed=wanted.desk is None,
    )


def _make(
    wanted: Wanted,
    keys: _Keys,
    packs: tuple[PackText, ...],
    *,
    password_hash: str,
    clock: Clock,
) -> None:
    now = clock.now()
    _write_files(wanted, keys, now)
    # Durable before the school is: a school whose root is on no sheet could never be recovered.
    _write_sheet(wanted, keys, now)
    try:
        store = Store.open(wanted.data)
        try:
            store.write_now(
                lambda conn: _fill(
                    conn, wanted, keys, packs, password_hash=password_hash, clock=clock
                )
            )
        finally:
            store.close()
    except BaseException:
        wanted.sheet.unlink(missing_ok=True)
        raise


def read_packs(paths: tuple[Path, ...]) -> tuple[PackText, ...]:
    """Packs as they travel, each read and checked first.

    Raises:
        PackError: a pack is not wholly right; the message names file, line and field.
        SetupError: there is none.
    """
    if not paths:
        raise SetupError("there is no pack to make a policy of")
    return tuple(
        PackText(name=pack.name, version=pack.version, text=path.read_bytes())
        for path, pack in zip(paths, load_packs(paths), strict=True)
    )


def _check(wanted: Wanted, now: int) -> str:
    try:
        check_id(wanted.school)
    except ValueError as error:
        raise SetupError(str(error)) from None
    if not wanted.name.strip() or len(wanted.name) > NAME_MAX or not wanted.name.isprintable():
        raise SetupError(f"a school's name has 1 to {NAME_MAX} printable characters")
    if not PASSPHRASE_MIN <= len(wanted.passphrase) <= PASSPHRASE_MAX:
        raise SetupError(
            f"the vault's passphrase has {PASSPHRASE_MIN} to {PASSPHRASE_MAX} characters; four or"
            " five words that nobody would put together are good"
        )
    if wanted.passphrase == wanted.password:
        raise SetupError("the vault's passphrase must not be the password for signing in")
    if wanted.data.exists() and (not wanted.data.is_dir() or any(wanted.data.iterdir())):
        raise SetupError(
            f"{wanted.data}: is not empty. If a school is set up there already, it stays as it is;"
            " give another directory for a new one. If an earlier setup was cut short there, empty"
            " the directory and delete that setup's recovery sheet first"
        )
    if wanted.sheet.exists():
        raise SetupError(f"{wanted.sheet}: is there already; it is not written over")
    if not wanted.sheet.absolute().parent.is_dir():
        raise SetupError(f"{wanted.sheet.absolute().parent}: is no directory")
    if wanted.sheet.resolve().is_relative_to(wanted.data.resolve()):
        raise SetupError("the recovery sheet must not lie in the data directory")
    if wanted.desk is not None:
        check_pair(*wanted.desk, now=in_utc(now))
    return staff.hash_password(wanted.password)


def _make_keys(school: str, now: int) -> _Keys:
    root_key, issuer_key = root.new_root(), certs.new_key()
    root_authority = certs.Authority(certs.make_root(root_key, school, now), root_key)
    issuer = certs.make_issuer(root_authority, issuer_key.public_key(), school, now)
    evidence, policy = X25519PrivateKey.generate(), Ed25519PrivateKey.generate()

    def sign(purpose: Purpose, public: bytes) -> SignedKey:
        statement = KeyStatement(
            school=school,
            purpose=purpose,
            public_key=public,
            epoch=1,
            not_before=now - DAY,
            not_after=now + KEY_DAYS * DAY,
        )
        return root.sign_key(statement, root_key)

    return _Keys(
        root=root_authority,
        issuer=certs.Authority(issuer, issuer_key),
        evidence=evidence,
        policy=policy,
        audit=Ed25519PrivateKey.generate(),
        pseudonym=os.urandom(secrets.PSEUDONYM_BYTES),
        signed=(
            sign(Purpose.EVIDENCE, evidence.public_key().public_bytes_raw()),
            sign(Purpose.POLICY, policy.public_key().public_bytes_raw()),
        ),
    )


def _make_directory(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
        data.chmod(0o700)
        for name in ("secrets", "certificates"):
            (data / name).mkdir(mode=0o700)
    except OSError as error:
        raise SetupError(f"{data}: cannot be made ({error.strerror})") from None


def _write_files(wanted: Wanted, keys: _Keys, now: int) -> None:
    kept, public = wanted.data / "secrets", wanted.data / "certificates"
    secrets.write_private(kept / secrets.ISSUER, secrets.as_pem(keys.issuer.key))
    secrets.write_private(kept / secrets.POLICY, secrets.as_pem(keys.policy))
    secrets.write_private(kept / secrets.AUDIT, secrets.as_pem(keys.audit))
    secrets.write_private(kept / secrets.PSEUDONYM, keys.pseudonym.hex().encode() + b"\n")
    secrets.write_private(public / "root.pem", certs.pem(keys.root.certificate).encode())
    secrets.write_private(public / "issuer.pem", certs.pem(keys.issuer.certificate).encode())
    if wanted.desk is None:
        key, certificate = self_signed(wanted.host, now=in_utc(now))
        desk_certificate, desk_key = certs.pem(certificate).encode(), secrets.as_pem(key)
    else:
        desk_certificate, desk_key = (path.read_bytes() for path in wanted.desk)
    secrets.write_private(public / "desk.pem", desk_certificate)
    secrets.write_private(kept / secrets.DESK, desk_key)
    lines = [f"{name} = {json.dumps(value)}" for name, value in _settings(wanted).items()]
    text = "# Every setting is described in docs/settings.md.\n" + "\n".join(lines) + "\n"
    secrets.write_private(wanted.data / FILE_NAME, text.encode())


def _settings(wanted: Wanted) -> dict[str, str | int]:
    data = os.fspath(wanted.data.absolute())
    return {"data": data, "host": wanted.host, **wanted.settings}


def _write_sheet(wanted: Wanted, keys: _Keys, now: int) -> None:
    secret = root.scalar_of(keys.root.key)
    page = render_sheet(
        Sheet(
            school_name=wanted.name,
            school=wanted.school,
            made_at=in_utc(now),
            fingerprint=certs.trust_of(keys.root.certificate).hex(),
            words=to_words(secret),
            pseudonym_line=wrap_pseudonym(secret, keys.pseudonym, school=wanted.school),
        )
    )
    try:
        secrets.write_private(wanted.sheet, page.encode())
    except FileExistsError:
        raise SetupError(f"{wanted.sheet}: is there already; it is not written over") from None
    except OSError as error:
        wanted.sheet.unlink(missing_ok=True)
        raise SetupError(f"{wanted.sheet}: cannot be written ({error.strerror})") from None


def _fill(
    conn: Connection,
    wanted: Wanted,
    keys: _Keys,
    packs: tuple[PackText, ...],
    *,
    password_hash: str,
    clock: Clock,
) -> None:
    now, school = clock.now(), wanted.school
    conn.execute(
        insert(schema.schools).values(
            school=school,
            name=wanted.name.strip(),
            created_at=now,
            change=0,
            root_certificate=certs.der(keys.root.certificate),
        )
    )
    for signed in keys.signed:
        statement = codec.decode_statement(signed.statement)
        conn.execute(
            insert(schema.school_keys).values(
                school=school,
                key_id=key_id(statement.public_key),
                purpose=int(statement.purpose),
                epoch=statement.epoch,
                statement=signed.statement,
                signature=signed.signature,
            )
        )
    lead = staff.add(
        conn,
        school,
        login=wanted.dsl_login,
        name=wanted.dsl_name,
        role=Role.DSL,
        password_hash=password_hash,
        now=now,
    )
    private = keys.evidence.private_bytes_raw()
    for_lead = vault.wrap_for(wanted.passphrase, private, keys.evidence_id)
    for_sheet = vault.recovery_wrap(root.scalar_of(keys.root.key), private, keys.evidence_id)
    vault.keep_wrap(conn, school, staff=lead.staff, key_id=keys.evidence_id, wrap=for_lead, now=now)
    vault.keep_wrap(
        conn, school, staff=vault.RECOVERY, key_id=keys.evidence_id, wrap=for_sheet, now=now
    )
    policy = Policy(
        school=school,
        version=1,
        issued_at=now,
        expires_at=now + wanted.policy_days * DAY,
        packs=packs,
        evidence=default_rules(wanted.desk_place),
        keys=(keys.signed[0],),
    )
    store_signed(conn, policy, keys.policy, now=now)
    Audit(school, clock).append(
        conn, Act(action="school_made", object=f"school:{school}", detail="policy=1")
    )


def _words_of(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(getattr(error, "orig", None) or error)


def _empty(data: Path) -> None:
    for child in data.iterdir():
        if child.is_dir():
            shutil.rmtree(child)
        else:
            child.unlink()
