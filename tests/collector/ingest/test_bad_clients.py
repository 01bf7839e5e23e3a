"""Forty bad clients against the real listener: none gets a welcome (promise 11)."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import socket
import ssl

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from collector.devices import DeviceState
from collector.store import schema
from tests.collector.device import Line
from tests.collector.school import Ca, key_pem
from wire import certs

NOW = dt.datetime.now(dt.UTC)  # noqa: TID251 - certificates are for the real clock
DAY = dt.timedelta(days=1)


class Forge:
    """Makes a device's certificate that is right but for what is asked."""

    def __init__(self, rig, device):
        self.rig, self.device = rig, device
        self.key = device.key
        self.issuer = rig.ca.issuer
        self.uri = f"urn:redshank:oak:device:{device.device}"

    def leaf(
        self,
        *,
        key=None,
        issuer=None,
        names=None,
        usages=(ExtendedKeyUsageOID.CLIENT_AUTH,),
        signs=True,
        first=NOW - DAY,
        last=NOW + DAY,
        ca=False,
        digest=None,
        subject="pc",
    ):
        issuer = issuer or self.issuer
        key = key or self.key
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(issuer.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(first)
            .not_valid_after(last)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
                critical=False,
            )
        )
        names = [x509.UniformResourceIdentifier(self.uri)] if names is None else names
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if signs is not None:
            builder = builder.add_extension(usage(signs), critical=True)
        return builder.sign(issuer.key, digest or hashes.SHA256())

    def uri_leaf(self, *uris):
        return self.leaf(names=[x509.UniformResourceIdentifier(uri) for uri in uris])

    def self_signed(self):
        own = certs.Authority(
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pc")]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pc")]))
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + DAY)
            .sign(self.key, hashes.SHA256()),
            self.key,
        )
        return self.leaf(issuer=own)


def usage(signs):
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not signs,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def swapped(forge):
    """The right certificate with another's key, as a thief without the key would try."""
    return forge.leaf(), ec.generate_private_key(ec.SECP256R1())


def stranger(forge, **made):
    """Issued by another school's CA, with everything else right."""
    return forge.leaf(issuer=Ca("oak").issuer, **made)


def under_a_device(forge):
    """Issued by an enrolled device, as if it were an authority."""
    parent = forge.leaf(subject="parent")
    return forge.leaf(issuer=certs.Authority(parent, forge.key))


def under_an_impostor(forge):
    """Issued under the issuer's name by another key."""
    return forge.leaf(
        issuer=certs.Authority(forge.issuer.certificate, ec.generate_private_key(ec.SECP256R1()))
    )


def altered(forge):
    """A byte of the signature flipped."""
    raw = bytearray(certs.der(forge.leaf()))
    raw[-3] ^= 1
    return x509.load_der_x509_certificate(bytes(raw))


URI = "urn:redshank:{school}:device:{device}"
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CODE = ExtendedKeyUsageOID.CODE_SIGNING
EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
HOUR = dt.timedelta(hours=1)

