"""Which APIServices there are by themselves, and whether each is available. Pure.

Source: Kubernetes `pkg/controlplane/apiserver/aggregator.go` (priorities),
`pkg/controlplane/controller/crdregistration`, `kube-aggregator/pkg/controllers/{autoregister,status}`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from skerry.kube.conditions import condition_is_true, condition_of, conditions_of, with_condition
from skerry.kube.objects import Obj, name_of

MANAGED = "kube-aggregator.kubernetes.io/automanaged"
_PRIORITIES = {
    "v1.": (18_000, 1),
    "v1.apps": (17_800, 15),
    "v1.events.k8s.io": (17_750, 5),
    "v1.authentication.k8s.io": (17_700, 15),
    "v1.authorization.k8s.io": (17_600, 15),
    "v1.autoscaling": (17_500, 15),
    "v2.autoscaling": (17_500, 30),
    "v1.batch": (17_400, 15),
    "v1.certificates.k8s.io": (17_300, 15),
    "v1.networking.k8s.io": (17_200, 15),
    "v1.policy": (17_100, 15),
    "v1.rbac.authorization.k8s.io": (17_000, 15),
    "v1.storage.k8s.io": (16_800, 15),
    "v1.apiextensions.k8s.io": (16_700, 15),
    "v1.admissionregistration.k8s.io": (16_700, 15),
    "v1.scheduling.k8s.io": (16_600, 15),
    "v1.coordination.k8s.io": (16_500, 15),
    "v1.node.k8s.io": (16_300, 15),
    "v1.discovery.k8s.io": (16_200, 15),
    "v1.flowcontrol.apiserver.k8s.io": (16_100, 21),
    "v1beta1.metrics.k8s.io": (100, 100),  # as metrics-server has it, which may take its place
}
_CUSTOM = (1_000, 100)
_LOCAL = {
    "type": "Available",
    "status": "True",
    "reason": "Local",
    "message": "Local APIServices are always available",
}


def builtin(served: Iterable[str]) -> dict[str, Obj]:
    """Those of the built-in group versions that are served, by name; that of APIServices themselves does not exist."""
    here = set(served)
    return {name: _service(name, *order, managed="onstart") for name, order in _PRIORITIES.items() if name in here}


def of_definition(definition: Obj) -> dict[str, Obj]:
    """Those of a custom resource's group versions, by name; none until it is established."""
    spec = definition["spec"]
    if not condition_is_true(definition, "Established"):
        return {}
    names = [f"{version['name']}.{spec['group']}" for version in spec["versions"] if version.get("served")]
    return {name: _service(name, *_CUSTOM, managed="true") for name in names}


def _service(name: str, group: int, version: int, managed: str) -> Obj:
    word, _, of_group = name.partition(".")
    spec = {"group": of_group, "version": word, "groupPriorityMinimum": group, "versionPriority": version}
    return {"metadata": {"name": name, "labels": {MANAGED: managed}}, "spec": spec}


def is_superfluous(service: Obj, wanted: dict[str, Obj]) -> bool:
    """Whether it was made for a custom resource that is served no more."""
    labels = service["metadata"].get("labels") or {}
    return labels.get(MANAGED) == "true" and name_of(service) not in wanted


def mended(service: Obj, wanted: dict[str, Obj]) -> Obj | None:
    """One that was made for a custom resource as it should be, None when it is. The object given is not changed."""
    labels = service["metadata"].get("labels") or {}
    spec = wanted[name_of(service)]["spec"] if name_of(service) in wanted else service["spec"]
    return {**service, "spec": spec} if labels.get(MANAGED) == "true" and service["spec"] != spec else None


def with_availability(service: Obj, now: datetime) -> Obj | None:
    """The object with the condition it should have, None when it has it, or when it is for the API server to find out
    whether another server answers. The object given is not changed."""
    if service["spec"].get("service") is not None:
        return None
    current = condition_of(service, "Available") or {}
    if {part: current.get(part) for part in _LOCAL} == _LOCAL:
        return None
    conditions = with_condition(conditions_of(service), _LOCAL, now)
    return {**service, "status": {**(service.get("status") or {}), "conditions": conditions}}
