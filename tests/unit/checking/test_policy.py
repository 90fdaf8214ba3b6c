"""Check "policy": what a namespace refuses, and what is regretted."""

from __future__ import annotations

from skerry.checking.facts import Facts, Space
from tests.unit.checking.objects import deployment, found

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def facts(labels: dict[str, str] | None = None, *, limits: tuple[str, ...] = ()) -> Facts:
    limit_range = {"spec": {"limits": [{"type": "Container", "default": dict.fromkeys(limits, "1")}]}}
    return Facts("default", True, {"default": Space(labels=labels, limit_ranges=[limit_range])})


def test_what_is_right_is_left_alone() -> None:
    assert found("policy", deployment(), facts=facts(RESTRICTED)) == []
    assert found("policy", {"apiVersion": "v1", "kind": "Pod"}) == []


def test_templates_are_judged_as_their_pods_will_be() -> None:
    root = deployment({"securityContext": {"privileged": True}})
    (refused,) = found("policy", root, facts=facts(RESTRICTED))
    assert refused.startswith("Error: Deployment web: spec.template.spec: the namespace refuses the pods: they violate")
    assert (
        'PodSecurity "restricted:latest": privileged (container "web" must not set securityContext.privile' in refused
    )
    assert refused.endswith("seccompProfile: {type: RuntimeDefault})")
    assert found("policy", root, facts=facts({})) == []
    (guessed,) = found("policy", root)
    assert guessed.startswith("Warning: Deployment web: spec.template.spec: most namespaces refuse the pods")
    (warned,) = found("policy", root, facts=facts({"pod-security.kubernetes.io/warn": "baseline"}))
    assert "the namespace warns of the pods" in warned


def test_the_namespace_may_be_among_the_objects() -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default", "labels": RESTRICTED}}
    (refused,) = found("policy", space, deployment({"securityContext": {}}))
    assert refused.startswith("Error: ")


def test_tags_that_move() -> None:
    assert "has no tag" in found("policy", deployment({"image": "localhost:5000/web"}))[0]
    assert "has the tag latest" in found("policy", deployment({"image": "web:latest"}))[0]
    assert found("policy", deployment({"image": "web@sha256:" + "0" * 64})) == []


def test_containers_without_limits() -> None:
    unbounded = deployment({"resources": {}})
    memory, cpu = found("policy", unbounded, facts=facts({}))
    assert "containers[0].resources.limits.memory: no limit of memory" in memory
    assert "containers[0].resources.requests.cpu: nothing is asked of cpu" in cpu
    assert found("policy", unbounded, facts=facts({}, limits=("cpu", "memory"))) == []
    assert found("policy", deployment({"resources": {}}, resources={"limits": {"memory": "1Gi"}})) == []


def test_selectors_that_find_nothing() -> None:
    lost = deployment()
    lost["spec"]["selector"] = {"matchLabels": {"app": "wbe"}}
    (said,) = found("policy", lost)
    assert "spec.selector.matchLabels: the selector does not find its own pods: app" in said
