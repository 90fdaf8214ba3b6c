"""Roles and their bindings. Source: `pkg/apis/rbac/v1/defaults.go`, `ValidateRole`, `ValidateRoleBinding(Update)`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import forbidden, invalid, not_supported, required
from skerry.engine.schema.contract import Strategy
from skerry.engine.schema.strategies import set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

GROUP = "rbac.authorization.k8s.io"
_SUBJECTS = ("Group", "ServiceAccount", "User")


class RoleStrategy(Strategy):
    """A list of rules, each with verbs and something they apply to."""

    def validate(self, obj: Obj) -> list[Cause]:
        """Each rule by itself."""
        namespaced = obj["kind"] == "Role"
        rules = obj.get("rules") or ()
        return [cause for index, rule in enumerate(rules) for cause in _check_rule(rule, f"rules[{index}]", namespaced)]


def _check_rule(rule: Obj, field: str, namespaced: bool) -> Iterator[Cause]:
    if not rule.get("verbs"):
        yield required(f"{field}.verbs", "verbs must contain at least one value")
    if rule.get("nonResourceURLs"):
        if namespaced:
            why = "namespaced rules cannot apply to non-resource URLs"
            yield invalid(f"{field}.nonResourceURLs", rule["nonResourceURLs"], why)
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            why = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(f"{field}.nonResourceURLs", rule["nonResourceURLs"], why)
        return
    if not rule.get("apiGroups"):
        yield required(f"{field}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{field}.resources", "resource rules must supply at least one resource")


class RoleBindingStrategy(Strategy):
    """Subjects and the role they get, which cannot be exchanged."""

    def default(self, obj: Obj) -> None:
        """The API groups of role and subjects."""
        set_default(obj.setdefault("roleRef", {}), "apiGroup", GROUP)
        for subject in obj.get("subjects") or ():
            if subject.get("kind") in ("User", "Group"):
                set_default(subject, "apiGroup", GROUP)

    def validate(self, obj: Obj) -> list[Cause]:
        """Role and subjects."""
        return list(_check_binding(obj))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Another role needs another binding."""
        role = new.get("roleRef")
        return [] if role == old.get("roleRef") else [invalid("roleRef", role, "cannot change roleRef")]


def _check_binding(obj: Obj) -> Iterator[Cause]:
    role = obj.get("roleRef") or {}
    kinds = ["ClusterRole"] if obj["kind"] == "ClusterRoleBinding" else ["ClusterRole", "Role"]
    if role.get("apiGroup") != GROUP:
        yield not_supported("roleRef.apiGroup", role.get("apiGroup", ""), (GROUP,))
    if role.get("kind") not in kinds:
        yield not_supported("roleRef.kind", role.get("kind", ""), kinds)
    if not role.get("name"):
        yield required("roleRef.name")
    for index, subject in enumerate(obj.get("subjects") or ()):
        field = f"subjects[{index}]"
        if not subject.get("name"):
            yield required(f"{field}.name")
        if subject.get("kind") not in _SUBJECTS:
            yield not_supported(f"{field}.kind", subject.get("kind", ""), _SUBJECTS)
        elif subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            yield required(f"{field}.namespace")
        elif subject["kind"] != "ServiceAccount" and subject.get("namespace"):
            yield forbidden(f"{field}.namespace", "only service accounts have one")
