"""Pods: defaults, rules, and the little that may change."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.schema.pods.defaults import default_pull_policy
from skerry.kube.objects import Obj

from .objects import CORE, changed, container, created, pod, problems

PODS = CORE["pods"]
SYSCTLS = "spec.securityContext.sysctls"
C = "spec.containers[0]"


def test_defaults() -> None:
    spec = created(PODS, container(ports=[{"containerPort": 80}], livenessProbe={"httpGet": {"port": 80}}))["spec"]
    wanted = {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "enableServiceLinks": True,
    }
    assert {key: spec[key] for key in wanted} == wanted
    (made,) = spec["containers"]
    assert made["imagePullPolicy"] == "Always"
    assert (made["terminationMessagePath"], made["terminationMessagePolicy"]) == ("/dev/termination-log", "File")
    assert made["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert made["resources"] == {}
    assert made["livenessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.2", "IfNotPresent"),
        ("host:5000/nginx", "Always"),
        ("host:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:abc", "IfNotPresent"),
        ("nginx:latest@sha256:a", "IfNotPresent"),
    ],
)
def test_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert default_pull_policy(image) == policy


def test_volume_defaults() -> None:
    volumes = [
        {"name": "a"},
        {"name": "b", "secret": {"secretName": "s"}},
        {"name": "c", "configMap": {"name": "c", "defaultMode": 0}},
        {"name": "d", "hostPath": {"path": "/x"}},
        {"name": "e", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
    ]
    made = created(PODS, pod(volumes=volumes))["spec"]["volumes"]
    assert made[0] == {"name": "a", "emptyDir": {}}
    assert made[1]["secret"]["defaultMode"] == 420
    assert made[2]["configMap"]["defaultMode"] == 0
    assert made[3]["hostPath"]["type"] == ""
    assert made[4]["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] == 3600
    assert not problems(PODS, pod(volumes=volumes))


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        ({"requests": {"cpu": "1"}, "limits": {"cpu": "2", "memory": "1Gi"}}, "Burstable"),
        ({"requests": {"cpu": "1000m"}, "limits": {"cpu": "1", "memory": "1024Mi"}}, "Guaranteed"),
        ({"requests": {"example.com/gpu": "1"}, "limits": {"example.com/gpu": "1"}}, "BestEffort"),
    ],
)
def test_quality_of_service(resources: Obj, quality: str) -> None:
    made = created(PODS, container(resources=resources))
    assert made["status"] == {"phase": "Pending", "qosClass": quality}
    limits = resources.get("limits", {})
    if limits:
        assert made["spec"]["containers"][0]["resources"]["requests"].keys() >= limits.keys(), "requests follow limits"


def test_host_network_ports() -> None:
    made = created(
        PODS, pod(hostNetwork=True, containers=[{"name": "a", "image": "b", "ports": [{"containerPort": 80}]}])
    )
    assert made["spec"]["containers"][0]["ports"][0]["hostPort"] == 80


def sysctls(*names: str) -> Obj:
    return {"securityContext": {"sysctls": [{"name": name, "value": "1"} for name in names]}}


def from_file(**reference: str) -> dict[str, Any]:
    whole = {"volumeName": "work", "path": "env", "key": "A", **reference}
    return {"name": "A", "valueFrom": {"fileKeyRef": whole}}


FILE_KEY = f"{C}.env[0].valueFrom.fileKeyRef"
RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
GOOD: list[dict[str, Any]] = [
    {"command": ["x"], "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a']"}}}]},
    {"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]},
    {"env": [{"name": "odd name.1", "value": ""}], "envFrom": [{"prefix": "P_", "secretRef": {"name": "s"}}]},
    {
        "readinessProbe": {"tcpSocket": {"port": "http"}, "successThreshold": 3},
        "startupProbe": {"exec": {"command": ["a"]}},
    },
    {"lifecycle": {"preStop": {"sleep": {"seconds": 3}}, "postStart": {"exec": {"command": ["x"]}}}},
    {"resources": {"limits": {"example.com/gpu": "2", "hugepages-2Mi": "4Mi", "cpu": "1"}}},
    {"restartPolicy": "Never", "restartPolicyRules": [RULE, {**RULE, "action": "RestartAllContainers"}]},
    {"livenessProbe": {"grpc": {"port": 9}}, "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}},
]


@pytest.mark.parametrize("fields", GOOD)
def test_accepted(fields: dict[str, Any]) -> None:
    assert not problems(PODS, container(**fields))


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"name": "A"}, f"{C}.name", "RFC 1123 label"),
        ({"image": ""}, f"{C}.image", "Required value"),
        ({"restartPolicy": "Maybe"}, f"{C}.restartPolicy", "Unsupported value"),
        (
            {"restartPolicyRules": [RULE]},
            f"{C}.restartPolicy",
            "must specify restartPolicy when restart rules are used",
        ),
        (
            {"restartPolicy": "Never", "restartPolicyRules": [{**RULE, "action": "Stop"}]},
            f"{C}.restartPolicyRules[0].action",
            "Unsupported value",
        ),
        (
            {"restartPolicy": "Never", "restartPolicyRules": [{"action": "Restart"}]},
            f"{C}.restartPolicyRules[0].exitCodes",
            "must be specified",
        ),
        ({"env": [from_file(volumeName="nowhere")]}, f"{FILE_KEY}.volumeName", 'Not found: "nowhere"'),
        ({"env": [from_file(path="../x")]}, f"{FILE_KEY}.path", "must not contain '..'"),
        ({"env": [from_file(path="/x")]}, f"{FILE_KEY}.path", "must be a relative path"),
        ({"env": [from_file(key="a=b")]}, f"{FILE_KEY}.key", "a valid environment variable name"),
        ({"env": [from_file(key="a" * 129)]}, f"{FILE_KEY}.key", "Too long"),
        ({"image": " x"}, f"{C}.image", "must not have leading or trailing whitespace"),
        (
            {"imagePullPolicy": "Sometimes"},
            f"{C}.imagePullPolicy",
            'Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
        ),
        ({"ports": [{}]}, f"{C}.ports[0].containerPort", "Required value"),
        (
            {"ports": [{"containerPort": 70000}]},
            f"{C}.ports[0].containerPort",
            "Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        ({"ports": [{"containerPort": 1, "name": "UPPER"}]}, f"{C}.ports[0].name", "must contain only alpha-numeric"),
        ({"ports": [{"containerPort": 1, "name": "a"}] * 2}, f"{C}.ports[1].name", 'Duplicate value: "a"'),
        ({"ports": [{"containerPort": 1, "hostPort": 9}] * 2}, f"{C}.ports[1].hostPort", 'Duplicate value: "TCP//9"'),
        (
            {"ports": [{"containerPort": 1, "protocol": "QUIC"}]},
            f"{C}.ports[0].protocol",
            'Unsupported value: "QUIC": supported values: "SCTP", "TCP", "UDP"',
        ),
        ({"env": [{"value": "x"}]}, f"{C}.env[0].name", "Required value"),
        ({"env": [{"name": "a=b"}]}, f"{C}.env[0].name", "a valid environment variable name"),
        ({"env": [{"name": "A", "valueFrom": {}}]}, f"{C}.env[0].valueFrom", "must specify one of: `fieldRef`"),
        (
            {"env": [{"name": "A", "value": "x", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]},
            f"{C}.env[0].valueFrom",
            "may not be specified when `value` is not empty",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.foo"}}}]},
            f"{C}.env[0].valueFrom.fieldRef.fieldPath",
            "error converting fieldPath: field label not supported: spec.foo",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels"}}}]},
            f"{C}.env[0].valueFrom.fieldRef.fieldPath",
            "Unsupported value",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "x"}}}]},
            f"{C}.env[0].valueFrom.configMapKeyRef.key",
            "Required value",
        ),
        ({"envFrom": [{}]}, f"{C}.envFrom[0]", "must specify one of: `configMapRef` or `secretRef`"),
        ({"volumeMounts": [{"name": "x", "mountPath": "/x"}]}, f"{C}.volumeMounts[0].name", 'Not found: "x"'),
        (
            {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
            f"{C}.resources.requests",
            'Invalid value: "2": must be less than or equal to cpu limit of 1',
        ),
        ({"resources": {"limits": {"cpu": "-1"}}}, f"{C}.resources.limits[cpu]", "must be greater than or equal to 0"),
        (
            {"resources": {"limits": {"gpu": "1"}}},
            f"{C}.resources.limits[gpu]",
            "must be a standard resource for containers",
        ),
        ({"resources": {"limits": {"a.b/gpu": "500m"}}}, f"{C}.resources.limits[a.b/gpu]", "must be an integer"),
        (
            {"resources": {"requests": {"a.b/gpu": "1"}}},
            f"{C}.resources.limits",
            "Limit must be set for non overcommitable",
        ),
        ({"livenessProbe": {}}, f"{C}.livenessProbe", "Required value: must specify a handler type"),
        (
            {"livenessProbe": {"exec": {"command": ["a"]}, "tcpSocket": {"port": 1}}},
            f"{C}.livenessProbe.tcpSocket",
            "may not specify more than 1 handler type",
        ),
        (
            {"livenessProbe": {"exec": {"command": ["a"]}, "successThreshold": 2}},
            f"{C}.livenessProbe.successThreshold",
            "Invalid value: 2: must be 1",
        ),
        (
            {"readinessProbe": {"httpGet": {"port": 0}}},
            f"{C}.readinessProbe.httpGet.port",
            "must be between 1 and 65535",
        ),
        ({"readinessProbe": {"exec": {}}}, f"{C}.readinessProbe.exec.command", "Required value"),
        (
            {"readinessProbe": {"tcpSocket": {"port": 1}, "periodSeconds": -1}},
            f"{C}.readinessProbe.periodSeconds",
            "must be greater than or equal to 0",
        ),
        ({"lifecycle": {"preStop": {}}}, f"{C}.lifecycle.preStop", "must specify a handler type"),
        ({"securityContext": {"runAsUser": -1}}, f"{C}.securityContext.runAsUser", "must be between 0 and 2147483647"),
        (
            {"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}},
            f"{C}.securityContext",
            "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
        ),
        (
            {"securityContext": {"seccompProfile": {"type": "Localhost"}}},
            f"{C}.securityContext.seccompProfile.localhostProfile",
            "Required value",
        ),
    ],
)
def test_refused_containers(fields: dict[str, Any], field: str, message: str) -> None:
    assert message in problems(PODS, container(**fields))[field]


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"containers": []}, "spec.containers", "Required value"),
        ({"containers": [{"name": "a", "image": "x"}] * 2}, "spec.containers[1].name", 'Duplicate value: "a"'),
        (
            {"initContainers": [{"name": "main", "image": "x"}]},
            "spec.initContainers[0].name",
            'Duplicate value: "main"',
        ),
        (
            {"initContainers": [{"name": "i", "image": "x", "livenessProbe": {"exec": {"command": ["a"]}}}]},
            "spec.initContainers[0].livenessProbe",
            "may not be set for init containers without restartPolicy=Always",
        ),
        ({"ephemeralContainers": [{"name": "e", "image": "x"}]}, "spec.ephemeralContainers", "cannot be set on create"),
        (
            {"restartPolicy": "Sometimes"},
            "spec.restartPolicy",
            'Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
        ),
        (sysctls("bar.."), f"{SYSCTLS}[0].name", 'Invalid value: "bar..": must have at most 253 characters and match'),
        (sysctls("a" * 254), f"{SYSCTLS}[0].name", "must have at most 253 characters"),
        (sysctls(""), f"{SYSCTLS}[0].name", "Required value"),
        (sysctls("net/core/somaxconn", "net/core/somaxconn"), f"{SYSCTLS}[1].name", "Duplicate value"),
        ({**sysctls("net.core.x"), "hostNetwork": True}, f"{SYSCTLS}[0].name", "when 'hostNetwork' is true"),
        ({**sysctls("kernel.shmmax"), "hostIPC": True}, f"{SYSCTLS}[0].name", "when 'hostIPC' is true"),
        ({"dnsPolicy": "None"}, "spec.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None"),
        ({"activeDeadlineSeconds": 0}, "spec.activeDeadlineSeconds", "must be between 1 and 2147483647, inclusive"),
        ({"hostname": "a.b"}, "spec.hostname", "RFC 1123 label"),
        ({"nodeSelector": {"a b": "c"}}, "spec.nodeSelector", "name part"),
        (
            {"tolerations": [{"operator": "Equal"}]},
            "spec.tolerations[0].operator",
            "operator must be Exists when `key` is empty",
        ),
        ({"tolerations": [{"key": "a", "effect": "Never"}]}, "spec.tolerations[0].effect", "Unsupported value"),
        ({"volumes": [{"name": "a"}, {"name": "a"}]}, "spec.volumes[1].name", 'Duplicate value: "a"'),
        ({"volumes": [{"name": "A"}]}, "spec.volumes[0].name", "RFC 1123 label"),
        (
            {"volumes": [{"name": "a", "emptyDir": {}, "hostPath": {"path": "/"}}]},
            "spec.volumes[0].hostPath",
            "may not specify more than 1 volume type",
        ),
        (
            {"volumes": [{"name": "a", "hostPath": {"path": "/a/../b"}}]},
            "spec.volumes[0].hostPath.path",
            "must not contain '..'",
        ),
        (
            {"volumes": [{"name": "a", "configMap": {"name": "c", "items": [{"key": "k", "path": "/abs"}]}}]},
            "spec.volumes[0].configMap.items[0].path",
            "must be a relative path",
        ),
        (
            {"volumes": [{"name": "a", "secret": {"secretName": "s", "defaultMode": 512}}]},
            "spec.volumes[0].secret.defaultMode",
            "must be a number between 0 and 0777 (octal), both inclusive",
        ),
        (
            {
                "volumes": [
                    {
                        "name": "a",
                        "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 5}}]},
                    }
                ]
            },
            "spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds",
            "less than 10 minutes",
        ),
        (
            {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}},
            "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey",
            "can not be empty",
        ),
        (
            {"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]},
            "spec.topologySpreadConstraints[0].maxSkew",
            "must be greater than zero",
        ),
        ({"hostAliases": [{"ip": "1.2.3"}]}, "spec.hostAliases[0].ip", "must be a valid IP address"),
    ],
)
def test_refused_specs(spec: dict[str, Any], field: str, message: str) -> None:
    assert message in problems(PODS, pod(**spec))[field]


def test_mounts_must_differ() -> None:
    mounts = [{"name": "a", "mountPath": "/x"}, {"name": "a", "mountPath": "/x"}]
    spec = pod(volumes=[{"name": "a"}], containers=[{"name": "m", "image": "i", "volumeMounts": mounts}])
    assert problems(PODS, spec) == {f"{C}.volumeMounts[1].mountPath": 'Invalid value: "/x": must be unique'}


TOLERATION = {"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
OLD = created(PODS, pod(activeDeadlineSeconds=100, schedulingGates=[{"name": "a.b/c"}], tolerations=[{**TOLERATION}]))


def test_what_may_change() -> None:
    def change(obj: Obj) -> None:
        spec = obj["spec"]
        spec["containers"][0]["image"] = "other"
        spec["activeDeadlineSeconds"] = 50
        spec["tolerations"].append({"key": "x", "operator": "Exists"})
        spec["tolerations"][0]["tolerationSeconds"] = 5
        del spec["schedulingGates"]

    new, causes = changed(PODS, OLD, change)
    assert not causes
    assert new["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (
            {"nodeName": "n"},
            "spec",
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`",
        ),
        ({"hostname": "x"}, "spec", "changed: spec.hostname"),
        ({"activeDeadlineSeconds": 200}, "spec.activeDeadlineSeconds", "must be less than or equal to previous value"),
        ({"containers": []}, "spec.containers", "pod updates may not add or remove containers"),
        (
            {"tolerations": [{"key": "x", "operator": "Exists"}]},
            "spec.tolerations",
            "existing toleration can not be modified",
        ),
        (
            {"schedulingGates": [{"name": "a.b/c"}, {"name": "a.b/d"}]},
            "spec.schedulingGates",
            "only deletion is allowed",
        ),
    ],
)
def test_what_may_not_change(change: dict[str, Any], field: str, message: str) -> None:
    _, causes = changed(PODS, OLD, lambda obj: obj["spec"].update(change))
    assert message in causes[field]


def test_variables_from_files_need_an_empty_directory() -> None:
    main = [{"name": "a", "image": "b", "env": [from_file()]}]
    assert not problems(PODS, pod(containers=main, volumes=[{"name": "work", "emptyDir": {}}]))
    secret = [{"name": "work", "secret": {"secretName": "s"}}]
    assert "must be of type emptyDir" in problems(PODS, pod(containers=main, volumes=secret))[f"{FILE_KEY}.volumeName"]
    made = created(PODS, pod(containers=main, volumes=[{"name": "work"}]))
    assert made["spec"]["containers"][0]["env"][0]["valueFrom"]["fileKeyRef"]["optional"] is False


def whole_pod(whole: Obj, *containers: Obj) -> Obj:
    listed = [{"name": f"c{i}", "image": "b", "resources": each} for i, each in enumerate(containers)]
    return pod(resources=whole, containers=listed)


def test_requests_of_the_pod_as_a_whole() -> None:
    limits = {"limits": {"cpu": "2", "memory": "1Gi"}}
    asking = whole_pod(dict(limits), {"requests": {"cpu": "200m"}}, {"limits": {"cpu": "300m"}})
    made = created(PODS, asking)
    assert made["spec"]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert made["status"]["qosClass"] == "Burstable"
    assert created(PODS, whole_pod(dict(limits), {}))["status"]["qosClass"] == "Guaranteed"
    assert "requests" not in created(PODS, whole_pod({}, {"limits": {"cpu": "1"}}))["spec"]["resources"]


@pytest.mark.parametrize(
    ("whole", "own", "field", "message"),
    [
        ({"claims": [{"name": "x"}]}, {}, "spec.resources.claims", "cannot be set for Resources at pod-level"),
        ({"limits": {"ephemeral-storage": "1Gi"}}, {}, "spec.resources.limits[ephemeral-storage]", "Unsupported value"),
        (
            {"requests": {"cpu": "1"}},
            {"requests": {"cpu": "1100m"}},
            "spec.resources.requests[cpu]",
            'Invalid value: "1": must be greater than or equal to aggregate container requests of 1100m',
        ),
        (
            {"limits": {"cpu": "1"}},
            {"limits": {"cpu": "2"}, "requests": {"cpu": "1"}},
            f"{C}.resources.limits[cpu]",
            'Invalid value: "2": must be less than or equal to pod limits of 1',
        ),
    ],
)
def test_rules_on_the_pod_as_a_whole(whole: Obj, own: Obj, field: str, message: str) -> None:
    assert message in problems(PODS, whole_pod(whole, own))[field]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"hostnameOverride": "Not-RFC1123"}, "lowercase RFC 1123 subdomain"),
        ({"hostnameOverride": "a" * 65}, "must be no more than 64 characters"),
        ({"hostnameOverride": "a", "hostNetwork": True}, "may not be specified when `hostNetwork` is true"),
        ({"hostnameOverride": "a", "setHostnameAsFQDN": True}, "may not be specified when `setHostnameAsFQDN` is true"),
    ],
)
def test_hostname_overrides_that_are_refused(spec: Obj, message: str) -> None:
    assert message in problems(PODS, pod(**spec))["spec.hostnameOverride"]
    assert not problems(PODS, pod(hostnameOverride="override.example.host", hostname="x", subdomain="y"))
