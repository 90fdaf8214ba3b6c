"""Pods that answer with their name and try to reach others: who reaches whom, as a table.

What Kubernetes' own tests of network policies do with agnhost. The program is Python of the machine, mounted into the
pods. Pods are asked over their control port, by the machine itself, which no policy keeps out.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from skerry.kube.objects import Obj
from tests.support.images import BUSYBOX
from tests.support.program import Program
from tests.support.waiting import WITHIN

_CONTROL = 8081
PORTS = (80, 81)
"""Every pod listens there, over TCP and UDP; container ports "serve-80-tcp" and so on."""

_AGENT = """
import concurrent.futures, contextlib, json, os, socket, threading
name, pool = os.environ["NAME"].encode(), concurrent.futures.ThreadPoolExecutor(64)
def answers(port):
    server = socket.create_server(("0.0.0.0", port), backlog=64)
    while True:
        with contextlib.suppress(OSError):  # clients go
            connection, _ = server.accept()
            with connection: connection.sendall(name)
def datagrams(port):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); server.bind(("0.0.0.0", port))
    while True:
        _, peer = server.recvfrom(100)
        with contextlib.suppress(OSError): server.sendto(name, peer)  # a policy may forbid it by now
def ask(target):
    address, port, protocol = target
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as client:
        client.settimeout(1)
        try:
            client.connect((address, port))
            if protocol == "udp": client.send(b"?")
            return client.recv(100).decode()
        except OSError:
            return ""
def control(connection):
    with connection, connection.makefile("rw") as stream:
        print(json.dumps(list(pool.map(ask, json.loads(stream.readline())))), file=stream, flush=True)
for port in (80, 81):
    for serve in (answers, datagrams):
        threading.Thread(target=serve, args=(port,), daemon=True).start()
server = socket.create_server(("0.0.0.0", 8081), backlog=64)
while True:
    connection, _ = server.accept()
    threading.Thread(target=control, args=(connection,), daemon=True).start()
"""
_MOUNTS = {"usr": ("/usr", "/usr"), "lib": ("/lib", "/usr/lib"), "lib64": ("/lib64", "/usr/lib64")}


class Target(NamedTuple):
    """Where somebody listens."""

    address: str
    port: int = 80
    protocol: str = "tcp"


def pod_object(pod: str, labels: Mapping[str, str]) -> Obj:
    """A pod ("namespace/name") that serves on `PORTS`, labelled `pod: <name>`."""
    namespace, _, name = pod.partition("/")
    ports = [
        {"name": f"serve-{port}-{protocol.lower()}", "containerPort": port, "protocol": protocol}
        for port in PORTS
        for protocol in ("TCP", "UDP")
    ]
    container = {
        "name": "main",
        "image": BUSYBOX,
        "env": [{"name": "NAME", "value": pod}],
        "command": ["/usr/bin/python3", "-c", _AGENT],
        "ports": ports,
        "readinessProbe": {"tcpSocket": {"port": _CONTROL}, "periodSeconds": 1},
        "volumeMounts": [{"name": one, "mountPath": where, "readOnly": True} for one, (where, _) in _MOUNTS.items()],
    }
    volumes = [{"name": one, "hostPath": {"path": path}} for one, (_, path) in _MOUNTS.items()]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"pod": name, **labels}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container], "volumes": volumes},
    }


class Reach:
    """Asks pods whom they reach."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.addresses: dict[str, str] = {}

    def start(self, pods: Iterable[str], **labels: str) -> None:
        """Make pods and wait until they serve."""
        wanted = list(pods)
        items = [pod_object(pod, labels) for pod in wanted]
        self.program.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        for pod in wanted:
            namespace, _, name = pod.partition("/")
            self.program.kubectl("-n", namespace, "wait", "--for=condition=Ready", f"pod/{name}", WITHIN)
            self.addresses[pod] = str(self.program.get("-n", namespace, "pod", name)["status"]["podIP"])

    def answers(self, pod: str, targets: Sequence[Target]) -> list[str]:
        """What each target answers, "" for nothing within a second."""
        where = self.addresses[pod], _CONTROL
        with socket.create_connection(where, 60) as connection, connection.makefile("rw") as stream:
            print(json.dumps(targets), file=stream, flush=True)
            line = stream.readline()
        assert line, f"{pod} has said nothing"
        found: list[str] = json.loads(line)
        return found

    def reaches(self, pod: str, target: Target) -> bool:
        """Whether there is an answer."""
        return bool(self.answers(pod, [target])[0])

    def table(self, port: int = 80, protocol: str = "tcp") -> Mapping[str, frozenset[str]]:
        """For every pod, the pods that it reaches."""
        targets = [Target(address, port, protocol) for address in self.addresses.values()]
        with ThreadPoolExecutor(len(self.addresses)) as pool:
            answers = pool.map(lambda pod: self.answers(pod, targets), self.addresses)
            return {pod: frozenset(filter(None, found)) for pod, found in zip(self.addresses, answers, strict=True)}
