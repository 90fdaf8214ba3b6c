"""StatefulSet. Source: `SetDefaults_StatefulSet`, `ValidateStatefulSet`, `ValidateStatefulSetUpdate`."""

from __future__ import annotations

from skerry.engine.schema.causes import forbidden, not_supported
from skerry.engine.schema.kinds.apps.templates import check_count, check_selected_template, default_workload
from skerry.engine.schema.strategies import SpecStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_POLICIES = ("OrderedReady", "Parallel")
_UPDATES = ("OnDelete", "RollingUpdate")
_CHANGEABLE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip


class StatefulSetStrategy(SpecStrategy):
    """Pods with names and volumes of their own."""

    def default(self, obj: Obj) -> None:
        """In order, rolling, volumes kept."""
        default_workload(obj)
        spec = obj["spec"]
        set_default(spec, "podManagementPolicy", "OrderedReady")
        set_default(spec, "revisionHistoryLimit", 10)
        update = spec.setdefault("updateStrategy", {})
        set_default(update, "type", "RollingUpdate")
        if update["type"] == "RollingUpdate":
            set_default(update.setdefault("rollingUpdate", {}), "partition", 0)
        retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
        set_default(retention, "whenDeleted", "Retain")
        set_default(retention, "whenScaled", "Retain")
        for claim in spec.get("volumeClaimTemplates") or ():
            set_default(claim.setdefault("spec", {}), "volumeMode", "Filesystem")
            claim.setdefault("status", {"phase": "Pending"})
            claim.setdefault("kind", "PersistentVolumeClaim")
            claim.setdefault("apiVersion", "v1")

    def initial_status(self, obj: Obj) -> None:
        """None running yet."""
        obj["status"] = {"replicas": 0, "availableReplicas": 0}

    def validate(self, obj: Obj) -> list[Cause]:
        """Policies, counts, selector and template."""
        spec = obj.get("spec") or {}
        causes = [cause for name in ("replicas", "minReadySeconds") for cause in check_count(spec, name)]
        if spec.get("podManagementPolicy") not in _POLICIES:
            causes.append(not_supported("spec.podManagementPolicy", spec.get("podManagementPolicy", ""), _POLICIES))
        update = (spec.get("updateStrategy") or {}).get("type", "")
        if update not in _UPDATES:
            causes.append(not_supported("spec.updateStrategy", update, _UPDATES))
        return causes + list(check_selected_template(spec, "statefulset"))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Names, selector and volumes stay."""
        after, before = new.get("spec") or {}, old.get("spec") or {}
        fixed = (after.keys() | before.keys()) - set(_CHANGEABLE)
        if all(after.get(part) == before.get(part) for part in fixed):
            return []
        listed = ", ".join(f"'{part}'" for part in _CHANGEABLE[:-1])
        why = f"updates to statefulset spec for fields other than {listed} and '{_CHANGEABLE[-1]}' are forbidden"
        return [forbidden("spec", why)]
