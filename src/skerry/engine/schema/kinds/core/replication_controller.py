"""ReplicationController, the ancestor of ReplicaSet. Source: `SetDefaults_ReplicationController`."""

from __future__ import annotations

from skerry.engine.schema.causes import invalid, required
from skerry.engine.schema.kinds.apps.status_rules import check_status
from skerry.engine.schema.kinds.apps.templates import check_count, check_lasting_template, default_workload
from skerry.engine.schema.strategies import SpecStrategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


class ReplicationControllerStrategy(SpecStrategy):
    """Its selector is a plain map and defaults to the template's labels."""

    def default(self, obj: Obj) -> None:
        """One replica; selector and labels from the template."""
        default_workload(obj)
        labels = obj["spec"]["template"]["metadata"].get("labels")
        if labels:
            obj["spec"].setdefault("selector", dict(labels))
            obj["metadata"].setdefault("labels", dict(labels))

    def initial_status(self, obj: Obj) -> None:
        """None running yet."""
        obj["status"] = {"replicas": 0}

    def validate(self, obj: Obj) -> list[Cause]:
        """Counts, selector and template."""
        spec = obj.get("spec") or {}
        causes = [*check_count(spec, "replicas"), *check_count(spec, "minReadySeconds")]
        selector, template = spec.get("selector") or {}, spec.get("template") or {}
        labels = (template.get("metadata") or {}).get("labels") or {}
        if not selector:
            causes.append(required("spec.selector"))
        elif not selector.items() <= labels.items():
            why = "`selector` does not match template `labels`"
            causes.append(invalid("spec.template.metadata.labels", labels, why))
        return causes + list(check_lasting_template(template, "ReplicationController"))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Counts in the status add up."""
        return check_status(new, old)
