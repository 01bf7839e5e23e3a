"""What runs beside the desk: figures, health, logs, certificates that renew, and warnings."""

import asyncio
import contextlib
import io
import json
import logging
import resource
import shutil
import socket
import ssl

import httpx
import pytest
import structlog
from sqlalchemy import func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from tests.collector.serving import make_school, remove_template

from collector.build import NotSetUp, build  # isort: skip
from collector import logs, process, secrets
from collector.ca import SERVER_RENEWED_BEFORE, RequestRefused, public_bytes
from collector.chores import Chores, find_warnings
from collector.desk_certificate import in_utc
from collector.devices import Device, DeviceState
from collector.errors import StoreError
from collector.listeners import HttpListener, ListenError, bind, identity_context, load_identity
from collector.ops import create_ops_app, disk_words
from collector.patience import Impatient
from collector.policy import DAY
from collector.secrets import SecretsError
from collector.settings import Settings
from collector.store import schema
from wire import certs, tls
from wire.clock import SystemClock


class MovedClock(SystemClock):
    moved = 0

    def now(self):
        return super().now() + self.moved


@pytest.fixture(scope="module", autouse=True)
def _template():
    yield
    remove_template()


@pytest.fixture
def made(tmp_path):
    return make_school(tmp_path)


@pytest.fixture
def parts(made):
    built = build(Settings.load(data=made.data), clock=MovedClock())
    yield built
    built.store.close()


