"""Notes on what is made in projects who made it: annotation `skerry.dev/user`."""

from __future__ import annotations

from skerry.kube.informer import Informer
from skerry.kube.objects import annotations_of
from skerry.kube.resources import NAMESPACES
from skerry.platform.base.admission import Hook, Review, Verdict
from skerry.platform.base.capability import Context
from skerry.platform.usage.attributing.deciding import account_namespace, acts_for_others, annotated
from skerry.platform.usage.attributing.owners import Owners
from skerry.platform.usage.attributing.policy import IN_PROJECTS, IS_PERSON, rules
from skerry.platform.usage.projects import project_of
from skerry.platform.usage.types import USER_ANNOTATION


def attribution(context: Context) -> Hook:
    """The webhook."""
    return Hook(
        name="usage-user",
        judge=_Attribution(context).judge,
        rules=rules("CREATE", "UPDATE"),
        mutating=True,
        namespaces=IN_PROJECTS,
        conditions=({"name": "made-for-somebody-or-renamed", "expression": _MADE_OR_RENAMED},),
    )


def _said(obj: str) -> str:
    annotations = f"{obj}.metadata.annotations"
    return f"(has({annotations}) && '{USER_ANNOTATION}' in {annotations} ? {annotations}['{USER_ANNOTATION}'] : '')"


_MADE_OR_RENAMED = f"request.operation == 'CREATE' ? !({IS_PERSON}) : {_said('object')} != {_said('oldObject')}"
"""What people make is noted already (`policy`); most updates leave the note alone."""


class _Attribution:
    def __init__(self, context: Context) -> None:
        self._namespaces: Informer = context.informers.of(NAMESPACES)
        self._owners = Owners(context.client)

    async def judge(self, review: Review) -> Verdict:
        if review.operation == "UPDATE":
            user = annotations_of(review.old).get(USER_ANNOTATION, "")
        else:
            user = await self._maker(review)
        return Verdict(patch=annotated(review.object, user))

    async def _maker(self, review: Review) -> str:
        home = account_namespace(review.user)
        known = self._namespaces.get(home) if home else None
        if not acts_for_others(review.user, of_project=known is not None and bool(project_of(known))):
            return review.user
        return await self._owners.user_of(review.object, review.namespace) or review.user
