"""The RBAC authorizer: a decision from the rules a user is bound to, remembered until a role or a binding changes.

What is remembered is not about single objects: for a verb on a resource in a namespace it is known whether all names
are allowed, or which. So a request costs two look-ups, and memory is bounded. Source: Kubernetes'
`plugin/pkg/auth/authorizer/rbac/rbac.go`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from skerry.engine.api.auth.access import Access, Decision
from skerry.engine.api.auth.rbac.bindings import RoleKey
from skerry.engine.api.auth.rbac.rules import Rule, covers_but_name
from skerry.engine.api.auth.rbac.table import RoleTable
from skerry.engine.api.request import User
from skerry.engine.store.contract import Store

_MOST = 50_000
"""Answers remembered; namespaces and paths can be made up by anybody, so all are forgotten when there are more."""


class _Known(NamedTuple):
    """What is known of a verb on a resource: the decision for names not listed, and those of the listed ones."""

    otherwise: Decision
    named: Mapping[str, Decision]


class RbacAuthorizer:
    """Decides by roles and bindings. Use `start` and `close` as with the table."""

    def __init__(self, store: Store) -> None:
        self._known: dict[tuple[object, ...], _Known] = {}
        self._table = RoleTable(store, self._known.clear)
        self.start, self.close = self._table.start, self._table.close

    def __call__(self, access: Access) -> Decision:
        """Decide."""
        user = access.user
        key = (user.name, user.groups, access[:6])
        known = self._known.get(key)
        if known is None:
            known = self._work_out(access)
            if len(self._known) >= _MOST:
                self._known.clear()
            if self._table.following and access.ordinary:
                self._known[key] = known
        return known.named.get(access.name, known.otherwise) if known.named else known.otherwise

    def rules_for(self, user: User, namespace: str) -> tuple[list[Rule], list[str]]:
        """All rules that apply to a user in a namespace, and what was missing on the way."""
        rules: list[Rule] = []
        errors: dict[str, None] = {}
        for source, rule in self._table.rules_for(user, namespace):
            if rule is None:
                errors[source] = None
            else:
                rules.append(rule)
        return rules, list(errors)

    def rules_of_role(self, role: RoleKey) -> tuple[Rule, ...] | None:
        """The rules of a role, or None when there is none of this name."""
        return self._table.rules(role)

    def _work_out(self, access: Access) -> _Known:
        named: dict[str, Decision] = {}
        errors: dict[str, None] = {}
        for source, rule in self._table.rules_for(access.user, access.namespace):
            if rule is None:
                errors[source] = None
            elif covers_but_name(rule, access):
                decision = Decision(allowed=True, reason=f"RBAC: allowed by {source}")
                if not rule.names:
                    return _Known(decision, {})
                for name in rule.names:
                    named.setdefault(name, decision)
        return _Known(Decision(allowed=False, reason=aggregate(list(errors))), named)


def aggregate(errors: list[str]) -> str:
    """Errors in one line, as Kubernetes prints them; "" when there are none."""
    if not errors:
        return ""
    return f"RBAC: {errors[0]}" if len(errors) == 1 else f"RBAC: [{', '.join(errors)}]"
