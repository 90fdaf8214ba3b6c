"""CPU and memory of containers and pods as the kernel takes them (`pkg/kubelet/cm/helpers_linux.go`,
`kuberuntime_container_linux.go`).

What a pod asks for as a whole (`spec.resources`) replaces the sum of its containers, and is the limit of every
container that has none of its own.
"""

from __future__ import annotations

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.pods.state import init_containers, main_containers
from skerry.engine.node.spec.oom import oom_score
from skerry.kube.objects import Obj
from skerry.kube.qos import qos_class
from skerry.kube.quantities import bytes_of, millicores, parse_quantity
from skerry.kube.quota.amounts import ZERO
from skerry.kube.quota.pod_resources import pod_total
from skerry.kube.records import record

PERIOD = 100_000  # microseconds of a CPU quota period
_LEAST_SHARES, _LEAST_QUOTA = 2, 1000


@record
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
    own: Obj = container.get("resources") or {}
    limits = {**_whole(pod, "limits"), **(own.get("limits") or {})}
    asked = (own.get("requests") or {}).get("cpu", limits.get("cpu", 0))
    milli = millicores(limits.get("cpu", 0))
    return pb.LinuxContainerResources(
        cpu_period=PERIOD if milli else 0,
        cpu_quota=quota(milli),
        cpu_shares=shares(millicores(asked)),
        memory_limit_in_bytes=bytes_of(limits.get("memory", 0)),
        oom_score_adj=oom_score(pod, container, machine_memory),
    )


def _whole(pod: Obj, side: str) -> Obj:
    """CPU and memory that the pod as a whole asks for."""
    listed: Obj = (pod["spec"].get("resources") or {}).get(side) or {}
    return {name: amount for name, amount in listed.items() if name in ("cpu", "memory")}


def pod_limits(pod: Obj) -> PodLimits:
    """The pod's own cgroup: its requests and limits with the overhead of its runtime class. A limit only where the pod
    as a whole or every container has one, and never for a pod that asks for nothing."""
    spec = pod["spec"]
    if qos_class(spec) == "BestEffort":
        return PodLimits(_LEAST_SHARES)
    asked, most = pod_total(_with_requests(spec), "requests"), pod_total(spec, "limits")
    return PodLimits(
        cpu_shares=shares(asked.get("cpu", ZERO).milli),
        cpu_quota=quota(most["cpu"].milli) if _limited(pod, "cpu") else 0,
        memory=most["memory"].units if _limited(pod, "memory") else 0,
    )


def _limited(pod: Obj, name: str) -> bool:
    if name in _whole(pod, "limits"):
        return True
    containers = (*init_containers(pod), *main_containers(pod))
    return all(parse_quantity(((each.get("resources") or {}).get("limits") or {}).get(name, 0)) for each in containers)


def _with_requests(spec: Obj) -> Obj:
    """A missing request is the limit, as the API defaults it."""
    parts = {part: [_requesting(each) for each in spec.get(part) or ()] for part in ("initContainers", "containers")}
    return {**_requesting(spec), **parts}


def _requesting(holder: Obj) -> Obj:
    resources: Obj = holder.get("resources") or {}
    if not resources.get("limits"):
        return holder
    return {
        **holder,
        "resources": {**resources, "requests": {**resources["limits"], **(resources.get("requests") or {})}},
    }
