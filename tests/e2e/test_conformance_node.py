"""What of Kubernetes' `test/e2e/common/node` needs a kubelet and is in no other module here: runtimeclass.go,
file_key.go, container_restart_policy.go, container_probe.go (redirects, sidecars), pod_level_resources.go, with busybox
for their images.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.images import BUSYBOX
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


def sized(memory: str, cpu: str = "200m") -> Any:
    return {"limits": {"cpu": cpu, "memory": memory}, "requests": {"cpu": "50m", "memory": "16Mi"}}


READY = "touch /tmp/ready; trap 'rm /tmp/ready' TERM; while true; do sleep 0.2; done"
ASKS = {"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 1, "timeoutSeconds": 30}
FILLS = "dd if=/dev/zero of=/mnt/data bs=1M count=40 2>/dev/null; echo filled; exec sleep 1000"
PODS: dict[str, Any] = {
    "named": once("hostname; hostname -f", hostnameOverride="override.example.host", hostname="other", subdomain="x"),
    "as-a-whole": {
        "resources": sized("64Mi"),
        "containers": [container("exec sleep 1000"), container("exec sleep 1000", "b")],
    },
    "filled": {
        "volumes": [{"name": "work", "emptyDir": {"medium": "Memory"}}],
        "containers": [container(FILLS, resources=sized("96Mi"), **work("/mnt"))],
    },
    "leaves": {
        "terminationGracePeriodSeconds": 600,
        "containers": [
            container(
                READY,
                startupProbe={**ASKS, "failureThreshold": 600},
                readinessProbe={**ASKS, "failureThreshold": 1},
                livenessProbe={**ASKS, "failureThreshold": 1},
            )
        ],
    },
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
        240,
    )
    assert pods.status("class-unconfigured")["phase"] == "Pending"


def test_variables_from_a_file(pods: PodReplays) -> None:
    assert pods.ended("variables")["phase"] == "Succeeded"
    assert pods.logs("variables", "-c", "main").splitlines() == ["hello # you", "unset"]


def test_a_variable_that_the_file_has_not(pods: PodReplays) -> None:
    eventually(
        lambda: pods.main("variables-missing")["state"]["waiting"]["reason"] == "CreateContainerConfigError", "no", 240
    )
    assert 'key "MISSING" not found' in pods.main("variables-missing")["state"]["waiting"]["message"]


@pytest.mark.parametrize("name", ["rule", "own-policy-always"])
def test_restarted_although_the_pod_would_not(pods: PodReplays, name: str) -> None:
    eventually(lambda: pods.main(name)["restartCount"] >= 1, "the restart", 240)
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
        eventually(lambda one=one: of(one)["restartCount"] == 1, f"the restart of {one}", 240)
        assert "terminated" in of(one)["lastState"], one
    eventually(lambda: "running" in of("regular")["state"], "the regular container", 240)
    address = pods.status(name)["podIP"]
    eventually(lambda: pods.condition(name, "AllContainersRestarting")["status"] == "False", "the end", 240)
    assert pods.status(name)["podIP"] == address
    assert pods.status(name)["phase"] == "Running"


def test_a_hostname_that_overrides_all_others(pods: PodReplays) -> None:
    assert pods.ended("named")["phase"] == "Succeeded"
    assert pods.logs("named").splitlines() == ["override.example.host"] * 2


MEMORY_LIMIT = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null || true"


def memory_limit(pods: PodReplays, name: str) -> int:
    """What the kernel holds the pod's first container to, in MiB."""
    return int(pods.kubectl("exec", name, "-c", "main", "--", "sh", "-c", MEMORY_LIMIT).stdout) >> 20


def resize(pods: PodReplays, name: str, spec: Any) -> None:
    pods.kubectl("patch", f"pod/{name}", "--subresource=resize", "-p", json.dumps({"spec": spec}))


