"""StatefulSet. Source: `SetDefaults_StatefulSet`, `ValidateStatefulSet`, `ValidateStatefulSetUpdate`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import forbidden, invalid, not_supported
from skerry.engine.schema.kinds.apps.status_rules import check_status
from skerry.engine.schema.kinds.apps.templates import check_count, check_selected_template, default_workload
from skerry.engine.schema.pods.resources import NOT_NEGATIVE
from skerry.engine.schema.strategies import SpecStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_RETENTION = ("Retain", "Delete")
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
            rolling = update.setdefault("rollingUpdate", {})
            set_default(rolling, "partition", 0)
            rolling.pop("maxUnavailable", None)  # as Kubernetes 1.36, whose gate MaxUnavailableStatefulSet is off
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
        causes = [
            *_check_policies(spec),
            *(
                cause
                for name in ("replicas", "minReadySeconds", "revisionHistoryLimit")
                for cause in check_count(spec, name)
            ),
            *_check_start((spec.get("ordinals") or {}).get("start") or 0),
        ]
        return causes + list(check_selected_template(_with_claims(spec), "statefulset", "StatefulSet"))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Names, selector and volumes stay; counts in the status add up."""
        return self._kept(new, old) + check_status(new, old, "status.readyReplicas")

    def _kept(self, new: Obj, old: Obj) -> list[Cause]:
        after, before = new.get("spec") or {}, old.get("spec") or {}
        fixed = (after.keys() | before.keys()) - set(_CHANGEABLE)
        if all(after.get(part) == before.get(part) for part in fixed):
            return []
        listed = ", ".join(f"'{part}'" for part in _CHANGEABLE[:-1])
        why = f"updates to statefulset spec for fields other than {listed} and '{_CHANGEABLE[-1]}' are forbidden"
        return [forbidden("spec", why)]


def _check_policies(spec: Obj) -> Iterator[Cause]:
    management, update = spec.get("podManagementPolicy"), spec.get("updateStrategy") or {}
    if management not in ("OrderedReady", "Parallel"):
        yield invalid("spec.podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'")
    rolling = update.get("rollingUpdate")
    if update.get("type") not in ("RollingUpdate", "OnDelete"):
        yield invalid("spec.updateStrategy", update, "must be 'RollingUpdate' or 'OnDelete'")
    elif update["type"] == "OnDelete" and rolling is not None:
        why = "only allowed for updateStrategy 'RollingUpdate'"
        yield invalid("spec.updateStrategy.rollingUpdate", rolling, why)
    elif rolling and (rolling.get("partition") or 0) < 0:
        yield invalid("spec.updateStrategy.rollingUpdate.partition", rolling["partition"], NOT_NEGATIVE)
    for when, policy in (spec.get("persistentVolumeClaimRetentionPolicy") or {}).items():
        if policy not in _RETENTION:
            yield not_supported(f"spec.persistentVolumeClaimRetentionPolicy.{when}", policy, _RETENTION)


def _check_start(start: int) -> Iterator[Cause]:
    if start < 0:
        yield invalid("spec.ordinals.start", start, NOT_NEGATIVE)


def _with_claims(spec: Obj) -> Obj:
    """The spec with the volumes that every pod gets from its claims, which containers may mount."""
    names = [(claim.get("metadata") or {}).get("name", "") for claim in spec.get("volumeClaimTemplates") or ()]
    template = spec.get("template") or {}
    pod = template.get("spec") or {}
    if not names:
        return spec
    own = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in dict.fromkeys(names)]
    others = [volume for volume in pod.get("volumes") or () if volume.get("name") not in names]
    return {**spec, "template": {**template, "spec": {**pod, "volumes": [*own, *others]}}}
