"""What one object uses of a quota, by the names that quotas count under.

Source: Kubernetes' `pkg/quota/v1/evaluator/core` (pods, services, claims) and
`apiserver/pkg/quota/v1/generic/evaluator.go` (`count/<resource>.<group>`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import ONE, Amount, amount, amounts, pieces
from skerry.kube.quota.pod_resources import pod_total
from skerry.kube.volumes import class_of

COUNTED_BY_OLD_NAME = frozenset({
    "pods", "services", "persistentvolumeclaims", "configmaps", "secrets", "replicationcontrollers", "resourcequotas",
})  # fmt: skip
"""Objects counted under their own name too, not only under `count/`."""
MEASURED = frozenset({"pods", "services", "persistentvolumeclaims"})
"""Objects whose content matters, not only their number."""
NEVER_COUNTED = frozenset({"events", "events.events.k8s.io"})
_CLASS_MARK = ".storageclass.storage.k8s.io/"
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_EXPLICIT = frozenset({"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"})


def usage(resource: str, obj: Obj, now: datetime) -> dict[str, Amount]:
    """What an object of a resource ("pods", "deployments.apps") uses. Of a pod that is over only its number counts."""
    used = {f"count/{resource}": ONE}
    if resource == "pods":
        return {**used, **pod_usage(obj)} if is_charged(obj, now) else used
    if resource in COUNTED_BY_OLD_NAME:
        used[resource] = ONE
    if resource == "services":
        used |= _service_usage(obj.get("spec") or {})
    elif resource == "persistentvolumeclaims":
        used |= _claim_usage(obj)
    return used


def is_charged(pod: Obj, now: datetime) -> bool:
    """Whether a pod counts: not when it has ended, nor when its node has let its grace period pass."""
    if (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return False
    ends = given_up_at(pod)
    return ends is None or now <= ends


def given_up_at(pod: Obj) -> datetime | None:
    """When a pod that is going away stops counting, even if it is still there."""
    metadata = pod["metadata"]
    if not metadata.get("deletionTimestamp") or metadata.get("deletionGracePeriodSeconds") is None:
        return None
    return parse_time(metadata["deletionTimestamp"]) + timedelta(seconds=metadata["deletionGracePeriodSeconds"])


def pod_usage(pod: Obj) -> dict[str, Amount]:
    """The pod itself, its requests and its limits."""
    spec = pod.get("spec") or {}
    return {"pods": ONE, **_compute(pod_total(spec, "requests"), pod_total(spec, "limits"))}


def _compute(requests: dict[str, Amount], limits: dict[str, Amount]) -> dict[str, Amount]:
    used = {}
    for name, value in requests.items():
        if name in _COMPUTE or name.startswith("hugepages-"):
            used[name] = used[f"requests.{name}"] = value
        elif is_extended(name):
            used[f"requests.{name}"] = value
    return used | {f"limits.{name}": value for name, value in limits.items() if name in _COMPUTE}


def is_extended(name: str) -> bool:
    """Whether a resource is one of a device plug-in's ("nvidia.com/gpu")."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def is_gpu(resource: str) -> bool:
    """Whether one piece of an extended resource is a GPU, or a part of one: `nvidia.com/gpu`, `gpu.intel.com/i915`,
    `nvidia.com/mig-1g.5gb`."""
    return is_extended(resource) and ("gpu" in resource or resource.startswith("nvidia.com/mig-"))


def _service_usage(spec: Obj) -> dict[str, Amount]:
    ports, kind = spec.get("ports") or (), spec.get("type")
    balanced = kind == "LoadBalancer"
    node_ports = len(ports) if balanced or kind == "NodePort" else 0
    if balanced and spec.get("allocateLoadBalancerNodePorts") is False:
        node_ports = sum(1 for port in ports if port.get("nodePort"))
    return {"services.loadbalancers": pieces(int(balanced)), "services.nodeports": pieces(node_ports)}


def _claim_usage(claim: Obj) -> dict[str, Amount]:
    spec = claim.get("spec") or {}
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    storage_class = class_of(claim)
    used = {}
    if storage_class:
        used[f"{storage_class}{_CLASS_MARK}persistentvolumeclaims"] = ONE
    if asked is not None:
        used["requests.storage"] = _storage(str(asked), claim)
        if storage_class:
            used[f"{storage_class}{_CLASS_MARK}requests.storage"] = used["requests.storage"]
    return used


def _storage(asked: str, claim: Obj) -> Amount:
    """What is asked for, or more while an expansion that was taken back is not undone."""
    allocated = ((claim.get("status") or {}).get("allocatedResources") or {}).get("storage")
    wanted = amount(asked)
    return wanted if allocated is None else max(wanted, amount(str(allocated)), key=lambda one: one.value)


def counted_names(resource: str, names: Iterable[str]) -> list[str]:
    """Those of a quota's names that objects of a resource use."""
    return [name for name in names if _counts(resource, name)]


def _counts(resource: str, name: str) -> bool:
    if name == f"count/{resource}" or (name == resource and resource in COUNTED_BY_OLD_NAME):
        return True
    if resource == "services":
        return name in ("services.loadbalancers", "services.nodeports")
    if resource == "persistentvolumeclaims":
        return name == "requests.storage" or _CLASS_MARK in name
    return resource == "pods" and _counts_pods(name)


def _counts_pods(name: str) -> bool:
    bare = name.removeprefix("requests.").removeprefix("limits.")
    return bare in _COMPUTE or bare.startswith("hugepages-") or (name != bare and is_extended(bare))


def resources_of(names: Iterable[str]) -> set[str]:
    """The resources whose objects a quota with these names counts."""
    found = set()
    for name in names:
        if name.startswith("count/"):
            found.add(name.removeprefix("count/"))
        elif name in COUNTED_BY_OLD_NAME:
            found.add(name)
        else:
            found |= {resource for resource in MEASURED if _counts(resource, name)}
    return found


def missing(pod: Obj, names: Iterable[str]) -> str:
    """What containers must say when a quota on cpu or memory counts them; "" when they do.

    Resources of the pod as a whole free its containers from it.
    """
    spec = pod.get("spec") or {}
    wanted = sorted(_EXPLICIT.intersection(names))
    if not wanted or (spec.get("resources") or {}):
        return ""
    silent: dict[str, set[str]] = {}
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = container.get("resources") or {}
        said = _compute(amounts(resources.get("requests")), amounts(resources.get("limits")))
        for name in wanted:
            if name not in said:
                silent.setdefault(name, set()).add(container["name"])
    texts = [f"{name} for: {','.join(sorted(containers))}" for name, containers in sorted(silent.items())]
    return f"must specify {'; '.join(texts)}" if texts else ""
