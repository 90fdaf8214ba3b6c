"""Where pods of a project run, and before whom: its sites as node affinity, its PriorityClass.

Asked only for namespaces that carry `PLACED_LABEL`; a pod that names a PriorityClass is judged in every project.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, labels_of, name_of
from skerry.kube.resources import NAMESPACES, PRIORITY_CLASSES
from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.base.capability import Context
from skerry.platform.projects.guarding.conditions import IN_PROJECTS, rule
from skerry.platform.projects.tiers import Granted, granted
from skerry.platform.projects.types import (
    PLACED_LABEL,
    PROJECT_LABEL,
    PROJECTS,
    SITE_LABEL,
    TIERS,
    ProjectSpec,
    TierSpec,
)

_PLACED: Obj = {"matchExpressions": [*IN_PROJECTS["matchExpressions"], {"key": PLACED_LABEL, "operator": "Exists"}]}
_NAMED: Obj = {"name": "named", "expression": "object.spec.?priorityClassName.orValue('') != ''"}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class Placement:
    """Reads projects, tiers, classes."""

    def __init__(self, context: Context) -> None:
        self._projects: Informer = context.informers.of(PROJECTS)
        self._tiers: Informer = context.informers.of(TIERS)
        self._namespaces: Informer = context.informers.of(NAMESPACES)
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
        found = self._granted(review.namespace)
        if found is None:
            return Verdict(f"it is not known yet what project namespace {review.namespace} is of: try again")
        spec, given = found
        if spec.sites and review.object["spec"].get("nodeName"):
            return Verdict("pods of a project that is bound to sites cannot name their node (spec.nodeName)")
        pod = review.object["spec"]
        return Verdict(patch=[*_site_patch(pod, spec.sites), *self._priority_patch(pod, given.priority_class)])

    async def judge(self, review: Review) -> Verdict:
        """A pod that goes before others by a class it names, or was given."""
        named = review.object["spec"]["priorityClassName"]
        found, known = self._granted(review.namespace), self._classes.get(named)
        if found is None or named == found[1].priority_class or known is None:
            return ADMITTED if found is not None else Verdict(f"namespace {review.namespace} is of no project")
        if known["value"] <= found[1].priority:
            return ADMITTED
        return Verdict(
            f"priority class {named} ({known['value']}) is above what pods of project {found[0]} have "
            f"({found[1].priority}): leave out spec.priorityClassName"
        )

    def _priority_patch(self, pod: Obj, name: str) -> list[Obj]:
        """Beside the name what the API server has worked out from another one already."""
        known = self._classes.get(name)
        if known is None or not _is_default(pod, self._classes):
            return []
        policy = known.get("preemptionPolicy") or "PreemptLowerPriority"
        values = {"priorityClassName": name, "priority": known["value"], "preemptionPolicy": policy}
        return [{"op": "add", "path": f"/spec/{field}", "value": value} for field, value in values.items()]

    def _granted(self, namespace: str) -> tuple[ProjectSpec, Granted] | None:
        there = self._namespaces.get(namespace)
        project = self._projects.get(labels_of(there).get(PROJECT_LABEL, "")) if there is not None else None
        if project is None:
            return None
        spec = ProjectSpec.of(project["spec"])
        tier = self._tiers.get(spec.tier)
        if tier is None:
            return None
        return spec, granted(name_of(project), spec.tier, TierSpec.of(tier["spec"]), spec)


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
