"""The devices that this school enrolled, and the streams that they hold open.

The **book** keeps every device in memory, so that each message is held against it
without a query; the rows of `devices` are the truth, and each change is durable
before the book shows it. **Denying** a device ends its open streams at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from sqlalchemy import Connection, insert, select, update

from collector.errors import UnknownDevice
from collector.store import Store, schema


class DeviceState(StrEnum):
    """Whether a device may speak."""

    PENDING = "pending"
    """Enrolled, but the technician has not confirmed it yet."""
    ACTIVE = "active"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One enrolled PC."""

    device: str
    """A UUID; stands in its certificate."""
    name: str
    """The host name that it gave at enrolment."""
    room: str
    state: DeviceState
    public_key: bytes
    """DER SubjectPublicKeyInfo of the key that signs its records."""
    certificate: bytes
    """DER, the newest."""
    enrolled_at: int


class OpenStream(Protocol):
    """A device's stream, as the book needs to end it."""

    def cut(self, state: DeviceState) -> None:
        """End the stream because of the device's new state. Called in the event loop."""
        ...

    def supersede(self) -> None:
        """End the stream because the device opened another."""
        ...


class DeviceBook:
    """Every device of one school, in memory and in the store. Used in one event loop."""

    def __init__(self, store: Store, school: str) -> None:
        """Make an empty book; `load` fills it."""
        self._store = store
        self._school = school
        self._devices: dict[str, Device] = {}
        self._keys: dict[str, EllipticCurvePublicKey] = {}
        self._streams: dict[str, set[OpenStream]] = {}

    async def load(self) -> None:
        """Read the devices from the store."""
        found = await self._store.read(partial(select_devices, school=self._school))
        self._devices = {device.device: device for device in found}
        self._keys = {}

    def get(self, device: str) -> Device | None:
        """Give the device, or None if it was never enrolled here."""
        return self._devices.get(device)

    def all(self) -> tuple[Device, ...]:
        """Give every device, denied ones included, by name."""
        return tuple(
            sorted(self._devices.values(), key=lambda device: (device.name, device.device))
        )

    def key(self, device: str) -> EllipticCurvePublicKey:
        """Give the key that signs a known device's records."""
        key = self._keys.get(device)
        if key is None:
            loaded = load_der_public_key(self._must(device).public_key)
            assert isinstance(loaded, EllipticCurvePublicKey)
            key = self._keys[device] = loaded
        return key

    async def add(self, device: Device) -> None:
        """Write a new device down, or replace one that enrols again; streams of its old key end."""
        await self._store.write(partial(insert_device, school=self._school, device=device))
        self.admit(device)

    def admit(self, device: Device) -> None:
        """Show a device that the caller's own transaction wrote by `insert_device`."""
        self._devices[device.device] = device
        self._keys.pop(device.device, None)

    async def confirm(self, device: str) -> Device:
        """Let a pending device speak."""
        return await self._change(device, state=DeviceState.ACTIVE)

    async def deny(self, device: str) -> Device:
        """Revoke a device: once that is durable, its open streams end."""
        return await self._change(device, state=DeviceState.DENIED)

    async def renewed(self, device: str, certificate: bytes) -> Device:
        """Note a device's newest certificate (DER); its key stays the same."""
        return await self._change(device, certificate=certificate)

    def attach(self, device: str, stream: OpenStream) -> tuple[OpenStream, ...]:
        """Note an open stream; give the older ones of the same device, which it supersedes."""
        streams = self._streams.setdefault(device, set())
        older = tuple(streams)
        streams.add(stream)
        return older

    def detach(self, device: str, stream: OpenStream) -> None:
        """Forget a stream that ended."""
        streams = self._streams.get(device, set())
        streams.discard(stream)
        if not streams:
            self._streams.pop(device, None)

    def online(self) -> frozenset[str]:
        """Give the devices that have a stream open now."""
        return frozenset(self._streams)

    async def _change(self, device: str, **values: object) -> Device:
        self._must(device)
        rows = schema.devices

        def job(conn: Connection) -> None:
            here = (rows.c.school == self._school) & (rows.c.device == device)
            conn.execute(update(rows).where(here).values(**values))

        await self._store.write(job)
        # Of the device as it is now: another change may have become durable meanwhile.
        changed = replace(self._must(device), **values)  # type: ignore[arg-type]
        self._devices[device] = changed
        if changed.state is DeviceState.DENIED:
            for stream in tuple(self._streams.get(device, ())):
                stream.cut(changed.state)
        return changed

    def _must(self, device: str) -> Device:
        found = self._devices.get(device)
        if found is None:
            raise UnknownDevice(f"there is no device {device} in this school")
        return found


def select_devices(conn: Connection, school: str) -> Iterable[Device]:
    """Read a school's devices."""
    rows = schema.devices.c
    query = select(
        rows.device,
        rows.name,
        rows.room,
        rows.state,
        rows.public_key,
        rows.certificate,
        rows.enrolled_at,
    ).where(rows.school == school)
    return [
        Device(
            device=row.device,
            name=row.name,
            room=row.room,
            state=DeviceState(row.state),
            public_key=row.public_key,
            certificate=row.certificate,
            enrolled_at=row.enrolled_at,
        )
        for row in conn.execute(query)
    ]


def insert_device(conn: Connection, *, school: str, device: Device) -> None:
    """Write a device down, for a job that does more (a token's use, say) in one transaction."""
    conn.execute(
        insert(schema.devices)
        .prefix_with("OR REPLACE")
        .values(
            school=school,
            device=device.device,
            name=device.name,
            room=device.room,
            state=device.state,
            public_key=device.public_key,
            certificate=device.certificate,
            enrolled_at=device.enrolled_at,
        ),
    )
