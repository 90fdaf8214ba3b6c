"""node.k8s.io/v1: container runtimes by name. Source: `ValidateRuntimeClass`, `ValidateRuntimeClassUpdate`."""

from __future__ import annotations

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, immutable, invalid
from skerry.engine.schema.contract import Strategy
from skerry.engine.schema.kinds.declare import Group
from skerry.engine.schema.metadata import validate_labels
from skerry.engine.schema.pods.resources import check_resources
from skerry.engine.schema.pods.scheduling import check_toleration
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

GROUP = Group("node.k8s.io", "v1", "io.k8s.api.node")


class RuntimeClassStrategy(Strategy):
    """A handler that never changes, what it costs, and where its pods may go."""

    def validate(self, obj: Obj) -> list[Cause]:
        """The handler's name, overhead as limits of a container, a selector and tolerations as a pod has them."""
        causes: list[Cause] = []
        if complaint := names.label(obj.get("handler") or ""):
            causes.append(invalid("handler", obj.get("handler") or "", complaint))
        if obj.get("overhead"):
            causes += check_resources({"limits": obj["overhead"].get("podFixed") or {}}, "overhead")
        return causes + _check_placement(obj.get("scheduling") or {})

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Pods that run were made by this handler."""
        changed = new.get("handler") != old.get("handler")
        return [immutable("handler", new.get("handler"))] if changed else []


def _check_placement(placement: Obj) -> list[Cause]:
    causes = list(validate_labels(placement.get("nodeSelector") or {}, "scheduling.nodeSelector"))
    tolerations = placement.get("tolerations") or []
    for index, toleration in enumerate(tolerations):
        field = f"scheduling.tolerations[{index}]"
        causes += check_toleration(toleration, field)
        if toleration in tolerations[:index]:
            causes.append(duplicate(field, toleration))
    return causes


KINDS = [
    GROUP.kind("runtimeclasses", "RuntimeClass", namespaced=False, strategy=RuntimeClassStrategy()),
]
