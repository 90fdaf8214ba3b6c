"""LimitRanger: fills in the defaults that a namespace's LimitRanges give, and refuses what is outside their bounds.

Source: Kubernetes' `plugin/pkg/admission/limitranger`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import WRITES, Plugin
from skerry.engine.api.admission.refusal import refused
from skerry.engine.store.contract import Store
from skerry.kube.objects import Obj, is_deleting
from skerry.kube.quota.limit_ranges import claim_faults, pod_faults, set_defaults


def limit_ranger(store: Store) -> Plugin:
    """The plug-in. A namespace without LimitRanges costs a look at their number."""

    def limits(attributes: Attributes) -> list[Obj]:
        if not store.count("limitranges", attributes.target.namespace):
            return []
        ranges = store.list("limitranges", attributes.target.namespace)
        return [limit for entry in ranges for limit in (entry.shared().get("spec") or {}).get("limits") or ()]

    def mutate(attributes: Attributes) -> None:
        if attributes.resource == "pods" and attributes.operation == "CREATE":
            for limit in limits(attributes):
                if limit.get("type") == "Container":
                    set_defaults(attributes.obj, limit)

    def validate(attributes: Attributes) -> None:
        if attributes.operation == "UPDATE" and not _asks_anew(attributes):
            return
        check = pod_faults if attributes.resource == "pods" else claim_faults
        faults = [fault for limit in limits(attributes) for fault in check(attributes.obj, limit)]
        if faults:
            distinct = list(dict.fromkeys(faults))
            raise refused(attributes, distinct[0] if len(distinct) == 1 else f"[{', '.join(distinct)}]")

    looked_at = frozenset({"pods", "pods/resize", "persistentvolumeclaims"})
    return Plugin("LimitRanger", mutate=mutate, validate=validate, resources=looked_at, operations=WRITES)


def _asks_anew(attributes: Attributes) -> bool:
    """Whether an update may ask for more than before: of a pod only its resizing does."""
    resized = attributes.target.subresource == "resize"
    return resized or not (attributes.resource == "pods" or is_deleting(attributes.obj))
