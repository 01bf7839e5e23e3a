"""Two network namespaces with a wire between them, which loses packets and can be pulled.

What is lost is lost by nftables where it arrives, on both sides. (netem would do more, but
many kernels come without it.)
"""

import contextlib
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

TOOLS = ("ip", "nft")


def why_not() -> str | None:
    """Why no such wire can be laid here, in words; None where it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} is not installed (Debian: iproute2, nftables)"
    try:
        with Wire() as wire, wire.losing(30):
            return None
    except subprocess.CalledProcessError as error:
        return f"namespaces or nftables are not to be had: {error.stderr.strip()}"


class Wire:
    """The collector's end and the PC's end, up while the `with` block runs."""

    address = "10.77.0.1"
    """The collector's."""

    def __init__(self) -> None:
        name = secrets.token_hex(3)
        self.collector, self.pc = f"rs-c-{name}", f"rs-p-{name}"

    def __enter__(self) -> Self:
        try:
            for space in (self.collector, self.pc):
                _run("ip", "netns", "add", space)
            _run(*self.at(self.collector), *_words("ip link add wire type veth peer name wire"),
                 "netns", self.pc)  # fmt: skip
            for space, address in ((self.collector, self.address), (self.pc, "10.77.0.2")):
                _run(*self.at(space), *_words(f"ip address add {address}/24 dev wire"))
                _run(*self.at(space), *_words("ip link set lo up"))
                _run(*self.at(space), *_words("ip link set wire up"))
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    @staticmethod
    def at(space: str) -> tuple[str, ...]:
        """What goes before a command that is to run at one end."""
        return ("ip", "netns", "exec", space)

    def losing(self, percent: int) -> contextlib.AbstractContextManager[None]:
        """Lose so many of a hundred packets, each way, until the block ends."""
        return self._ruled(
            "loss", f"numgen random mod 100 < {percent} counter drop", self.collector, self.pc
        )

    def resetting(self) -> contextlib.AbstractContextManager[None]:
        """Answer the PC's packets with a reset, as a firewall that forgot the connection.

        The collector hears nothing of it: its end of what was open stays half open.
        """
        return self._ruled("resets", "meta l4proto tcp reject with tcp reset", self.collector)

    @contextlib.contextmanager
    def _ruled(self, table: str, rule: str, *spaces: str) -> Iterator[None]:
        for space in spaces:
            rules = (
                f"add table inet {table}; "
                f"add chain inet {table} in {{ type filter hook input priority 0; }}; "
                f'add rule inet {table} in iifname "wire" {rule}'
            )
            _run(*self.at(space), "nft", rules)
        try:
            yield
        finally:
            for space in spaces:
                _run(*self.at(space), "nft", "delete", "table", "inet", table)

    def lost(self) -> int:
        """How many packets were lost so far, of those that are counted now."""
        said = [_run(*self.at(space), *_words("nft list table inet loss"))
                for space in (self.collector, self.pc)]  # fmt: skip
        return sum(int(words.split("packets ")[1].split()[0]) for words in said)

    def pull(self, seconds: float) -> None:
        """Pull it out at the PC, and put it in again: no end is told."""
        _run(*self.at(self.pc), *_words("ip link set wire down"))
        time.sleep(seconds)
        _run(*self.at(self.pc), *_words("ip link set wire up"))

    def _remove(self) -> None:
        for space in (self.collector, self.pc):
            with contextlib.suppress(subprocess.CalledProcessError):
                _run("ip", "netns", "delete", space)


def _words(command: str) -> list[str]:
    return command.split()


def _run(*command: str) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return done.stdout
