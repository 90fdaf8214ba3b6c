"""CPU and memory of containers and pods as the kernel takes them (`pkg/kubelet/cm/helpers_linux.go`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.pods.state import init_containers, is_sidecar, main_containers
from skerry.engine.node.spec.quality import qos_class
from skerry.kube.objects import Obj
from skerry.kube.quantities import bytes_of, millicores

PERIOD = 100_000  # microseconds of a CPU quota period
_LEAST_SHARES, _LEAST_QUOTA = 2, 1000
_GUARANTEED_SCORE, _BEST_EFFORT_SCORE = -997, 1000


@dataclass(frozen=True, slots=True)
class PodLimits:
    """What a whole pod may use: `cpu_shares` is a weight, `cpu_quota` microseconds in each `PERIOD`, `memory` bytes;
    0 for no limit."""

    cpu_shares: int
    cpu_quota: int = 0
    memory: int = 0

    def at_least(self, other: PodLimits) -> PodLimits:
        """The larger of both everywhere: what holds on the way from one to the other."""
        quota_ = max(self.cpu_quota, other.cpu_quota) if self.cpu_quota and other.cpu_quota else 0
        memory = max(self.memory, other.memory) if self.memory and other.memory else 0
        return PodLimits(max(self.cpu_shares, other.cpu_shares), quota_, memory)


def shares(milli: int) -> int:
    """CPU shares for a request in millicores."""
    return max(_LEAST_SHARES, milli * 1024 // 1000)


def quota(milli: int) -> int:
    """CPU quota in microseconds per `PERIOD` for a limit in millicores; 0 without a limit."""
    return max(_LEAST_QUOTA, milli * PERIOD // 1000) if milli else 0


def container_resources(pod: Obj, container: Obj, machine_memory: int) -> pb.LinuxContainerResources:
    """`machine_memory` in bytes, for the out-of-memory score of burstable pods."""
    limits, requests = _of(container)
    milli = millicores(limits.get("cpu", 0))
    return pb.LinuxContainerResources(
        cpu_period=PERIOD if milli else 0,
        cpu_quota=quota(milli),
        cpu_shares=shares(millicores(requests.get("cpu", 0))),
        memory_limit_in_bytes=bytes_of(limits.get("memory", 0)),
        oom_score_adj=oom_score(pod, container, machine_memory),
    )


def oom_score(pod: Obj, container: Obj, machine_memory: int) -> int:
    """Who is killed first when memory runs out: best-effort first, guaranteed last, others by what they asked for
    (`pkg/kubelet/qos/policy.go`)."""
    quality = qos_class(pod)
    if quality == "Guaranteed":
        return _GUARANTEED_SCORE
    if quality == "BestEffort":
        return _BEST_EFFORT_SCORE
    _, requests = _of(container)
    score = 1000 - 1000 * bytes_of(requests.get("memory", 0)) // max(machine_memory, 1)
    return min(max(score, 1000 + _GUARANTEED_SCORE), _BEST_EFFORT_SCORE - 1)


def pod_limits(pod: Obj) -> PodLimits:
    """The pod's own cgroup: the sum of its containers, or the largest init container when that is more. A limit
    only when every container has one."""
    return PodLimits(
        cpu_shares=shares(_effective(pod, "cpu", 1, millicores)),
        cpu_quota=quota(_effective(pod, "cpu", 0, millicores, all_or_nothing=True)),
        memory=_effective(pod, "memory", 0, bytes_of, all_or_nothing=True),
    )


def _effective(
    pod: Obj, resource: str, side: int, measure: Callable[[str | int], int], all_or_nothing: bool = False
) -> int:
    """What a pod needs of a resource. `side`: 0 for limits, 1 for requests."""
    together = [*main_containers(pod), *(each for each in init_containers(pod) if is_sidecar(each))]
    alone = [each for each in init_containers(pod) if not is_sidecar(each)]
    sums = [measure(_of(each)[side].get(resource, 0)) for each in together]
    peaks = [measure(_of(each)[side].get(resource, 0)) for each in alone]
    if all_or_nothing and not all((*sums, *peaks)):
        return 0
    return max(sum(sums), *peaks, 0)


def _of(container: Obj) -> tuple[Obj, Obj]:
    """(limits, requests); a missing request is the limit, as the API defaults it."""
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    return limits, {**limits, **(resources.get("requests") or {})}
