"""Enrolment and renewal: who gets a certificate, who does not, and in which words."""

import asyncio
import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.build import build
from collector.devices import DeviceState
from collector.enrol.app import BODY_MAX, create_enrol_app
from collector.enrol.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX
from collector.settings import Settings
from collector.tokens import Issue, add
from tests.collector.serving import Serving, make_school, remove_template
from wire import certs
from wire.clock import SystemClock
from wire.sign import sign_renewal
from wire.token import Token, new_token

HOUR = 3_600_000_000
DAY = 24 * HOUR


class MovedClock(SystemClock):
    """The machine's clock, moved by some days."""

    moved = 0

    def now(self):
        return super().now() + self.moved


@pytest.fixture(scope="module", autouse=True)
def _template():
    yield
    remove_template()


class Listener:
    """The enrolment application over real parts, without a socket."""

    def __init__(self, parts):
        self.parts = parts
        self.app = create_enrol_app(parts, uplink="collector.example:8445")

    async def ask(self, path, body=None, *, method="POST", content=None):
        transport = httpx.ASGITransport(self.app, client=("192.0.2.9", 4000))
        async with httpx.AsyncClient(transport=transport, base_url="https://e") as client:
            return await client.request(method, path, json=body, content=content)

    async def token(self, **issue):
        parts, token = self.parts, new_token(self.parts.ca.trust)
        now = parts.clock.now()
        await parts.store.write(
            lambda conn: add(conn, parts.school.id, token, Issue(**issue), now=now)
        )
        return token.text()

    async def enrol(self, token, csr=None, *, key=None, host="LAB2-14", **more):
        csr = csr or certs.pem(certs.make_csr(key or certs.new_key(), host))
        return await self.ask("/v1/enrol", {"token": token, "csr": csr, "host": host, **more})

    async def renew(self, device, key, *, signer=None, csr=None, host="LAB2-14", proof=None):
        request = certs.make_csr(key, host)
        proof = proof or sign_renewal(certs.der(request), signer or key)
        body = {
            "device": device,
            "csr": csr or certs.pem(request),
            "proof": base64.b64encode(proof).decode(),
        }
        return await self.ask("/v1/renew", body)


@pytest.fixture
async def listener(tmp_path):
    made = make_school(tmp_path)
    parts = build(Settings.load(data=made.data), clock=MovedClock())
    await parts.devices.load()
    yield Listener(parts)
    parts.store.close()


def refused(answer, name):
    assert answer.status_code == KINDS[name].status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem = answer.json()
    assert problem["type"] == TYPE_PREFIX + name
    assert problem["title"] == KINDS[name].title
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    return problem["detail"]


async def test_trust_gives_the_root_that_the_token_names(listener):
    said = (await listener.ask("/v1/trust", method="GET")).json()
    root = certs.read_certificate(said["root"])
    assert certs.trust_of(root) == listener.parts.ca.trust
    certs.read_certificate(said["issuer"]).verify_directly_issued_by(root)
    assert said["school"] == "marsh-lane"


async def test_a_certificate_is_for_the_pcs_key_and_under_the_root(listener):
    key = certs.new_key()
    said = (await listener.enrol(await listener.token(room="Lab 2"), key=key)).json()
    chain = [certs.read_certificate(pem) for pem in said["chain"]]
    found = certs.check_device_chain(
        chain, root=listener.parts.school.root, public_key=key.public_key()
    )
    assert found == certs.Identity("marsh-lane", said["device"])
    assert chain[0].not_valid_after_utc - chain[0].not_valid_before_utc < timedelta(days=400)
    device = listener.parts.devices.get(said["device"])
    assert (device.name, device.room, device.state) == ("LAB2-14", "Lab 2", DeviceState.ACTIVE)
    assert said["uplink"] == "collector.example:8445"


async def test_a_used_token_is_spent_but_a_lost_answer_is_given_again(listener):
    token, key = await listener.token(), certs.new_key()
    first = (await listener.enrol(token, key=key)).json()
    again = (await listener.enrol(token, key=key)).json()
    assert again["chain"] == first["chain"]
    refused(await listener.enrol(token), "token-spent")
    assert len(listener.parts.devices.all()) == 1


async def test_a_denied_pc_gets_nothing_for_its_old_token(listener):
    token, key = await listener.token(), certs.new_key()
    device = (await listener.enrol(token, key=key)).json()["device"]
    await listener.parts.devices.deny(device)
    refused(await listener.enrol(token, key=key), "token-spent")


async def test_one_pc_does_not_eat_a_rooms_uses(listener):
    token, key = await listener.token(uses=2), certs.new_key()
    first = (await listener.enrol(token, key=key)).json()
    assert first["state"] == "pending"
    for _ in range(3):
        assert (await listener.enrol(token, key=key)).json()["device"] == first["device"]
    assert (await listener.enrol(token)).status_code == 200
    refused(await listener.enrol(token), "token-spent")