async def ask(parts, path, client="127.0.0.1"):
    transport = httpx.ASGITransport(create_ops_app(parts), client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://o") as link:
        return await link.get(path)


async def test_figures_only_from_this_machine(parts):
    assert (await ask(parts, "/metrics")).status_code == 200
    assert (await ask(parts, "/metrics", client="192.0.2.4")).status_code == 403


async def test_figures_count_what_the_uplink_did(parts):
    parts.metrics.tally.stored += 3
    parts.metrics.tally.refused["RATE"] += 2
    text = (await ask(parts, "/metrics")).text
    assert "redshank_records_stored_total 3.0" in text
    assert 'redshank_refusals_total{reason="RATE"} 2.0' in text
    assert "redshank_policy_version 1.0" in text
    assert 'redshank_open_alerts{priority="P1"} 0.0' in text
    assert 'redshank_certificate_seconds_left{certificate="issuer"}' in text


async def test_ready_says_in_words_what_is_wrong(parts, made):
    assert (await ask(parts, "/readyz")).text == "ready\n"
    full = parts.settings.model_copy(update={"disk_reserve_mb": 10**9})
    object.__setattr__(parts, "settings", full)
    answer = await ask(parts, "/readyz")
    assert answer.status_code == 503
    assert "MB are free" in answer.text
    assert disk_words(parts) in answer.text
    assert (await ask(parts, "/healthz")).status_code == 200


async def test_ready_says_that_the_database_cannot_be_read(parts):
    await parts.store.write(lambda conn: conn.exec_driver_sql("DROP TABLE alerts") and None)
    answer = await ask(parts, "/readyz")
    assert answer.status_code == 503
    assert "cannot be read" in answer.text


async def test_what_a_statement_carried_is_in_no_error(parts):
    def job(conn):
        conn.execute(insert(schema.schools).values(school="x", name="Jo Sample"))

    def query(conn):
        conn.exec_driver_sql("SELECT * FROM nothing WHERE name = ?", ("Jo Sample",))

    with pytest.raises(SQLAlchemyError) as refused:
        await parts.store.write(job)
    assert "Jo Sample" not in str(refused.value)
    with pytest.raises(SQLAlchemyError) as refused:
        await parts.store.read(query)
    assert "Jo Sample" not in str(refused.value)


async def test_the_agents_listener_shows_a_new_certificate_without_a_restart(parts):
    identity = parts.ca.issue_server(("localhost",))
    context = identity_context(identity)
    listener = HttpListener("enrol_listen", "127.0.0.1:0", create_ops_app(parts), context=context)
    await listener.start()
    try:
        before = await asyncio.to_thread(shown, listener.address, parts)
        load_identity(context, parts.ca.issue_server(("localhost",)))
        after = await asyncio.to_thread(shown, listener.address, parts)
    finally:
        await listener.stop()
    assert certs.der(before) == certs.der(identity.chain[0])
    assert before.serial_number != after.serial_number
    assert before.public_key() != after.public_key()


def shown(address, parts):
    context = tls.client_context(certs.pem(parts.school.root))
    with (
        socket.create_connection(address) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert secure.version() == "TLSv1.3"
        return certs.read_certificate(secure.getpeercert(binary_form=True))


STALLS = {
    "nothing at all": (b"",),
    "half a head": (b"GET /healthz HTTP/1.1\r\nHost: a\r\n",),
    "half a body": (b"POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",),
    "a second request": (
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n",
    ),
    "one byte at a time": (b"G", b"E", b"T", b" ", b"/", b"h", b"e", b"a", b"l", b"t", b"h", b"z"),
}


@pytest.mark.parametrize("sent", STALLS.values(), ids=STALLS)
async def test_a_request_that_does_not_come_is_cut_off(parts, monkeypatch, sent):
    monkeypatch.setattr(Impatient, "seconds", 0.5)
    listener = HttpListener("ops_listen", "127.0.0.1:0", create_ops_app(parts))
    await listener.start()
    try:
        reader, writer = await asyncio.open_connection(*listener.address)
        began = asyncio.get_running_loop().time()
        for piece in sent:
            writer.write(piece)
            await asyncio.sleep(0.1)
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                await reader.read()
        assert asyncio.get_running_loop().time() - began < 5
        writer.close()
    finally:
        await listener.stop()


async def test_an_answer_may_take_longer_than_a_request(parts, monkeypatch):
    monkeypatch.setattr(Impatient, "seconds", 0.2)
    app = create_ops_app(parts)

    @app.get("/slow")
    async def slow():
        await asyncio.sleep(0.6)
        return "done"

    listener = HttpListener("ops_listen", "127.0.0.1:0", app)
    await listener.start()
    try:
        async with httpx.AsyncClient() as link:
            for _ in range(2):  # on one connection
                answer = await link.get("http://{}:{}/slow".format(*listener.address))
                assert answer.json() == "done"
                await asyncio.sleep(0.4)
    finally:
        await listener.stop()


def test_the_process_may_hold_many_sockets():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert process.allow_many_files() == min(before[1], 65_536)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(before[1], 65_536)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_server_key_is_in_no_file(parts):
    identity = parts.ca.issue_server(("localhost",))
    assert "PRIVATE" not in repr(identity)
    for path in parts.settings.data.rglob("*"):
        if path.is_file():
            assert identity.key_pem not in path.read_bytes()


async def test_chores_renew_the_servers_certificate_and_the_policy_in_time(parts):
    shown_now = [parts.ca.issue_server(("localhost",))]

    def renew():
        shown_now.append(parts.ca.issue_server(("localhost",)))

    chores = Chores(parts, lambda: shown_now[-1], renew)
    await chores.once()
    assert len(shown_now) == 1
    assert parts.policies.version == 1
    parts.clock.moved = (certs.LEAF_DAYS - SERVER_RENEWED_BEFORE.days + 1) * DAY
    await chores.once()
    assert len(shown_now) == 2
    assert parts.policies.version == 2
    await chores.once()
    assert len(shown_now) == 2


async def test_chores_remove_what_a_crash_left_behind(parts):
    table = schema.picture_parts
    orphan = dict.fromkeys(("device", "school"), "marsh-lane") | {
        column.name: bytes(16) for column in table.columns if column.type.python_type is bytes
    }
    numbers = {column.name: 1 for column in table.columns if column.type.python_type is int}
    await parts.store.write_pictures(
        lambda conn: conn.execute(insert(table).values(**orphan | numbers))
    )
    identity = parts.ca.issue_server(("localhost",))
    await Chores(parts, lambda: identity, lambda: None).once()
    left = await parts.store.read_pictures(
        lambda conn: conn.scalar(select(func.count()).select_from(table))
    )
    assert left == 0


async def test_a_chore_that_fails_keeps_none_of_the_others_from_running(parts, monkeypatch):
    async def fail():
        raise secrets.SecretsError("the key is gone")

    monkeypatch.setattr(parts.policies, "reissue_if_due", fail)
    renewed = []
    old = parts.ca.issue_server(("localhost",))
    parts.clock.moved = 390 * DAY
    await Chores(parts, lambda: old, lambda: renewed.append(1)).once()
    assert renewed == [1]


async def test_a_chore_that_fails_as_nobody_foresaw_ends_nothing(parts, monkeypatch):
    async def fail():
        raise OSError("the disk has gone")

    monkeypatch.setattr(parts.policies, "reissue_if_due", fail)
    renewed = []
    old = parts.ca.issue_server(("localhost",))
    parts.clock.moved = 390 * DAY
    await Chores(parts, lambda: old, lambda: renewed.append(1)).once()
    assert renewed == [1]


def test_what_will_need_a_person_is_said_early(parts):
    assert find_warnings(parts) == []
    parts.clock.moved = 390 * DAY
    assert any("desk's certificate runs out in" in words for words in find_warnings(parts))
    parts.clock.moved = 400 * DAY
    assert any("ran out on" in words for words in find_warnings(parts))
    parts.clock.moved = 1_500 * DAY
    assert any("the issuer" in words for words in find_warnings(parts))


def test_renewal_over_the_stream_is_for_the_same_key_and_name(parts):
    key = certs.new_key()
    request = certs.make_csr(key, "LAB2-14")
    device = Device(
        device="d-1",
        name="LAB2-14",
        room="",
        state=DeviceState.ACTIVE,
        public_key=public_bytes(request),
        certificate=b"",
        enrolled_at=0,
    )
    chain = [certs.read_certificate(der) for der in parts.ca.renew(device, certs.der(request))]
    found = certs.check_device_chain(chain, root=parts.school.root, public_key=key.public_key())
    assert found == certs.Identity("marsh-lane", "d-1")
    for wrong in (
        certs.der(certs.make_csr(certs.new_key(), "LAB2-14")),
        certs.der(certs.make_csr(key, "OTHER")),
        b"",
        b"x" * 9_000,
    ):
        with pytest.raises(RequestRefused):
            parts.ca.renew(device, wrong)


def test_an_address_in_use_or_not_ours_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ListenError, match=f"desk_listen: cannot listen on {address}"):
            bind("desk_listen", address)
    with pytest.raises(ListenError, match="cannot listen on"):
        bind("desk_listen", "192.0.2.1:0")


def test_build_says_what_is_missing(tmp_path, made):
    with pytest.raises(NotSetUp, match="run `redshank-collector setup"):
        build(Settings.load(data=tmp_path / "none", host="h"))
    settings = Settings.load(data=made.data)
    kept = made.data / "secrets"
    for name, content, words in [
        ("issuer.key", b"none", "is not a private key"),
        ("policy.key", (kept / "issuer.key").read_bytes(), "is not an Ed25519"),
        ("issuer.key", (kept / "policy.key").read_bytes(), "is not a P-256"),
        ("pseudonym.key", b"abc", "is not 32 bytes in hex"),
        ("pseudonym.key", b"abcd", "is not 32 bytes in hex"),
    ]:
        whole = (kept / name).read_bytes()
        (kept / name).write_bytes(content)
        with pytest.raises(SecretsError, match=words):
            build(settings)
        (kept / name).write_bytes(whole)
    (kept / "policy.key").unlink()
    with pytest.raises(SecretsError, match="is missing"):
        build(settings)


@pytest.mark.parametrize("name", ["", "secrets"])
def test_a_directory_that_everyone_gets_at_is_refused(made, name):
    path = made.data / name
    path.chmod(0o755)
    with pytest.raises(SecretsError, match="everyone on this machine gets at it"):
        build(Settings.load(data=made.data))
    path.chmod(0o750)
    build(Settings.load(data=made.data)).store.close()


@pytest.mark.parametrize("name", ["main.db", "pictures.db", "keys.db"])
def test_a_database_that_is_none_is_told_in_words(made, name):
    (made.data / name).write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreError, match=r"cannot be read .*; restore a backup"):
        build(Settings.load(data=made.data))


