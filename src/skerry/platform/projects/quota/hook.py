"""Admission of what uses a project's quota: pods, their resizing, claims, services, and what quotas count by number.

It is asked about every way in, after everything that changes objects. It refuses what is too much, pods of projects
that are at rest, and Jobs that may use up more than is left. What it admits it holds in the ledger at once: between
looking and holding nothing else runs.
"""

from __future__ import annotations

from collections.abc import Mapping

from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, Resource, name_of, uid_of
from skerry.kube.quota.amounts import Amount, Amounts, amounts, only
from skerry.kube.quota.scopes import scopes_of
from skerry.kube.quota.usage import counted_names, missing, usage
from skerry.kube.records import record
from skerry.kube.resources import JOBS, PODS, RESOURCE_QUOTAS
from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.base.capability import Context
from skerry.platform.projects.quota.explaining import Explaining
from skerry.platform.projects.quota.granted import Allowance, Ungranted, allowance, tier_of
from skerry.platform.projects.quota.jobs import hours_of, too_long
from skerry.platform.projects.quota.judging import excess, one_line
from skerry.platform.projects.quota.ledger import ledger_of
from skerry.platform.projects.quota.refusals import refusals_of
from skerry.platform.projects.quota.resources import BY_NAME, CONDITIONS, rules
from skerry.platform.projects.quota.table import Write
from skerry.platform.projects.types import PROJECT_LABEL, PROJECTS, TIERS

_AT_REST = {
    "Draining": "its time or a budget is over. To ask for more: skerry requests create extension {project} --days 30, "
    "or skerry requests create quota {project} --cpu-hours 100",
    "Hibernated": "its data is kept. To wake it: skerry projects wake {project}",
    "Archived": "it has ended. To have it again: skerry requests create extension {project} --days 30, or, when it was "
    "archived as asked, skerry projects wake {project}",
}
"""Phases in which no pods start, and what to do."""


def quota_hook(context: Context) -> Hook:
    """The hook; the caches it needs are asked for here."""
    judge = _Judge(context)
    return Hook(
        name="project-quota",
        judge=judge.judge,
        rules=rules(),
        namespaces={"matchExpressions": [{"key": PROJECT_LABEL, "operator": "Exists"}]},
        conditions=CONDITIONS,
    )


@record
class _Case:
    """One request, and what its project is granted."""

    review: Review
    resource: Resource
    project: Obj
    allowance: Allowance

    @property
    def hard(self) -> Mapping[str, Amount]:
        """What may be used of each name."""
        return self.allowance.hard


class _Judge:
    def __init__(self, context: Context) -> None:
        self._ledger, self._refusals, self._clock = ledger_of(context), refusals_of(context), context.clock
        self._explaining = Explaining(self._ledger, self._clock)
        self._projects: Informer = context.informers.of(PROJECTS)
        self._tiers: Informer = context.informers.of(TIERS)
        self._quotas: Informer = context.informers.of(RESOURCE_QUOTAS)
        self._quotas.list("")  # the index by namespace is there from the beginning

    async def judge(self, review: Review) -> Verdict:
        """The verdict. Raises StatusError: then nobody knows, and the request is refused."""
        resource = BY_NAME.get(f"{review.plural}.{review.group}" if review.group else review.plural)
        name = await self._ledger.project_of(review.namespace) if resource is not None else ""
        if resource is None or not name:
            return ADMITTED
        try:
            case = self._case(review, resource, name)
        except Ungranted as error:
            return Verdict(str(error))
        if counted_names(resource.group_resource, case.hard):
            await self._ledger.ready(name, [resource])
        return self._decided(case)

    def _case(self, review: Review, resource: Resource, name: str) -> _Case:
        project = self._projects.get(name)
        if project is None:
            raise Ungranted(f"namespace {review.namespace} is of project {name}, which does not exist (any more)")
        return _Case(review, resource, project, allowance(project, self._tiers.get(tier_of(project))))

    def _decided(self, case: _Case) -> Verdict:
        """Nothing in here waits."""
        message = _at_rest(case) or _out_of_budget(case) or _silent(case)
        return Verdict(message) if message else self._charged(case)

    def _charged(self, case: _Case) -> Verdict:
        review, resource = case.review, case.resource
        names = counted_names(resource.group_resource, case.hard)
        if not names:
            return ADMITTED
        write = self._write(case)
        adds = only(self._ledger.table(resource, review.namespace).grows_by(write), names)
        project = name_of(case.project)
        over = excess(adds, self._ledger.used(project, resource) if adds else {}, case.hard)
        if over:
            message = self._explaining.message(project, resource, over)
            if not review.dry_run:
                self._refusals.note(case.project, review, over, message)
            return Verdict(message)
        if message := self._refused_later(case, adds):
            return Verdict(message)
        if not review.dry_run:
            self._ledger.hold(resource, review.namespace, write)
            self._refusals.admitted(project, review)
        return ADMITTED

    def _refused_later(self, case: _Case, adds: Amounts) -> str:
        """Whether the namespace's own quotas will say no, as they do for a moment after the project's was raised: what
        we admitted would be held for nothing, and with every attempt more of it."""
        resource, namespace = case.resource, case.review.namespace
        used = self._ledger.table(resource, namespace).total(self._clock.now())
        for quota in self._quotas.list(namespace):
            for hard in ((quota.get("spec") or {}).get("hard"), (quota.get("status") or {}).get("hard")):
                over = excess(adds, used, amounts(hard)) if not scopes_of(quota) else []
                if over:
                    texts = "; ".join(one_line(one) for one in over)
                    return f"namespace {namespace} has not enough left by its ResourceQuota {name_of(quota)}: {texts}"
        return ""

    def _write(self, case: _Case) -> Write:
        review = case.review
        resource, now = case.resource.group_resource, self._clock.now()
        # An API server that names objects only after it has asked leaves us the request's own uid to tell them apart.
        name = name_of(review.object) or review.name or f"?{review.uid}"
        before = review.old["metadata"].get("resourceVersion", "") if review.old else ""
        uses, used = usage(resource, review.object, now), usage(resource, review.old, now) if review.old else {}
        return Write(name, uid_of(review.object), before, review.object, uses, used)


def _at_rest(case: _Case) -> str:
    phase = (case.project.get("status") or {}).get("phase", "")
    if case.resource != PODS or case.review.operation != "CREATE" or phase not in _AT_REST:
        return ""
    project = name_of(case.project)
    return f"project {project} is {phase}, so no pods start in it: {_AT_REST[phase].format(project=project)}"


def _out_of_budget(case: _Case) -> str:
    if case.resource != JOBS:
        return ""
    told = (case.project.get("status") or {}).get("budgets") or {}
    spent = {name: float(one.get("used") or 0.0) for name, one in told.items()}
    hours = hours_of(case.review.object, case.allowance.requests)
    return too_long(name_of(case.project), hours, case.allowance.hours, spent)


def _silent(case: _Case) -> str:
    """Containers that do not say what the quota counts."""
    if case.resource != PODS or case.review.operation != "CREATE":
        return ""
    complaint = missing(case.review.object, case.hard)
    return f"project {name_of(case.project)} has a quota on it, so the pod {complaint}" if complaint else ""