def resize_conditions(pods: PodReplays, name: str) -> list[tuple[str, str]]:
    """(reason, message) of those there are."""
    found = [each for each in pods.status(name)["conditions"] if "Resize" in each["type"]]
    return [(each.get("reason", ""), each.get("message", "")) for each in found]


def test_resources_of_a_pod_as_a_whole(pods: PodReplays) -> None:
    pods.running("as-a-whole")
    status = pods.status("as-a-whole")
    assert status["qosClass"] == "Burstable"
    assert status["resources"] == sized("64Mi")
    assert memory_limit(pods, "as-a-whole") == 64
    resize(pods, "as-a-whole", {"resources": sized("96Mi")})
    eventually(lambda: pods.status("as-a-whole")["resources"] == sized("96Mi"), "the resize", 240)
    assert memory_limit(pods, "as-a-whole") == 96
    eventually(lambda: resize_conditions(pods, "as-a-whole") == [], "the end of the resize")
    assert [one["restartCount"] for one in pods.status("as-a-whole")["containerStatuses"]] == [0, 0]


def test_no_limit_goes_below_what_is_used(pods: PodReplays) -> None:
    pods.running("filled")
    eventually(lambda: pods.logs("filled") == "filled\n", "the memory to be used", 240)
    resize(pods, "filled", {"containers": [{"name": "main", "resources": sized("24Mi")}]})
    eventually(lambda: resize_conditions(pods, "filled")[0][0] == "Error", "the condition", 240)
    ((_, message),) = resize_conditions(pods, "filled")
    assert "memory limit" in message
    assert "below current usage" in message
    assert memory_limit(pods, "filled") == 96
    resize(pods, "filled", {"containers": [{"name": "main", "resources": sized("80Mi")}]})
    eventually(lambda: not resize_conditions(pods, "filled"), "the resize", 240)
    assert memory_limit(pods, "filled") == 80
    assert pods.main("filled")["resources"] == sized("80Mi")
    assert pods.main("filled")["restartCount"] == 0


def test_a_pod_that_leaves_is_asked_whether_it_is_ready(pods: PodReplays) -> None:
    eventually(lambda: pods.condition("leaves", "Ready")["status"] == "True", "readiness", 240)
    pods.kubectl("delete", "pod/leaves", "--wait=false")
    eventually(lambda: pods.condition("leaves", "Ready")["status"] == "False", "the end of readiness", 240)
    assert pods.get("leaves")["metadata"]["deletionTimestamp"]
    assert "running" in pods.main("leaves")["state"], "nobody asks whether it lives"
    pods.kubectl("delete", "pod/leaves", "--grace-period=0", "--force", "--wait=false")


def test_a_pod_that_does_not_fit_on_its_node(pods: PodReplays) -> None:
    node = pods.program.get("nodes")["items"][0]["metadata"]["name"]
    asked = {"requests": {"cpu": "1000000"}}
    pods.create({"too-large": {"nodeName": node, "containers": [container("true", resources=asked)]}})
    status = pods.ended("too-large")
    assert (status["phase"], status["reason"]) == ("Failed", "OutOfcpu")
    assert status["message"].startswith(
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000000,"
    )
    assert status["observedGeneration"] == 1


def test_conditions_follow_the_generation(pods: PodReplays) -> None:
    main = {**container("exec sleep 1000"), "image": "localhost/nowhere:1", "imagePullPolicy": "Never"}
    pods.create({"changes": {"containers": [main]}})

    def generations() -> set[int]:
        return {each["observedGeneration"] for each in pods.status("changes")["conditions"]}

    eventually(lambda: pods.main("changes")["state"]["waiting"]["reason"] == "ErrImageNeverPull", "the missing image")
    assert generations() == {1}
    pods.kubectl(
        "patch", "pod/changes", "-p", json.dumps({"spec": {"containers": [{"name": "main", "image": BUSYBOX}]}})
    )
    pods.running("changes")
    eventually(lambda: generations() == {2}, "the conditions")
    assert {each["type"] for each in pods.status("changes")["conditions"]} == {
        "PodScheduled",
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
    }
