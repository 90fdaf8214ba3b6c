"""How good a node is for a pod, each part 0 to 100, with Kubernetes' formulas and weights.

Source: the plug-ins NodeResourcesFit (LeastAllocated), NodeResourcesBalancedAllocation, ImageLocality, NodeAffinity and
TaintToleration. What depends on one node alone is `of_node`; wishes and taints are compared between the possible
nodes (`normalized`), which `ranking` does.
"""

from __future__ import annotations

from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.taints import tolerated
from skerry.engine.controllers.scheduler.templates import Template
from skerry.kube.objects import Obj

BEST = 100
WISHES_WEIGHT, TAINTS_WEIGHT = 2, 3
_MIB = 1024 * 1024
_IMAGE_LEAST, _IMAGE_MOST = 23 * _MIB, 1000 * _MIB


def of_node(template: Template, state: NodeState, image_share: float = 1.0) -> int:
    """What speaks for the node by itself. `image_share`: see `image_locality`."""
    return least_allocated(template, state) + balanced(template, state) + image_locality(template, state, image_share)


def least_allocated(template: Template, state: NodeState) -> int:
    """The mean share of CPU and memory that would be left."""
    cpu, memory = state.allocatable.get("cpu", 0), state.allocatable.get("memory", 0)
    total = counted = 0
    if cpu > 0:
        total += max(0, (cpu - state.nonzero_cpu - template.nonzero[0]) * BEST // cpu)
        counted += 1
    if memory > 0:
        total += max(0, (memory - state.nonzero_memory - template.nonzero[1]) * BEST // memory)
        counted += 1
    return total // counted if counted else 0


def balanced(template: Template, state: NodeState) -> int:
    """How evenly CPU and memory would be used; pods that ask for neither do not care."""
    requests, used, allocatable = template.requests, state.used, state.allocatable
    cpu, memory = allocatable.get("cpu", 0), allocatable.get("memory", 0)
    if not cpu or not memory or not ("cpu" in requests or "memory" in requests):
        return 0
    first = min(1.0, (used.get("cpu", 0) + requests.get("cpu", 0)) / cpu)
    second = min(1.0, (used.get("memory", 0) + requests.get("memory", 0)) / memory)
    return int((1 - abs(first - second) / 2) * BEST)


def image_locality(template: Template, state: NodeState, share: float) -> int:
    """Whether large images of the pod are on the node already. `share`: the part of the nodes that have them, against
    crowding where they are; an approximation, as Kubernetes takes it for each image."""
    if not state.images:
        return 0
    containers = template.spec.get("containers") or ()
    size = sum(int(state.images.get(_full(one.get("image") or ""), 0) * share) for one in containers)
    most = _IMAGE_MOST * max(1, len(containers))
    return int(BEST * (min(max(size, _IMAGE_LEAST), most) - _IMAGE_LEAST) / (most - _IMAGE_LEAST))


def discouraging_taints(spec: Obj, state: NodeState) -> int:
    """How many of the node's PreferNoSchedule taints are not tolerated."""
    tolerations = [one for one in spec.get("tolerations") or () if one.get("effect") in (None, "", "PreferNoSchedule")]
    return sum(not tolerated(tolerations, taint) for taint in state.soft_taints)


def normalized(value: int, most: int, *, reverse: bool = False) -> int:
    """`value` of at most `most` as 0 to 100; `reverse`: the less the better."""
    if most == 0:
        return BEST if reverse else 0
    share = BEST * value // most
    return BEST - share if reverse else share


def _full(image: str) -> str:
    """With a tag, as nodes report it."""
    return image if ":" in image.rsplit("/", 1)[-1] or "@" in image else f"{image}:latest"
