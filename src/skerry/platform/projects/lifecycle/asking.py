"""Who may ask for what, and who may decide: the admission of ProjectRequests.

The requester is who creates the request, and the decider who decides, whatever the object says. Whether somebody may
decide is a right like any other: the verb `approve` on `projectrequests`. What was decided stays decided.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from skerry.kube.informer import Informer
from skerry.kube.objects import Obj
from skerry.platform.base.access import Action, may
from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.base.capability import NAMESPACE, Context
from skerry.platform.projects.types import PROJECT_REQUESTS, PROJECTS, TIERS, ProjectRequestSpec, ProjectSpec

_RULE: Obj = {
    "apiGroups": [PROJECT_REQUESTS.group],
    "apiVersions": ["*"],
    "resources": [PROJECT_REQUESTS.plural],
    "operations": ["CREATE", "UPDATE"],
    "scope": "*",
}
_OURSELVES = f"system:serviceaccount:{NAMESPACE}:projects"
AUTOMATIC = "skerry:automatic"
"""Who decided, when nobody had to."""
_DECISIONS = {"decision", "answer", "decidedBy"}


class Asking:
    """Both hooks: one notes who it is, the other judges."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._projects: Informer = context.informers.of(PROJECTS)
        self._tiers: Informer = context.informers.of(TIERS)

    def hooks(self) -> Sequence[Hook]:
        """For the capability."""
        return [
            Hook("project-requests-by-whom", self._note, (_RULE,), mutating=True),
            Hook("project-requests", self._judge, (_RULE,)),
        ]

    async def _note(self, review: Review) -> Verdict:
        spec = review.object.get("spec") or {}
        if review.operation == "CREATE":
            return Verdict(patch=[{"op": "add", "path": "/spec/requester", "value": review.user}] if spec else [])
        if spec.get("decision") and not (review.old.get("spec") or {}).get("decision"):
            by = AUTOMATIC if review.user == _OURSELVES else review.user
            return Verdict(patch=[{"op": "add", "path": "/spec/decidedBy", "value": by}])
        return ADMITTED

    async def _judge(self, review: Review) -> Verdict:
        try:
            spec = ProjectRequestSpec.of(review.object.get("spec"))
        except ValidationError as error:
            return _refused("; ".join(_said(one["loc"], one["msg"]) for one in error.errors()))
        if review.operation == "UPDATE":
            return await self._judge_change(review, spec)
        if spec.decision or spec.answer or spec.decided_by:
            return _refused("a request is decided after it was made: leave out spec.decision, answer and decidedBy")
        return _refused(self._unfit(spec))

    async def _judge_change(self, review: Review, spec: ProjectRequestSpec) -> Verdict:
        before, after = review.old.get("spec") or {}, review.object.get("spec") or {}
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        if not changed:
            return ADMITTED
        if before.get("decision"):
            return _refused("this request was decided: make a new one")
        if changed - _DECISIONS:
            return _refused("a request stays as it was made: delete it and make a new one")
        action = Action("approve", PROJECT_REQUESTS, review.name)
        if not await may(self._client, review.user, review.groups, action):
            return _refused(f"{review.user} may not decide requests: that needs the verb approve on projectrequests")
        if spec.decision == "Denied" and not spec.answer:
            return _refused("say why in spec.answer: the requester is shown it")
        return ADMITTED

    def _unfit(self, spec: ProjectRequestSpec) -> str:
        """Why a new request makes no sense, "" when it does."""
        if spec.tier and self._tiers.get(spec.tier) is None:
            known = ", ".join(sorted(one["metadata"]["name"] for one in self._tiers.list()))
            return f"there is no tier {spec.tier}: there are {known}"
        if spec.kind == "Project":
            return f"there is a project {spec.project} already" if self._projects.get(spec.project) else ""
        return self._unfit_change(spec)

    def _unfit_change(self, spec: ProjectRequestSpec) -> str:
        project = self._projects.get(spec.project)
        if project is None or not _answers_for(ProjectSpec.of(project["spec"]), spec.requester):
            return f"{spec.requester} owns no project {spec.project}: its owners ask for more"
        wants_more = spec.quota or spec.tier or spec.budgets.cpu_hours or spec.budgets.gpu_hours
        if spec.kind == "Quota" and not wants_more:
            return "say what is wanted: spec.quota, spec.budgets or spec.tier"
        if spec.kind == "Extension" and not spec.days:
            return "say how much longer: spec.days"
        return ""


def _answers_for(project: ProjectSpec, user: str) -> bool:
    return project.owner == user or any(one.user == user and one.role == "owner" for one in project.members)


def _said(where: Sequence[str | int], what: str) -> str:
    return f"{'.'.join(('spec', *map(str, where)))}: {what}"


def _refused(message: str) -> Verdict:
    return Verdict(message) if message else ADMITTED
