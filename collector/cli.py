"""The commands of `redshank-collector`."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from collector.asking import ask_secret, chosen_secret
from collector.control import ask
from collector.desk_certificate import in_utc
from collector.errors import CollectorError
from collector.settings import Settings, SettingsError, SetupAnswers
from wire.clock import SystemClock

app = typer.Typer(
    name="redshank-collector",
    help="The school's server of Redshank: takes in events, keeps evidence sealed, shows the desk.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
devices = typer.Typer(help="The PCs that are enrolled.", no_args_is_help=True)
policy = typer.Typer(help="What the PCs look for, and what they may keep.", no_args_is_help=True)
app.add_typer(devices, name="devices")
app.add_typer(policy, name="policy")

Data = Annotated[
    Path | None,
    typer.Option(help="The data directory. Also REDSHANK_DATA.", file_okay=False),
]
Config = Annotated[
    Path | None,
    typer.Option(help="The settings file. Unset: collector.toml in the data directory."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Languages = Annotated[
    list[str] | None,
    typer.Option("--language", help="Of the packs that came along, as en, cy, pl; repeatable."),
]


@app.command("setup")
def make_school(
    *,
    school: Annotated[str, typer.Option(help="The school's name.")],
    id_: Annotated[str, typer.Option("--id", help="Its short id, for example marsh-lane.")],
    host: Annotated[
        str, typer.Option(help="The name by which PCs and browsers reach this server.")
    ],
    dsl_login: Annotated[str, typer.Option(help="What the first DSL signs in with.")],
    dsl_name: Annotated[str, typer.Option(help="The first DSL's name.")],
    sheet: Annotated[Path, typer.Option(help="Where to write the recovery sheet (HTML).")],
    data: Data = None,
    desk_cert: Annotated[
        Path | None, typer.Option(help="The desk's certificate chain (PEM).")
    ] = None,
    desk_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="A file with the DSL's password, instead of asking.")
    ] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="A file with the vault's passphrase, instead of asking.")
    ] = None,
    packs: Annotated[
        Path | None, typer.Option(help="A folder of keyword packs. Unset: those that came along.")
    ] = None,
    language: Languages = None,
    desk_listen: Annotated[str | None, typer.Option(help="host:port of the desk.")] = None,
    enrol_listen: Annotated[str | None, typer.Option(help="host:port of enrolment.")] = None,
    uplink_listen: Annotated[str | None, typer.Option(help="host:port of the uplink.")] = None,
    ops_listen: Annotated[str | None, typer.Option(help="host:port of health and figures.")] = None,
) -> None:
    """Make the school: its keys, its first DSL, its first policy, its recovery sheet."""
    from collector import setup  # noqa: PLC0415 - the database toolkit costs each command 0.3 s
    from collector.packs import find_packs  # noqa: PLC0415

    listens = {
        "desk_listen": desk_listen,
        "enrol_listen": enrol_listen,
        "uplink_listen": uplink_listen,
        "ops_listen": ops_listen,
    }
    chosen = {name: value for name, value in listens.items() if value is not None}
    where = data or Path(os.environ.get("REDSHANK_DATA") or Settings.model_fields["data"].default)
    Settings.check(data=where, host=host, **chosen)
    if os.environ.get("REDSHANK_SECRETS"):
        raise SettingsError(
            f"setup makes the keys in {where / 'secrets'}: unset REDSHANK_SECRETS, run setup, move"
            " that folder, then set it again"
        )
    if (desk_cert is None) != (desk_key is None):
        raise CollectorError("--desk-cert and --desk-key belong together")
    answers = SetupAnswers()
    password = chosen_secret(password_file, answers.dsl_password) or ask_secret(
        f"Password for {dsl_login}", "12 characters or more"
    )
    passphrase = chosen_secret(passphrase_file, answers.dsl_passphrase) or ask_secret(
        "Passphrase of the vault", "15 characters or more; another than the password"
    )
    made = setup.setup(
        setup.Wanted(
            data=where,
            school=id_,
            name=school,
            host=host,
            dsl_login=dsl_login,
            dsl_name=dsl_name,
            password=password,
            passphrase=passphrase,
            sheet=sheet,
            packs=find_packs(packs, language or ()),
            desk=None if desk_cert is None or desk_key is None else (desk_cert, desk_key),
            settings=chosen,
        ),
        SystemClock(),
    )
    print(f"{school} is set up in {where}.")
    print(f"Its root: SHA-256 {made.root_fingerprint}")
    if made.desk_self_signed:
        print(
            "The desk signs its own certificate for now: browsers will warn. Put the school's own"
            " in place (settings desk_certificate and desk_key) before it is used in earnest."
        )
    print(
        f"\nTHE RECOVERY SHEET IS IN {made.sheet}. Print it now, put the paper into the"
        "\nheadteacher's safe, and delete the file. Whoever holds it can open all evidence;"
        "\nwithout it, lost passphrases mean lost evidence.\n"
    )
    print(f"Next: redshank-collector serve --data {where}")


@app.command()
def serve(
    *,
    data: Data = None,
    config: Config = None,
    desk_listen: Annotated[str | None, typer.Option(help="host:port of the desk.")] = None,
    enrol_listen: Annotated[str | None, typer.Option(help="host:port of enrolment.")] = None,
    uplink_listen: Annotated[str | None, typer.Option(help="host:port of the uplink.")] = None,
    ops_listen: Annotated[str | None, typer.Option(help="host:port of health and figures.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Run the collector until it is stopped."""
    from wire.tls import require_tls13  # noqa: PLC0415

    require_tls13()
    from collector import logs  # noqa: PLC0415
    from collector.serve import run  # noqa: PLC0415 - gRPC only after TLS 1.3 is required

    settings = Settings.load(
        config=config,
        data=data,
        desk_listen=desk_listen,
        enrol_listen=enrol_listen,
        uplink_listen=uplink_listen,
        ops_listen=ops_listen,
        log_level=log_level,
    )
    logs.configure(settings.log_level)
    run(settings)


