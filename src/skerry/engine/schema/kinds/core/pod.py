"""Pod. Source: `pkg/registry/core/pod/strategy.go`."""

from __future__ import annotations

from skerry.engine.schema.causes import forbidden
from skerry.engine.schema.pods.defaults import default_pod
from skerry.engine.schema.pods.ephemeral import check_only_added, with_ephemeral_containers
from skerry.engine.schema.pods.resizing import check_resize, with_resources
from skerry.engine.schema.pods.update import check_pod_update
from skerry.engine.schema.pods.validation import check_pod_spec
from skerry.engine.schema.strategies import SpecStrategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.qos import qos_class

_GATED: Obj = {
    "type": "PodScheduled",
    "status": "False",
    "observedGeneration": 1,
    "lastProbeTime": None,
    "lastTransitionTime": None,
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


class PodStrategy(SpecStrategy):
    """A pod is all but immutable: its node and its status are written through subresources."""

    def default(self, obj: Obj) -> None:
        """The pod spec's defaults and what admission adds."""
        default_pod(obj)

    def initial_status(self, obj: Obj) -> None:
        """Pending, with its quality of service known."""
        obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}
        if obj["spec"].get("schedulingGates"):
            obj["status"]["conditions"] = [dict(_GATED)]

    def validate(self, obj: Obj) -> list[Cause]:
        """The pod spec's rules. Ephemeral containers come later, through their subresource."""
        spec = obj.get("spec") or {}
        causes = list(check_pod_spec(spec, "spec"))
        if spec.get("ephemeralContainers"):
            causes.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
        return causes

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Little may change."""
        return list(check_pod_update(new, old))

    def validate_change(self, new: Obj, old: Obj) -> list[Cause]:
        """Unlike a new pod, one that is there may have ephemeral containers."""
        return list(check_pod_spec(new.get("spec") or {}, "spec")) + self.validate_update(new, old)

    def prepare_ephemeral_containers(self, new: Obj, old: Obj) -> None:
        """`pods/ephemeralcontainers` changes them and nothing else."""
        self._only_spec(new, old, with_ephemeral_containers(old["spec"], new.get("spec") or {}))

    def validate_ephemeral_containers(self, new: Obj, old: Obj) -> list[Cause]:
        """The rules of `pods/ephemeralcontainers`."""
        return [*check_pod_spec(new["spec"], "spec"), *check_only_added(new, old)]

    def prepare_resize(self, new: Obj, old: Obj) -> None:
        """`pods/resize` changes the resources of containers and nothing else."""
        self._only_spec(new, old, with_resources(old["spec"], new.get("spec") or {}))

    def validate_resize(self, new: Obj, old: Obj) -> list[Cause]:
        """The rules of `pods/resize`."""
        return [*check_pod_spec(new["spec"], "spec"), *check_resize(new, old)]

    def _only_spec(self, new: Obj, old: Obj, spec: Obj) -> None:
        """Everything as it was but the spec; who manages which field is kept, too."""
        managed = new["metadata"].get("managedFields")
        new["metadata"] = {key: value for key, value in old["metadata"].items() if key != "managedFields"}
        if managed is not None:
            new["metadata"]["managedFields"] = managed
        new["spec"] = spec
        self.prepare_update(new, old)
