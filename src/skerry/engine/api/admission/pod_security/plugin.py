"""PodSecurity: pods that violate what their namespace enforces are refused; audit and warn say so and let pass.

Pod templates are never refused, only warned about. Labelling a namespace warns of the pods in it that would be refused.
Source: Kubernetes' `pod-security-admission/admission/admission.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import WRITES, Plugin
from skerry.engine.api.admission.refusal import refused
from skerry.engine.store.contract import Key, Store
from skerry.kube.errors import Cause
from skerry.kube.errors import invalid as invalid_object
from skerry.kube.objects import Obj, controller_of, labels_of, name_of
from skerry.kube.pod_security.levels import (
    LEVELS,
    NOTHING,
    PREFIX,
    Level,
    Policy,
    details,
    findings,
    policy_of,
    reasons,
)

_MOST_PODS = 3000
"""Pods of a namespace that are looked at when it is labelled."""
TEMPLATES: dict[str, Callable[[Obj], Obj | None]] = {
    "podtemplates": lambda obj: obj.get("template"),
    "cronjobs.batch": lambda obj: ((obj["spec"].get("jobTemplate") or {}).get("spec") or {}).get("template"),
    **dict.fromkeys(
        (
            "replicationcontrollers", "replicasets.apps", "deployments.apps", "statefulsets.apps", "daemonsets.apps",
            "jobs.batch",
        ),
        lambda obj: obj["spec"].get("template"),
    ),
}  # fmt: skip
"""Where the pod template of a workload is."""
_PODS = frozenset({"pods", "pods/ephemeralcontainers", "pods/resize"})


def pod_security(store: Store) -> Plugin:
    """The plug-in. A pod in a namespace without labels costs a look at the namespace."""

    def validate(attributes: Attributes) -> None:
        if attributes.resource == "namespaces":
            _check_namespace(attributes, store)
            return
        policy, causes = _policy(store, attributes.target.namespace)
        if policy.asks_nothing:
            return
        if causes:
            attributes.annotate(f"{PREFIX}error", f"Failed to parse policy: {_joined(causes)}")
        if attributes.resource == "pods":
            if attributes.old is None or is_significant(attributes.obj, attributes.old):
                _evaluate(attributes, policy, attributes.obj, enforce=True)
        elif template := TEMPLATES[attributes.resource](attributes.obj):
            _evaluate(attributes, policy, template, enforce=False)

    looked_at = _PODS | {"namespaces"} | TEMPLATES.keys()
    return Plugin("PodSecurity", validate=validate, resources=looked_at, operations=WRITES)


def _policy(store: Store, namespace: str) -> tuple[Policy, list[Cause]]:
    entry = store.get(Key("namespaces", "", namespace))
    if entry is None or PREFIX.encode() not in entry.value:
        return NOTHING, []
    return policy_of(labels_of(entry.shared()))


def is_significant(new: Obj, old: Obj) -> bool:
    """Whether an update changes what the standards look at: images, containers, profiles in annotations."""

    def looked_at(pod: Obj) -> object:
        marks = {key: value for key, value in (pod["metadata"].get("annotations") or {}).items() if "seccomp" in key
                 or "apparmor" in key}  # fmt: skip
        parts = ("initContainers", "containers", "ephemeralContainers")
        return marks, [[(c.get("name"), c.get("image")) for c in pod["spec"].get(part) or ()] for part in parts]

    return looked_at(new) != looked_at(old)


def _evaluate(attributes: Attributes, policy: Policy, pod: Obj, *, enforce: bool) -> None:
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    if enforce:
        attributes.annotate(f"{PREFIX}enforce-policy", str(policy.enforce))
        if wrong := findings(policy.enforce, metadata, spec):
            raise refused(attributes, f'violates PodSecurity "{policy.enforce}": {details(wrong)}')
    if wrong := findings(policy.audit, metadata, spec):
        text = f'would violate PodSecurity "{policy.audit}": {details(wrong)}'
        attributes.annotate(f"{PREFIX}audit-violations", text)
    if wrong := findings(policy.warn, metadata, spec):
        attributes.warn(f'would violate PodSecurity "{policy.warn}": {details(wrong)}')


def _check_namespace(attributes: Attributes, store: Store) -> None:
    """Labels must mean something when they are new; a stricter level is tried on the pods there are."""
    new, causes = policy_of(labels_of(attributes.obj))
    old, old_causes = policy_of(labels_of(attributes.old)) if attributes.old is not None else (NOTHING, [])
    if causes and causes != old_causes:
        raise invalid_object("", "Namespace", attributes.name, causes)
    if attributes.old is None or new.enforce == old.enforce or not _is_stricter(new.enforce, old.enforce):
        return
    pods = [entry.shared() for entry in store.list("pods", attributes.name, limit=_MOST_PODS)]
    for text in namespace_warnings(attributes.name, new.enforce, pods):
        attributes.warn(text)


def _is_stricter(new: Level, old: Level) -> bool:
    return new.version != old.version or LEVELS.index(new.name) > LEVELS.index(old.name)


def namespace_warnings(namespace: str, level: Level, pods: Iterable[Obj]) -> list[str]:
    """What to say of the pods there are: one line per kind of violation, naming one pod. Of a controller's pods, which
    are alike, one is looked at."""
    seen: set[str] = set()
    by_reason: dict[str, list[str]] = {}
    for pod in pods:
        owner = (controller_of(pod) or {}).get("uid")
        if owner in seen:
            continue
        if owner is not None:
            seen.add(owner)
        if wrong := findings(level, pod["metadata"], pod["spec"]):
            by_reason.setdefault(reasons(wrong), []).append(name_of(pod))
    lines = sorted(f"{_some(sorted(names))}: {text}" for text, names in by_reason.items())
    headline = f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{level}"'
    return [headline, *lines] if lines else []


def _some(names: list[str]) -> str:
    others = len(names) - 1
    if not others:
        return names[0]
    return f"{names[0]} (and {others} other {'pod' if others == 1 else 'pods'})"


def _joined(causes: Iterable[Cause]) -> str:
    return ", ".join(f"{cause.field}: {cause.message}" for cause in causes)
