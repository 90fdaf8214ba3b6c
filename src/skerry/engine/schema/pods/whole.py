"""Resources of a pod as a whole (`spec.resources`): what they default to, and what containers may ask for beside them.

Source: `defaultPodRequests`, `validatePodResources`. Neighbour: `engine.quota.pod_resources` adds containers up.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import forbidden, invalid, not_supported
from skerry.engine.schema.pods.resources import check_resources
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import Amount, amount
from skerry.kube.quota.pod_resources import pod_total

_SUPPORTED = ("cpu", "hugepages-", "memory")
_OVERCOMMITTED = ("cpu", "memory")


def default_pod_requests(spec: Obj) -> None:
    """Where the whole has limits but no requests: what its containers ask for together, or else the limits."""
    resources = spec.get("resources")
    if not resources or not resources.get("limits"):
        return
    together = {name: str(value) for name, value in _together(spec).items() if name in _OVERCOMMITTED}
    limits = {name: value for name, value in resources["limits"].items() if _is_supported(name)}
    resources["requests"] = {**limits, **together, **(resources.get("requests") or {})}


def check_pod_resources(spec: Obj, field: str) -> Iterator[Cause]:
    """Rules on the whole, then on it and its containers."""
    resources: Obj | None = spec.get("resources")
    if resources is None:
        return
    if resources.get("claims"):
        yield forbidden(f"{field}.claims", "claims cannot be set for Resources at pod-level")
    for side in ("limits", "requests"):
        for name in resources.get(side) or ():
            if not _is_supported(name):
                yield not_supported(f"{field}.{side}[{name}]", name, _SUPPORTED)
    yield from check_resources(resources, field)
    requests = resources.get("requests") or {}
    for name, asked in _together(spec).items():
        if name in requests and asked.value > amount(requests[name]).value:
            why = f"must be greater than or equal to aggregate container requests of {asked}"
            yield invalid(f"{field}.requests[{name}]", requests[name], why)
    yield from _check_limits(spec, resources.get("limits") or {}, field.removesuffix(".resources"))


def _check_limits(spec: Obj, whole: Obj, field: str) -> Iterator[Cause]:
    for part in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(part) or ()):
            for name, limit in ((container.get("resources") or {}).get("limits") or {}).items():
                if name in whole and amount(limit).value > amount(whole[name]).value:
                    why = f"must be less than or equal to pod limits of {whole[name]}"
                    yield invalid(f"{field}.{part}[{index}].resources.limits[{name}]", limit, why)


def _together(spec: Obj) -> dict[str, Amount]:
    """What the containers ask for."""
    return pod_total({**spec, "resources": None}, "requests", overhead=False)


def _is_supported(name: str) -> bool:
    return name in _OVERCOMMITTED or name.startswith("hugepages-")
