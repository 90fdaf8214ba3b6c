"""A network of our own for a test: this thread in a fresh network namespace as "the host", pods attached by CNI.

The kernel takes everything back when the last process or descriptor of a namespace is gone, so nothing can be left.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skerry.engine.config import EngineConfig
from skerry.engine.network.cni import conflist, plugin_dir

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

# What runs in a pod: answers with its name and the address it was called from, over TCP and UDP on port 8080.
# A policy may forbid the answer to what has just come (EPERM), and clients go: one answer is lost, the server lives on.
_SERVER = """
import contextlib, socket, sys, threading
name = sys.argv[1]
both = socket.has_dualstack_ipv6()
family, anywhere = (socket.AF_INET6, "::") if both else (socket.AF_INET, "0.0.0.0")
udp = socket.socket(family, socket.SOCK_DGRAM)
if both: udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
udp.bind((anywhere, 8080))
tcp = socket.create_server((anywhere, 8080), family=family, backlog=64, dualstack_ipv6=both)
def answer(peer): return f"{name} {peer[0].removeprefix('::ffff:')}".encode()
def datagrams():
    while True:
        _, peer = udp.recvfrom(100)
        with contextlib.suppress(OSError): udp.sendto(answer(peer), peer)
threading.Thread(target=datagrams, daemon=True).start()
print("ready", flush=True)
while True:
    connection, peer = tcp.accept()
    with connection, contextlib.suppress(OSError): connection.sendall(answer(peer))
"""

_CLIENT = """
import socket, sys
address, port, protocol, patience = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind); client.settimeout(patience)
try:
    client.connect((address, port))
    if protocol == "udp": client.send(b"?")
    print(client.recv(100).decode())
except OSError as error:
    print("failed", type(error).__name__)
"""


@contextmanager
def own_network() -> Iterator[None]:
    """Put this thread, and what it starts, into a fresh network namespace with loopback up."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _check(_libc.unshare(_CLONE_NEWNET))
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        sysctl("ip_forward").write_text("0\n")  # a new namespace inherits it from the machine
        yield
    finally:
        _check(_libc.setns(before, _CLONE_NEWNET))
        os.close(before)


class Pod:
    """A process in a network namespace of its own, attached with the real CNI plug-ins."""

    def __init__(self, config: EngineConfig, name: str) -> None:
        self.name = name
        self._config = config
        command = ["unshare", "--net", sys.executable, "-c", _SERVER, name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"
        added = json.loads(self._cni("ADD"))
        self.addresses = [one["address"].partition("/")[0] for one in added["ips"]]
        self.address = self.addresses[0]

    @property
    def inside(self) -> list[str]:
        """What a command begins with that runs in the pod's network."""
        return ["nsenter", "--net", "--target", str(self.process.pid)]

    def fetch(self, address: str, port: int, protocol: str = "tcp", patience: float = 10) -> str:
        """Call from inside the pod; "name source-address", or "failed ErrorName"."""
        return call(address, port, protocol, self.inside, patience)

    def route_loopback_to_host(self) -> None:
        """Do what root in a pod can do to aim at the host's 127.0.0.1."""
        script = """
            ip route del local 127.0.0.0/8 table local; ip route del local 127.0.0.1 table local
            ip address flush dev lo; ip route add 127.0.0.0/8 via 10.64.0.1
            echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet"""
        subprocess.run([*self.inside, "sh", "-c", script], check=False, capture_output=True)

    def close(self) -> None:
        """Detach and end."""
        self._cni("DEL")
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _cni(self, verb: str) -> str:
        network = conflist(self._config, 1500)
        plugin: dict[str, Any] = {**network["plugins"][0], "name": network["name"], "cniVersion": network["cniVersion"]}
        directory = self._config.paths.cni_plugins if self._config.pod_cidr6 else plugin_dir()
        assert directory is not None
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "CNI_COMMAND": verb,
            "CNI_CONTAINERID": self.name,
            "CNI_NETNS": f"/proc/{self.process.pid}/ns/net",
            "CNI_IFNAME": "eth0",
            "CNI_PATH": str(directory),
        }
        command = [str(directory / plugin["type"])]
        done = subprocess.run(command, input=json.dumps(plugin), capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stdout
        return done.stdout


@contextmanager
def host_server(name: str) -> Iterator[None]:
    """A server on the host itself, port 8080."""
    process = subprocess.Popen([sys.executable, "-c", _SERVER, name], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        process.communicate()


def call(address: str, port: int, protocol: str = "tcp", prefix: list[str] | None = None, patience: float = 10) -> str:
    """Call a server from the host (or from where `prefix` leads); its answer, or "failed ErrorName" (TimeoutError
    after `patience` seconds)."""
    command = [*(prefix or []), sys.executable, "-c", _CLIENT, address, str(port), protocol, str(patience)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def sysctl(name: str) -> Path:
    """The file of a network switch, in this thread's namespace."""
    return Path("/proc/sys/net/ipv4") / name


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
