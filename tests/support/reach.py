"""Pods that answer with their name and try to reach others: who reaches whom, as a table.

What Kubernetes' own tests of network policies do with agnhost. The programs are Python of the machine, mounted into
the pods: busybox, being static, cannot ask the C library for addresses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.support.images import BUSYBOX
from tests.support.program import Program

PORTS = (80, 81)
"""Every pod listens there, over TCP and UDP; container ports "serve-80-tcp" and so on."""

_SERVER = """
import os, selectors, socket
name, chosen = os.environ["NAME"].encode(), selectors.DefaultSelector()
for port in (80, 81):
    tcp = socket.create_server(("0.0.0.0", port), backlog=64)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("0.0.0.0", port))
    chosen.register(tcp, selectors.EVENT_READ); chosen.register(udp, selectors.EVENT_READ)
while True:
    for key, _ in chosen.select():
        if key.fileobj.type == socket.SOCK_STREAM:
            connection, _ = key.fileobj.accept(); connection.sendall(name); connection.close()
        else:
            _, peer = key.fileobj.recvfrom(100); key.fileobj.sendto(name, peer)
"""

_PROBE = """
import concurrent.futures, json, socket, sys
def answer(target):
    address, port, protocol = target
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as client:
        client.settimeout(1)
        try:
            client.connect((address, port))
            if protocol == "udp": client.send(b"?")
            return client.recv(100).decode()
        except OSError as error:
            return ""
targets = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
    print(json.dumps(list(pool.map(answer, targets))))
"""

MOUNTS = """
    volumeMounts:
    - {name: usr, mountPath: /usr, readOnly: true}
    - {name: lib, mountPath: /lib, readOnly: true}
    - {name: lib64, mountPath: /lib64, readOnly: true}
  volumes:
  - {name: usr, hostPath: {path: /usr}}
  - {name: lib, hostPath: {path: /usr/lib}}
  - {name: lib64, hostPath: {path: /usr/lib64}}
"""


@dataclass(frozen=True, order=True)
class Target:
    """Where somebody listens."""

    address: str
    port: int = 80
    protocol: str = "tcp"


def pod_manifest(namespace: str, name: str, **labels: str) -> str:
    """A pod that serves on `PORTS`, labelled `pod: <name>`."""
    ports = [
        {"name": f"serve-{port}-{protocol.lower()}", "containerPort": port, "protocol": protocol}
        for port in PORTS
        for protocol in ("TCP", "UDP")
    ]
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {json.dumps({"pod": name, **labels})}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: {BUSYBOX}
    env: [{{name: NAME, value: {namespace}/{name}}}]
    command: [/usr/bin/python3, -c, {json.dumps(_SERVER)}]
    ports: {json.dumps(ports)}
{MOUNTS}
---
"""


class Reach:
    """Asks pods ("namespace/name") whom they reach. Every pod must be running."""

    def __init__(self, program: Program, pods: Iterable[str]) -> None:
        self.program = program
        self.pods = list(pods)
        self._addresses: dict[str, str] = {}

    def address(self, pod: str) -> str:
        """A pod's address, asked once."""
        if pod not in self._addresses:
            self._addresses[pod] = str(self.object(pod)["status"]["podIP"])
        return self._addresses[pod]

    def object(self, pod: str) -> dict[str, dict[str, str]]:
        """The pod as the API has it."""
        namespace, _, name = pod.partition("/")
        found: dict[str, dict[str, str]] = self.program.get("-n", namespace, "pod", name)
        return found

    def run(self, pod: str, *command: str) -> str:
        """What a command in a pod prints."""
        namespace, _, name = pod.partition("/")
        return self.program.kubectl("-n", namespace, "exec", name, "--", *command, check=False).stdout

    def python(self, pod: str, script: str, *words: str) -> str:
        """What a Python script in a pod prints."""
        return self.run(pod, "/usr/bin/python3", "-c", script, *words)

    def answers(self, pod: str, targets: Sequence[Target]) -> list[str]:
        """What each target answers, "" for nothing within a second."""
        asked = json.dumps([[one.address, one.port, one.protocol] for one in targets])
        found: list[str] = json.loads(self.python(pod, _PROBE, asked) or json.dumps([""] * len(targets)))
        return found

    def reaches(self, pod: str, target: Target) -> bool:
        """Whether there is an answer."""
        return bool(self.answers(pod, [target])[0])

    def table(self, port: int = 80, protocol: str = "tcp") -> Mapping[str, set[str]]:
        """For every pod, the pods that it reaches."""
        targets = [Target(self.address(pod), port, protocol) for pod in self.pods]
        return {pod: set(filter(None, self.answers(pod, targets))) for pod in self.pods}