LEAVES = {
    "expired": lambda f: f.leaf(first=NOW - 9 * DAY, last=NOW - HOUR),
    "expired long ago": lambda f: f.leaf(first=NOW - 900 * DAY, last=NOW - 500 * DAY),
    "not yet valid": lambda f: f.leaf(first=NOW + HOUR, last=NOW + 9 * DAY),
    "self-signed": lambda f: f.self_signed(),
    "another CA": stranger,
    "another CA, expired": lambda f: stranger(f, first=NOW - 9 * DAY, last=NOW - DAY),
    "issued by a device": under_a_device,
    "issued under the issuer's name": under_an_impostor,
    "signature altered": altered,
    "for servers": lambda f: f.leaf(usages=(SERVER,)),
    "for servers too": lambda f: f.leaf(usages=(SERVER, ExtendedKeyUsageOID.CLIENT_AUTH)),
    "for code": lambda f: f.leaf(usages=(CODE,)),
    "for mail": lambda f: f.leaf(usages=(EMAIL,)),
    "for anything": lambda f: f.leaf(usages=(ANY,)),
    "for nothing said": lambda f: f.leaf(usages=()),
    "key may not sign": lambda f: f.leaf(signs=False),
    "key use not said": lambda f: f.leaf(signs=None),
    "an authority": lambda f: f.leaf(ca=True),
    "no name": lambda f: f.leaf(names=[]),
    "a DNS name": lambda f: f.leaf(names=[x509.DNSName(f.device.device)]),
    "an address": lambda f: f.leaf(names=[x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
    "the name as its subject": lambda f: f.leaf(names=[], subject=f.device.device),
    "another school": lambda f: f.uri_leaf(URI.format(school="elm", device=f.device.device)),
    "a device never enrolled": lambda f: f.uri_leaf(URI.format(school="oak", device="nobody")),
    "another device": lambda f: f.uri_leaf(URI.format(school="oak", device=f.other)),
    "two names": lambda f: f.uri_leaf(f.uri, URI.format(school="oak", device=f.other)),
    "another scheme": lambda f: f.uri_leaf(f"spiffe://oak/{f.device.device}"),
    "upper case": lambda f: f.uri_leaf(f.uri.upper()),
    "a name with more behind it": lambda f: f.uri_leaf(f.uri + ":x"),
    "a name with a newline": lambda f: f.uri_leaf(f.uri + "\n"),
    "an empty device": lambda f: f.uri_leaf("urn:redshank:oak:device:"),
    "another P-256 key": lambda f: f.with_key(ec.generate_private_key(ec.SECP256R1())),
    "a P-384 key": lambda f: f.with_key(ec.generate_private_key(ec.SECP384R1())),
    "an RSA key": lambda f: f.with_key(rsa.generate_private_key(65537, 2048)),
    "an Ed25519 key": lambda f: f.with_key(ed25519.Ed25519PrivateKey.generate()),
    "another's certificate without its key": swapped,
    "the issuer's own": lambda f: (f.issuer.certificate, f.issuer.key),
    "the root's own": lambda f: (f.rig.ca.root.certificate, f.rig.ca.root.key),
}


@pytest.fixture
async def forge(rig):
    device, other = await rig.enrol(), await rig.enrol()
    made = Forge(rig, device)
    made.other = other.device
    made.with_key = lambda key: (made.leaf(key=key), key)
    return made


async def welcomed(rig, device, credentials):
    """Whether the collector says anything but no."""
    line = Line(rig.uplink.port, credentials)
    try:
        with contextlib.suppress(grpc.aio.AioRpcError, AssertionError, asyncio.InvalidStateError):
            async with asyncio.timeout(2):
                return bool(await line.greet(device))
    except TimeoutError:
        pass
    finally:
        await line.close()
    return False


async def test_the_forge_makes_a_good_one_when_nothing_is_asked(rig, forge):
    credentials = rig.ca.credentials(forge.key, forge.leaf())
    assert await welcomed(rig, forge.device, credentials)


@pytest.mark.parametrize("name", LEAVES)
async def test_a_bad_certificate_gets_no_welcome(rig, forge, name):
    made = LEAVES[name](forge)
    leaf, key = made if isinstance(made, tuple) else (made, forge.key)
    assert not await welcomed(rig, forge.device, rig.ca.credentials(key, leaf))
    assert await rig.rows(schema.lanes) == []
    assert [row.last_seen_at for row in await rig.rows(schema.devices)] == [None, None]


@pytest.mark.parametrize("state", [DeviceState.PENDING, DeviceState.DENIED])
async def test_a_device_that_may_not_speak_gets_no_welcome(rig, state):
    device = await rig.enrol(state=state)
    credentials = rig.ca.credentials(device.key, rig.ca.device(device))
    assert not await welcomed(rig, device, credentials)


async def test_a_client_without_a_certificate_gets_no_welcome(rig, forge):
    root = certs.pem(rig.ca.root.certificate).encode()
    assert not await welcomed(rig, forge.device, grpc.ssl_channel_credentials(root))


async def test_a_plain_client_gets_no_welcome(rig, forge):
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{rig.uplink.port}")
    call = channel.stream_stream("/redshank.v1.Uplink/Session")()

    async def speak():
        await call.write(b"")
        await call.read()

    with pytest.raises((grpc.aio.AioRpcError, TimeoutError)):
        await asyncio.wait_for(speak(), 2)
    await channel.close()


VERSIONS = {
    "TLS 1.0": ssl.TLSVersion.TLSv1,
    "TLS 1.1": ssl.TLSVersion.TLSv1_1,
    "TLS 1.2": ssl.TLSVersion.TLSv1_2,
}


def handshake(rig, forge, tmp_path, change):
    """A handshake by OpenSSL with a good certificate; the version that was agreed on."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    issuer = certs.pem(rig.ca.issuer.certificate)
    chain.write_text(certs.pem(forge.leaf()) + issuer)
    key.write_bytes(key_pem(forge.key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certs.pem(rig.ca.root.certificate))
    context.load_cert_chain(chain, key)
    context.set_alpn_protocols(["h2"])
    change(context)
    with (
        socket.create_connection(("127.0.0.1", rig.uplink.port), 3) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        return secure.version()


@pytest.mark.parametrize("name", VERSIONS)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_an_older_tls_is_refused(rig, forge, tmp_path, name):
    def older(context):
        context.minimum_version = context.maximum_version = VERSIONS[name]
        context.set_ciphers("ALL:@SECLEVEL=0")

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.to_thread(handshake, rig, forge, tmp_path, older)


async def test_tls_13_is_spoken(rig, forge, tmp_path):
    agreed = await asyncio.to_thread(handshake, rig, forge, tmp_path, lambda _: None)
    assert agreed == "TLSv1.3"


async def test_a_chain_without_its_issuer_leads_nowhere_but_to_the_known_one(rig, forge):
    """The listener knows its issuer, so a leaf alone is enough; a stranger's is not."""
    root = certs.pem(rig.ca.root.certificate).encode()

    def alone(leaf):
        return grpc.ssl_channel_credentials(root, key_pem(forge.key), certs.pem(leaf).encode())

    assert await welcomed(rig, forge.device, alone(forge.leaf()))
    assert not await welcomed(rig, forge.device, alone(stranger(forge)))


def test_there_are_at_least_forty():
    others = 2 + 1 + 1 + len(VERSIONS) + 1
    assert len(LEAVES) + others >= 40
