"""What of Kubernetes' `test/e2e/common/node` needs a kubelet and is in no other module here: runtimeclass.go,
file_key.go, container_restart_policy.go, container_probe.go (redirects, sidecars), pod_level_resources.go, with busybox
for their images.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.pod_replays import PodReplays, container, pod_replays
from tests.support.program import Program, eventually

CLASSES = {"works": "crun", "unconfigured": "no-such-handler"}


@pytest.fixture(scope="module")
def pods(program: Program) -> Iterator[PodReplays]:
    with pod_replays(program, "conformance-node") as made:
        made.apply(*(runtime_class(name, handler) for name, handler in CLASSES.items()))
        made.create(PODS)
        yield made
    program.kubectl("delete", "runtimeclass", *CLASSES)


def runtime_class(name: str, handler: str) -> Any:
    return {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": name},
        "handler": handler,
        "overhead": {"podFixed": {"cpu": "10m", "memory": "1Mi"}},
    }


def once(script: str, **more: Any) -> Any:
    return {"restartPolicy": "Never", "containers": [container(script)], **more}


PODS: dict[str, Any] = {
    "class-works": once("echo ran", runtimeClassName="works"),
    "class-unconfigured": once("echo ran", runtimeClassName="unconfigured"),
}


def events(pods: PodReplays, name: str, reason: str) -> list[str]:
    """Messages of a pod's events."""
    selector = f"involvedObject.name={name},reason={reason}"
    found = pods.program.get("-n", pods.namespace, "events", "--field-selector", selector)
    return [event["message"] for event in found["items"]]


def test_a_runtime_that_is_configured(pods: PodReplays) -> None:
    assert pods.ended("class-works")["phase"] == "Succeeded"
    assert pods.get("class-works")["spec"]["overhead"] == {"cpu": "10m", "memory": "1Mi"}


def test_a_runtime_that_is_not(pods: PodReplays) -> None:
    eventually(
        lambda: any("no-such-handler" in one for one in events(pods, "class-unconfigured", "FailedCreatePodSandBox")),
        "the event",
        60,
    )
    assert pods.status("class-unconfigured")["phase"] == "Pending"
