"""An instance's network with the service proxy and the policy keeper at work, on an API in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skerry.engine.config import EngineConfig
from skerry.engine.network.host import remove_network
from skerry.engine.network.policy.keeper import PolicyKeeper
from skerry.engine.network.proxy import ServiceProxy
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj
from skerry.kube.resources import NAMESPACES, NETWORK_POLICIES, PODS
from tests.component.network.netns import Pod
from tests.component.network.test_proxy import eventually, name_in
from tests.support.collections import Collections

CUT_OFF = "failed TimeoutError"
BRIEFLY = 0.5  # seconds; a slow answer is taken for none, and asked for again where one is wanted

_TALKER = """
import socket, sys, threading, time
def listen(peer):
    while data := peer.recv(100):
        print("heard", flush=True)
server = socket.create_server(("0.0.0.0", 9000)) if sys.argv[1] == "server" else None
print("listening", flush=True)
peer = server.accept()[0] if server else socket.create_connection((sys.argv[1], 9000))
threading.Thread(target=listen, args=(peer,), daemon=True).start()
while True:
    peer.send(b"."); time.sleep(0.05)
"""


class PolicedNetwork:
    """Its pods are processes in network namespaces, attached by CNI."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.api = Collections()
        self.informers = Informers(self.api)  # type: ignore[arg-type]  # only lists and watches are needed
        self.proxy = ServiceProxy(config, self.informers)
        self.keeper = PolicyKeeper(config, self.informers)
        self.pods: list[Pod] = []

    async def start(self) -> None:
        await self.proxy.prepare()
        await self.keeper.prepare()
        await self.informers.start()
        self.proxy.start()
        self.keeper.start()

    async def close(self) -> None:
        await self.keeper.close()
        await self.proxy.close()
        await self.informers.close()
        for pod in self.pods:
            pod.close()
        await remove_network(self.config)

    def stranger(self, name: str) -> Pod:
        """A pod that nobody tells the keeper of."""
        pod = Pod(self.config, name)
        self.pods.append(pod)
        return pod

    async def pod(self, name: str, namespace: str = "default", **labels: str) -> Pod:
        """A pod that is attached and guarded."""
        pod = self.stranger(name)
        obj = pod_object(name, namespace, labels)
        self.api.put(PODS, obj)
        self.keeper.attached(obj, tuple(pod.addresses))
        await self.keeper.ready(obj["metadata"]["uid"])
        return pod

    def namespace(self, name: str, **labels: str) -> None:
        labels = {"kubernetes.io/metadata.name": name, **labels}
        self.api.put(NAMESPACES, {"metadata": {"name": name, "labels": labels}})

    def policy(self, name: str = "policy", namespace: str = "default", **spec: Any) -> None:
        spec = {"podSelector": {}, **spec}
        self.api.put(NETWORK_POLICIES, {"metadata": {"name": name, "namespace": namespace}, "spec": spec})


def pod_object(name: str, namespace: str = "default", labels: dict[str, str] | None = None) -> Obj:
    """As the API has it; a TCP port is named."""
    ports = [{"name": "web", "containerPort": 8080, "protocol": "TCP"}]
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {}, "uid": f"uid-{name}"},
        "spec": {"containers": [{"name": "main", "ports": ports}]},
    }


async def reaches(pod: Pod, other: Pod, protocol: str = "tcp") -> None:
    await eventually(lambda: pod.fetch(other.address, 8080, protocol), lambda answer: name_in(answer) == other.name)


async def is_cut_off(pod: Pod, other: Pod, protocol: str = "tcp") -> None:
    await eventually(lambda: pod.fetch(other.address, 8080, protocol, BRIEFLY), lambda answer: answer == CUT_OFF)


class Talker:
    """One end of a connection over which both ends talk all the time."""

    def __init__(self, pod: Pod, whom: str) -> None:
        command = [*pod.inside, sys.executable, "-u", "-c", _TALKER, whom]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"listening\n"
        os.set_blocking(self.process.stdout.fileno(), False)

    def heard(self) -> bool:
        """Whether something is heard now."""
        assert self.process.stdout is not None
        self.process.stdout.read()
        time.sleep(0.5)  # ten times as long as a speaker pauses
        return bool(self.process.stdout.read())

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def talking(one: Pod, two: Pod) -> Iterator[tuple[Talker, Talker]]:
    """A connection from one pod to another, in use."""
    server = Talker(two, "server")
    client = Talker(one, two.address)
    try:
        yield client, server
    finally:
        client.close()
        server.close()
