"""The pod of a DaemonSet: bound to its node by affinity, tolerant of what nodes go through. Pure.

Source: Kubernetes `pkg/controller/daemon/util/daemonset_util.go`. The scheduler binds it: the affinity names one node.
"""

from __future__ import annotations

from skerry.engine.controllers.pod_template import pod_from_template
from skerry.engine.controllers.pods import node_of
from skerry.kube.objects import Obj, annotations_of, labels_of
from skerry.kube.resources import DAEMON_SETS

HASH = "controller-revision-hash"
_GENERATION_LABEL = "pod-template-generation"
_GENERATION = "deprecated.daemonset.template.generation"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_NODE_NAME = "metadata.name"


def _toleration(name: str, effect: str) -> Obj:
    return {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": effect}


_TOLERATIONS = (
    _toleration("not-ready", "NoExecute"),
    _toleration("unreachable", "NoExecute"),
    _toleration("disk-pressure", "NoSchedule"),
    _toleration("memory-pressure", "NoSchedule"),
    _toleration("pid-pressure", "NoSchedule"),
    _toleration("unschedulable", "NoSchedule"),
)
_ON_HOST_NETWORK = _toleration("network-unavailable", "NoSchedule")


def template_generation(daemon_set: Obj) -> str:
    """How often the template has changed, as the old annotation says; "" when it does not."""
    return annotations_of(daemon_set).get(_GENERATION, "")


def tolerant_spec(daemon_set: Obj) -> Obj:
    """The template's pod spec with the tolerations every daemon pod gets."""
    spec: Obj = daemon_set["spec"]["template"]["spec"]
    tolerations = list(spec.get("tolerations") or ())
    for added in (*_TOLERATIONS, *((_ON_HOST_NETWORK,) if spec.get("hostNetwork") else ())):
        tolerations = _with(tolerations, added)
    return {**spec, "tolerations": tolerations}


def build_pod(daemon_set: Obj, revision_hash: str, node: str) -> Obj:
    """The pod for one node."""
    pod = pod_from_template(daemon_set, DAEMON_SETS)
    labels = {**labels_of(pod), HASH: revision_hash}
    if generation := template_generation(daemon_set):
        labels[_GENERATION_LABEL] = generation
    spec = tolerant_spec(daemon_set)
    return {
        **pod,
        "metadata": {**pod["metadata"], "labels": labels},
        "spec": {**spec, "affinity": _bound_to(node, spec.get("affinity") or {})},
    }


def target_node(pod: Obj) -> str:
    """The node a daemon pod is on or meant for, "" when it does not say."""
    if node_of(pod):
        return node_of(pod)
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    for term in (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == _NODE_NAME and field.get("operator") == "In" and len(field.get("values") or ()) == 1:
                return str(field["values"][0])
    return ""


def is_updated(daemon_set: Obj, revision_hash: str, pod: Obj) -> bool:
    """Whether the pod was made from today's template."""
    labels = labels_of(pod)
    generation = template_generation(daemon_set)
    by_generation = bool(generation) and labels.get(_GENERATION_LABEL) == generation
    return by_generation or labels.get(HASH) == revision_hash


def _with(tolerations: list[Obj], added: Obj) -> list[Obj]:
    """`added` in the place of one for the same taint, or at the end."""

    def same(one: Obj) -> bool:
        return all((one.get(part) or "") == (added.get(part) or "") for part in ("key", "operator", "effect", "value"))

    if any(same(one) for one in tolerations):
        return [added if same(one) else one for one in tolerations]
    return [*tolerations, added]


def _bound_to(node: str, affinity: Obj) -> Obj:
    term = {"matchFields": [{"key": _NODE_NAME, "operator": "In", "values": [node]}]}
    node_affinity = {**(affinity.get("nodeAffinity") or {}), _REQUIRED: {"nodeSelectorTerms": [term]}}
    return {**affinity, "nodeAffinity": node_affinity}
