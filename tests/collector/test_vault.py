"""Wraps of the evidence key, and the vault that holds it open."""

import asyncio
import json
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.attempts import TooManyAttemptsError
from collector.vault import (
    ARGON2ID,
    DamagedWrapError,
    NotEntitledError,
    Vault,
    VaultError,
    VaultLockedError,
    Wrap,
    WrongPassphraseError,
    keep_wrap,
    recovery_unwrap,
    recovery_wrap,
    unwrap,
    wrap_for,
)
from tests.collector.world import KEY_ID, PASSPHRASE, PRIVATE, SCHOOL, SetClock, make_world, wrapped

OTHER_KEY_ID = bytes(16)
SCALAR = bytes(range(32))


@dataclass(frozen=True)
class Holder:
    id: bytes
    staff: str


PAT = Holder(b"a session", "pat")
PAT_ELSEWHERE = Holder(b"another session", "pat")


@pytest.fixture
async def vault(tmp_path):
    async with make_world(tmp_path) as world:
        await world.store.write(
            lambda conn: keep_wrap(
                conn, SCHOOL, staff="pat", key_id=KEY_ID, wrap=wrapped(), now=world.clock.now()
            )
        )
        made = Vault(world.store, SCHOOL, world.clock)
        made.clock = world.clock
        yield made


class Vault(Vault):
    clock: SetClock


async def noted():
    """Stands for the log's leaf where a test does not ask for it."""


def test_a_wrap_opens_with_its_passphrase_alone():
    wrap = wrapped()
    assert unwrap(PASSPHRASE, wrap, KEY_ID) == PRIVATE
    assert PRIVATE not in wrap.wrapped
    with pytest.raises(WrongPassphraseError):
        unwrap(PASSPHRASE + " ", wrap, KEY_ID)


def test_a_passphrase_is_the_same_however_its_accents_were_typed():
    wrap = wrap_for("caf\u00e9 au lait", PRIVATE, KEY_ID)
    assert unwrap("cafe\u0301 au lait", wrap, KEY_ID) == PRIVATE


def test_a_wrap_costs_what_it_says():
    parameters = json.loads(wrapped().parameters)
    assert parameters["m"] >= 64 * 1024
    assert parameters["t"] >= 3
    assert wrapped().method == ARGON2ID


def test_a_wrap_is_bound_to_its_key_and_method():
    with pytest.raises(WrongPassphraseError):
        unwrap(PASSPHRASE, wrapped(), OTHER_KEY_ID)
    with pytest.raises(DamagedWrapError):
        recovery_unwrap(SCALAR, wrapped(), KEY_ID)


def test_the_recovery_sheet_opens_it_and_no_other_sheet():
    wrap = recovery_wrap(SCALAR, PRIVATE, KEY_ID)
    assert recovery_unwrap(SCALAR, wrap, KEY_ID) == PRIVATE
    with pytest.raises(WrongPassphraseError):
        recovery_unwrap(bytes(32), wrap, KEY_ID)
    with pytest.raises(WrongPassphraseError):
        recovery_unwrap(SCALAR, wrap, OTHER_KEY_ID)


def test_only_a_key_is_wrapped():
    with pytest.raises(ValueError, match="32 bytes"):
        recovery_wrap(SCALAR, PRIVATE[:31], KEY_ID)


