"""What a technician may have the running server do, by the control socket."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from collector import tokens
from collector.audit import Act
from collector.control import Command, ControlError
from collector.desk_certificate import in_utc
from collector.devices import Device, DeviceState
from collector.logs import logger
from collector.packs import find_packs
from collector.parts import Parts
from collector.rules import desk_place, read_rules
from collector.settings import join_address, split_address
from collector.setup import read_packs
from collector.tokens import Issue
from keywords.pack import PackError
from wire.token import new_token

_LOG = logger("collector.commands")
_ANSWERS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Commands:
    """Each command is a method; `table` names them."""

    parts: Parts
    addresses: Callable[[], Mapping[str, str]]
    """Where the listeners are, by their settings' names."""

    def table(self) -> dict[str, Command]:
        """Every command by its name."""
        return {
            "status": self.status,
            "enrol-token": self.enrol_token,
            "devices-list": self.devices_list,
            "devices-confirm": self.devices_confirm,
            "devices-deny": self.devices_deny,
            "policy-show": self.policy_show,
            "policy-publish": self.policy_publish,
        }

    async def status(self, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Whom the server serves, where, and how many PCs are connected."""
        parts = self.parts
        return {
            "school": parts.school.id,
            "name": parts.school.name,
            "addresses": dict(self.addresses()),
            "devices": len(parts.devices.all()),
            "online": len(parts.devices.online()),
            "policy": parts.policies.version,
        }

    async def enrol_token(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """A token, and the command line that uses it."""
        parts = self.parts
        issue = Issue(
            room=_text(arguments, "room", ""),
            uses=_number(arguments, "uses", 1),
            hours=_number(arguments, "hours", 24),
        )
        token = new_token(parts.ca.trust)

        def job(conn: Connection) -> int:
            now = parts.clock.now()
            expires_at = tokens.add(conn, parts.school.id, token, issue, now=now)
            detail = f"uses={issue.uses} hours={issue.hours}"
            parts.audit.append(
                conn, Act(action="enrol_token_made", object="token:new", detail=detail)
            )
            return expires_at

        expires_at = await parts.store.write(job)
        _, port = self.addresses()["enrol"].rsplit(":", 1)
        server = join_address(parts.settings.host, int(port))
        return {
            "token": token.text(),
            "expires_at": in_utc(expires_at).isoformat(),
            "server": server,
            "uses": issue.uses,
            "command": f"redshank-agent enrol --server {server} --token {token.text()}",
        }

    async def devices_list(self, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Every device, by name."""
        online = self.parts.devices.online()
        found = self.parts.devices.all()[:_ANSWERS_MAX]
        return {"devices": [_shown(device, online=device.device in online) for device in found]}

    async def devices_confirm(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Let a waiting PC speak; a denied one enrols anew instead."""
        device = self._find(arguments)
        if device.state is DeviceState.DENIED:
            raise ControlError(f"{device.name} was denied; enrol it anew with a new token")
        if device.state is DeviceState.PENDING:
            await self._note("device_confirmed", device)
            device = await self.parts.devices.confirm(device.device)
        return _shown(device, online=False)

    async def devices_deny(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Revoke a PC: its open streams end, and its certificate never opens another."""
        device = self._find(arguments)
        await self._note("device_denied", device)
        denied = await self.parts.devices.deny(device.device)
        return _shown(denied, online=False)

    async def policy_show(self, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The policy in force, without the packs' texts."""
        policy, rules = self.parts.policies.policy, self.parts.policies.policy.evidence
        return {
            "version": policy.version,
            "issued_at": in_utc(policy.issued_at).isoformat(),
            "expires_at": in_utc(policy.expires_at).isoformat(),
            "packs": [{"name": pack.name, "version": pack.version} for pack in policy.packs],
            "no_picture": list(rules.no_picture),
            "never_places": list(rules.never_places),
            "excluded_applications": list(rules.excluded_applications),
            "held_applications": list(rules.held_applications),
            "shared_accounts": list(rules.shared_accounts),
        }

    async def policy_publish(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Sign packs and rules from files as the next version, and send it to every agent."""
        parts = self.parts
        folder, rules_file = _text(arguments, "packs", ""), _text(arguments, "rules", "")
        languages = _text(arguments, "languages", "").split()
        try:
            # Many files, checked line by line: not while records wait.
            packs = (
                await asyncio.to_thread(
                    lambda: read_packs(find_packs(Path(folder) if folder else None, languages))
                )
                if folder or languages
                else None
            )
        except PackError as error:
            raise ControlError(str(error)) from None
        rules = read_rules(Path(rules_file), self._desk_place()) if rules_file else None
        policy = await parts.policies.publish(packs=packs, rules=rules)
        _LOG.info("policy published", version=policy.version, packs=len(policy.packs))
        return await self.policy_show({})

    def _desk_place(self) -> str:
        settings = self.parts.settings
        return desk_place(settings.host, split_address(settings.desk_listen)[1])

    async def _note(self, action: str, device: Device) -> None:
        act = Act(action=action, object=f"device:{device.device}")
        await self.parts.store.write(lambda conn: self.parts.audit.append(conn, act))
        _LOG.info(action.replace("_", " "), device=device.device)

    def _find(self, arguments: Mapping[str, Any]) -> Device:
        wanted = _text(arguments, "device", "")
        found = [
            device for device in self.parts.devices.all() if wanted in {device.device, device.name}
        ]
        live = [device for device in found if device.state is not DeviceState.DENIED] or found
        if not live:
            raise ControlError(f"there is no device '{wanted}'; see `devices list`")
        if len(live) > 1:
            raise ControlError(f"several devices are called '{wanted}'; give the id instead")
        return live[0]


def _shown(device: Device, *, online: bool) -> dict[str, Any]:
    return {
        "device": device.device,
        "name": device.name,
        "room": device.room,
        "state": str(device.state),
        "online": online,
        "enrolled_at": in_utc(device.enrolled_at).isoformat(),
    }


def _text(arguments: Mapping[str, Any], name: str, default: str) -> str:
    value = arguments.get(name, default)
    if not isinstance(value, str):
        raise ControlError(f"{name}: must be text")
    return value


def _number(arguments: Mapping[str, Any], name: str, default: int) -> int:
    value = arguments.get(name, default)
    if type(value) is not int:
        raise ControlError(f"{name}: must be a number")
    return value
