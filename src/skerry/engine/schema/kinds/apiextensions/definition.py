"""CustomResourceDefinition. Source: `pkg/registry/customresourcedefinition`, `apis/apiextensions/v1/defaults.go`."""

from __future__ import annotations

from skerry.engine.schema.strategies import SpecStrategy, set_default
from skerry.kube.conditions import conditions_of, without_condition
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_PENDING = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"


class DefinitionStrategy(SpecStrategy):
    """Names fill each other in; every version that was ever stored is remembered in the status."""

    def default(self, obj: Obj) -> None:
        """Singular, list kind, conversion None, webhooks at port 443."""
        spec = obj.setdefault("spec", {})
        names = spec.setdefault("names", {})
        if names.get("kind"):
            names["singular"] = names.get("singular") or names["kind"].lower()
            names["listKind"] = names.get("listKind") or f"{names['kind']}List"
        conversion = spec.get("conversion")
        if not conversion:
            spec["conversion"] = {"strategy": "None"}
            return
        service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
        if service:
            set_default(service, "port", 443)

    def initial_status(self, obj: Obj) -> None:
        """The storage version is stored from now on."""
        obj["status"] = {}
        _remember_storage(obj)

    def prepare_update(self, new: Obj, old: Obj) -> None:
        """Keep the status, but for a new storage version."""
        super().prepare_update(new, old)
        if "status" in new:
            new["status"] = {**new["status"]}
        _remember_storage(new)

    def warnings(self, new: Obj, old: Obj | None) -> list[str]:
        """About formats and sets."""
        from skerry.engine.schema.custom.warnings import definition_warnings

        return [] if old is not None and old["spec"] == new["spec"] else definition_warnings(new, old)

    def prepare_delete(self, obj: Obj, now: str) -> None:
        """Its objects go first: a finalizer holds it until they have."""
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if CLEANUP not in finalizers:
            finalizers.append(CLEANUP)
        status = obj.setdefault("status", {})
        pending = {
            "type": "Terminating", "status": "True", "lastTransitionTime": now, "reason": "InstanceDeletionPending",
            "message": _PENDING,
        }  # fmt: skip
        status["conditions"] = [*without_condition(conditions_of(obj), "Terminating"), pending]

    def validate(self, obj: Obj) -> list[Cause]:
        """The definition's own rules; its schemas'."""
        from skerry.engine.schema.custom.definition_rules import check_definition  # for those who define

        return list(check_definition(obj, None))

    def validate_change(self, new: Obj, old: Obj) -> list[Cause]:
        """The same, lenient where the old definition was; what is established keeps its names."""
        from skerry.engine.schema.custom.definition_rules import check_definition

        return list(check_definition(new, old))


def _remember_storage(obj: Obj) -> None:
    status = obj.setdefault("status", {})
    stored = status.get("storedVersions") or []
    for version in obj["spec"].get("versions") or ():
        if version.get("storage"):
            if "name" in version and version["name"] not in stored:
                status["storedVersions"] = [*stored, version["name"]]
            return
