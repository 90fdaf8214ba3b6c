"""Kubernetes' conformance tests of pods and of what is around them in a cluster: `test/e2e/apps/{statefulset,job}.go`,
`test/e2e/auth/service_accounts.go`, `test/e2e/kubectl/logs.go`, `test/e2e/common/node/ephemeral_containers.go`,
`test/e2e/storage/{csi_inline,empty_dir_wrapper}.go`, `test/e2e/scheduling/preemption.go`.

Busybox stands for their images, and this machine's Python for what busybox cannot do. Pods are made at once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.support.images import busybox_archive
from tests.support.pod_python import python_container
from tests.support.pod_replays import PodReplays, container, pod_replays
from tests.support.program import Program, eventually
from tests.support.waiting import WITHIN

NAMESPACE = "conformance-cluster"
TOKEN = {"serviceAccountToken": {"path": "sa-token", "expirationSeconds": 600, "audience": "oidc-discovery-test"}}
VALIDATES = """
import json, ssl, sys, urllib.request
folder = "/var/run/secrets/kubernetes.io/serviceaccount"
context = ssl.create_default_context(cafile=f"{folder}/ca.crt")
token = open("/var/run/secrets/tokens/sa-token").read()
own = open(f"{folder}/token").read()
def fetched(url):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {own}"})
    return json.load(urllib.request.urlopen(request, context=context, timeout=60))
