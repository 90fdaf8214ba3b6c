"""A local network beside "the host" of a test: an interface of the host's, and clients at its other end.

Clients are processes in a namespace of their own, kept by a descriptor: nothing has a name on the machine.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.component.network.netns import call

HOST, CLIENT, NETWORK = "198.51.100.1", "198.51.100.9", "198.51.100.0/24"


class Lan:
    """Made in the namespace of the calling thread; `interface` is the host's end."""

    def __init__(self, interface: str = "lan0", host: str = HOST, client: str = CLIENT) -> None:
        self.interface = interface
        self._keeper = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._keeper.stdout is not None
        assert self._keeper.stdout.readline() == b"ready\n"
        _ip("link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", str(self._keeper.pid))
        _ip("address", "add", f"{host}/24", "dev", interface)
        _ip("link", "set", interface, "up")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", f"{client}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")

    @property
    def inside(self) -> list[str]:
        """What to put before a command to run it at the other end."""
        return ["nsenter", "--net", "--target", str(self._keeper.pid)]

    def run(self, *command: str) -> str:
        """Run a command at the other end."""
        return subprocess.run([*self.inside, *command], check=True, capture_output=True, text=True).stdout

    def fetch(self, address: str, port: int, protocol: str = "tcp") -> str:
        """Call from the other end; "name source-address", or "failed ErrorName"."""
        return call(address, port, protocol, self.inside)

    def neighbour(self, address: str) -> str:
        """The hardware address the other end has learnt for an address, "" for none."""
        shown: list[dict[str, Any]] = json.loads(self.run("ip", "-j", "neighbour", "show", address) or "[]")
        return str(shown[0].get("lladdr", "")) if shown else ""

    @property
    def hardware(self) -> str:
        """The hardware address of the host's end."""
        shown = subprocess.run(["ip", "-j", "link", "show", self.interface], check=True, capture_output=True, text=True)
        return str(json.loads(shown.stdout)[0]["address"])

    def close(self) -> None:
        """End the other end; the interface goes with it."""
        self._keeper.kill()
        self._keeper.communicate()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
