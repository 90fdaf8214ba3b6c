"""Check "policy": what the namespace's Pod Security level refuses, and what is regretted later.

Namespaces refuse pods, not the templates that make them: a Deployment is accepted and its pods never come. So a
template is judged as its pods will be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from skerry.checking.facts import Facts, Space, kind_of
from skerry.checking.pods import Pods, pods_of
from skerry.checking.report import Finding, Severity, title
from skerry.kube.objects import Obj, labels_of, name_of
from skerry.kube.pod_security.levels import Level, details, findings, policy_of

_UNKNOWN = Level("baseline")
"""What is asked for where no namespace says anything: no known way to more rights."""
_Found = tuple[Severity, str, str, str]


def policy(objects: Sequence[Obj], facts: Facts) -> Iterator[Finding]:
    """What pods may not, or had better not."""
    made = {name_of(one): one for one in objects if kind_of(one) == ("v1", "Namespace")}
    for obj in objects:
        about, namespace = title(obj), facts.namespace_of(obj)
        pods = pods_of(obj)
        if pods is None:
            continue
        space = facts.space(namespace)
        labels = labels_of(made[namespace]) if namespace in made else space.labels
        judged = (*_security(pods, labels), *_images(pods), *_resources(pods, space), *_selector(obj, pods))
        for one in judged:
            yield Finding(one[0], "policy", about, *one[1:])


def _security(pods: Pods, labels: Mapping[str, str] | None) -> Iterator[_Found]:
    """By the level that the namespace enforces, then by the one it warns of."""
    if labels is None:
        yield from _violations(pods, _UNKNOWN, "Warning", "most namespaces refuse the pods")
        return
    chosen, _ = policy_of(labels)
    refused = list(_violations(pods, chosen.enforce, "Error", "the namespace refuses the pods"))
    yield from refused
    if not refused:
        yield from _violations(pods, chosen.warn, "Warning", "the namespace warns of the pods")


def _violations(pods: Pods, level: Level, severity: Severity, what: str) -> Iterator[_Found]:
    if wrong := findings(level, pods.metadata, pods.spec):
        message = f'{what}: they violate PodSecurity "{level}": {details(wrong)}'
        yield severity, pods.path, message, _ADVICE.get(level.name, "")


_ADVICE = {
    "restricted": "set securityContext: runAsNonRoot: true, allowPrivilegeEscalation: false, "
    'capabilities: {drop: ["ALL"]}, seccompProfile: {type: RuntimeDefault}',
    "baseline": "leave out what reaches beyond the pod",
}


def _images(pods: Pods) -> Iterator[_Found]:
    """A tag that moves is another program tomorrow, on one node and not the next."""
    for path, container in pods.containers():
        image = container.get("image")
        if not image or "@" in image:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag in ("", "latest"):
            message = f"the image {image} has {'the tag latest' if tag else 'no tag'}: it changes without a change here"
            yield "Warning", f"{path}.image", message, "name a version"


def _resources(pods: Pods, space: Space) -> Iterator[_Found]:
    """Containers without limits take what others need. Defaults of the namespace count."""
    given = _defaults(space)
    if pods.spec.get("resources"):
        return
    for path, container in pods.containers():
        if ".ephemeralContainers[" in path:
            continue
        resources = container.get("resources") or {}
        limits, asked = resources.get("limits") or {}, resources.get("requests") or {}
        if "memory" not in limits and "memory" not in given:
            message = "no limit of memory: one leak takes the whole node's"
            yield "Warning", f"{path}.resources.limits.memory", message, "set what it needs at most, for example 512Mi"
        if not {"cpu"} & {*limits, *asked, *given}:
            message = "nothing is asked of cpu: it gets what others leave"
            yield "Warning", f"{path}.resources.requests.cpu", message, "set what it needs, for example 100m"


def _defaults(space: Space) -> set[str]:
    limits = space.limits()
    return {name for one in limits if one.get("type") == "Container" for name in one.get("default") or ()}


def _selector(obj: Obj, pods: Pods) -> Iterator[_Found]:
    spec = obj.get("spec") or {}
    wanted = (spec.get("selector") or {}).get("matchLabels")
    labels = pods.metadata.get("labels") or {}
    if wanted and kind_of(obj)[0] == "apps/v1":
        wrong = [key for key, value in wanted.items() if labels.get(key) != value]
        if wrong:
            message = f"the selector does not find its own pods: {', '.join(sorted(wrong))}"
            yield "Error", "spec.selector.matchLabels", message, "give spec.template.metadata.labels the same values"
