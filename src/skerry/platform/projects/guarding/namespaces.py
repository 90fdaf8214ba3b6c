"""Namespaces of projects: members make `<project>-<something>`, and nobody but operators moves one between projects.

A namespace that a member makes gets its labels here, so that it is the project's from its first moment. What it is
furnished with comes from the reconciler.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, annotations_of, labels_of, name_of
from skerry.kube.resources import NAMESPACES
from skerry.platform.base.access import Action, may
from skerry.platform.base.admission import ADMITTED, Hook, Review, Verdict
from skerry.platform.base.capability import Context
from skerry.platform.projects.guarding.conditions import DIVIDES, NO_OPERATOR, has_label, rule
from skerry.platform.projects.indexes import BY_PROJECT, WISHED, project_of, wished_by
from skerry.platform.projects.tiers import Granted, granted
from skerry.platform.projects.types import PROJECT_LABEL, PROJECTS, TIERS, ProjectSpec, TierSpec
from skerry.platform.projects.wanted import Tenant, namespace_labels

_OURS = ("skerry.dev/", "pod-security.kubernetes.io/")
_PLACING = ("scheduler.alpha.kubernetes.io/", "skerry.dev/")


class NamespaceGuard:
    """Reads caches; asks the cluster who may."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._projects: Informer = context.informers.of(PROJECTS)
        self._tiers: Informer = context.informers.of(TIERS)
        self._namespaces: Informer = context.informers.of(NAMESPACES)
        self._namespaces.add_index(BY_PROJECT, project_of)
        self._projects.add_index(WISHED, wished_by)

    def hooks(self) -> Sequence[Hook]:
        """One gives a member's namespace its labels, one refuses."""
        made = (rule("", ["namespaces"], "CREATE"),)
        all_of = (rule("", ["namespaces"], "CREATE", "UPDATE", "DELETE"),)
        marked: Obj = {"name": "of-a-project", "expression": has_label(PROJECT_LABEL)}
        return [
            Hook("project-namespace", self.label, made, mutating=True, conditions=(*NO_OPERATOR, DIVIDES)),
            Hook("project-namespace-guard", self.judge, all_of, conditions=(*NO_OPERATOR, marked)),
        ]

    async def label(self, review: Review) -> Verdict:
        """The labels of the project that the name says."""
        name = review.name or name_of(review.object)
        project = owner_by_name(name, self._projects.list())
        if project is None or not await self._may_divide(review, name_of(project)):
            return Verdict(_no_such_place(review.user, name, self._projects_of(review)))
        refusal = self._unfit(project, name)
        if refusal:
            return Verdict(refusal)
        tenant = self._tenant(project)
        if tenant is None:
            return Verdict(f"project {name_of(project)} has no tier: an operator has to mend that first")
        labels = {**labels_of(review.object), **namespace_labels(tenant)}
        return Verdict(patch=[{"op": "add", "path": "/metadata/labels", "value": labels}])

    async def judge(self, review: Review) -> Verdict:
        """What is to be stored, or deleted."""
        if review.operation == "CREATE":
            return await self._judge_new(review)
        if review.operation == "DELETE":
            return self._judge_end(review)
        changed = protected_changes(review.old, review.object)
        if changed:
            return Verdict(f"only operators change {', '.join(changed)} of a project's namespace")
        return ADMITTED

    async def _judge_new(self, review: Review) -> Verdict:
        name, project = name_of(review.object), labels_of(review.object)[PROJECT_LABEL]
        found = owner_by_name(name, self._projects.list())
        if found is None or name_of(found) != project or not await self._may_divide(review, project):
            return Verdict(f"only operators give a namespace to a project: leave out the label {PROJECT_LABEL}")
        tenant = self._tenant(found)
        wanted = namespace_labels(tenant) if tenant is not None else {}
        ours = {key: value for key, value in labels_of(review.object).items() if key.startswith(_OURS)}
        if ours != wanted or any(key.startswith(_PLACING) for key in annotations_of(review.object)):
            return Verdict(f"labels and annotations of {' and '.join(_PLACING)} are the platform's: leave them out")
        return ADMITTED

    def _judge_end(self, review: Review) -> Verdict:
        project = labels_of(review.old)[PROJECT_LABEL]
        found = self._projects.get(project)
        if found is not None and review.name in wished_by(found):
            return Verdict(
                f"{review.name} is one of the namespaces that project {project} names, and would be made again: "
                "take it out of spec.namespaces first"
            )
        return ADMITTED

    def _unfit(self, project: Obj, namespace: str) -> str:
        name = name_of(project)
        others = [one for one in self._projects.by_index(WISHED, namespace) if name_of(one) != name]
        if others:
            return f"{namespace} is a namespace of project {name_of(others[0])}"
        tier = self._tiers.get(ProjectSpec.of(project["spec"]).tier)
        most = TierSpec.of(tier["spec"]).namespaces if tier is not None else 0
        there = self._namespaces.count(BY_PROJECT, name)
        if there >= most:
            return f"project {name} has {there} namespaces, and its tier allows {most}: delete one, or ask an operator"
        return ""

    def _tenant(self, project: Obj) -> Tenant | None:
        spec = ProjectSpec.of(project["spec"])
        tier = self._tiers.get(spec.tier)
        if tier is None:
            return None
        given: Granted = granted(name_of(project), spec.tier, TierSpec.of(tier["spec"]), spec)
        return Tenant(name_of(project), spec, given)

    async def _may_divide(self, review: Review, project: str) -> bool:
        action = Action("create", PROJECTS, project, subresource="namespaces")
        return await may(self._client, review.user, review.groups, action)

    def _projects_of(self, review: Review) -> list[str]:
        return sorted(name_of(one) for one in self._projects.list() if _divides(one, review.user, review.groups))


def owner_by_name(namespace: str, projects: Iterable[Obj]) -> Obj | None:
    """The project whose namespace it is by its name: the longest one that the name begins with."""
    named = [one for one in projects if namespace == name_of(one) or namespace.startswith(f"{name_of(one)}-")]
    return max(named, key=lambda one: len(name_of(one)), default=None)


def protected_changes(old: Obj, new: Obj) -> list[str]:
    """Labels and annotations that decide about other things than looks, and differ."""
    pairs: tuple[tuple[str, Mapping[str, str], Mapping[str, str], tuple[str, ...]], ...] = (
        ("label", labels_of(old), labels_of(new), _OURS),
        ("annotation", annotations_of(old), annotations_of(new), _PLACING),
    )
    return [
        f"{kind} {key}"
        for kind, before, after, ours in pairs
        for key in sorted(before.keys() | after.keys())
        if key.startswith(ours) and before.get(key) != after.get(key)
    ]


def _divides(project: Obj, user: str, groups: frozenset[str]) -> bool:
    spec = project["spec"]
    members = [one for one in spec.get("members") or () if one["role"] != "viewer"]
    return spec["owner"] == user or any(one.get("user") == user or one.get("group") in groups for one in members)


def _no_such_place(user: str, namespace: str, projects: Sequence[str]) -> str:
    yours = ", ".join(f"{one}-..." for one in projects)
    return f"namespace {namespace} would belong to no project in which {user} makes namespaces; those are: {yours}"
