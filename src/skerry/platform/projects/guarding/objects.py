"""Objects in projects' namespaces: those of the platform stay as they are, and none may outlive a membership.

People are given rights by membership only, so bindings name service accounts of the same project; tokens of service
accounts that never expire, and addresses outside of the cluster that a Service would take over, are refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, labels_of, name_of
from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.base.capability import Context
from skerry.platform.projects.guarding.conditions import IN_PROJECTS, IS_OURS, NO_OPERATOR, rule
from skerry.platform.projects.guarding.whose import Whose
from skerry.platform.projects.types import MADE_LABEL

_RBAC = "rbac.authorization.k8s.io"
_KEPT = (
    rule("", ["resourcequotas", "limitranges", "serviceaccounts", "secrets"], "CREATE", "UPDATE", "DELETE"),
    rule("networking.k8s.io", ["networkpolicies"], "CREATE", "UPDATE", "DELETE"),
    rule(_RBAC, ["roles", "rolebindings"], "CREATE", "UPDATE", "DELETE"),
)
_TOKEN: Obj = {"name": "token", "expression": "object.?type.orValue('') == 'kubernetes.io/service-account-token'"}


class ObjectGuard:
    """Reads which namespaces are whose."""

    def __init__(self, context: Context) -> None:
        self._whose = Whose(context)

    def hooks(self) -> Sequence[Hook]:
        """For the capability."""
        bindings = (rule(_RBAC, ["rolebindings"], "CREATE", "UPDATE"),)
        secrets = rule("", ["secrets"], "CREATE")
        return [
            _hook("project-objects", self.judge_ours, _KEPT, IS_OURS),
            _hook("project-bindings", self.judge_binding, bindings),
            _hook("project-tokens", self.judge_token, (secrets,), _TOKEN),
        ]

    async def judge_ours(self, review: Review) -> Verdict:
        """A write of what carries the platform's label."""
        if MADE_LABEL not in labels_of(review.old):
            return Verdict(f"the label {MADE_LABEL} marks what the platform made: leave it out")
        project = labels_of(review.old)[MADE_LABEL]
        return Verdict(f"the platform keeps {review.plural} {review.name} for project {project}: {_instead(review)}")

    async def judge_binding(self, review: Review) -> Verdict:
        """Whom a binding gives rights."""
        project = await self._whose.project_of(review.namespace)
        for subject in review.object.get("subjects") or ():
            if subject["kind"] != "ServiceAccount":
                return Verdict(
                    f"{subject['kind'].lower()} {subject['name']}: people get rights in project {project} as its "
                    f"members (skerry members add {project} ...), so that they lose them as such; a binding here "
                    "names service accounts"
                )
            if await self._other_project(subject.get("namespace") or review.namespace, project):
                return Verdict(
                    f"service account {subject.get('namespace')}/{subject['name']} is not of project {project}"
                )
        return ADMITTED

    async def judge_token(self, review: Review) -> Verdict:
        """A Secret that would hold a token for ever."""
        return Verdict(
            f"secret {name_of(review.object)}: tokens of service accounts in Secrets never expire, and would outlive "
            "a membership. Pods have tokens of their own; programs elsewhere get theirs by `skerry tokens create`"
        )

    async def _other_project(self, namespace: str, project: str) -> bool:
        try:
            return await self._whose.project_of(namespace) != project
        except NotFound:
            return True


def _hook(name: str, judge: Callable[[Review], Awaitable[Verdict]], rules: Sequence[Obj], *conditions: Obj) -> Hook:
    return Hook(name, judge, rules, namespaces=IN_PROJECTS, conditions=(*NO_OPERATOR, *conditions))


def _instead(review: Review) -> str:
    if review.plural in ("resourcequotas", "limitranges"):
        return "ask for more by `skerry requests create quota`"
    if review.plural == "rolebindings":
        return "members are changed by `skerry members`"
    if review.plural == "networkpolicies":
        return "open more by a NetworkPolicy of your own beside it"
    return "make one of your own beside it"