@given(place=st.integers(0, 59), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(place, bit):
    wrap = recovery_wrap(SCALAR, PRIVATE, KEY_ID)
    raw = bytearray(wrap.wrapped)
    raw[place] ^= 1 << bit
    with pytest.raises(WrongPassphraseError):
        recovery_unwrap(SCALAR, replace(wrap, wrapped=bytes(raw)), KEY_ID)


@pytest.mark.parametrize(
    "changes",
    [
        {"m": 1 << 40},
        {"t": 10_000},
        {"p": 0},
        {"m": 1},
        {"t": "3"},
        {"t": True},
        {"v": 2},
        {"salt": "not hexadecimal"},
        {"salt": ""},
    ],
)
def test_parameters_that_are_not_ours_are_refused_before_the_work(changes):
    parameters = json.loads(wrapped().parameters) | changes
    with pytest.raises(DamagedWrapError):
        unwrap(PASSPHRASE, replace(wrapped(), parameters=json.dumps(parameters)), KEY_ID)


@given(parameters=st.text(), cut=st.integers(0, 59))
def test_a_damaged_wrap_is_a_vault_error(parameters, cut):
    for wrap in (
        Wrap("recovery", parameters, wrapped().wrapped),
        replace(recovery_wrap(SCALAR, PRIVATE, KEY_ID), wrapped=wrapped().wrapped[:cut]),
    ):
        with pytest.raises(VaultError):
            recovery_unwrap(SCALAR, wrap, KEY_ID)


async def test_it_opens_for_the_one_session_only(vault):
    await vault.unlock(PAT, PASSPHRASE, mark=noted)
    assert vault.key(PAT.id, KEY_ID) == PRIVATE
    assert not vault.is_open(PAT_ELSEWHERE.id)
    with pytest.raises(VaultLockedError):
        vault.key(PAT_ELSEWHERE.id, KEY_ID)
    with pytest.raises(VaultLockedError):
        vault.key(PAT.id, OTHER_KEY_ID)


async def test_locking_closes_it_and_wipes_the_key(vault):
    await vault.unlock(PAT, PASSPHRASE, mark=noted)
    held = vault._opened[PAT.id].keys[KEY_ID]
    vault.lock(PAT.id)
    assert held == bytes(32)
    assert vault.seconds_left(PAT.id) == 0
    with pytest.raises(VaultLockedError):
        vault.key(PAT.id, KEY_ID)


async def test_it_locks_itself_when_it_is_not_used(vault):
    await vault.unlock(PAT, PASSPHRASE, mark=noted)
    vault.clock.advance(14 * 60)
    assert vault.seconds_left(PAT.id) == 60
    vault.touch(PAT.id)
    vault.clock.advance(14 * 60 + 59)
    assert vault.is_open(PAT.id)
    vault.clock.advance(1)
    vault.sweep()
    assert vault._opened == {}


async def test_reading_a_key_does_not_keep_it_open(vault):
    await vault.unlock(PAT, PASSPHRASE, mark=noted)
    vault.clock.advance(14 * 60)
    vault.key(PAT.id, KEY_ID)
    vault.clock.advance(60)
    assert not vault.is_open(PAT.id)


async def test_it_does_not_open_before_the_log_says_so(vault):
    seen = []

    async def mark():
        seen.append(vault.is_open(PAT.id))

    async def full():
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        await vault.unlock(PAT, PASSPHRASE, mark=full)
    assert not vault.is_open(PAT.id)
    await vault.unlock(PAT, PASSPHRASE, mark=mark)
    assert seen == [False]
    assert vault.is_open(PAT.id)


async def test_someone_without_a_wrap_is_not_entitled(vault):
    with pytest.raises(NotEntitledError):
        await vault.unlock(Holder(b"s", "someone"), PASSPHRASE, mark=noted)


async def test_guesses_are_limited_also_when_made_at_once(vault):
    tries = [vault.unlock(PAT, "wrong", mark=noted) for _ in range(9)]
    errors = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(error, WrongPassphraseError) for error in errors) == 5
    assert sum(isinstance(error, TooManyAttemptsError) for error in errors) == 4
    vault.clock.advance(300)
    await vault.unlock(PAT, PASSPHRASE, mark=noted)


async def test_the_loop_runs_on_while_it_unlocks(vault):
    turns = 0

    async def turn():
        nonlocal turns
        while True:
            await asyncio.sleep(0.005)
            turns += 1

    turning = asyncio.create_task(turn())
    await vault.unlock(PAT, PASSPHRASE, mark=noted)
    turning.cancel()
    assert turns >= 3