issuer = sys.argv[1]
found = fetched(issuer + "/.well-known/openid-configuration")
print(json.dumps({"token": token, "found": found, "keys": fetched(found["jwks_uri"])}))
"""
GENERATES = "i=0; while [ $i -lt 100 ]; do echo GET /api/v1/namespaces/kube-system/pods/$i; i=$((i+1)); done; "
INLINE = {"csi": {"driver": "e2e.example.com"}}


@pytest.fixture(scope="module")
def pods(program: Program) -> Iterator[PodReplays]:
    with pod_replays(program, NAMESPACE) as made:
        made.create(
            {
                "holds": {
                    "nodeName": program.get("nodes")["items"][0]["metadata"]["name"],
                    "containers": [container("exec sleep 1000", ports=[{"containerPort": 21017, "hostPort": 21017}])],
                },
                "debugged": {"containers": [container("exec sleep 10000", "test-container-1")]},
                "generates": {
                    "restartPolicy": "Never",
                    "containers": [container(GENERATES + "sleep 3; echo later; exec sleep 1000")],
                },
            }
        )
        yield made


def test_tasks_that_fail_and_are_restarted_locally(pods: PodReplays) -> None:
    """`test/e2e/apps/job.go`, with the memory of having failed in the pod."""
    script = "if [ -r /data/foo ]; then exit 0; fi; touch /data/foo; exit 1"
    template = {
        "restartPolicy": "OnFailure",
        "volumes": [{"name": "data", "emptyDir": {}}],
        "containers": [container(script, volumeMounts=[{"name": "data", "mountPath": "/data"}])],
    }
    spec = {"parallelism": 2, "completions": 2, "backoffLimit": 6, "template": {"spec": template}}
    pods.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "fail-once-local"}, "spec": spec})
    pods.kubectl("wait", "--for=condition=Complete", "job/fail-once-local", WITHIN)
    assert pods.get("fail-once-local", "job")["status"]["succeeded"] == 2
    done = pods.listed("pods", "job-name=fail-once-local")
    assert [one["status"]["phase"] for one in done] == ["Succeeded"] * 2
    assert {one["status"]["containerStatuses"][0]["restartCount"] for one in done} == {1}


SECRETS = "/var/run/secrets/kubernetes.io/serviceaccount"


def test_mounts_an_api_token_into_pods(pods: PodReplays) -> None:
    """`test/e2e/auth/service_accounts.go`: the files, who the token is, and whose certificate it is."""
    pods.kubectl("create", "serviceaccount", "mount-test")
    pods.create({"mounts": {"serviceAccountName": "mount-test", "containers": [container("exec sleep 1000")]}})
    pods.running("mounts")

    def file(name: str) -> str:
        return pods.kubectl("exec", "mounts", "--", "cat", f"{SECRETS}/{name}").stdout

    assert file("namespace") == NAMESPACE
    assert file("ca.crt") == pods.get("kube-root-ca.crt", "configmap")["data"]["ca.crt"]
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": file("token")}}
    reviewed = pods.kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(body)).stdout
    status = json.loads(reviewed)["status"]
    assert (status["authenticated"], status.get("error", "")) == (True, "")
    assert status["user"]["username"] == f"system:serviceaccount:{NAMESPACE}:mount-test"
    groups = {"system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}", "system:authenticated"}
    assert groups == set(status["user"]["groups"])
    assert status["user"]["extra"]["authentication.kubernetes.io/pod-name"] == ["mounts"]


def test_the_defaults_of_an_image(pods: PodReplays, tmp_path: Path) -> None:
    """`test/e2e/common/node/containers.go`: its entrypoint and arguments, each replaced or not."""
    archive = busybox_archive(
        tmp_path, "defaults:test", ["default", "arguments"], ["/bin/echo", "default", "entrypoint"]
    )
    pods.program.skerry("image", "load", str(archive))
    override = {"command": ["/bin/printf", "%s.%s", "override", "command"]}, {"args": ["override", "arguments"]}
    made = {"neither": {}, "args": override[1], "command": override[0], "both": {**override[0], **override[1]}}
    main = {"name": "main", "image": "defaults:test"}
    pods.create(
        {f"image-{name}": {"restartPolicy": "Never", "containers": [{**main, **more}]} for name, more in made.items()}
    )
    said = {name: (pods.ended(f"image-{name}")["phase"], pods.logs(f"image-{name}")) for name in made}
    assert said == {
        "neither": ("Succeeded", "default entrypoint default arguments\n"),
        "args": ("Succeeded", "default entrypoint override arguments\n"),
        "command": ("Succeeded", "override.command"),
        "both": ("Succeeded", "override.commandoverride.arguments"),
    }


def test_recreates_an_evicted_pod_of_a_stateful_set(pods: PodReplays) -> None:
    pods.running("holds")
    holds = pods.get("holds")["spec"]
    labels = {"matchLabels": {"app": "ss"}}
    template = {
        "metadata": {"labels": {"app": "ss"}},
        "spec": {
            "nodeName": holds["nodeName"],
            "terminationGracePeriodSeconds": 0,
            "containers": [container("exec sleep 1000", ports=holds["containers"][0]["ports"])],
        },
    }
    spec = {"selector": labels, "serviceName": "test", "replicas": 1, "template": template}
    pods.apply({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "ss"}, "spec": spec})
    first = eventually(lambda: pods.get("ss-0")["metadata"]["uid"], "the first pod")
    eventually(lambda: pods.get("ss-0")["metadata"]["uid"] != first, "another pod of the same name")
    warned = eventually(lambda: [one for one in events(pods, "ss-0") if one["type"] == "Warning"], "the event")
    assert warned[0]["reason"] == "NodePorts"
    pods.kubectl("delete", "pod/holds", "--grace-period=0", "--force")
    pods.running("ss-0")
    assert pods.get("ss-0")["metadata"]["uid"] != first


def events(pods: PodReplays, name: str) -> list[Any]:
    found = pods.program.get("-n", NAMESPACE, "events", "--field-selector", f"involvedObject.name={name}")
    return list(found["items"])


def test_ignores_failures_on_the_condition_disruption_target(pods: PodReplays, tmp_path: Path) -> None:
    """With one pod instead of three: each failure makes the next pod wait longer, here as there."""
    tmp_path.chmod(0o777)
    script = "mark=/data/$JOB_COMPLETION_INDEX; if [ -e $mark ]; then exit 0; fi; touch $mark; exec sleep 1000000"
    disrupted = {"type": "DisruptionTarget", "status": "True"}
    template = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "data", "hostPath": {"path": str(tmp_path)}}],
        "containers": [container(script, volumeMounts=[{"name": "data", "mountPath": "/data"}])],
    }
    spec = {
        "backoffLimit": 0,
        "completions": 1,
        "completionMode": "Indexed",
        "podFailurePolicy": {"rules": [{"action": "Ignore", "onPodConditions": [disrupted]}]},
        "template": {"spec": template},
    }
    pods.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "evicted"}, "spec": spec})
    eventually(lambda: pods.get("evicted", "job")["status"]["ready"] == 1, "the pod", 240)
    (name,) = [one["metadata"]["name"] for one in pods.listed("pods", "job-name=evicted")]
    eventually(lambda: list(tmp_path.iterdir()), "the mark")
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": NAMESPACE}}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/eviction"
    pods.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))
    pods.kubectl("wait", "--for=delete", f"pod/{name}", WITHIN)
    pods.kubectl("wait", "--for=condition=Complete", "job/evicted", WITHIN)
    status = pods.get("evicted", "job")["status"]
    assert (status["succeeded"], status.get("failed", 0)) == (1, 0)
    assert next(one for one in status["conditions"] if one["type"] == "Complete")["reason"] == "CompletionsReached"


def test_starts_and_updates_ephemeral_containers(pods: PodReplays) -> None:
    pods.running("debugged")
    assert pods.get("debugged")["metadata"]["generation"] == 1
    debugger = {**container("while true; do echo polo; sleep 2; done", "debugger"), "stdin": True, "tty": True}
    patch = json.dumps({"spec": {"ephemeralContainers": [debugger]}})
    pods.kubectl("patch", "pod/debugged", "--subresource=ephemeralcontainers", "--type=strategic", "-p", patch)
    eventually(lambda: "running" in pods.status("debugged")["ephemeralContainerStatuses"][0]["state"], "the debugger")
    assert pods.get("debugged")["metadata"]["generation"] == 2
    assert "marco" in pods.kubectl("exec", "debugged", "-c", "debugger", "--", "/bin/echo", "marco").stdout
    eventually(lambda: "polo" in pods.logs("debugged", "-c", "debugger"), "the debugger's log")
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/debugged/ephemeralcontainers"
    second = {"name": "debugger2", "image": "busybox:test", "imagePullPolicy": "IfNotPresent"}

    def replaced() -> bool:
        """Unless the node told of the pod in between."""
        found = json.loads(pods.kubectl("get", "--raw", path).stdout)
        assert [one["name"] for one in found["spec"]["ephemeralContainers"]] == ["debugger"]
        found["spec"]["ephemeralContainers"].append({**second, "terminationMessagePolicy": "File"})
        return pods.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(found), check=False).returncode == 0

    eventually(replaced, "the replacement")
    found = json.loads(pods.kubectl("get", "--raw", path).stdout)
    assert [one["name"] for one in found["spec"]["ephemeralContainers"]] == ["debugger", "debugger2"]


def test_discovers_the_issuer_of_service_accounts(pods: PodReplays, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    script = tmp_path / "validates.py"
    script.write_text(VALIDATES)
    role = "system:service-account-issuer-discovery"
    pods.kubectl("create", "clusterrolebinding", "conformance-issuer", f"--clusterrole={role}",
                 f"--serviceaccount={NAMESPACE}:default")  # fmt: skip
    try:
        issuer = json.loads(pods.kubectl("get", "--raw", "/.well-known/openid-configuration").stdout)["issuer"]
        main, volumes = python_container(script, issuer)
        main["volumeMounts"].append({"name": "token", "mountPath": "/var/run/secrets/tokens", "readOnly": True})
        volumes.append({"name": "token", "projected": {"sources": [TOKEN]}})
        pods.create({"validates": {"restartPolicy": "Never", "containers": [main], "volumes": volumes}})
        assert pods.ended("validates")["phase"] == "Succeeded", pods.logs("validates")
    finally:
        pods.kubectl("delete", "clusterrolebinding", "conformance-issuer")
    said = json.loads(pods.logs("validates"))
    assert said["found"]["issuer"] == issuer
    known = {key["kid"]: jwt.PyJWK(key) for key in said["keys"]["keys"]}
    key = known[jwt.get_unverified_header(said["token"])["kid"]]
    claims = jwt.decode(said["token"], key, audience="oidc-discovery-test", issuer=issuer)
    assert claims["kubernetes.io"]["serviceaccount"]["name"] == "default"
    assert claims["sub"] == f"system:serviceaccount:{NAMESPACE}:default"


def test_retrieves_and_filters_logs(pods: PodReplays) -> None:
    eventually(lambda: "later" in pods.logs("generates"), "the log")
    assert pods.logs("generates", "main", "--tail=1") == "later\n"
    assert len(pods.logs("generates", "main", "--limit-bytes=1")) == 1
    stamp, _, line = pods.logs("generates", "main", "--tail=1", "--timestamps").partition(" ")
    assert line == "later\n"
    time.strptime(stamp.partition(".")[0], "%Y-%m-%dT%H:%M:%S")
    assert len(pods.logs("generates", "main", "--since=24h").splitlines()) == 101
    eventually(lambda: pods.logs("generates", "main", "--since=1s") == "", "nothing new")


def test_a_pod_with_inline_volumes_of_a_driver_that_is_not_there(pods: PodReplays) -> None:
    second = {"csi": {"driver": "e2e.example.com", "fsType": "ext4", "readOnly": True}}
    volumes = [{"name": "one", **INLINE}, {"name": "two", **second}]
    mounts = [{"name": name, "mountPath": f"/mnt/{name}"} for name in ("one", "two")]
    pods.create({"inline": {"volumes": volumes, "containers": [container("ls /mnt/*", volumeMounts=mounts)]}})
    pods.kubectl("patch", "pod/inline", "--type=merge", "-p", '{"metadata":{"annotations":{"patched":"true"}}}')
    eventually(lambda: any(one["reason"] == "FailedMount" for one in events(pods, "inline")), "the event")
    pods.kubectl("delete", "pod/inline", WITHIN)


def test_many_config_maps_in_one_pod(pods: PodReplays) -> None:
    names = [f"racey-configmap-{number}" for number in range(50)]
    pods.apply(
        *(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": one}, "data": {"data-1": one}}
            for one in names
        )
    )
    volumes = [
        {"name": one, "configMap": {"name": one, "items": [{"key": "data-1", "path": "data-1"}]}} for one in names
    ]
    mounts = [{"name": one, "mountPath": f"/etc/config-{number}"} for number, one in enumerate(names)]
    spec = {
        "volumes": volumes,
        "containers": [container("cat /etc/config-*/data-1; exec sleep 1000", volumeMounts=mounts)],
    }
    template = {"metadata": {"labels": {"name": "racey"}}, "spec": {"terminationGracePeriodSeconds": 0, **spec}}
    wanted = {"replicas": 3, "selector": {"name": "racey"}, "template": template}
    pods.apply({"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "racey"}, "spec": wanted})
    eventually(lambda: pods.get("racey", "rc")["status"]["readyReplicas"] == 3, "all of them", 240)
    pods.kubectl("delete", "rc/racey", "--wait=false")


FAKE = "scheduling.k8s.io/foo"
EMPTY_INFO = dict.fromkeys(
    ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion",
     "kubeProxyVersion", "operatingSystem", "architecture"),
    "",
)  # fmt: skip


def test_preemption_for_a_resource_that_the_test_declares(pods: PodReplays) -> None:
    """The resource is declared as Go's clients do it, who send the rest of a node's status empty; and taken away again
    by an update."""
    node = pods.get("debugged")["spec"]["nodeName"]
    info = pods.get(node, "node")["status"]["nodeInfo"]
    status = {"capacity": {FAKE: "5"}, "allocatable": {FAKE: "5"}, "nodeInfo": EMPTY_INFO}
    endpoints = {"daemonEndpoints": {"kubeletEndpoint": {"Port": 0}}}
    patch = json.dumps({"metadata": {"creationTimestamp": None}, "spec": {}, "status": {**status, **endpoints}})
    pods.kubectl("patch", "node", node, "--subresource=status", "--type=strategic", "-p", patch)
    try:
        for name, value in (("low", 1), ("medium", 100), ("high", 1000)):
            pods.kubectl("create", "priorityclass", f"conformance-{name}", f"--value={value}")
        for name, priority in (("pod0", "low"), ("pod1", "medium"), ("preemptor-pod", "high")):
            amounts = {"requests": {FAKE: "2"}, "limits": {FAKE: "2"}}
            spec = {"containers": [container("exec sleep 1000", resources=amounts)]}
            pods.create({name: {"priorityClassName": f"conformance-{priority}", **spec}})
            pods.running(name)
        assert "NotFound" in pods.kubectl("get", "pod/pod0", check=False).stderr
        assert "deletionTimestamp" not in pods.get("pod1")["metadata"]
        eventually(lambda: pods.get(node, "node")["status"]["nodeInfo"] == info, "the node's own word")
        assert pods.get(node, "node")["status"]["allocatable"][FAKE] == "5"
    finally:
        eventually(lambda: _without_fake(pods, node), "the end of the resource")
        pods.kubectl("delete", "priorityclass", *(f"conformance-{name}" for name in ("low", "medium", "high")))
    eventually(lambda: FAKE not in pods.get(node, "node")["status"]["allocatable"], "the end")


def _without_fake(pods: PodReplays, node: str) -> bool:
    """Unless the node wrote in between."""
    now = pods.get(node, "node")
    for part in ("capacity", "allocatable"):
        now["status"][part].pop(FAKE, None)
    path = f"/api/v1/nodes/{node}/status"
    return pods.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(now), check=False).returncode == 0


def test_retries_failed_daemons(pods: PodReplays) -> None:
    labels = {"daemonset-name": "daemon-set"}
    spec = {
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [container("exec sleep 1000")]},
        },
    }
    pods.apply({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "daemon-set"}, "spec": spec})
    eventually(lambda: pods.get("daemon-set", "daemonset")["status"]["numberAvailable"] == 1, "the daemon")
    (first,) = pods.listed("pods", "daemonset-name=daemon-set")
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{first['metadata']['name']}/status"
    del first["metadata"]["resourceVersion"]
    first["status"]["phase"] = "Failed"
    pods.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(first))

    def replaced() -> bool:
        found = pods.listed("pods", "daemonset-name=daemon-set")
        return [one["status"]["phase"] for one in found if one["metadata"]["uid"] != first["metadata"]["uid"]] == [
            "Running"
        ]

    eventually(replaced, "another daemon")
    pods.kubectl("delete", "daemonset/daemon-set", "--wait=false")
