"""The audit log's leaves, and the tree over them against RFC 6962's own values."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from collector import audit, merkle
from collector.audit import Act, Audit, AuditError, Leaf, decode_leaf, encode_leaf, hash_leaf
from collector.store import schema
from tests.collector.world import PRIVATE, SCHOOL, make_world

# The leaves and roots that Certificate Transparency's own tests use for RFC 6962.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [hash_leaf(leaf) for leaf in LEAVES]


def test_roots_are_those_of_the_published_vectors():
    assert merkle.root([]) == hashlib.sha256(b"").digest()
    for size, expected in enumerate(ROOTS, 1):
        assert merkle.root(HASHES[:size]).hex() == expected


def test_a_published_inclusion_proof():
    path = merkle.inclusion(HASHES, 5)
    assert [step.hex() for step in path] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_a_published_consistency_proof():
    proof = merkle.consistency(HASHES, 6)
    assert [step.hex() for step in proof] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def numbered(size):
    return [hash_leaf(str(number).encode()) for number in range(size)]


@given(size=st.integers(1, 70), data=st.data())
def test_every_leaf_is_proved_and_nothing_else(size, data):
    hashes = numbered(size)
    index = data.draw(st.integers(0, size - 1))
    path, head = merkle.inclusion(hashes, index), merkle.root(hashes)
    assert merkle.included(hashes[index], index, size, path, head)
    assert not merkle.included(hash_leaf(b"other"), index, size, path, head)
    assert not merkle.included(hashes[index], index, size, [*path, head], head)
    assert not merkle.included(hashes[index], size, size, path, head)
    if size > 1:
        assert not merkle.included(hashes[index], (index + 1) % size, size, path, head)
        assert not merkle.included(hashes[index], index, size, path[:-1], head)


@given(second=st.integers(1, 70), data=st.data())
def test_an_earlier_tree_is_proved_a_beginning_and_a_changed_one_is_not(second, data):
    hashes = numbered(second)
    first = data.draw(st.integers(1, second))
    proof = merkle.consistency(hashes, first)
    old, new = merkle.root(hashes[:first]), merkle.root(hashes)
    assert merkle.consistent(first, second, proof, old, new)
    changed = merkle.root([*hashes[: first - 1], hash_leaf(b"changed")])
    assert not merkle.consistent(first, second, proof, changed, new)
    assert not merkle.consistent(first, second, [*proof, new], old, new)
    assert not merkle.consistent(0, second, proof, old, new)
    if proof:
        assert not merkle.consistent(first, second, proof[:-1], old, new)


def test_proofs_of_what_is_not_there_are_refused():
    with pytest.raises(IndexError):
        merkle.inclusion(HASHES, 8)
    for first in (0, 9):
        with pytest.raises(IndexError):
            merkle.consistency(HASHES, first)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
leaves = st.builds(
    Leaf,
    index=st.integers(0, 2**63 - 1),
    time=st.integers(-(2**63), 2**63 - 1),
    school=texts,
    actor=texts,
    role=texts,
    action=texts,
    object=texts,
    detail=texts,
    address=texts,
    words=st.binary(min_size=32, max_size=32),
)


@given(leaf=leaves)
def test_a_leaf_comes_back_and_has_one_encoding(leaf):
    raw = encode_leaf(leaf)
    assert encode_leaf(decode_leaf(raw)) == raw


@given(raw=st.binary(max_size=200))
def test_what_is_not_a_leaf_is_refused(raw):
    with pytest.raises(AuditError):
        decode_leaf(raw)


@given(leaf=leaves, place=st.integers(0, 400), byte=st.integers(1, 255))
def test_another_byte_is_another_leaf_or_none(leaf, place, byte):
    raw = bytearray(encode_leaf(leaf))
    raw[place % len(raw)] ^= byte
    try:
        assert decode_leaf(bytes(raw)) != decode_leaf(encode_leaf(leaf))
    except AuditError:
        return


def test_the_encoding_is_fixed():
    leaf = Leaf(
        index=7,
        time=1_790_000_000_000_000,
        school="marsh-lane",
        actor="staff-1",
        role="dsl",
        action="view_details",
        object="alert:1",
        detail="",
        address="192.0.2.7",
        words=bytes(32),
    )
    assert encode_leaf(leaf).hex() == (
        "00010000000000000007"
        f"{leaf.time:016x}"
        "000a"
        + b"marsh-lane".hex()
        + "0007"
        + b"staff-1".hex()
        + "0003"
        + b"dsl".hex()
        + "000c"
        + b"view_details".hex()
        + "0007"
        + b"alert:1".hex()
        + "0000"
        + "0009"
        + b"192.0.2.7".hex()
        + "00" * 32
    )


@pytest.fixture
async def world(tmp_path):
    async with make_world(tmp_path) as made:
        yield made


async def test_indexes_have_no_gap_and_hashes_are_of_the_leaves(world):
    log = Audit(SCHOOL, world.clock)
    for number in range(5):
        await world.store.write(
            lambda conn, n=number: log.append(conn, Act(action=f"a{n}", object="x"))
        )
    found = await world.store.read(lambda conn: conn.execute(select(schema.audit)).all())
    assert [row.index for row in found] == [0, 1, 2, 3, 4]
    assert all(row.hash == hash_leaf(row.leaf) for row in found)
    hashes = await world.store.read(lambda conn: audit.hashes_of(conn, SCHOOL))
    assert hashes == [row.hash for row in found]


async def test_a_leaf_goes_with_its_transaction(world):
    log = Audit(SCHOOL, world.clock)

    def job(conn):
        log.append(conn, Act(action="never", object="x"))
        raise RuntimeError("undone")

    with pytest.raises(RuntimeError):
        await world.store.write(job)
    assert await world.leaves() == []


async def test_words_are_kept_apart_and_sealed_and_the_leaf_proves_them(world):
    log = Audit(SCHOOL, world.clock)
    words = "a worried friend told us"
    await world.store.write(
        lambda conn: log.append(conn, Act(action="note", object="x", words=words))
    )
    (leaf,) = await world.leaves()
    row = await world.store.read(lambda conn: conn.execute(select(schema.audit_words)).one())
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    info = b"redshank audit words v1\x00" + SCHOOL.encode() + b"\x00" + bytes(8)
    opened = suite.decrypt(row.sealed, X25519PrivateKey.from_private_bytes(PRIVATE), info)
    assert opened[32:] == words.encode()
    assert hashlib.sha256(opened).digest() == leaf.words


@pytest.mark.parametrize(
    "act",
    [
        Act(action="a", object="x" * 4001),
        Act(action="a", object="x", words="w" * 4001),
    ],
)
async def test_what_is_too_long_is_refused(world, act):
    log = Audit(SCHOOL, world.clock)
    with pytest.raises(AuditError):
        await world.store.write(lambda conn: log.append(conn, act))
