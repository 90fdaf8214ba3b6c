"""Kubernetes' `test/e2e/common/node`: runtime.go, init_container.go, expansion.go, containers.go, downwardapi.go,
security_context.go, kubelet.go, kubelet_etc_hosts.go, sysctl.go, privileged.go, with busybox for their images.

All pods of a module are made at once and looked at one by one: starting them is what takes time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.pod_replays import PodReplays, container, pod_replays
from tests.support.program import Program, eventually


@pytest.fixture(scope="module")
def pods(program: Program) -> Iterator[PodReplays]:
    with pod_replays(program, "conformance-containers") as made:
        made.create(PODS)
        yield made


def once(script: str, **more: Any) -> Any:
    """A pod that runs `script` to its end."""
    return {"restartPolicy": "Never", "containers": [container(script, **more)]}


MEMORY = [{"name": "state", "emptyDir": {"medium": "Memory"}}]
COUNTS = """
count=$(echo hello >> /state/count; wc -l < /state/count)
if [ $count -eq 1 ]; then exit 1; fi
if [ $count -eq 2 ]; then exit 0; fi
while true; do sleep 1; done
"""


def counting(policy: str) -> Any:
    mounts = [{"name": "state", "mountPath": "/state"}]
    return {"restartPolicy": policy, "volumes": MEMORY, "containers": [container(COUNTS, volumeMounts=mounts)]}


LOGS = {"terminationMessagePolicy": "FallbackToLogsOnError"}
CUSTOM = {"terminationMessagePath": "/dev/termination-custom-log", "securityContext": {"runAsUser": 10000}}


def initialised(policy: str, first: str, second: str, last: str = "true") -> Any:
    both = [container(f"exit {code}", name=f"init{i + 1}") for i, code in enumerate((first, second))]
    limits = {"limits": {"cpu": "100m"}}
    return {"restartPolicy": policy, "initContainers": both, "containers": [container(last, "run1", resources=limits)]}


def expanding(value: str, expression: str = "$(POD_NAME)", **more: Any) -> Any:
    mounts = [
        {"name": "work", "mountPath": "/subpath_mount", "subPathExpr": expression},
        {"name": "work", "mountPath": "/volume_mount"},
    ]
    env = [
        {"name": "POD_NAME", "value": value},
        {"name": "ANNOTATION", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['mysubpath']"}}},
    ]
    whole = container("test -d /volume_mount/foo; echo $?; exec sleep 1000", env=env, volumeMounts=mounts)
    return {"restartPolicy": "Never", "volumes": [{"name": "work", "emptyDir": {}}], "containers": [whole], **more}


def field(name: str, path: str) -> Any:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def amount(name: str, resource: str) -> Any:
    return {"name": name, "valueFrom": {"resourceFieldRef": {"resource": resource}}}


AMOUNTS = [
    amount(x.replace(".", "_").upper(), x) for x in ["limits.cpu", "limits.memory", "requests.cpu", "requests.memory"]
]
RESOURCES = {"requests": {"cpu": "250m", "memory": "32Mi"}, "limits": {"cpu": "1250m", "memory": "64Mi"}}
FIELDS = [
    field("POD_NAME", "metadata.name"),
    field("POD_NAMESPACE", "metadata.namespace"),
    field("POD_IP", "status.podIP"),
    field("HOST_IP", "status.hostIP"),
    field("POD_UID", "metadata.uid"),
]
PODS: dict[str, Any] = {
    "rpa": counting("Always"),
    "rpof": counting("OnFailure"),
    "rpn": counting("Never"),
    "message-file": once("echo -n DONE > /dev/termination-log", securityContext={"runAsUser": 0}),
    "message-custom": once("echo -n DONE > /dev/termination-custom-log", **CUSTOM),
    "message-logs": once("echo -n DONE; false", **LOGS),
    "message-none": once("echo -n DONE; true", **LOGS),
    "message-both": once("echo -n OK > /dev/termination-log; echo DONE; true", **LOGS),
    "init-never": initialised("Never", "0", "0"),
    "init-always": initialised("Always", "0", "0", "exec sleep 1000"),
    "init-fails-always": initialised("Always", "1", "0"),
    "init-fails-never": initialised("Never", "0", "1"),
    "expand-dots": expanding(".."),
    "expand-absolute": expanding("/tmp"),
    "expand-later": expanding("foo", "$(ANNOTATION)/$(POD_NAME)"),
    "expand-fine": expanding("foo"),
    "expand-args": once('TEST_VAR=wrong echo "$(TEST_VAR)"', env=[{"name": "TEST_VAR", "value": "test-value"}]),
    "expand-env": once(
        "env",
        env=[
            {"name": "FOO", "value": "foo-value"},
            {"name": "BAR", "value": "bar-value"},
            {"name": "FOOBAR", "value": "$(FOO);;$(BAR)"},
            {"name": "LATER", "value": "$(LAST) $$(FOO)"},
            {"name": "LAST", "value": "x"},
        ],
    ),
    "amounts": once("env", env=AMOUNTS, resources=RESOURCES),
    "amounts-node": once("env", env=AMOUNTS),
    "fields": once("env", env=FIELDS),
    "host-fields": {**once("env", env=FIELDS), "hostNetwork": True},
    "user": once("id -u; id -g", securityContext={"runAsUser": 65534}),
    "run-as": once("echo uid=$(id -u) gid=$(id -g)", securityContext={"runAsUser": 1001, "runAsGroup": 2002}),
    "run-as-pod": {
        **once("echo uid=$(id -u) gid=$(id -g)"),
        "securityContext": {"runAsUser": 1001, "runAsGroup": 2002},
    },
    "user-root": once("id -u", securityContext={"runAsUser": 0}),
    "user-nonroot-missing": once("id -u", securityContext={"runAsNonRoot": True}),
    "user-nonroot": once("id -u", securityContext={"runAsNonRoot": True, "runAsUser": 1234}),
    "groups": {
        **once("id -G"),
        "securityContext": {"supplementalGroups": [1234, 5678], "fsGroup": 4321, "runAsUser": 1000},
    },
    "read-only": once("touch checkfile 2>&1 || true", securityContext={"readOnlyRootFilesystem": True}),
    "writable": once("touch checkfile && echo written", securityContext={"readOnlyRootFilesystem": False}),
    "unprivileged": once(
        "touch /proc/sysrq-trigger; echo b > /proc/sys/kernel/shmmax 2>/dev/null && echo yes || echo no",
        securityContext={"privileged": False},
    ),
    "no-escalation": once(
        "grep NoNewPrivs /proc/self/status", securityContext={"allowPrivilegeEscalation": False, "runAsUser": 1000}
    ),
    "escalation": once(
        "grep NoNewPrivs /proc/self/status", securityContext={"allowPrivilegeEscalation": True, "runAsUser": 1000}
    ),
    "aliases": {
        **once("cat /etc/hosts"),
        "hostAliases": [{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}],
    },
    "sysctl": {
        **once("cat /proc/sys/kernel/shm_rmid_forced"),
        "securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]},
    },
    "hosts": {
        "volumes": [{"name": "host", "hostPath": {"path": "/etc/hosts", "type": "File"}}],
        "containers": [
            container("cat /etc/hosts; exec sleep 900", "one"),
            container(
                "cat /etc/hosts; exec sleep 900", "own", volumeMounts=[{"name": "host", "mountPath": "/etc/hosts"}]
            ),
        ],
    },
    "host-hosts": {**once("cat /etc/hosts"), "hostNetwork": True},
    "fails": once("exit 1"),
    "hostname": {**once("hostname 2>/dev/null || cat /etc/hostname"), "hostname": "given", "subdomain": "sub"},
    "deadline": {"activeDeadlineSeconds": 2, "containers": [container("exec sleep 900")]},
}


@pytest.mark.parametrize(
    ("name", "restarts", "phase", "state", "ready"),
    [
        ("rpa", 2, "Running", "running", True),
        ("rpof", 1, "Succeeded", "terminated", False),
        ("rpn", 0, "Failed", "terminated", False),
    ],
)
def test_status_by_restart_policy(
    pods: PodReplays, name: str, restarts: int, phase: str, state: str, ready: bool
) -> None:

    def holds() -> bool:
        status = pods.status(name)
        (main,) = status["containerStatuses"]
        seen = (main["restartCount"], status["phase"], list(main["state"]), main["ready"])
        assert seen == (restarts, phase, [state], ready)
        return pods.condition(name, "Ready")["status"] == str(ready)

    eventually(holds, "the restarts and what they end in", 240)


@pytest.mark.parametrize(
    ("name", "phase", "message"),
    [
        ("message-file", "Succeeded", "DONE"),
        ("message-custom", "Succeeded", "DONE"),
        ("message-logs", "Failed", "DONE"),
        ("message-none", "Succeeded", None),
        ("message-both", "Succeeded", "OK"),
    ],
)
def test_termination_messages(pods: PodReplays, name: str, phase: str, message: str | None) -> None:
    assert pods.ended(name)["phase"] == phase
    assert pods.main(name)["state"]["terminated"].get("message") == message


@pytest.mark.parametrize(("name", "phase"), [("init-never", "Succeeded"), ("init-always", "Running")])
def test_init_containers(pods: PodReplays, name: str, phase: str) -> None:
    eventually(lambda: pods.status(name)["phase"] == phase, "the phase")
    assert pods.condition(name, "Initialized")["status"] == "True"
    states = pods.status(name)["initContainerStatuses"]
    assert [(one["ready"], one["state"]["terminated"]["exitCode"]) for one in states] == [(True, 0)] * 2


def test_failing_init_containers(pods: PodReplays) -> None:
    eventually(lambda: pods.status("init-fails-always")["initContainerStatuses"][0]["restartCount"] >= 2, "retries")
    status = pods.status("init-fails-always")
    assert status["phase"] == "Pending"
    initialized = pods.condition("init-fails-always", "Initialized")
    assert (initialized["status"], initialized["reason"]) == ("False", "ContainersNotInitialized")
    assert initialized["message"] == "containers with incomplete status: [init1 init2]"
    assert status["initContainerStatuses"][1]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert status["containerStatuses"][0]["restartCount"] == 0


def test_a_failing_init_container_fails_its_pod(pods: PodReplays) -> None:
    status = pods.ended("init-fails-never")
    assert status["phase"] == "Failed"
    initialized = pods.condition("init-fails-never", "Initialized")
    assert (initialized["status"], initialized["reason"]) == ("False", "ContainersNotInitialized")
    assert initialized["message"] == "containers with incomplete status: [init2]"
    assert [one["state"]["terminated"]["exitCode"] for one in status["initContainerStatuses"]] == [0, 1]
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}


@pytest.mark.parametrize("name", ["expand-dots", "expand-absolute"])
def test_sub_paths_that_lead_out(pods: PodReplays, name: str) -> None:
    eventually(lambda: pods.main(name)["state"]["waiting"]["reason"] == "CreateContainerConfigError", "refusal")


def test_a_sub_path_that_comes_right(pods: PodReplays) -> None:
    eventually(lambda: "waiting" in pods.main("expand-later")["state"], "the failure")
    assert pods.status("expand-later")["phase"] == "Pending"
    pods.kubectl("annotate", "pod/expand-later", "mysubpath=mypath")
    eventually(lambda: pods.status("expand-later")["phase"] == "Running", "the start")
    pods.kubectl("exec", "expand-later", "--", "touch", "/volume_mount/mypath/foo/test.log")
    pods.kubectl("exec", "expand-later", "--", "ls", "/subpath_mount/test.log")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("expand-args", ["test-value"]),
        ("expand-env", ["FOOBAR=foo-value;;bar-value", "LATER=$(LAST) $(FOO)"]),
        ("amounts", ["LIMITS_CPU=2", "LIMITS_MEMORY=67108864", "REQUESTS_CPU=1", "REQUESTS_MEMORY=33554432"]),
        ("user", ["65534", "0"]),
        ("run-as", ["uid=1001 gid=2002"]),
        ("run-as-pod", ["uid=1001 gid=2002"]),
        ("user-root", ["0"]),
        ("user-nonroot", ["1234"]),
        ("groups", ["1000 1234 4321 5678"]),
        ("writable", ["written"]),
        ("unprivileged", ["no"]),
        ("no-escalation", ["NoNewPrivs:\t1"]),
        ("escalation", ["NoNewPrivs:\t0"]),
        ("sysctl", ["1"]),
        ("hostname", ["given"]),
        ("aliases", ["123.45.67.89\tfoo\tbar"]),
    ],
)
def test_what_containers_print(pods: PodReplays, name: str, lines: list[str]) -> None:
    assert pods.ended(name)["phase"] == "Succeeded"
    printed = pods.logs(name).splitlines()
    assert [line for line in lines if line not in printed] == [], printed


def test_fields_of_the_pod(pods: PodReplays) -> None:
    pods.ended("fields")
    pod, printed = pods.get("fields"), pods.logs("fields").splitlines()
    for line in (
        "POD_NAME=fields",
        f"POD_NAMESPACE={pods.namespace}",
        f"POD_IP={pod['status']['podIP']}",
        f"HOST_IP={pod['status']['hostIP']}",
        f"POD_UID={pod['metadata']['uid']}",
    ):
        assert line in printed


def test_fields_of_a_pod_on_the_hosts_network(pods: PodReplays) -> None:
    pods.ended("host-fields")
    address, printed = pods.status("host-fields")["hostIP"], pods.logs("host-fields").splitlines()
    assert f"HOST_IP={address}" in printed
    assert f"POD_IP={address}" in printed


def test_limits_of_the_node_where_there_are_none(pods: PodReplays) -> None:
    pods.ended("amounts-node")
    (node,) = pods.program.get("nodes")["items"]
    printed = dict(line.split("=", 1) for line in pods.logs("amounts-node").splitlines())
    assert printed["LIMITS_CPU"] == node["status"]["allocatable"]["cpu"]
    assert printed["LIMITS_MEMORY"].isdecimal()
    assert int(printed["LIMITS_MEMORY"]) > 1 << 20
    assert (printed["REQUESTS_CPU"], printed["REQUESTS_MEMORY"]) == ("0", "0")


def test_root_where_it_is_not_allowed(pods: PodReplays) -> None:
    eventually(
        lambda: pods.main("user-nonroot-missing")["state"]["waiting"]["reason"] == "CreateContainerConfigError",
        "no",
    )
    message = pods.main("user-nonroot-missing")["state"]["waiting"]["message"]
    assert "container has runAsNonRoot and image will run as root" in message


def test_a_read_only_root(pods: PodReplays) -> None:
    pods.ended("read-only")
    assert "Read-only file system" in pods.logs("read-only")


def test_the_hosts_file_is_ours_unless_mounted(pods: PodReplays) -> None:
    marker = "# Kubernetes-managed hosts file"
    eventually(lambda: pods.status("hosts")["phase"] == "Running", "the pod")
    eventually(lambda: marker in pods.logs("hosts", "-c", "one"), "the first file")
    eventually(lambda: pods.logs("hosts", "-c", "own"), "the second file")
    assert marker not in pods.logs("hosts", "-c", "own")
    pods.ended("host-hosts")
    assert marker not in pods.logs("host-hosts").splitlines()


def test_a_command_that_always_fails(pods: PodReplays) -> None:
    assert pods.ended("fails")["phase"] == "Failed"
    ended = pods.main("fails")["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (1, "Error")
    assert ended["startedAt"]
    assert ended["finishedAt"]
    assert ended["containerID"]


def test_a_deadline(pods: PodReplays) -> None:
    status = pods.ended("deadline")
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    assert status["message"] == "Pod was active on the node longer than the specified deadline"
