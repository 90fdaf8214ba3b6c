"""The Python `kubernetes` client against the whole program: create, read, change, watch, exec, delete."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config, watch
from kubernetes.stream import portforward, stream

from tests.support.program import Program, eventually
from tests.support.waiting import LIMIT

# the client leaves its sockets to the garbage collector, which may come at any line
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")

POD: dict[str, Any] = {
    "metadata": {"name": "p", "labels": {"app": "p"}},
    "spec": {
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {"name": "main", "image": "busybox:test", "command": ["httpd", "-f", "-p", "8080", "-h", "/etc"]}
        ],
    },
}


@pytest.fixture
def api(program: Program) -> Iterator[client.ApiClient]:
    """A client of the program's own kubeconfig. It leaves sockets to the garbage collector: let it, here."""
    yield config.new_client_from_config(str(program.kubeconfig))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


def test_create_read_change_delete(api: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    made = core.create_namespaced_config_map(namespace, {"metadata": {"name": "c"}, "data": {"a": "1"}})
    assert made.metadata.uid
    core.patch_namespaced_config_map("c", namespace, {"data": {"b": "2"}})
    read = core.read_namespaced_config_map("c", namespace)
    assert read.data == {"a": "1", "b": "2"}
    read.data = {"z": "26"}
    assert core.replace_namespaced_config_map("c", namespace, read).data == {"z": "26"}
    with pytest.raises(client.ApiException) as stale:
        core.replace_namespaced_config_map("c", namespace, made)
    assert (stale.value.status, stale.value.reason) == (409, "Conflict")
    core.delete_namespaced_config_map("c", namespace)
    with pytest.raises(client.ApiException) as missing:
        core.read_namespaced_config_map("c", namespace)
    assert missing.value.status == 404


def test_deployments_and_their_scale(api: client.ApiClient, namespace: str) -> None:
    apps = client.AppsV1Api(api)
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "p"}}, "template": POD | {"metadata": POD["metadata"]}}
    apps.create_namespaced_deployment(namespace, {"metadata": {"name": "d"}, "spec": spec})
    eventually(lambda: apps.read_namespaced_deployment("d", namespace).status.ready_replicas == 1, "the pod")
    apps.patch_namespaced_deployment_scale("d", namespace, {"spec": {"replicas": 2}})
    eventually(lambda: apps.read_namespaced_deployment("d", namespace).status.ready_replicas == 2, "the second pod")
    assert apps.read_namespaced_deployment_scale("d", namespace).status.selector == "app=p"


def test_watch_sees_a_pod_come_and_go(api: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    before = core.list_namespaced_pod(namespace).metadata.resource_version
    core.create_namespaced_pod(namespace, POD)
    phases, types, watching = set(), [], watch.Watch()
    for event in watching.stream(
        core.list_namespaced_pod, namespace, resource_version=before, timeout_seconds=int(LIMIT)
    ):
        types.append(event["type"])
        phases.add(event["object"].status.phase)
        if event["type"] == "MODIFIED" and event["object"].status.phase == "Running" and "DELETE" not in phases:
            core.delete_namespaced_pod("p", namespace)
            phases.add("DELETE")
        if event["type"] == "DELETED":
            watching.stop()
    assert types[0] == "ADDED"
    assert types[-1] == "DELETED"
    assert {"Pending", "Running"} <= phases


def test_lists_come_in_chunks(api: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    for number in range(5):
        labels = {"metadata": {"name": f"c{number}", "labels": {"of": "chunks"}}}
        core.create_namespaced_config_map(namespace, labels)
    first = core.list_namespaced_config_map(namespace, label_selector="of=chunks", limit=2)
    rest = core.list_namespaced_config_map(namespace, label_selector="of=chunks", _continue=first.metadata._continue)
    names = [item.metadata.name for item in (*first.items, *rest.items)]
    assert names == [f"c{number}" for number in range(5)]


def test_streams_into_a_pod(api: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    core.create_namespaced_pod(namespace, POD)
    eventually(lambda: core.read_namespaced_pod("p", namespace).status.phase == "Running", "the pod")
    options = {"stdin": False, "stdout": True, "stderr": True, "tty": False}
    said = stream(core.connect_get_namespaced_pod_exec, "p", namespace, command=["echo", "hello"], **options)
    assert said == "hello\n"
    talk = stream(
        core.connect_get_namespaced_pod_exec, "p", namespace, command=["sh", "-c", "read x; echo got $x; exit 7"],
        **{**options, "stdin": True}, _preload_content=False,
    )  # fmt: skip
    talk.write_stdin("words\n")
    talk.run_forever(timeout=60)
    assert (talk.read_stdout(), talk.returncode) == ("got words\n", 7)
    forwarded = portforward(core.connect_get_namespaced_pod_portforward, "p", namespace, ports="8080")
    connection = forwarded.socket(8080)
    connection.setblocking(True)
    connection.sendall(b"GET /passwd HTTP/1.0\r\n\r\n")
    assert connection.recv(4096).startswith(b"HTTP/1.")
    forwarded.close()
