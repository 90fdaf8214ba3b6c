"""Check "quota": whether what objects ask for is left, in their namespaces and in their project, and is allowed at all.

What is there already and would be changed is counted once: an upgrade asks for the difference. Sums are those of
`kube.quota`, as the API and the platform count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from skerry.checking.facts import Facts, Space, kind_of
from skerry.checking.pods import pods_of
from skerry.checking.report import Finding, title
from skerry.kube.objects import Obj, copy_of, labels_of, name_of
from skerry.kube.quota.amounts import Amount, Amounts, added, amount, amounts, pieces
from skerry.kube.quota.limit_ranges import claim_faults, pod_faults, set_defaults
from skerry.kube.quota.scopes import scopes_of, within
from skerry.kube.quota.usage import counted_names, missing, usage
from skerry.kube.records import record

_MADE = "skerry.dev/made-for"
_NEVER = datetime.min.replace(tzinfo=UTC)
_CLAIM, _SERVICE, _STATEFUL = ("v1", "PersistentVolumeClaim"), ("v1", "Service"), ("apps/v1", "StatefulSet")
_NAMED = {_CLAIM: "persistentvolumeclaims", _SERVICE: "services"}
_RUNNING = {"Deployment": "replicas", "ReplicaSet": "replicas", "StatefulSet": "replicas",
            "ReplicationController": "replicas", "DaemonSet": "currentNumberScheduled", "Job": "active"}  # fmt: skip
"""Where status says how many pods there are."""


@record
class Use:
    """What one object comes to: so many things that are alike, each of a resource ("pods")."""

    about: str
    resource: str
    one: Obj
    number: int
    uses: Amounts
    """All of them together."""


def quota(objects: Sequence[Obj], facts: Facts) -> Iterator[Finding]:
    """What is too much. Nothing can be said without a cluster."""
    asked: dict[str, list[Use]] = {}
    freed: dict[str, list[Use]] = {}
    for obj in objects:
        namespace = facts.namespace_of(obj)
        space = facts.space(namespace)
        wanted = list(_uses(obj, space, facts))
        yield from _bounds(wanted, space)
        asked.setdefault(namespace, []).extend(wanted)
        if (there := facts.current.get(facts.key(obj))) is not None:
            freed.setdefault(namespace, []).extend(_uses(there, space, facts, running=True))
    for namespace, uses in asked.items():
        yield from _in_namespace(namespace, uses, freed.get(namespace, ()), facts.space(namespace))
    yield from _in_projects(asked, freed, facts)


def uses_quota(obj: Obj) -> bool:
    """Whether it matters what an object is now."""
    return pods_of(obj) is not None or kind_of(obj) in _NAMED


def _uses(obj: Obj, space: Space, facts: Facts, *, running: bool = False) -> Iterator[Use]:
    """What an object comes to; `running`: what of it there is, not what is wanted."""
    about = title(obj)
    resource = facts.resources.get(kind_of(obj))
    name = resource.group_resource if resource is not None else _NAMED.get(kind_of(obj), "")
    if name and name != "pods":
        yield Use(about, name, obj, 1, usage(name, obj, _NEVER))
    pods = pods_of(obj, facts.nodes)
    if pods is None:
        return
    status = obj.get("status") or {}
    number = int(status.get(_RUNNING.get(obj["kind"], ""), 0)) if running and obj["kind"] != "Pod" else pods.number
    pod = _defaulted({"metadata": pods.metadata, "spec": pods.spec}, space)
    yield Use(about, "pods", pod, number, _times(usage("pods", pod, _NEVER), number))
    if kind_of(obj) == _STATEFUL:
        for claim in obj["spec"].get("volumeClaimTemplates") or ():
            uses = _times(usage("persistentvolumeclaims", claim, _NEVER), number)
            yield Use(about, "persistentvolumeclaims", claim, number, uses)


def _defaulted(pod: Obj, space: Space) -> Obj:
    """As admission makes it: what is limited is asked for, then what LimitRanges give."""
    pod = copy_of(pod)
    for part in ("initContainers", "containers"):
        for container in pod["spec"].get(part) or ():
            resources = container.setdefault("resources", {}) or {}
            limits = resources.get("limits") or {}
            container["resources"] = {**resources, "requests": {**limits, **(resources.get("requests") or {})}}
    for limit in space.limits():
        if limit.get("type") == "Container":
            set_defaults(pod, limit)
    return pod


def _times(uses: Amounts, number: int) -> dict[str, Amount]:
    return {name: Amount(one.value * number, one.binary) for name, one in uses.items()}


def _bounds(uses: Sequence[Use], space: Space) -> Iterator[Finding]:
    """What a LimitRange refuses, and what a quota wants to be told."""
    names = {name for quota in space.quotas for name in (quota.get("spec") or {}).get("hard") or ()}
    for use in uses:
        faults: list[str] = []
        for limit in space.limits():
            if use.resource == "pods":
                faults += pod_faults(use.one, limit)
            elif use.resource == "persistentvolumeclaims":
                faults += claim_faults(use.one, limit)
        if use.resource == "pods" and (silent := missing(use.one, names)):
            faults.append(silent)
        for fault in dict.fromkeys(faults):
            yield Finding("Error", "quota", use.about, "", fault, "set resources of the containers accordingly")


def _in_namespace(namespace: str, asked: Sequence[Use], freed: Sequence[Use], space: Space) -> Iterator[Finding]:
    project = name_of(space.project) if space.project is not None else ""
    for quota in space.quotas:
        if project and _MADE in labels_of(quota):
            continue  # the platform's own: its number is the project's, which is compared as a whole
        status = quota.get("status") or {}
        scopes = scopes_of(quota)
        hard = amounts(status.get("hard") or (quota.get("spec") or {}).get("hard"))
        more = [use for use in asked if within(scopes, use.resource, use.one)]
        less = [use for use in freed if within(scopes, use.resource, use.one)]
        where = f"quota {name_of(quota)} of namespace {namespace}"
        yield from _compared(where, project, hard, amounts(status.get("used")), more, less)


def _in_projects(
    asked: Mapping[str, Sequence[Use]], freed: Mapping[str, Sequence[Use]], facts: Facts
) -> Iterator[Finding]:
    projects = {name_of(one): one for name in asked if (one := facts.space(name).project) is not None}
    for name, project in projects.items():
        own = [space for space in asked if name_of(facts.space(space).project or {}) == name]
        listed = (project.get("status") or {}).get("quota") or {}
        hard = amounts({key: one.get("hard", "0") for key, one in listed.items()})
        used = amounts({key: one.get("used", "0") for key, one in listed.items()})
        more = [use for space in own for use in asked[space]]
        less = [use for space in own for use in freed.get(space, ())]
        yield from _compared(f"project {name}", name, hard, used, more, less)


def _compared(
    where: str, project: str, hard: Amounts, used: Amounts, asked: Sequence[Use], freed: Sequence[Use]
) -> Iterator[Finding]:
    for name, most in hard.items():
        wanted, given = _sum(name, asked), _sum(name, freed)
        taken = used.get(name, pieces(0))
        more = wanted.minus(given)
        if more.value <= 0 or taken.value + more.value <= most.value:
            continue
        largest = max(asked, key=lambda use: _of(use, name).value)
        message = (
            f"{name}: {more} more are asked for, {taken} of {most} are used in {where}: {most.minus(taken)} are left"
        )
        yield Finding("Error", "quota", largest.about, "", message, _advice(project, name, taken.plus(more)))


def _advice(project: str, name: str, needed: Amount) -> str:
    begin = "ask for less, stop what you do not need"
    return f"{begin}, or: skerry requests create quota {project} --set {name}={needed}" if project else begin


def _sum(name: str, uses: Sequence[Use]) -> Amount:
    total: dict[str, Amount] = {}
    for use in uses:
        total = added(total, {name: _of(use, name)})
    return total.get(name, amount("0"))


def _of(use: Use, name: str) -> Amount:
    """What a use counts under a name of a quota."""
    counted = counted_names(use.resource, [name])
    return use.uses.get(name, amount("0")) if counted else amount("0")