@app.command("enrol-token")
def enrol_token(
    *,
    room: Annotated[str, typer.Option(help="The room that its PCs stand in.")] = "",
    uses: Annotated[
        int, typer.Option(help="How many PCs; with more than one, each waits for confirmation.")
    ] = 1,
    hours: Annotated[int, typer.Option(help="How long it can be used.")] = 24,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Make a token, and print the command to run on a PC."""
    said = _ask(data, config, "enrol-token", {"room": room, "uses": uses, "hours": hours})
    if as_json:
        print(json.dumps(said))
        return
    pcs = "one PC" if uses == 1 else f"{uses} PCs, each to be confirmed (devices confirm)"
    print(f"Token for {pcs}, until {said['expires_at']}:\n\n  {said['token']}\n")
    print(f"On the PC, as administrator:\n\n  {said['command']}\n")


@app.command()
def status(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """Show what the running collector serves."""
    said = _ask(data, config, "status", {})
    if as_json:
        print(json.dumps(said))
        return
    print(f"{said['name']} ({said['school']}), policy {said['policy']}")
    print(f"{said['online']} of {said['devices']} PCs connected")
    for name, address in said["addresses"].items():
        print(f"  {name:7} {address}")


@devices.command("list")
def devices_list(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """Show every PC."""
    found = _ask(data, config, "devices-list", {})["devices"]
    if as_json:
        print(json.dumps(found))
        return
    for device in found:
        link = "connected" if device["online"] else "not connected"
        room = device["room"] or "-"
        print(f"{device['name']:24} {room:16} {device['state']:8} {link:14} {device['device']}")


@devices.command("confirm")
def devices_confirm(
    device: Annotated[str, typer.Argument(help="The PC's name or id.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Let a waiting PC speak."""
    shown = _ask(data, config, "devices-confirm", {"device": device})
    print(f"{shown['name']} ({shown['device']}) is {shown['state']}")


@devices.command("deny")
def devices_deny(
    device: Annotated[str, typer.Argument(help="The PC's name or id.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Revoke a PC: it is cut off at once and cannot come back without a new token."""
    shown = _ask(data, config, "devices-deny", {"device": device})
    print(f"{shown['name']} ({shown['device']}) is {shown['state']}")


@policy.command("show")
def policy_show(data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """Show the policy in force."""
    _print_policy(_ask(data, config, "policy-show", {}), as_json=as_json)


@policy.command("publish")
def policy_publish(
    *,
    packs: Annotated[
        Path | None, typer.Option(help="A folder of packs (LANGUAGE/CATEGORY.toml).")
    ] = None,
    language: Languages = None,
    rules: Annotated[Path | None, typer.Option(help="A file of evidence rules (TOML).")] = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check packs and rules, sign them as the next version, and send it to every PC."""
    given = {"packs": packs, "rules": rules}
    asked = {name: os.fspath(path.absolute()) for name, path in given.items() if path is not None}
    if language:
        asked["languages"] = " ".join(language)
    _print_policy(_ask(data, config, "policy-publish", asked), as_json=as_json)


@app.command("recover-check")
def recover_check(
    data: Data = None,
    config: Config = None,
    words_file: Annotated[
        Path | None, typer.Option(help="A file with the words, instead of typing them.")
    ] = None,
    line: Annotated[str, typer.Option(help="The pseudonym line, to be tried too.")] = "",
) -> None:
    """Prove that a recovery sheet's words open the school's evidence key."""
    from collector.recover_check import check  # noqa: PLC0415

    settings = Settings.load(config=config, data=data)
    words = chosen_secret(words_file, None) or ask_secret(
        "The 24 words of the sheet", "not shown while typed", twice=False
    )
    proof = check(settings.data, words, line=line)
    print(f"The words are those of {proof.school}, and open its evidence key ({proof.keys}).")
    if proof.pseudonym:
        print("The pseudonym line opens too.")


@app.command("desk-certificate")
def desk_certificate(data: Data = None, config: Config = None) -> None:
    """Make a new self-signed certificate for the desk; the server shows it from its next start."""
    from collector import secrets  # noqa: PLC0415
    from collector.desk_certificate import self_signed  # noqa: PLC0415
    from wire import certs  # noqa: PLC0415

    settings = Settings.load(config=config, data=data)
    if settings.desk_certificate is not None or settings.desk_key is not None:
        raise CollectorError("the settings name the school's own certificate; renew that one")
    key, certificate = self_signed(settings.host, now=in_utc(SystemClock().now()))
    paths = settings.desk_files
    contents = (certs.pem(certificate).encode(), secrets.as_pem(key))
    for path, content in zip(paths, contents, strict=True):
        secrets.replace_private(path, content)
    print(f"{paths[0]}: until {certificate.not_valid_after_utc:%d %B %Y}. Restart the collector.")


@app.command()
def doctor(data: Data = None, config: Config = None) -> None:
    """Say what keeps the collector from starting, or soon will."""
    from wire.tls import require_tls13  # noqa: PLC0415

    require_tls13()
    from collector.doctor import examine  # noqa: PLC0415

    findings = list(examine(Settings.load(config=config, data=data)))
    for finding in findings:
        print(f"{'ok  ' if finding.ok else 'BAD '} {finding.words}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _ask(
    data: Path | None, config: Path | None, command: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    settings = Settings.load(config=config, data=data)
    return ask(settings.control_path, command, arguments)


def _print_policy(said: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(said))
        return
    print(f"Version {said['version']}, until {said['expires_at']}")
    for pack in said["packs"]:
        print(f"  {pack['name']} {pack['version']}")
    print(f"No picture of: {', '.join(said['no_picture']) or '-'}")
    print(f"Never captured: {', '.join(said['never_places'])}")