async def test_an_expired_token_gives_nothing(listener):
    token = await listener.token(hours=2)
    listener.parts.clock.moved = 2 * HOUR
    refused(await listener.enrol(token), "token-expired")
    assert listener.parts.devices.all() == ()


async def test_tokens_that_are_none(listener):
    good = await listener.token()
    refused(await listener.enrol(good[:-4]), "token-malformed")
    refused(await listener.enrol("hello"), "token-malformed")
    other = "a" if good[10] != "a" else "b"
    refused(await listener.enrol(good[:10] + other + good[11:]), "token-malformed")
    never = new_token(listener.parts.ca.trust).text()
    refused(await listener.enrol(never), "token-unknown")
    elsewhere = Token(secret=bytes(16), trust=bytes(32)).text()
    refused(await listener.enrol(elsewhere), "token-of-another-school")


def request_of(key, name, extension=None, digest=None):
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return certs.pem(builder.sign(key, digest))


def common(*names):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])


def bad_requests():
    p256, sha = certs.new_key(), hashes.SHA256()
    host = common("LAB2-14")
    yield "renamed", request_of(p256, common("HEAD-OFFICE"), digest=sha)
    yield "two names", request_of(p256, common("LAB2-14", "LAB2-15"), digest=sha)
    yield "no name", request_of(p256, x509.Name([]), digest=sha)
    other = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "LAB2-14")])
    yield "another sort of name", request_of(p256, other, digest=sha)
    uri = x509.UniformResourceIdentifier("urn:redshank:marsh-lane:device:someone-else")
    yield "asks to be another", request_of(p256, host, x509.SubjectAlternativeName([uri]), sha)
    authority = x509.BasicConstraints(ca=True, path_length=None)
    yield "asks to be an authority", request_of(p256, host, authority, sha)
    yield "Ed25519", request_of(ed25519.Ed25519PrivateKey.generate(), host)
    yield "P-384", request_of(ec.generate_private_key(ec.SECP384R1()), host, digest=sha)
    yield "RSA", request_of(rsa.generate_private_key(65537, 2048), host, digest=sha)
    good = certs.der(certs.make_csr(p256, "LAB2-14"))
    replaced = bytearray(good)
    replaced[good.index(p256.public_key().public_numbers().x.to_bytes(32, "big"))] ^= 1
    yield "replaced key", as_pem(bytes(replaced))
    altered = bytearray(good)
    altered[-1] ^= 1
    yield "altered signature", as_pem(bytes(altered))
    yield "cut", as_pem(good[:-10])
    yield "a certificate", certs.pem(certs.make_root(p256, "x", SystemClock().now()))
    yield "nothing", "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n"


def as_pem(der):
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n"


BAD_REQUESTS = dict(bad_requests())


@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_a_bad_request_gets_no_certificate_and_leaves_the_token_whole(listener, name):
    token = await listener.token()
    refused(await listener.enrol(token, BAD_REQUESTS[name]), "request-refused")
    assert listener.parts.devices.all() == ()
    assert (await listener.enrol(token)).status_code == 200


async def test_bodies_that_are_too_large_or_none_of_ours(listener):
    token = await listener.token()
    long = certs.pem(certs.make_csr(certs.new_key(), "LAB2-14"))
    refused(await listener.enrol(token, long + " " * 9_000), "malformed")
    refused(await listener.ask("/v1/enrol", content=b" " * (BODY_MAX + 1)), "too-large")
    for body in (b"", b"null", b"[]", b"{", b"\xff", b'{"token": 1}', b"[" * 16_000):
        refused(await listener.ask("/v1/enrol", content=body), "malformed")
        refused(await listener.ask("/v1/renew", content=body), "malformed")
    refused(await listener.ask("/v1/other", method="GET"), "not-found")
    refused(await listener.ask("/v1/enrol", method="GET"), "method-not-allowed")
    assert listener.parts.devices.all() == ()


async def test_a_refusal_never_repeats_the_token(listener):
    token = await listener.token(hours=1)
    listener.parts.clock.moved = DAY
    assert token not in (await listener.enrol(token)).text


async def test_guessing_is_slowed_down(listener):
    answers = [
        (await listener.enrol(new_token(listener.parts.ca.trust).text())).status_code
        for _ in range(101)
    ]
    assert answers == [403] * 100 + [429]
    answer = await listener.enrol(await listener.token())
    refused(answer, "too-many-attempts")
    assert int(answer.headers["retry-after"]) > 0


