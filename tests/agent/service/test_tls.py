import socket
import ssl
import threading
import time
from dataclasses import replace

import pytest

from agent.service import identity as ids
from agent.service.cause import Cause
from agent.service.identity import Files
from agent.service.reach import reach
from tests.agent.service.conftest import Pc
from tests.agent.service.simulator import DAY, Collector, School, grpc, private_pem
from wire import certs


@pytest.fixture(scope="module")
def stranger():
    return School()


def refused(school, place, collector, cause, *, words, **enrolment):
    school.enrol(place, port=collector.port, **enrolment)
    pc = Pc(place).start()
    try:
        said = pc.until(lambda said: said["uplink"]["cause"] == cause.value)
        assert words in said["uplink"]["words"]
        assert not collector.hellos
    finally:
        pc.stop()


def test_a_server_of_another_root_is_refused(school, stranger, place, caplog):
    collector = Collector(school, credentials=stranger.server_credentials(clients=school))
    try:
        refused(school, place, collector, Cause.OTHER_SERVER, words="pinned at enrolment")
        assert "pinned at enrolment" in caplog.text
    finally:
        collector.stop()


def test_a_server_of_another_name_is_refused(school, place):
    collector = Collector(school, credentials=school.server_credentials(["other.example"]))
    try:
        refused(school, place, collector, Cause.OTHER_SERVER, words="ostname mismatch")
    finally:
        collector.stop()


def test_a_foreign_certificate_is_refused_with_a_reason(school, stranger, place):
    collector = Collector(school, credentials=school.server_credentials(clients=stranger))
    try:
        refused(school, place, collector, Cause.REFUSED, words="enrol this PC again")
    finally:
        collector.stop()


def test_an_expired_certificate_is_said_and_renewal_is_tried(school, collector, place, caplog):
    refused(
        school, place, collector, Cause.EXPIRED, words="expired", days=1, age=3 * DAY,
        server="https://localhost:1",
    )  # fmt: skip
    assert "renewal over HTTPS failed" in caplog.text


def test_a_server_that_speaks_tls_1_2_is_refused(school, place, tmp_path):

    key = certs.new_key()
    leaf = certs.issue_server(school.issuer, key.public_key(), ["localhost"], school.clock.now())

    (tmp_path / "k").write_bytes(private_pem(key))
    (tmp_path / "c").write_text(certs.pem(leaf) + certs.pem(school.issuer.certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c", tmp_path / "k")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    spoken = []
    with socket.create_server(("localhost", 0)) as listener:
        listener.settimeout(0.2)
        stopping = threading.Event()

        def serve():
            while not stopping.is_set():
                try:
                    plain, _ = listener.accept()
                except TimeoutError:
                    continue
                try:
                    with context.wrap_socket(plain, server_side=True) as secure:
                        spoken.append(secure.version())
                except OSError:
                    plain.close()

        thread = threading.Thread(target=serve)
        thread.start()
        school.enrol(place, port=listener.getsockname()[1])
        pc = Pc(place).start()
        try:
            said = pc.until(lambda said: said["uplink"]["cause"] == Cause.NOT_TLS.value)
            assert "TLS 1.3" in said["uplink"]["words"]
        finally:
            pc.stop()
            stopping.set()
            thread.join(5)
    assert not spoken


def test_a_client_without_a_certificate_gets_nowhere(school, collector):
    root = certs.pem(school.root).encode()
    with (
        grpc.secure_channel(
            f"localhost:{collector.port}", grpc.ssl_channel_credentials(root)
        ) as channel,
        pytest.raises(grpc.FutureTimeoutError),
    ):
        grpc.channel_ready_future(channel).result(2)


def test_reach_names_each_broken_link(school, collector, place):

    files, identity = school.enrol(place, port=collector.port)
    now = school.clock.now()
    assert reach(files, identity, now).cause is Cause.FINE
    assert reach(files, replace(identity, uplink="localhost:1"), now).cause is Cause.UNREACHABLE
    nowhere = replace(identity, uplink="no-such-host.invalid:1")
    assert reach(files, nowhere, now).cause in {Cause.NO_NAME, Cause.UNREACHABLE}
    assert reach(Files(place), identity, now + 500 * DAY).cause is Cause.EXPIRED


def test_a_month_old_certificate_is_renewed_over_the_stream(school, collector, place):
    files, identity = school.enrol(place, port=collector.port, age=40 * DAY)
    before = files.chain.read_bytes()
    pc = Pc(place).start()
    try:
        collector.wait(lambda c: c.renewals, 30)

        end = time.monotonic() + 10
        while files.chain.read_bytes() == before and time.monotonic() < end:
            time.sleep(0.05)
        assert files.chain.read_bytes() != before
        assert b"PRIVATE" not in files.chain.read_bytes()
    finally:
        pc.stop()

    assert ids.load(files).ends > identity.ends
