"""ReplicaSet. Source: `SetDefaults_ReplicaSet`, `ValidateReplicaSet`, `ValidateReplicaSetUpdate`."""

from __future__ import annotations

from skerry.engine.schema.causes import immutable
from skerry.engine.schema.kinds.apps.status_rules import check_status
from skerry.engine.schema.kinds.apps.templates import check_count, check_selected_template, default_workload
from skerry.engine.schema.strategies import SpecStrategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


class ReplicaSetStrategy(SpecStrategy):
    """So many pods of a template."""

    def default(self, obj: Obj) -> None:
        """One replica; labels from the template."""
        default_workload(obj)

    def initial_status(self, obj: Obj) -> None:
        """None running yet."""
        obj["status"] = {"replicas": 0}

    def validate(self, obj: Obj) -> list[Cause]:
        """Counts, selector and template."""
        spec = obj.get("spec") or {}
        causes = list(check_count(spec, "replicas"))
        causes += check_count(spec, "minReadySeconds")
        return causes + list(check_selected_template(spec, "deployment", "ReplicaSet"))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """The selector stays; counts in the status add up."""
        return selector_kept(new, old) + check_status(new, old)


def selector_kept(new: Obj, old: Obj) -> list[Cause]:
    """`spec.selector: field is immutable`."""
    selector = (new.get("spec") or {}).get("selector")
    return [] if selector == (old.get("spec") or {}).get("selector") else [immutable("spec.selector", selector)]
