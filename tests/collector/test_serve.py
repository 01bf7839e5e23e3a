"""The whole collector as a process: set up, served, enrolled at, streamed to, denied, stopped."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from agent.service import enrol, identity
from collector import secrets
from collector.desk_certificate import in_utc, self_signed
from tests.collector.serving import ENVIRONMENT, ROOT, Serving, make_school, wait_for

from wire import certs, policy, tls  # isort: skip

tls.require_tls13()

import grpc  # noqa: E402

from tests.collector.device import CLOCK, Device, Line  # noqa: E402
from tests.collector.school import key_pem  # noqa: E402
from wire.codec import decode_policy  # noqa: E402
from wire.event import Purpose, Refusal, RefusalReason, SignedPolicy  # noqa: E402
from wire.trust import TrustState  # noqa: E402


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Serving(make_school(tmp_path_factory.mktemp("serve"))) as serving:
        yield serving


def line_of(running, pc, *, root=None):
    chain = "".join(pc.said["chain"]).encode()
    credentials = grpc.ssl_channel_credentials(
        (root or running.root_pem()).encode(), key_pem(pc.key), chain
    )
    # The certificate is for the name that the agents were told, not for an address.
    override = ("grpc.ssl_target_name_override", "localhost")
    return Line(running.port("uplink"), credentials, options=(override,))


def device_of(pc):
    evidence = policy.key_in(decode_policy(pc.policy.policy), Purpose.EVIDENCE).public_key
    return Device(school=pc.said["school"], evidence_key=evidence, device=pc.device, key=pc.key)


async def in_thread(function, *args, **kwargs):
    return await asyncio.to_thread(lambda: function(*args, **kwargs))


async def test_a_pc_enrols_is_welcomed_reports_and_is_cut_off_when_denied(running):
    pc = await in_thread(running.enrol)
    assert pc.status == 200
    assert pc.said["state"] == "active"
    assert pc.said["uplink"] == f"localhost:{running.port('uplink')}"
    assert certs.identity_of(pc.certificate) == certs.Identity("marsh-lane", pc.device)
    line = line_of(running, pc)
    device = device_of(pc)
    welcome = await line.greet(device)
    assert welcome.policy_version >= 1
    event = device.event()
    await line.send(event)
    await line.until_receipted(device.written()[0])
    assert [said for said in line.others if isinstance(said, SignedPolicy)]

    denied_at = asyncio.get_running_loop().time()
    await in_thread(running.ask, "devices-deny", device=pc.device)
    code = await line.until_cut()
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert asyncio.get_running_loop().time() - denied_at < 1.0
    await line.close()

    again = line_of(running, pc)
    with contextlib.suppress(grpc.aio.AioRpcError):
        await again.say(device.hello())
    assert await again.until_cut() is grpc.StatusCode.PERMISSION_DENIED
    await again.close()


async def test_a_device_of_a_token_for_several_waits_for_confirmation(running):
    token = (await in_thread(running.ask, "enrol-token", uses=2))["token"]
    pc = await in_thread(running.enrol, token, host="LAB2-15")
    assert pc.said["state"] == "pending"
    line, device = line_of(running, pc), device_of(pc)
    await line.say(device.hello())
    while not isinstance(heard := await line.hear(), Refusal):
        assert heard is not None
    assert heard.reason is RefusalReason.PENDING
    await line.close()
    await in_thread(running.ask, "devices-confirm", device="LAB2-15")
    confirmed = line_of(running, pc)
    await confirmed.greet(device)
    await confirmed.close()


async def test_the_policy_is_one_that_an_agent_accepts_and_a_new_one_reaches_it(running, tmp_path):
    pc = await in_thread(running.enrol)
    root = certs.public_key_of(certs.read_certificate(running.root_pem()))
    first, trust = policy.accept(
        pc.policy, trust=TrustState(), root_public=root, school="marsh-lane", now=CLOCK.now()
    )
    assert "childline.org.uk" in first.evidence.never_places
    line, device = line_of(running, pc), device_of(pc)
    await line.greet(device, policy_version=first.version)
    rules = tmp_path / "rules.toml"
    rules.write_text('no_picture = ["nudes"]\n')
    shown = await in_thread(running.ask, "policy-publish", rules=str(rules))
    assert shown["version"] == first.version + 1
    pushed = await line.hear()
    while not isinstance(pushed, SignedPolicy):
        pushed = await line.hear()
    second, _ = policy.accept(
        pushed, trust=trust, root_public=root, school="marsh-lane", now=CLOCK.now()
    )
    assert second.version == first.version + 1
    assert second.evidence.no_picture == ("nudes",)
    await line.close()


def test_the_real_agent_enrols(running, tmp_path):
    token = running.ask("enrol-token")["token"]
    files = identity.Files(tmp_path)
    found, signed = enrol.enrol(
        files, server=f"localhost:{running.port('enrol')}", token_text=token, host="LAB2-20"
    )
    assert found.school == "marsh-lane"
    assert found.device in {pc["device"] for pc in running.ask("devices-list")["devices"]}
    assert signed


def test_health_and_figures_are_on_loopback_and_name_nobody(running):
    pc = running.enrol(host="FIGURE-PC")
    assert running.get("ops", "/healthz") == (200, "alive\n")
    assert running.get("ops", "/readyz") == (200, "ready\n")
    status, figures = running.get("ops", "/metrics")
    assert status == 200
    assert 'redshank_devices{state="active"}' in figures
    assert "redshank_records_stored_total" in figures
    assert 'redshank_enrolments_total{outcome="enrolled"}' in figures
    assert pc.device not in figures
    assert "FIGURE-PC" not in figures


def test_the_desk_answers_over_tls_13_with_its_own_certificate(running):
    status, _ = running.get("desk", "/signin")
    assert status == 200
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", running.port("desk"))) as plain,
        context.wrap_socket(plain) as secure,
    ):
        assert secure.version() == "TLSv1.3"
        desk = certs.read_certificate(secure.getpeercert(binary_form=True))
    assert desk.issuer == desk.subject
    assert "Redshank" not in desk.issuer.rfc4514_string()


@pytest.mark.parametrize("listener", ["desk", "enrol"])
def test_tls_12_is_refused(running, listener):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", running.port(listener))) as plain,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(plain)


def test_the_control_socket_is_its_users_alone(running):
    assert (running.made.data / "control.sock").stat().st_mode & 0o777 == 0o600
    assert running.made.data.stat().st_mode & 0o777 == 0o700


def test_the_process_leaves_no_core(running):
    with Path(f"/proc/{running.process.pid}/limits").open() as limits:
        core = next(line for line in limits if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]


def test_a_second_collector_says_that_one_is_running(running):
    second = serve_and_fail(running.made.data)
    assert second.returncode == 1
    assert "already works on" in second.stderr


def test_a_port_in_use_is_named(tmp_path):
    made = make_school(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        failed = serve_and_fail(made.data, "--enrol-listen", address)
        assert failed.returncode == 1
        assert f"enrol_listen: cannot listen on {address}" in failed.stderr
        failed = serve_and_fail(made.data, "--uplink-listen", address)
        assert failed.returncode == 1
        assert f"uplink_listen: cannot listen on {address}" in failed.stderr


def test_without_setup_it_says_what_to_run(tmp_path):
    failed = serve_and_fail(tmp_path / "nothing", "--ops-listen", "127.0.0.1:0", host="localhost")
    assert failed.returncode == 78
    assert "run `redshank-collector setup" in failed.stderr


def test_a_key_that_others_may_read_stops_it(tmp_path):
    made = make_school(tmp_path)
    (made.data / "secrets" / "pseudonym.key").chmod(0o644)
    failed = serve_and_fail(made.data)
    assert failed.returncode == 78
    assert "chmod 600" in failed.stderr
    (made.data / "secrets" / "pseudonym.key").chmod(0o600)
    (made.data / "secrets" / "desk.key").chmod(0o644)
    failed = serve_and_fail(made.data)
    assert failed.returncode == 78
    assert "desk.key: everyone on this machine gets at it" in failed.stderr


def test_a_desk_certificate_that_ran_out_does_not_stop_the_taking_in(tmp_path):
    made = make_school(tmp_path)
    long_ago = in_utc(CLOCK.now()) - timedelta(days=400)
    key, certificate = self_signed("localhost", now=long_ago)
    secrets.replace_private(
        made.data / "certificates" / "desk.pem", certs.pem(certificate).encode()
    )
    secrets.replace_private(made.data / "secrets" / "desk.key", secrets.as_pem(key))
    with Serving(made) as running:
        assert running.enrol().status == 200
        (line,) = {
            line["message"]
            for line in running.log
            if line.get("log.level") == "error" and "ran out on" in line["message"]
        }
        assert "redshank-collector desk-certificate" in line


def test_health_may_not_be_offered_to_the_network(tmp_path):
    failed = serve_and_fail(make_school(tmp_path).data, "--ops-listen", "0.0.0.0:0")
    assert failed.returncode == 78
    assert "loopback" in failed.stderr


def test_it_stops_gracefully_tells_systemd_and_starts_again_with_what_it_had(tmp_path):
    made = make_school(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        with Serving(made, NOTIFY_SOCKET=str(tmp_path / "notify")) as serving:
            assert systemd.recv(100) == b"READY=1"
            device = serving.enrol().device
            assert serving.stop(signal.SIGTERM) == 0
        assert systemd.recv(100) == b"STOPPING=1"
    assert [line for line in serving.log if line["message"] == "stopped"]
    assert not (made.data / "control.sock").exists()
    with Serving(made) as serving:
        assert [pc["device"] for pc in serving.ask("devices-list")["devices"]] == [device]
        assert serving.stop(signal.SIGINT) == 0


async def test_an_open_stream_ends_when_the_collector_stops(tmp_path):
    serving = await in_thread(Serving(make_school(tmp_path)).__enter__)
    pc = await in_thread(serving.enrol)
    line = line_of(serving, pc)
    await line.greet(device_of(pc))
    assert await in_thread(serving.stop) == 0
    await line.until_cut()
    await line.close()


def test_it_is_found_dead_and_its_socket_replaced_after_a_kill(tmp_path):
    made = make_school(tmp_path)
    with Serving(made) as serving:
        serving.stop(signal.SIGKILL)
        assert (made.data / "control.sock").exists()
    with Serving(made) as serving:
        assert serving.ask("status")["devices"] == 0


@pytest.mark.parametrize("listener", ["desk", "enrol"])
def test_a_request_that_is_broken_off_is_no_failure_of_ours(running, listener):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    path = {"desk": "/signin", "enrol": "/v1/enrol"}[listener]
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nabc"
    )

    def errors():
        return sum(line.get("log.level") == "error" for line in running.log)

    before = errors()
    plain = socket.create_connection(("localhost", running.port(listener)))
    with context.wrap_socket(plain, server_hostname="localhost") as link:
        link.sendall(head.encode())
        time.sleep(0.3)
    status, _ = running.get(listener, "/nothing")
    assert status == 404
    time.sleep(0.3)
    assert errors() == before


def test_every_log_line_is_json_with_a_time(running):
    assert running.log
    for line in running.log:
        assert "log.level" in line, line
        assert line["@timestamp"].endswith("Z")


def test_doctor_finds_a_running_collector_whole(running):
    said = run("doctor", "--data", running.made.data)
    assert said.returncode == 0, said.stdout
    assert "running for Marsh Lane School" in said.stdout


def test_commands_are_printed_for_people_and_machines(running):
    token = run("enrol-token", "--data", running.made.data, "--room", "Lab 3", "--uses", "2")
    assert "redshank-agent enrol --server localhost:" in token.stdout
    listed = run("devices", "list", "--json", "--data", running.made.data)
    assert isinstance(json.loads(listed.stdout), list)
    shown = run("policy", "show", "--data", running.made.data)
    assert "en/canary" in shown.stdout
    wrong = run("devices", "deny", "nobody-knows", "--data", running.made.data)
    assert wrong.returncode == 1
    assert "there is no device 'nobody-knows'" in wrong.stderr


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "collector", *map(os.fspath, arguments)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT | environment,
        cwd=ROOT,
        timeout=60,
        check=False,
    )


def serve_and_fail(data, *flags, host=""):
    return run("serve", "--data", data, *flags, **({"REDSHANK_HOST": host} if host else {}))


def test_waiting_is_bounded():
    with pytest.raises(AssertionError, match="never so"):
        wait_for(lambda: False, 0.05)
