"""The private CA: what it issues is accepted where it should be, and names a device once."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.examples import DEVICE, SCHOOL, ids
from wire import certs
from wire.certs import Authority, CertificateRefused, Identity
from wire.clock import SystemClock

NOW = SystemClock().now()
ROOT_KEY, ISSUER_KEY, SERVER_KEY, DEVICE_KEY = (certs.new_key() for _ in range(4))
ROOT = certs.make_root(ROOT_KEY, SCHOOL, NOW)
ISSUER = certs.make_issuer(Authority(ROOT, ROOT_KEY), ISSUER_KEY.public_key(), SCHOOL, NOW)
AUTHORITY = Authority(ISSUER, ISSUER_KEY)
NAMES = ["collector.oakfield.test", "localhost", "127.0.0.1", "::1"]
SERVER = certs.issue_server(AUTHORITY, SERVER_KEY.public_key(), NAMES, NOW)
IDENTITY = Identity(SCHOOL, DEVICE)
LEAF = certs.issue_device(AUTHORITY, DEVICE_KEY.public_key(), IDENTITY, NOW)


def _when():
    return dt.datetime.fromtimestamp(NOW // 1_000_000, dt.UTC)


def _store(root=ROOT):
    return verification.PolicyBuilder().store(verification.Store([root])).time(_when())


def test_a_strict_verifier_accepts_the_server_for_each_of_its_names():
    for name in NAMES[:2]:
        _store().build_server_verifier(x509.DNSName(name)).verify(SERVER, [ISSUER])
    with pytest.raises(verification.VerificationError):
        _store().build_server_verifier(x509.DNSName("elsewhere.test")).verify(SERVER, [ISSUER])


def test_a_strict_verifier_accepts_the_device_as_a_client():
    chain = _store().build_client_verifier().verify(LEAF, [ISSUER]).chain
    assert chain == [LEAF, ISSUER, ROOT]


def test_neither_can_stand_in_for_the_other():
    with pytest.raises(verification.VerificationError):
        _store().build_client_verifier().verify(SERVER, [ISSUER])
    with pytest.raises(verification.VerificationError):
        _store().build_server_verifier(x509.DNSName(DEVICE)).verify(LEAF, [ISSUER])


def test_a_device_lasts_thirteen_months_and_begins_a_day_early():
    lasts = LEAF.not_valid_after_utc - _when()
    assert lasts == dt.timedelta(days=397)
    assert _when() - LEAF.not_valid_before_utc == dt.timedelta(days=1)


def test_constraints_usages_and_key_identifiers_are_said():
    expected = {
        ROOT: (True, 1, True),
        ISSUER: (True, 0, True),
        SERVER: (False, None, False),
        LEAF: (False, None, False),
    }
    for certificate, (is_authority, path_length, signs) in expected.items():
        found = certificate.extensions
        constraints = found.get_extension_for_class(x509.BasicConstraints)
        assert constraints.critical
        assert constraints.value.ca is is_authority
        assert constraints.value.path_length == path_length
        usage = found.get_extension_for_class(x509.KeyUsage)
        assert usage.critical
        assert usage.value.key_cert_sign is signs
        assert usage.value.digital_signature is not signs
        own = found.get_extension_for_class(x509.SubjectKeyIdentifier).value
        assert own == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())
        assert found.get_extension_for_class(x509.AuthorityKeyIdentifier)
    usages = LEAF.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    assert list(usages) == [ExtendedKeyUsageOID.CLIENT_AUTH]


@given(ids, ids)
def test_a_device_is_known_by_its_urn(school, device):
    uri = certs.identity_uri(school, device)
    assert uri == f"urn:redshank:{school}:device:{device}"


@pytest.mark.parametrize(
    ("school", "device"), [("", "d"), ("s", ""), ("a:b", "d"), ("s", "d:e"), ("s", "d/e")]
)
def test_an_id_that_could_be_read_two_ways_is_refused(school, device):
    with pytest.raises(ValueError, match="form"):
        certs.identity_uri(school, device)


def test_identity_is_read_from_every_form():
    for form in (LEAF, certs.pem(LEAF), certs.pem(LEAF).encode(), certs.der(LEAF)):
        assert certs.identity_of(form) == IDENTITY


def _with_names(*names):
    """A leaf of the issuer with whatever names."""
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ISSUER.subject)
        .public_key(DEVICE_KEY.public_key())
        .serial_number(7)
        .not_valid_before(_when())
        .not_valid_after(_when() + dt.timedelta(days=1))
    )
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(ISSUER_KEY, certs.hashes.SHA256())


def _uri(text):
    return x509.UniformResourceIdentifier(text)


@pytest.mark.parametrize(
    "names",
    [
        [],
        [x509.DNSName("pc-7")],
        [_uri("urn:redshank:oakfield:device:a"), _uri("urn:redshank:oakfield:device:b")],
        [_uri("urn:redshank:oakfield:device:a"), x509.DNSName("pc-7")],
        [_uri("urn:redshank:oakfield:device:")],
        [_uri("urn:redshank:oakfield:server:a")],
        [_uri("urn:redshank:oakfield:device:a:b")],
        [_uri("urn:redshank:oakfield:device:a\n")],
        [_uri("https://urn:redshank:oakfield:device:a")],
    ],
)
def test_a_certificate_that_names_no_one_device_is_refused(names):
    with pytest.raises(CertificateRefused):
        certs.identity_of(_with_names(*names))


def _with_broken(oid):
    """A leaf of the issuer whose extension of that kind is no ASN.1."""
    made = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(ISSUER.subject)
    made = made.public_key(DEVICE_KEY.public_key()).serial_number(7).not_valid_before(_when())
    made = made.not_valid_after(_when() + dt.timedelta(days=1))
    broken = x509.UnrecognizedExtension(oid, b"\xff\xff")
    return made.add_extension(broken, critical=False).sign(ISSUER_KEY, certs.hashes.SHA256())


def test_names_that_cannot_be_read_are_refused():
    with pytest.raises(CertificateRefused, match="cannot be read"):
        certs.identity_of(_with_broken(ExtensionOID.SUBJECT_ALTERNATIVE_NAME))


@pytest.mark.parametrize("oid", [ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.EXTENDED_KEY_USAGE])
def test_a_chain_whose_constraints_cannot_be_read_is_refused(oid):
    with pytest.raises(CertificateRefused, match="not a device's"):
        certs.check_device_chain(
            [_with_broken(oid), ISSUER], root=ROOT, public_key=DEVICE_KEY.public_key()
        )


def test_a_server_names_no_device():
    with pytest.raises(CertificateRefused):
        certs.identity_of(SERVER)


def test_a_request_is_read_back_and_gives_only_its_key():
    csr = certs.make_csr(DEVICE_KEY, "lab-7")
    for form in (certs.pem(csr), certs.pem(csr).encode(), certs.der(csr)):
        read = certs.read_csr(form)
        assert certs.public_key_of(read) == DEVICE_KEY.public_key()
    odd = certs.make_csr(DEVICE_KEY, "\x00\n" + "h" * 100)
    assert certs.read_csr(certs.der(odd)).subject.rfc4514_string() == "CN=" + "h" * 64
    assert certs.make_csr(DEVICE_KEY, "").subject.rfc4514_string() == "CN=unnamed"


def _csr(key, algorithm):
    name = x509.Name([])
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, algorithm)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        "",
        b"\x30\x00",
        "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n",
        certs.pem(LEAF),
        certs.der(_csr(ed25519.Ed25519PrivateKey.generate(), None)),
        certs.der(_csr(ec.generate_private_key(ec.SECP384R1()), certs.hashes.SHA256())),
    ],
)
def test_what_is_no_request_of_ours_is_refused(data):
    with pytest.raises(CertificateRefused):
        certs.read_csr(data)


def test_a_request_whose_signature_is_another_s_is_refused():
    data = bytearray(certs.der(certs.make_csr(DEVICE_KEY, "lab-7")))
    place = data.index(b"lab-7")
    data[place] ^= 1
    with pytest.raises(CertificateRefused, match="own key"):
        certs.read_csr(bytes(data))


@given(st.binary(max_size=300))
def test_any_bytes_give_a_clear_error(data):
    with pytest.raises(CertificateRefused):
        certs.read_csr(data)
    with pytest.raises(CertificateRefused):
        certs.read_certificate(data)


@given(st.data())
def test_a_flipped_bit_gives_a_certificate_or_a_clear_error(data):
    raw = bytearray(certs.der(LEAF))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CertificateRefused):
        certs.check_device_chain(
            [certs.read_certificate(bytes(raw)), ISSUER],
            root=ROOT,
            public_key=DEVICE_KEY.public_key(),
        )


def test_a_device_s_chain_is_checked_up_to_the_root():
    public_key = DEVICE_KEY.public_key()
    assert certs.check_device_chain([LEAF, ISSUER], root=ROOT, public_key=public_key) == IDENTITY


def _refused(chain, *, root=ROOT, key=DEVICE_KEY):
    with pytest.raises(CertificateRefused) as caught:
        certs.check_device_chain(chain, root=root, public_key=key.public_key())
    return str(caught.value)


def test_a_chain_that_is_not_the_device_s_is_refused():
    stranger_key = certs.new_key()
    stranger = certs.make_root(stranger_key, SCHOOL, NOW)
    foreign_key = certs.new_key()
    foreign = certs.make_issuer(
        Authority(stranger, stranger_key), foreign_key.public_key(), SCHOOL, NOW
    )
    strange_leaf = certs.issue_device(
        Authority(foreign, foreign_key), DEVICE_KEY.public_key(), IDENTITY, NOW
    )
    by_device = certs.issue_device(
        Authority(LEAF, DEVICE_KEY), DEVICE_KEY.public_key(), IDENTITY, NOW
    )
    assert "device's chain" in _refused([LEAF])
    assert "device's chain" in _refused([LEAF, ISSUER, ROOT])
    assert "another key" in _refused([LEAF, ISSUER], key=certs.new_key())
    assert "root" in _refused([LEAF, ISSUER], root=stranger)
    assert "root" in _refused([LEAF, foreign])
    assert "root" in _refused([strange_leaf, foreign])
    assert "may not" in _refused([by_device, LEAF])
    assert "not a device's" in _refused([SERVER, ISSUER], key=SERVER_KEY)
    assert "not a device's" in _refused([_with_names(_uri("urn:redshank:o:device:d")), ISSUER])


def test_a_server_without_a_name_is_not_certified():
    with pytest.raises(ValueError, match="name"):
        certs.issue_server(AUTHORITY, SERVER_KEY.public_key(), [], NOW)


def test_a_certificate_on_another_curve_is_refused():
    key = ec.generate_private_key(ec.SECP384R1())
    made = certs.make_root(key, SCHOOL, NOW)
    with pytest.raises(CertificateRefused, match="P-256"):
        certs.read_certificate(certs.der(made))


def test_trust_is_the_root_s_fingerprint():
    assert certs.trust_of(ROOT) == ROOT.fingerprint(certs.hashes.SHA256())
