"""Namespace. Source: `pkg/registry/core/namespace/strategy.go`, `ValidateNamespaceUpdate`."""

from __future__ import annotations

from skerry.engine.schema.metadata import validate_finalizer
from skerry.engine.schema.strategies import UncountedStrategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

NAME_LABEL = "kubernetes.io/metadata.name"


class NamespaceStrategy(UncountedStrategy):
    """`spec.finalizers` is the namespace controller's hold; only `/finalize` releases it."""

    def default(self, obj: Obj) -> None:
        """The label by which selectors find a namespace by name."""
        metadata = obj["metadata"]
        if metadata.get("name"):
            metadata["labels"] = {**(metadata.get("labels") or {}), NAME_LABEL: metadata["name"]}

    def prepare_create(self, obj: Obj) -> None:
        """Active, and held by the finalizer "kubernetes"."""
        super().prepare_create(obj)
        self.default(obj)  # again: `generateName` has by now become a name
        spec = obj.setdefault("spec", {})
        finalizers = spec.setdefault("finalizers", [])
        if "kubernetes" not in finalizers:
            finalizers.append("kubernetes")

    def initial_status(self, obj: Obj) -> None:
        """Active."""
        obj["status"] = {"phase": "Active"}

    def prepare_update(self, new: Obj, old: Obj) -> None:
        """Keep finalizers and status."""
        super().prepare_update(new, old)
        new["spec"] = {**(new.get("spec") or {}), "finalizers": (old.get("spec") or {}).get("finalizers") or []}

    def validate(self, obj: Obj) -> list[Cause]:
        """Finalizers are qualified names."""
        finalizers = (obj.get("spec") or {}).get("finalizers") or ()
        return [cause for finalizer in finalizers for cause in validate_finalizer(finalizer, "spec.finalizers")]
