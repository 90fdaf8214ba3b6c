"""ClusterRoles put together from others: `aggregationRule` says by which labels, this writes the rules.

Source: Kubernetes `pkg/controller/clusterroleaggregation`. The roles chosen are taken in the order of their names, a
rule that is there already is not repeated.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.controllers.context import Context
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import CLUSTER_ROLES
from skerry.kube.selectors import selector_of


class ClusterRoleAggregation(Controller):
    """Keys are names of ClusterRoles that have an aggregation rule."""

    name = "clusterrole-aggregation"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._roles = context.informers.of(CLUSTER_ROLES)
        self.watch(self._roles, self._concerned)

    async def reconcile(self, key: str) -> float | None:
        """Write the rules it should have."""
        role = self._roles.get(key)
        if role is None or not role.get("aggregationRule"):
            return None
        rules = aggregated(role, self._roles.list())
        if rules != (role.get("rules") or []):
            try:
                await self._client.update(CLUSTER_ROLES, {**role, "rules": rules})
            except NotFound:
                return None
        return None

    def _concerned(self, changed: Obj) -> Iterable[str]:
        """Any role may be a part of any that is put together, before or after its change."""
        names = {name_of(role) for role in self._roles.list() if role.get("aggregationRule")}
        return names | {name_of(changed)} if changed.get("aggregationRule") else names


def aggregated(role: Obj, roles: Iterable[Obj]) -> list[Obj]:
    """The rules of all other roles that one of a role's selectors chooses."""
    rules: list[Obj] = []
    ordered = sorted((one for one in roles if name_of(one) != name_of(role)), key=name_of)
    for chosen_by in role["aggregationRule"].get("clusterRoleSelectors") or ():
        selector = selector_of(chosen_by)
        for one in ordered:
            if selector.matches(one["metadata"].get("labels") or {}):
                rules += [rule for rule in one.get("rules") or () if rule not in rules]
    return rules
