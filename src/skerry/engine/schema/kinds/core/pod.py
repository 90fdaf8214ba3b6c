"""Pod. Source: `pkg/registry/core/pod/strategy.go`."""

from __future__ import annotations

from skerry.engine.schema.causes import forbidden
from skerry.engine.schema.pods.defaults import default_pod
from skerry.engine.schema.pods.qos import qos_class
from skerry.engine.schema.pods.update import check_pod_update
from skerry.engine.schema.pods.validation import check_pod_spec
from skerry.engine.schema.strategies import SpecStrategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


class PodStrategy(SpecStrategy):
    """A pod is all but immutable: its node and its status are written through subresources."""

    def default(self, obj: Obj) -> None:
        """The pod spec's defaults and what admission adds."""
        default_pod(obj)

    def initial_status(self, obj: Obj) -> None:
        """Pending, with its quality of service known."""
        obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}

    def validate(self, obj: Obj) -> list[Cause]:
        """The pod spec's rules. Ephemeral containers would come through their subresource, which is not served."""
        spec = obj.get("spec") or {}
        causes = list(check_pod_spec(spec, "spec"))
        if spec.get("ephemeralContainers"):
            causes.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
        return causes

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Little may change."""
        return list(check_pod_update(new, old))
