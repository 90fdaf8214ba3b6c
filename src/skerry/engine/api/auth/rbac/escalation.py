"""Nobody grants what they do not hold: the check on every write of a role or a binding.

A role may be written by who holds all it allows, or may `escalate` it; a binding by who holds all its role allows, or
may `bind` that role. An aggregation rule could gather anything, so it takes everything. Runs as an admission plug-in,
after whatever changes objects. Source: Kubernetes' `pkg/registry/rbac/{role,rolebinding,...}/policybased/storage.go`.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import WRITES, Plugin
from skerry.engine.api.auth.access import Access, Authorizer
from skerry.engine.api.auth.authentication import MASTERS
from skerry.engine.api.auth.authority import Authority
from skerry.engine.api.auth.rbac.authorizer import RbacAuthorizer
from skerry.engine.api.auth.rbac.bindings import RoleKey
from skerry.engine.api.auth.rbac.cover import compacted, described, quoted, uncovered
from skerry.engine.api.auth.rbac.rules import Rule, rules_of
from skerry.engine.api.auth.rbac.table import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, GROUP, ROLE_BINDINGS, ROLES
from skerry.engine.schema.causes import shown
from skerry.kube.errors import NotFound, forbidden
from skerry.kube.objects import Obj

EVERYTHING = (Rule(("*",), ("*",), ("*",)), Rule(("*",), urls=("*",)))
_CHECKED = frozenset({ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS})
_FOR_COLLECTION = ("ownerReferences", "finalizers")
_STAMPS = ("resourceVersion", "managedFields", "generation")


def escalation_check(authority: Authority) -> Plugin:
    """The plug-in. Raises Forbidden, and NotFound for a binding of a role that does not exist."""
    rbac, authorizer = authority.rbac, authority.decide

    def check(attributes: Attributes) -> None:
        if attributes.new is None or MASTERS in attributes.user.groups:
            return
        if attributes.old is not None and only_for_collection(attributes.new, attributes.old):
            return
        if attributes.resource in (ROLES, CLUSTER_ROLES):
            _check_role(rbac, authorizer, attributes, attributes.new)
        else:
            _check_binding(rbac, authorizer, attributes, attributes.new)

    return Plugin("RBACEscalation", validate=check, resources=_CHECKED, operations=WRITES)


def _check_role(rbac: RbacAuthorizer, authorizer: Authorizer, attributes: Attributes, role: Obj) -> None:
    target = attributes.target
    plural, name = target.kind.resource.plural, target.name if attributes.operation == "UPDATE" else ""
    access = Access("escalate", GROUP, plural, "", target.namespace, "", attributes.user, name)
    if authorizer(access).allowed:
        return
    _confirm(rbac, attributes, rules_of(role))
    if any((each or {}).get("aggregationRule") for each in (role, attributes.old)):
        held, _ = rbac.rules_for(attributes.user, "")
        if uncovered(held, EVERYTHING):
            why = "must have cluster-admin privileges to use the aggregationRule"
            raise forbidden(target.group_resource, role["metadata"]["name"], why)


def _check_binding(rbac: RbacAuthorizer, authorizer: Authorizer, attributes: Attributes, binding: Obj) -> None:
    reference = binding.get("roleRef") or {}
    namespace, kind, name = attributes.target.namespace, reference.get("kind"), str(reference.get("name") or "")
    if kind not in ("Role", "ClusterRole") or not name:
        return  # validation says so
    plural = "roles" if kind == "Role" else "clusterroles"
    if authorizer(Access("bind", GROUP, plural, "", namespace, "", attributes.user, name)).allowed:
        return
    role = RoleKey(namespace if kind == "Role" else "", name)
    rules = rbac.rules_of_role(role)
    if rules is None:
        raise NotFound(role.missing, {"name": name, "group": GROUP, "kind": kind.lower()})
    _confirm(rbac, attributes, rules)


def _confirm(rbac: RbacAuthorizer, attributes: Attributes, wanted: Sequence[Rule]) -> None:
    user, target = attributes.user, attributes.target
    held, errors = rbac.rules_for(user, target.namespace)
    missing = uncovered(held, wanted)
    if missing:
        listed = "\n".join(sorted({described(rule) for rule in compacted(missing)}))
        why = f"user {shown(user.name)} (groups={quoted(user.groups)}) is attempting to grant RBAC permissions"
        why = f"{why} not currently held:\n{listed}"
        if errors:
            why = f"{why}; resolution errors: [{', '.join(errors)}]"
        assert attributes.new is not None
        raise forbidden(target.group_resource, attributes.new["metadata"]["name"], why)


def only_for_collection(new: Obj, old: Obj) -> bool:
    """Whether an update changes nothing but owners and finalizers, which lets garbage collection do its work."""
    return _without(new) == _without(old)


def _without(obj: Obj) -> Obj:
    metadata = {name: value for name, value in obj["metadata"].items() if name not in (*_FOR_COLLECTION, *_STAMPS)}
    return {**obj, "metadata": metadata}