async def enrolled(listener, host="LAB2-14"):
    key = certs.new_key()
    said = (await listener.enrol(await listener.token(), key=key, host=host)).json()
    return key, said["device"], certs.read_certificate(said["chain"][0])


async def test_renewal_gives_the_same_device_a_later_certificate(listener):
    key, device, first = await enrolled(listener)
    listener.parts.clock.moved = 30 * DAY
    said = (await listener.renew(device, key)).json()
    chain = [certs.read_certificate(pem) for pem in said["chain"]]
    root = listener.parts.school.root
    found = certs.check_device_chain(chain, root=root, public_key=key.public_key())
    assert found.device == device
    assert chain[0].not_valid_after_utc > first.not_valid_after_utc
    assert listener.parts.devices.get(device).certificate == certs.der(chain[0])


@pytest.mark.parametrize("host", ["LAB\r\n2", "\x1b[31mLAB", "\u202e41-2BAL", " ", "\u2028"])
async def test_a_name_that_a_terminal_would_obey_is_refused(listener, host):
    key = certs.new_key()
    refused(await listener.enrol(await listener.token(), key=key, host=host), "request-refused")


async def test_an_expired_device_renews_by_its_old_key(listener):
    key, device, first = await enrolled(listener)
    listener.parts.clock.moved = 500 * DAY
    said = (await listener.renew(device, key)).json()
    renewed = certs.read_certificate(said["chain"][0])
    assert renewed.not_valid_before_utc > first.not_valid_after_utc


async def test_a_denied_device_never_renews(listener):
    key, device, _ = await enrolled(listener)
    await listener.parts.devices.deny(device)
    refused(await listener.renew(device, key), "device-denied")


async def test_renewals_that_prove_nothing(listener):
    key, device, _ = await enrolled(listener)
    stranger = certs.new_key()
    refused(await listener.renew(device, key, signer=stranger), "proof-refused")
    refused(await listener.renew(device, stranger, signer=key), "request-refused")
    refused(await listener.renew(device, stranger), "request-refused")
    refused(await listener.renew(device, key, host="RENAMED"), "request-refused")
    refused(await listener.renew(device, key, proof=b"no signature"), "proof-refused")
    refused(await listener.renew("someone", key), "device-unknown")
    other_key, other, _ = await enrolled(listener, host="LAB2-15")
    refused(await listener.renew(other, key), "request-refused")
    refused(await listener.renew(device, other_key), "request-refused")
    body = {"device": device, "csr": certs.pem(certs.make_csr(key, "LAB2-14")), "proof": "&&&"}
    refused(await listener.ask("/v1/renew", body), "proof-refused")


async def test_enrolment_is_in_the_audit_log(listener):
    from collector.audit import leaves  # noqa: PLC0415

    _, device, _ = await enrolled(listener)
    found = await listener.parts.store.read(lambda conn: leaves(conn, "marsh-lane"))
    assert (found[0].action, found[0].object) == ("device_enrolled", f"device:{device}")
    assert found[0].address == "192.0.2.9"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    path=st.sampled_from(["/v1/enrol", "/v1/renew"]),
    body=st.dictionaries(
        st.sampled_from(["token", "csr", "host", "version", "device", "proof", "x"]), json_values
    )
    | json_values,
)
def test_whatever_is_sent_is_refused_in_words(fuzzed, path, body):
    loop, listener = fuzzed
    listener.app = create_enrol_app(listener.parts, uplink="u:1")
    answer = loop.run_until_complete(listener.ask(path, content=json.dumps(body).encode()))
    assert 400 <= answer.status_code < 500
    assert answer.json()["type"].removeprefix(TYPE_PREFIX) in KINDS


@pytest.fixture
def fuzzed(tmp_path):
    made = make_school(tmp_path)
    parts = build(Settings.load(data=made.data))
    with asyncio.Runner() as runner:
        yield runner.get_loop(), Listener(parts)
    parts.store.close()


def test_fifty_racers_with_one_token_get_exactly_one_certificate(tmp_path):
    with Serving(make_school(tmp_path)) as running:
        token = running.ask("enrol-token")["token"]
        start = threading.Barrier(50)

        def race(number):
            key, host = certs.new_key(), f"RACER-{number}"
            body = {"token": token, "csr": certs.pem(certs.make_csr(key, host)), "host": host}
            start.wait(30)
            return running.post("/v1/enrol", body)

        with ThreadPoolExecutor(50) as racers:
            answers = list(racers.map(race, range(50)))
        assert [status for status, _, _ in answers].count(200) == 1
        others = [said["type"] for status, _, said in answers if status != 200]
        assert others == [TYPE_PREFIX + "token-spent"] * 49
        assert len(running.ask("devices-list")["devices"]) == 1
