"""When guards are asked: CEL that the API server evaluates, so that nobody else's requests wait for the platform.

Operators (the verb `manage` on projects) and the cluster's own parts are never asked about.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.platform.projects.types import MADE_LABEL, PROJECT_LABEL

IN_PROJECTS: Obj = {"matchExpressions": [{"key": PROJECT_LABEL, "operator": "Exists"}]}
"""A namespaceSelector."""

_USER = "request.userInfo.username"
_OF_THE_CLUSTER = (
    f"{_USER}.startsWith('system:serviceaccount:kube-system:') || "
    f"({_USER}.startsWith('system:') && !{_USER}.startsWith('system:serviceaccount:'))"
)
_OURS = "authorizer.group('skerry.dev').resource('projects')"
NO_OPERATOR: Sequence[Obj] = (
    {"name": "not-the-cluster", "expression": f"!({_OF_THE_CLUSTER})"},
    {"name": "no-operator", "expression": f"!{_OURS}.check('manage').allowed()"},
)
_IS_MADE = "has({0}.metadata.labels) && '{1}' in {0}.metadata.labels"


def has_label(label: str) -> str:
    """The object has it, before or after."""
    new, old = (_IS_MADE.format(name, label) for name in ("object", "oldObject"))
    return f"(object != null && {new}) || (oldObject != null && {old})"


IS_OURS: Obj = {"name": "made-by-the-platform", "expression": has_label(MADE_LABEL)}
DIVIDES: Obj = {"name": "narrowed", "expression": f"{_OURS}.check('divide').allowed()"}
"""Who makes namespaces by right of a project."""


def rule(group: str, resources: Sequence[str], *operations: str) -> Obj:
    """Of a webhook, for all versions."""
    return {"apiGroups": [group], "apiVersions": ["*"], "resources": list(resources), "operations": list(operations)}
