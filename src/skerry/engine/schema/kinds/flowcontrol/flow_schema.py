"""FlowSchema. Source: `SetDefaults_FlowSchemaSpec`, `ValidateFlowSchema`."""

from __future__ import annotations

from skerry.engine.schema.causes import invalid, not_supported, required
from skerry.engine.schema.strategies import SpecStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_SUBJECTS = {"User": "user", "Group": "group", "ServiceAccount": "serviceAccount"}
_DISTINGUISHERS = ("ByNamespace", "ByUser")
_PRECEDENCE = 10_000


class FlowSchemaStrategy(SpecStrategy):
    """Which requests belong to a priority level."""

    def default(self, obj: Obj) -> None:
        """In the middle of the order."""
        set_default(obj.setdefault("spec", {}), "matchingPrecedence", 1000)

    def validate(self, obj: Obj) -> list[Cause]:
        """Precedence, level, and rules that say whom they are about."""
        spec = obj.get("spec") or {}
        causes = _precedence(spec.get("matchingPrecedence", 0), str(obj["metadata"].get("name", "")))
        if not (spec.get("priorityLevelConfiguration") or {}).get("name"):
            causes.append(required("spec.priorityLevelConfiguration.name", "must reference a priority level"))
        method = (spec.get("distinguisherMethod") or {}).get("type")
        if method is not None and method not in _DISTINGUISHERS:
            causes.append(not_supported("spec.distinguisherMethod.type", method, _DISTINGUISHERS))
        for at, rule in enumerate(spec.get("rules") or ()):
            causes += _rule(rule, f"spec.rules[{at}]")
        return causes


def _precedence(value: int, name: str) -> list[Cause]:
    path = "spec.matchingPrecedence"
    if value <= 0:
        return [invalid(path, value, "must be a positive value")]
    if value > _PRECEDENCE:
        return [invalid(path, value, f"must not be greater than {_PRECEDENCE}")]
    if value == 1 and name != "exempt":
        return [invalid(path, value, "only the schema named 'exempt' may have matchingPrecedence 1")]
    return []


def _rule(rule: Obj, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if not rule.get("subjects"):
        causes.append(required(f"{path}.subjects", "subjects must contain at least one value"))
    if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
        causes.append(required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"))
    for at, subject in enumerate(rule.get("subjects") or ()):
        causes += _subject(subject, f"{path}.subjects[{at}]")
    for at, each in enumerate(rule.get("resourceRules") or ()):
        causes += _resource_rule(each, f"{path}.resourceRules[{at}]")
    for at, each in enumerate(rule.get("nonResourceRules") or ()):
        for part in ("verbs", "nonResourceURLs"):
            if not each.get(part):
                causes.append(required(f"{path}.nonResourceRules[{at}].{part}"))
    return causes


def _subject(subject: Obj, path: str) -> list[Cause]:
    kind = subject.get("kind", "")
    member = _SUBJECTS.get(kind)
    if member is None:
        return [not_supported(f"{path}.kind", kind, tuple(sorted(_SUBJECTS)))]
    if not (subject.get(member) or {}).get("name"):
        return [required(f"{path}.{member}", f"{member} is required when subject kind is '{kind}'")]
    return []


def _resource_rule(rule: Obj, path: str) -> list[Cause]:
    causes = [required(f"{path}.{part}") for part in ("verbs", "apiGroups", "resources") if not rule.get(part)]
    if not rule.get("namespaces") and not rule.get("clusterScope"):
        why = "resource rules that are not cluster scoped must supply at least one namespace"
        causes.append(required(f"{path}.namespaces", why))
    return causes
