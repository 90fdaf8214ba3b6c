"""StorageClass. Source: `SetDefaults_StorageClass`, `ValidateStorageClass(Update)`."""

from __future__ import annotations

from skerry.engine.schema.causes import forbidden, not_supported, required
from skerry.engine.schema.contract import Strategy
from skerry.engine.schema.strategies import set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_BINDING = ("Immediate", "WaitForFirstConsumer")
_RECLAIM = ("Delete", "Retain")
_FIXED = ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode")


class StorageClassStrategy(Strategy):
    """Who makes volumes, and how; fixed once made, for volumes exist by it."""

    def default(self, obj: Obj) -> None:
        """Deleted after use, bound at once."""
        set_default(obj, "reclaimPolicy", "Delete")
        set_default(obj, "volumeBindingMode", "Immediate")

    def validate(self, obj: Obj) -> list[Cause]:
        """Provisioner and policies."""
        causes = [] if obj.get("provisioner") else [required("provisioner")]
        if obj.get("reclaimPolicy") not in _RECLAIM:
            causes.append(not_supported("reclaimPolicy", obj.get("reclaimPolicy", ""), _RECLAIM))
        if obj.get("volumeBindingMode") not in _BINDING:
            causes.append(not_supported("volumeBindingMode", obj.get("volumeBindingMode", ""), _BINDING))
        return causes

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """All but expansion and mount options stays."""
        return [
            forbidden(part, f"updates to {part} are forbidden.") for part in _FIXED if new.get(part) != old.get(part)
        ]
