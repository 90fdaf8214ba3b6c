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


def work(path: str) -> Any:
    return {"volumeMounts": [{"name": "work", "mountPath": path}]}


def from_file(key: str, **more: Any) -> Any:
    reference = {"volumeName": "work", "path": "config.env", "key": key, **more}
    return {"name": key, "valueFrom": {"fileKeyRef": reference}}


WORK = [{"name": "work", "emptyDir": {}}]
TELLS = "echo $GREETING; echo ${MISSING-unset}"
VARIABLES = {
    "restartPolicy": "Never",
    "volumes": WORK,
    "initContainers": [container("echo \"GREETING='hello # you' # said\" > /data/config.env", "init", **work("/data"))],
    "containers": [container(TELLS, env=[from_file("GREETING"), from_file("MISSING", optional=True)])],
}
ALL = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}]
RULES = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]


def first_time(then: str) -> str:
    """Does `then` the first time it runs, and sleeps ever after."""
    return f"if [ -e /mnt/done ]; then exec sleep 1000; fi; touch /mnt/done; {then}"


def restarting(where: str) -> Any:
    """A pod whose containers all restart when the one in `where` exits."""
    source = container(first_time("exit 42"), "source", restartPolicyRules=ALL, **work("/mnt"))
    source["restartPolicy"] = "Always" if where == "sidecar" else "Never"
    if where == "init":
        source["command"][2] = "if [ -e /mnt/done ]; then exit 0; fi; touch /mnt/done; exit 42"
    init = [container("exit 0", "first"), container("exec sleep 1000", "side", restartPolicy="Always")]
    main = [container("exec sleep 1000", "regular")]
    (main if where == "main" else init).append(source)
    return {"restartPolicy": "Never", "volumes": WORK, "initContainers": init, "containers": main}


PODS: dict[str, Any] = {
    "variables": VARIABLES,
    "variables-missing": {**VARIABLES, "containers": [container(TELLS, env=[from_file("MISSING")])]},
    "rule": {
        **once("exit 42"),
        "containers": [container("exit 42", restartPolicy="Never", restartPolicyRules=RULES)],
    },
    "rule-does-not-fit": {
        **once("exit 1"),
        "containers": [container("exit 1", restartPolicy="Never", restartPolicyRules=RULES)],
    },
    "own-policy": {"containers": [container("exit 1", restartPolicy="Never")]},
    "own-policy-always": {**once(""), "containers": [container("exit 1", restartPolicy="Always")]},
    "restart-all-main": restarting("main"),
    "restart-all-sidecar": restarting("sidecar"),
    "restart-all-init": restarting("init"),
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


def test_variables_from_a_file(pods: PodReplays) -> None:
    assert pods.ended("variables")["phase"] == "Succeeded"
    assert pods.logs("variables", "-c", "main").splitlines() == ["hello # you", "unset"]


def test_a_variable_that_the_file_has_not(pods: PodReplays) -> None:
    eventually(
        lambda: pods.main("variables-missing")["state"]["waiting"]["reason"] == "CreateContainerConfigError", "no", 60
    )
    assert 'key "MISSING" not found' in pods.main("variables-missing")["state"]["waiting"]["message"]


@pytest.mark.parametrize("name", ["rule", "own-policy-always"])
def test_restarted_although_the_pod_would_not(pods: PodReplays, name: str) -> None:
    eventually(lambda: pods.main(name)["restartCount"] >= 1, "the restart", 60)
    assert pods.status(name)["phase"] in ("Running", "Pending")


@pytest.mark.parametrize("name", ["rule-does-not-fit", "own-policy"])
def test_not_restarted_whatever_the_pod_would(pods: PodReplays, name: str) -> None:
    assert pods.ended(name)["phase"] == "Failed"
    assert pods.main(name)["restartCount"] == 0


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("main", ["first", "side", "regular", "source"]),
        ("sidecar", ["first", "side", "source"]),
        ("init", ["first", "side", "source"]),
    ],
)
def test_all_containers_restart(pods: PodReplays, where: str, names: list[str]) -> None:
    name = f"restart-all-{where}"

    def of(one: str) -> Any:
        status = pods.status(name)
        return next(
            each for each in status["initContainerStatuses"] + status["containerStatuses"] if each["name"] == one
        )

    for one in names:
        eventually(lambda one=one: of(one)["restartCount"] == 1, f"the restart of {one}", 60)
        assert "terminated" in of(one)["lastState"], one
    eventually(lambda: "running" in of("regular")["state"], "the regular container", 60)
    address = pods.status(name)["podIP"]
    eventually(
        lambda: "AllContainersRestarting" not in {each["type"] for each in pods.status(name)["conditions"]},
        "the end",
        30,
    )
    assert pods.status(name)["podIP"] == address
    assert pods.status(name)["phase"] == "Running"
