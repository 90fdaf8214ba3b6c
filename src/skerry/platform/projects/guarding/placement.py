"""Where pods of a project run, and before whom: its sites as node affinity, its PriorityClass.

Asked only for namespaces that carry `PLACED_LABEL`; a pod that names a PriorityClass is judged in every project.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skerry.kube.informer import Informer
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.kube.resources import PRIORITY_CLASSES
from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.base.capability import Context
from skerry.platform.projects.guarding.conditions import IN_PROJECTS, rule
from skerry.platform.projects.guarding.whose import Whose
from skerry.platform.projects.tiers import Granted, granted
from skerry.platform.projects.types import (
    PLACED_LABEL,
    PROJECTS,
    SITE_LABEL,
    TIERS,
    ProjectSpec,
    TierSpec,
)

_PLACED: Obj = {"matchExpressions": [*IN_PROJECTS["matchExpressions"], {"key": PLACED_LABEL, "operator": "Exists"}]}
_NAMED: Obj = {"name": "named", "expression": "object.spec.?priorityClassName.orValue('') != ''"}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@record
class _Given:
    """Whose pods they are, and what those are given."""

    project: str
    spec: ProjectSpec
    granted: Granted


class Placement:
    """Reads projects, tiers, classes."""

    def __init__(self, context: Context) -> None:
        self._projects: Informer = context.informers.of(PROJECTS)
        self._tiers: Informer = context.informers.of(TIERS)
        self._whose = Whose(context)
        self._classes: Informer = context.informers.of(PRIORITY_CLASSES)

    def hooks(self) -> Sequence[Hook]:
        """One places, one judges priorities."""
        made = (rule("", ["pods"], "CREATE"),)
        return [
            Hook("project-placement", self.place, made, mutating=True, namespaces=_PLACED),
            Hook("project-priority", self.judge, made, namespaces=IN_PROJECTS, conditions=(_NAMED,)),
        ]

    async def place(self, review: Review) -> Verdict:
        """A pod with sites and priority."""
        found = await self._given(review.namespace)
        if found is None:
            return _unknown(review.namespace)
        pod, sites = review.object["spec"], found.spec.sites
        if sites and pod.get("nodeName"):
            return Verdict("pods of a project that is bound to sites cannot name their node (spec.nodeName)")
        return Verdict(patch=[*_site_patch(pod, sites), *self._priority_patch(pod, found.granted.priority_class)])

    async def judge(self, review: Review) -> Verdict:
        """A pod that goes before others by a class it names, or was given."""
        named = review.object["spec"]["priorityClassName"]
        found, known = await self._given(review.namespace), self._classes.get(named)
        if found is None:
            return _unknown(review.namespace)
        most = found.granted.priority
        if named == found.granted.priority_class or (known is not None and known["value"] <= most):
            return ADMITTED
        value = known["value"] if known is not None else "not known yet"
        return Verdict(
            f"priority class {named} ({value}) is above what pods of project {found.project} have "
            f"({most}): leave out spec.priorityClassName"
        )

    def _priority_patch(self, pod: Obj, name: str) -> list[Obj]:
        """Beside the name what the API server has worked out from another one already."""
        known = self._classes.get(name)
        if known is None or not _is_default(pod, self._classes):
            return []
        policy = known.get("preemptionPolicy") or "PreemptLowerPriority"
        values = {"priorityClassName": name, "priority": known["value"], "preemptionPolicy": policy}
        return [{"op": "add", "path": f"/spec/{field}", "value": value} for field, value in values.items()]

    async def _given(self, namespace: str) -> _Given | None:
        name = await self._whose.project_of(namespace)
        project = self._projects.get(name)
        spec = ProjectSpec.of(project["spec"]) if project is not None else None
        tier = self._tiers.get(spec.tier) if spec is not None else None
        if spec is None or tier is None:
            return None
        return _Given(name, spec, granted(name, spec.tier, TierSpec.of(tier["spec"]), spec))


def _unknown(namespace: str) -> Verdict:
    return Verdict(f"the project of namespace {namespace} has no tier: `kubectl get projects` says what to do")


def _is_default(pod: Obj, classes: Informer) -> bool:
    """Whether the pod named no class itself: what is there then is the cluster's default."""
    known = classes.get(pod.get("priorityClassName") or "")
    return not pod.get("priorityClassName") or (known is not None and bool(known.get("globalDefault")))


def _site_patch(pod: Obj, sites: Sequence[str]) -> list[Obj]:
    if not sites:
        return []
    return [{"op": "add", "path": "/spec/affinity", "value": with_sites(pod.get("affinity") or {}, sites)}]


def with_sites(affinity: Obj, sites: Sequence[str]) -> Obj:
    """The affinity, in each of whose alternatives the sites are required as well."""
    wanted = {"key": SITE_LABEL, "operator": "In", "values": list(sites)}
    node: dict[str, Any] = affinity.get("nodeAffinity") or {}
    terms = (node.get(_REQUIRED) or {}).get("nodeSelectorTerms") or [{}]
    limited = [{**term, "matchExpressions": [*(term.get("matchExpressions") or ()), wanted]} for term in terms]
    return {**affinity, "nodeAffinity": {**node, _REQUIRED: {"nodeSelectorTerms": limited}}}