def test_an_issuer_of_another_school_is_refused(made):
    root_key, key = certs.new_key(), certs.new_key()
    now = SystemClock().now()
    root = certs.Authority(certs.make_root(root_key, "x", now), root_key)
    stranger = certs.make_issuer(root, key.public_key(), "x", now)
    (made.data / "certificates" / "issuer.pem").write_text(certs.pem(stranger))
    with pytest.raises(SecretsError, match="not this school's issuer"):
        build(Settings.load(data=made.data))
    (made.data / "certificates" / "issuer.pem").unlink()
    with pytest.raises(SecretsError, match="cannot be read"):
        build(Settings.load(data=made.data))


def test_a_failed_build_leaves_the_store_free(made):
    path = made.data / "certificates" / "issuer.pem"
    shutil.move(path, made.data / "kept.pem")
    settings = Settings.load(data=made.data)
    with pytest.raises(SecretsError):
        build(settings)
    shutil.move(made.data / "kept.pem", path)
    build(settings).store.close()


def test_a_key_is_never_written_over(tmp_path):
    secrets.write_private(tmp_path / "k", b"one")
    with pytest.raises(FileExistsError):
        secrets.write_private(tmp_path / "k", b"two")
    secrets.replace_private(tmp_path / "k", b"three")
    assert (tmp_path / "k").read_bytes() == b"three"
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def lines():
    out = io.StringIO()
    before = logging.getLogger().handlers[:], logging.getLogger().level
    logs.configure("info", out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    logging.getLogger().handlers[:], level = before[0], before[1]
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def test_a_log_line_is_ecs_json_in_utc(lines):
    logs.logger("room").info("device enrolled", device="d-1", event_id=b"\x01\x02", reason="x")
    (line,) = lines()
    assert line["@timestamp"].endswith("Z")
    assert line["log.level"] == "info"
    assert line["log.logger"] == "room"
    assert line["message"] == "device enrolled"
    assert line["host.id"] == "d-1"
    assert line["event.id"] == "0102"
    assert line["event.reason"] == "x"


def test_what_must_not_be_logged_is_withheld(lines):
    logs.logger("room").warning("slip", text="typed words", account="S-1", password="p", title="t")
    (line,) = lines()
    for word in ("typed words", "S-1"):
        assert word not in json.dumps(line)
    assert line["redshank.text"] == "withheld"


def test_a_line_stays_one_line_and_inert(lines):
    logs.logger("room").info("slip", path="a\nb\u202e\x1b[31m<b>")
    logging.getLogger("uvicorn.error").warning("from %s", "uvicorn")
    first, second = lines()
    assert first["redshank.path"] == "a\nb\u202e\x1b[31m<b>"
    assert second["message"] == "from uvicorn"


def test_a_failure_is_logged_with_its_trace(lines):
    logs.logger("room").error("it failed", exc_info=ValueError("broken"))
    (line,) = lines()
    assert "ValueError: broken" in line["error.stack_trace"]


def test_systemd_is_told_only_where_it_asks(tmp_path, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not process.notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "none"))
    assert not process.notify("READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "n"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
        assert process.notify("READY=1")
        assert systemd.recv(64) == b"READY=1"


def test_the_watchdog_is_fed_twice_as_often_as_asked(monkeypatch):
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    assert process.watchdog_seconds() is None
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    assert process.watchdog_seconds() == 5.0
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert process.watchdog_seconds() is None


def test_times_are_utc():
    assert in_utc(0).isoformat() == "1970-01-01T00:00:00+00:00"
    assert ssl.HAS_TLSv1_3
