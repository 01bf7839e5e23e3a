"""What an administrator may set: flat, a flag over the environment over a TOML file.

Every setting has a name in lower case. In the environment it is `REDSHANK_NAME`; for a
secret, `REDSHANK_NAME_FILE` names a file that holds it. The file is `collector.toml` in
the data directory unless `--config` or `REDSHANK_CONFIG` names another.
`docs/settings.md` lists them all, and a test holds that list against these classes.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from collector.errors import CollectorError

PREFIX = "REDSHANK_"
FILE_NAME = "collector.toml"
_PORTS = 65_535
_SECRET_MAX_BYTES = 4096


class SettingsError(CollectorError):
    """A setting is missing or wrong. The message names it and says how to mend it."""


def split_address(address: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port` as a pair.

    Raises:
        ValueError: it is neither.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdigit():
        raise ValueError("must look like host:port, for example 0.0.0.0:8443")
    if int(port) > _PORTS:
        raise ValueError("the port must be 65535 at most")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address stands in brackets, for example [::]:8443")
    return host, int(port)


def join_address(host: str, port: int) -> str:
    """Host and port as one text; `split_address` takes them apart again."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_address(address: str) -> str:
    split_address(address)
    return address


Address = Annotated[str, AfterValidator(_check_address)]


class SecretFiles(PydanticBaseSettingsSource):
    """Reads `REDSHANK_NAME_FILE` for each setting that is a secret."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The file's text without its last line break."""
        if SecretStr not in (field.annotation, *get_args(field.annotation)):
            return None, field_name, False
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        return (None if path is None else read_secret(Path(path))), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Every secret that a file gives."""
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class TomlFile(PydanticBaseSettingsSource):
    """Reads the settings file that was named or found."""

    def __init__(self, settings_cls: type[BaseSettings], values: Mapping[str, Any]) -> None:
        super().__init__(settings_cls)
        self._values = values

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 (the base class asks for it)
        """What the file says of one setting."""
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Everything the file says."""
        return dict(self._values)


class _Flat(BaseSettings):
    """What all our settings share: the prefix, the order of sources, frozen values."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (a .env file is not read: one file is enough)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (ours names the file outright)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flag over environment over secret file over settings file."""
        sources = (init_settings, env_settings, SecretFiles(settings_cls))
        file = _FILE_VALUES.get(settings_cls)
        return sources if file is None else (*sources, TomlFile(settings_cls, file))


_FILE_VALUES: dict[type[BaseSettings], Mapping[str, Any]] = {}
"""The settings file's values while `load` builds the one class that has a file."""


