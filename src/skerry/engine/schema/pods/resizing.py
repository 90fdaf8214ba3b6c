"""Rules on `pods/resize`: CPU and memory of containers that may run and of the pod as a whole, and nothing else.

Source: `dropNonResizeUpdates`, `ValidatePodResize`. Neighbour: `kinds.core.pod` for the subresource.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import forbidden, invalid
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.qos import qos_class
from skerry.kube.quantities import parse_quantity

_RESIZED = ("cpu", "memory")
_PARTS = ("initContainers", "containers")


def with_resources(old: Obj, new: Obj) -> Obj:
    """The old spec with the new one's resources, where it has such: what the subresource may touch."""
    spec = {**old}
    if new.get("resources") is not None:
        spec["resources"] = new["resources"]
    for part in _PARTS:
        wanted = {container.get("name"): container for container in new.get(part) or ()}
        if old.get(part):
            spec[part] = [_resized(container, wanted.get(container["name"], container)) for container in old[part]]
    return spec


def _resized(container: Obj, wanted: Obj) -> Obj:
    return {**container, "resources": wanted.get("resources") or {}}


def check_resize(new: Obj, old: Obj) -> Iterator[Cause]:
    """Of two pods whose specs differ in resources only."""
    if qos_class(new["spec"]) != qos_class(old["spec"]):
        yield invalid("spec", qos_class(new["spec"]), "Pod QOS Class may not change as a result of resizing")
    for part in _PARTS:
        for index, (after, before) in enumerate(
            zip(new["spec"].get(part) or (), old["spec"].get(part) or (), strict=True)
        ):
            if after["resources"] != (before.get("resources") or {}):
                sidecar = part == "containers" or before.get("restartPolicy") == "Always"
                yield from _check_container(after, before, f"spec.{part}[{index}].resources", resizable=sidecar)
    yield from _check_amounts(new["spec"].get("resources") or {}, old["spec"].get("resources") or {}, "spec.resources")


def _check_container(after: Obj, before: Obj, field: str, *, resizable: bool) -> Iterator[Cause]:
    if not resizable:
        yield forbidden(field, "resources for non-sidecar init containers are immutable")
        return
    yield from _check_amounts(after["resources"], before.get("resources") or {}, field)


def _check_amounts(after: Obj, before: Obj, field: str) -> Iterator[Cause]:
    for side in ("limits", "requests"):
        new, old = after.get(side) or {}, before.get(side) or {}
        removed = [name for name in _RESIZED if name in old and name not in new]
        if removed:
            yield forbidden(f"{field}.{side}", f"resource {side} cannot be removed")
        elif any(_differs(new, old, name) for name in new.keys() | old.keys() if name not in _RESIZED):
            yield forbidden("spec", "only cpu and memory resources are mutable")
    if (after.get("claims") or []) != (before.get("claims") or []):
        yield forbidden("spec", "only cpu and memory resources are mutable")


def _differs(new: Obj, old: Obj, name: str) -> bool:
    if name not in new or name not in old:
        return True
    return parse_quantity(new[name]) != parse_quantity(old[name])
