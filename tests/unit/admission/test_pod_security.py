"""The Pod Security Standards: every check with Kubernetes' words, levels and versions, labels, warnings."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from skerry.engine.api.admission.chain import Chain
from skerry.engine.api.admission.pod_security.plugin import namespace_warnings, pod_security
from skerry.engine.store.contract import Key
from skerry.engine.store.memory import MemoryStore
from skerry.kube.errors import Forbidden, Invalid
from skerry.kube.objects import Obj
from skerry.kube.pod_security.levels import Level, details, findings, policy_of
from skerry.kube.resources import DEPLOYMENTS, NAMESPACES, PODS
from tests.unit.admission.attributes import attributes

HARDENED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
RESTRICTED = (
    'allowPrivilegeEscalation != false (container "x" must set securityContext.allowPrivilegeEscalation=false), '
    'unrestricted capabilities (container "x" must set securityContext.capabilities.drop=["ALL"]), '
    'runAsNonRoot != true (pod or container "x" must set securityContext.runAsNonRoot=true), '
    'seccompProfile (pod or container "x" must set securityContext.seccompProfile.type to "RuntimeDefault" or '
    '"Localhost")'
)


def spec(security: Obj | None = None, container: Obj | None = None, **more: Any) -> Obj:
    return {"containers": [{"name": "x", "securityContext": security or {}, **(container or {})}], **more}


def violations(level: str, pod_spec: Obj, version: str = "latest", **annotations: str) -> str:
    return details(findings(Level(level, version), {"annotations": annotations}, pod_spec))


def test_a_plain_pod() -> None:
    assert violations("privileged", spec({"privileged": True})) == ""
    assert violations("baseline", spec()) == ""
    assert violations("restricted", spec()) == RESTRICTED
    assert violations("restricted", spec(HARDENED)) == ""
    at_pod = {"runAsNonRoot": True, "seccompProfile": {"type": "Localhost"}}
    rest = {key: HARDENED[key] for key in ("allowPrivilegeEscalation", "capabilities")}
    assert violations("restricted", spec(rest, securityContext=at_pod)) == ""


@pytest.mark.parametrize(
    ("pod_spec", "said"),
    [
        (spec(hostNetwork=True, hostPID=True), "host namespaces (hostNetwork=true, hostPID=true)"),
        (
            spec(volumes=[{"name": "a", "hostPath": {}}, {"name": "b", "hostPath": {}}]),
            'hostPath volumes (volumes "a", "b")',
        ),
        (
            spec(container={"ports": [{"hostPort": 80}, {"hostPort": 443}]}),
            'hostPort (container "x" uses hostPorts 443, 80)',
        ),
        (spec({"privileged": True}), 'privileged (container "x" must not set securityContext.privileged=true)'),
        (
            spec({"capabilities": {"add": ["NET_RAW", "CHOWN"]}}),
            'non-default capabilities (container "x" must not include "NET_RAW" in securityContext.capabilities.add)',
        ),
        (
            spec({"procMount": "Unmasked"}),
            'procMount (container "x" must not set securityContext.procMount to "Unmasked")',
        ),
        (
            spec({"seLinuxOptions": {"type": "spc_t", "user": "u"}}, securityContext={"seLinuxOptions": {"role": "r"}}),
            'seLinuxOptions (pod and container "x" set forbidden securityContext.seLinuxOptions: type "spc_t"; user '
            "may not be set; role may not be set)",
        ),
        (
            spec(securityContext={"seccompProfile": {"type": "Unconfined"}}),
            'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
        (spec(securityContext={"sysctls": [{"name": "kernel.msgmax"}]}), "forbidden sysctls (kernel.msgmax)"),
        (
            spec({"appArmorProfile": {"type": "Unconfined"}}),
            'forbidden AppArmor profile (container "x" must not set AppArmor profile type to "Unconfined")',
        ),
        (
            spec({"windowsOptions": {"hostProcess": True}}),
            'hostProcess (container "x" must not set securityContext.windowsOptions.hostProcess=true)',
        ),
        (
            spec(container={"livenessProbe": {"httpGet": {"host": "h"}}, "lifecycle": {"preStop": {"sleep": {}}}}),
            'probe or lifecycle host (container "x" uses probe or lifecycle host "h")',
        ),
    ],
)
def test_baseline(pod_spec: Obj, said: str) -> None:
    assert violations("baseline", pod_spec) == said


@pytest.mark.parametrize(
    ("pod_spec", "said"),
    [
        (
            spec({**HARDENED, "capabilities": {"add": ["CHOWN", "NET_BIND_SERVICE"]}}),
            'unrestricted capabilities (container "x" must set securityContext.capabilities.drop=["ALL"]; container '
            '"x" must not include "CHOWN" in securityContext.capabilities.add)',
        ),
        (
            spec(HARDENED, volumes=[{"name": "v", "nfs": {}}, {"name": "c", "configMap": {}}]),
            'restricted volume types (volume "v" uses restricted volume type "nfs")',
        ),
        (
            spec({**HARDENED, "runAsNonRoot": False}),
            'runAsNonRoot != true (container "x" must not set securityContext.runAsNonRoot=false)',
        ),
        (
            spec(HARDENED, securityContext={"runAsUser": 0}),
            "runAsUser=0 (pod must not set runAsUser=0)",
        ),
        (
            spec({**HARDENED, "seccompProfile": {"type": "Unconfined"}}),
            'seccompProfile (container "x" must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
        (spec(HARDENED, hostNetwork=True), "host namespaces (hostNetwork=true)"),
    ],
)
def test_restricted(pod_spec: Obj, said: str) -> None:
    assert violations("restricted", pod_spec) == said


@pytest.mark.parametrize(
    ("version", "pod_spec", "is_fine"),
    [
        ("v1.31", spec(securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem"}]}), False),
        ("v1.32", spec(securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem"}]}), True),
        ("v1.30", spec({"seLinuxOptions": {"type": "container_engine_t"}}), False),
        ("v1.31", spec({"seLinuxOptions": {"type": "container_engine_t"}}), True),
        ("v1.33", spec(container={"livenessProbe": {"tcpSocket": {"host": "h"}}}), True),
        ("v1.34", spec(container={"livenessProbe": {"tcpSocket": {"host": "h"}}}), False),
        ("v1.99", spec({"privileged": True}), False),
        ("v1.34", spec({"procMount": "Unmasked"}, hostUsers=False), False),
        ("latest", spec({"procMount": "Unmasked"}, hostUsers=False), True),
    ],
)
def test_versions(version: str, pod_spec: Obj, is_fine: bool) -> None:
    assert (violations("baseline", pod_spec, version) == "") is is_fine


def test_annotations_of_old() -> None:
    mark = {"container.apparmor.security.beta.kubernetes.io/x": "unconfined"}
    assert violations("baseline", spec(), **mark).startswith("forbidden AppArmor profile (annotation must not set")
    old = {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}
    assert "forbidden annotation" in violations("baseline", spec(), "v1.18", **old)
    assert violations("baseline", spec(), "v1.19", **old) == ""


def labels(**modes: str) -> dict[str, str]:
    return {f"pod-security.kubernetes.io/{mode.replace('_', '-')}": level for mode, level in modes.items()}


def test_what_labels_ask_for() -> None:
    policy, causes = policy_of(labels(enforce="baseline", enforce_version="v1.30", audit="restricted"))
    assert not causes
    assert [str(level) for level in policy] == ["baseline:v1.30", "restricted:latest", "baseline:v1.30"]
    assert policy_of({"a": "b"})[0].asks_nothing


def test_slips_open_nothing() -> None:
    policy, causes = policy_of(labels(enforce="restrict", warn_version="1.30"))
    assert str(policy.enforce) == "restricted:latest"
    assert [(cause.field, cause.message) for cause in causes] == [
        (
            "metadata.labels[pod-security.kubernetes.io/enforce]",
            'Invalid value: "restrict": must be one of privileged, baseline, restricted',
        ),
        (
            "metadata.labels[pod-security.kubernetes.io/warn-version]",
            'Invalid value: "1.30": must be "latest" or "v1.x"',
        ),
    ]


def test_what_is_said_when_a_namespace_is_labelled() -> None:
    def pod(name: str, owner: str = "", **more: Any) -> Obj:
        references = [{"uid": owner, "controller": True}] if owner else []
        return {"metadata": {"name": name, "ownerReferences": references}, "spec": spec(**more)}

    pods = [pod("c", hostPID=True), pod("a", hostPID=True), pod("d", "o", hostPID=True), pod("e", "o", hostPID=True)]
    pods += [pod("b", hostPID=True, volumes=[{"name": "v", "hostPath": {}}]), pod("fine")]
    assert namespace_warnings("n", Level("baseline"), pods) == [
        'existing pods in namespace "n" violate the new PodSecurity enforce level "baseline:latest"',
        "a (and 2 other pods): host namespaces",
        "b: host namespaces, hostPath volumes",
    ]


async def namespace(**modes: str) -> Chain:
    store = MemoryStore()
    value = orjson.dumps({"metadata": {"name": "default", "labels": labels(**modes)}})
    await store.create(Key("namespaces", "", "default"), lambda _: value)
    return Chain((pod_security(store),))


def pod(pod_spec: Obj) -> Obj:
    return {"metadata": {"name": "p", "namespace": "default"}, "spec": pod_spec}


async def test_enforcing_refuses_pods_and_warns_of_templates() -> None:
    chain = await namespace(enforce="restricted")
    with pytest.raises(Forbidden) as refusal:
        await chain.admit(attributes(PODS, pod(spec())))
    assert refusal.value.message == f'pods "p" is forbidden: violates PodSecurity "restricted:latest": {RESTRICTED}'
    template = {"metadata": {"name": "d", "namespace": "default"}, "spec": {"template": {"spec": spec()}}}
    on = attributes(DEPLOYMENTS, template)
    await chain.admit(on)
    assert on.request.warnings == [f'would violate PodSecurity "restricted:latest": {RESTRICTED}']


async def test_warn_and_audit_let_pass() -> None:
    chain = await namespace(warn="baseline", audit="restricted")
    on = attributes(PODS, pod(spec(hostPID=True)))
    await chain.admit(on)
    assert on.request.warnings == ['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)']
    assert on.request.annotations["pod-security.kubernetes.io/audit-violations"].startswith("would violate")
    assert on.request.annotations["pod-security.kubernetes.io/enforce-policy"] == "privileged:latest"


async def test_updates_that_change_nothing_that_counts() -> None:
    chain = await namespace(enforce="restricted")
    old = pod(spec())
    await chain.admit(attributes(PODS, {**old, "metadata": {**old["metadata"], "labels": {"a": "b"}}}, old))
    with pytest.raises(Forbidden):
        await chain.admit(attributes(PODS, pod(spec(container={"image": "new"})), old))


async def test_labels_must_be_readable_when_they_are_new() -> None:
    chain = Chain((pod_security(MemoryStore()),))
    wrong: Obj = {"metadata": {"name": "n", "labels": labels(enforce="x")}}
    with pytest.raises(Invalid, match='Namespace "n" is invalid'):
        await chain.admit(attributes(NAMESPACES, wrong))
    await chain.admit(attributes(NAMESPACES, wrong, wrong))