class Settings(_Flat):
    """How the collector runs."""

    data: Path = Field(
        default=Path("/var/lib/redshank-collector"),
        description="The data directory that `setup` made: databases, certificates, settings file.",
    )
    secrets: Path | None = Field(
        default=None,
        description="Where the issuer's, policy's, audit's and pseudonym keys lie; never backed up"
        " with the database. Unset: `secrets` in the data directory.",
    )
    host: str = Field(
        min_length=1,
        max_length=253,
        pattern=r"^[A-Za-z0-9.:-]+$",
        description="The name by which PCs and browsers reach this server.",
    )
    desk_listen: Address = Field(
        default="0.0.0.0:8443", description="Where the desk (HTTPS, for people) listens."
    )
    enrol_listen: Address = Field(
        default="0.0.0.0:8444", description="Where enrolment and renewal (HTTPS, for PCs) listen."
    )
    uplink_listen: Address = Field(
        default="0.0.0.0:8445", description="Where the agents' uplink (gRPC over mTLS) listens."
    )
    uplink_public: Address | None = Field(
        default=None,
        description="What agents are told to connect to, where a router changes the port."
        " Unset: `host` and the uplink's port.",
    )
    ops_listen: Address = Field(
        default="127.0.0.1:9464",
        description="Where /healthz, /readyz and /metrics are answered, without TLS."
        " Must be a loopback address.",
    )
    control: Path | None = Field(
        default=None,
        description="The Unix socket that commands use. Unset: `control.sock` in the data"
        " directory.",
    )
    desk_certificate: Path | None = Field(
        default=None,
        description="The desk's certificate chain (PEM). Unset: the one that `setup` put in place.",
    )
    desk_key: Path | None = Field(
        default=None, description="The private key of the desk's certificate (PEM, 0600)."
    )
    message_max_bytes: int = Field(
        default=4_194_304,
        ge=1_200_000,
        le=16_777_216,
        description="The largest message a PC may send, in bytes.",
    )
    picture_max_pixels: int = Field(
        default=16_000_000,
        ge=100_000,
        le=100_000_000,
        description="The largest picture that is decoded for showing, in pixels.",
    )
    records_per_second: int = Field(
        default=500,
        ge=1,
        le=100_000,
        description="Records a second that are taken from one PC; one that sends more has to wait.",
    )
    session_hours: int = Field(
        default=10, ge=1, le=24, description="After how many hours a person signs in again."
    )
    session_idle_minutes: int = Field(
        default=60,
        ge=5,
        le=600,
        description="After how many idle minutes a person signs in again.",
    )
    vault_idle_minutes: int = Field(
        default=15,
        ge=1,
        le=120,
        description="After how many idle minutes a person's vault locks itself.",
    )
    policy_days: int = Field(
        default=90,
        ge=7,
        le=366,
        description="How many days a policy is valid. It is issued anew when a third is left.",
    )
    disk_reserve_mb: int = Field(
        default=500,
        ge=0,
        description="Below this much free disk (MB) a warning is logged and /readyz says so.",
    )
    log_level: str = Field(
        default="info",
        pattern=r"^(debug|info|warning|error)$",
        description="How much is logged: debug, info, warning, error. Captured text never is.",
    )

    @property
    def secrets_directory(self) -> Path:
        """Where the server's own keys lie."""
        return self.secrets or self.data / "secrets"

    @property
    def control_path(self) -> Path:
        """The Unix socket for commands."""
        return self.control or self.data / "control.sock"

    @property
    def desk_files(self) -> tuple[Path, Path]:
        """The desk's certificate chain and its key."""
        certificates = self.data / "certificates"
        return (
            self.desk_certificate or certificates / "desk.pem",
            self.desk_key or self.secrets_directory / "desk.key",
        )

    @classmethod
    def load(cls, *, config: Path | None = None, **flags: Any) -> Self:
        """Settings from flags, environment and file; a flag that is None was not given.

        Raises:
            SettingsError: one is missing, unknown or wrong.
        """
        given = {name: value for name, value in flags.items() if value is not None}
        path = config or _config_path(given.get("data"))
        values = _read_toml(path, required=config is not None)
        _FILE_VALUES[cls] = values
        try:
            return cls(**given)
        except ValidationError as error:
            raise SettingsError(explain(error, path)) from None
        finally:
            del _FILE_VALUES[cls]

    @classmethod
    def check(cls, **values: Any) -> None:
        """Refuse values that could not be settings.

        Raises:
            SettingsError: one is wrong.
        """
        try:
            cls(**values)
        except ValidationError as error:
            raise SettingsError(explain(error)) from None


class SetupAnswers(_Flat):
    """What `setup` must be told. Only what is asked once; the rest are `Settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    dsl_password: SecretStr | None = Field(
        default=None, description="The first DSL's password for signing in, 12 characters or more."
    )
    dsl_passphrase: SecretStr | None = Field(
        default=None,
        description="The first DSL's vault passphrase, 15 characters or more; not the password.",
    )


def read_secret(path: Path) -> str:
    """A secret from its file, without the last line break.

    Raises:
        SettingsError: it cannot be read, is empty, too long, or not text.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_SECRET_MAX_BYTES + 1)
        text = raw.decode().rstrip("\r\n")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is not UTF-8 text") from None
    if not text:
        raise SettingsError(f"{path}: is empty; it should hold one secret")
    if len(raw) > _SECRET_MAX_BYTES:
        raise SettingsError(f"{path}: is longer than {_SECRET_MAX_BYTES} bytes")
    return text


def explain(error: ValidationError, path: Path | None = None) -> str:
    """A pydantic error as sentences for an administrator, without the values."""
    where = "" if path is None else f" (flag, REDSHANK_ environment, or {path})"
    lines = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        name = ".".join(str(part) for part in item["loc"]) or "settings"
        if item["type"] == "missing":
            lines.append(f"{name}: is not set{where}")
        elif item["type"] == "extra_forbidden":
            lines.append(f"{name}: there is no such setting{where}")
        else:
            lines.append(f"{name}: {item['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def _config_path(data: Path | str | None) -> Path:
    named = os.environ.get(f"{PREFIX}CONFIG")
    if named:
        return Path(named)
    base = data or os.environ.get(f"{PREFIX}DATA") or Settings.model_fields["data"].default
    return Path(base) / FILE_NAME


def _read_toml(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if required:
            raise SettingsError(f"{path}: there is no such file") from None
        return {}
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from None
    nested = sorted(name for name, value in values.items() if isinstance(value, dict | list))
    if nested:
        raise SettingsError(f"{path}: {nested[0]}: settings are flat, without tables or lists")
    return values
