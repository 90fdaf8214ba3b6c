"""The Node object and its status, from facts and the runtime's conditions. Pure.

Source of the behaviour: the kubelet's `pkg/kubelet/nodestatus/setters.go`; of pressure: `pressure.watch`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.machine import Machine
from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity
from skerry.kube.records import record

MOST_PODS = 250
_MOST_IMAGES = 50


@record
class RuntimeFacts:
    """containerd's version, and why it cannot run pods ("" when it can)."""

    version: str
    problem: str = ""


@record
class NodeState:
    """What a Node's status is made from."""

    name: str
    machine: Machine
    runtime: RuntimeFacts
    pod_cidrs: Sequence[str]
    version: str
    now: datetime
    ip6: str = ""
    """The machine's IPv6 address, when pods have IPv6 and it has one."""
    held: frozenset[str] = frozenset()
    """Conditions of pressure that hold, or held a short while ago."""
    images: Sequence[pb.Image] = ()
    store_trouble: str = ""
    """Why the API's store refuses most writes, "" while it does not."""
    volumes_in_use: Sequence[str] = ()
    """Attached volumes that are mounted, or were about to be."""


def allocatable(machine: Machine) -> dict[str, Decimal]:
    """What pods can have, in cores and bytes: everything, as nothing is reserved for the system."""
    return {
        "cpu": Decimal(machine.cpus),
        "memory": Decimal(machine.memory),
        "ephemeral-storage": Decimal(machine.storage),
    }


def node_object(state: NodeState) -> Obj:
    """A new Node, without status."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": state.name, "labels": labels(state)},
        "spec": {"podCIDR": state.pod_cidrs[0], "podCIDRs": list(state.pod_cidrs)},
    }


def labels(state: NodeState) -> dict[str, str]:
    """Labels a node always has."""
    return {
        "kubernetes.io/hostname": state.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": state.machine.architecture,
        "node-role.kubernetes.io/control-plane": "",
    }


def node_status(state: NodeState, before: Obj) -> Obj:
    """Our part of the status; `before` is the present one, for transition times and resources that others declare."""
    machine = state.machine
    ours = {
        "cpu": str(machine.cpus),
        "memory": f"{machine.memory // 1024}Ki",
        "ephemeral-storage": f"{machine.storage // 1024}Ki",
        "pods": str(MOST_PODS),
    }
    internal = [{"type": "InternalIP", "address": ip} for ip in (machine.ip, state.ip6) if ip]
    return {
        "capacity": ours,
        "allocatable": {**_declared(before, ours), **ours},
        "addresses": [*internal, {"type": "Hostname", "address": state.name}],
        "conditions": _conditions(state, before),
        "nodeInfo": _info(state),
        "images": _images(state.images),
        "volumesInUse": list(state.volumes_in_use) or None,
    }


def _declared(before: Obj, ours: Obj) -> Obj:
    """Extended resources, which pods can have all of; None for one that the node has no longer."""
    capacity, present = before.get("capacity") or {}, before.get("allocatable") or {}
    return {name: capacity.get(name) for name in (*capacity, *present) if name not in ours}


def differs(wanted: Obj, present: Obj) -> bool:
    """Whether a node's status says anything else than we would, times of heartbeats and what others wrote aside."""
    here = {condition.get("type"): _timeless(condition) for condition in present.get("conditions") or ()}
    if any(here.get(condition["type"]) != _timeless(condition) for condition in wanted["conditions"]):
        return True
    for part in ("capacity", "allocatable"):
        listed = present.get(part) or {}
        if any(_amount(listed.get(name)) != _amount(value) for name, value in wanted[part].items()):
            return True
    if any(address not in (present.get("addresses") or ()) for address in wanted["addresses"]):
        return True
    return any(present.get(part) != wanted[part] for part in ("nodeInfo", "images", "volumesInUse"))


def _amount(quantity: str | None) -> Decimal | None:
    return None if quantity is None else parse_quantity(quantity)


def _timeless(condition: Obj) -> Obj:
    return {key: value for key, value in condition.items() if key != "lastHeartbeatTime"}


def _images(images: Sequence[pb.Image]) -> list[Obj]:
    """The largest, with their names."""
    largest = sorted(images, key=lambda image: (-image.size, image.id))[:_MOST_IMAGES]
    return [{"names": [*image.repo_digests, *image.repo_tags], "sizeBytes": image.size} for image in largest]


def _info(state: NodeState) -> Obj:
    machine = state.machine
    return {
        "machineID": machine.machine_id,
        "systemUUID": machine.machine_id,
        "bootID": machine.boot_id,
        "kernelVersion": machine.kernel,
        "osImage": machine.os_image,
        "containerRuntimeVersion": state.runtime.version,
        "kubeletVersion": state.version,
        "kubeProxyVersion": state.version,
        "operatingSystem": "linux",
        "architecture": machine.architecture,
    }


def _conditions(state: NodeState, before: Obj) -> list[Obj]:
    ready = not state.runtime.problem
    verdicts = (
        _pressure("MemoryPressure", "MemoryPressure" in state.held, "InsufficientMemory", "memory"),
        _pressure("DiskPressure", "DiskPressure" in state.held, "DiskPressure", "disk"),
        _pressure("PIDPressure", "PIDPressure" in state.held, "InsufficientPID", "PID"),
        _store(state.store_trouble),
        (
            "Ready",
            ready,
            "KubeletReady" if ready else "KubeletNotReady",
            "the node agent is posting ready status" if ready else state.runtime.problem,
        ),
    )
    known = {condition["type"]: condition for condition in before.get("conditions") or ()}
    return [_condition(verdict, known, state.now) for verdict in verdicts]


def _pressure(kind: str, short: bool, reason: str, what: str) -> tuple[str, bool, str, str]:
    if short:
        return kind, True, f"NodeHas{reason}", f"the node has insufficient {what} available"
    enough = {"memory": "SufficientMemory", "disk": "NoDiskPressure", "PID": "SufficientPID"}[what]
    return kind, False, f"NodeHas{enough}", f"the node has sufficient {what} available"


def _store(trouble: str) -> tuple[str, bool, str, str]:
    """A condition of our own: Kubernetes' nodes have no store."""
    if trouble:
        return "StoreFull", True, "StoreRefusesWrites", f"the API refuses most writes: {trouble}"
    return "StoreFull", False, "StoreTakesWrites", "the API's store takes writes"


def _condition(verdict: tuple[str, bool, str, str], known: Mapping[str, Obj], now: datetime) -> Obj:
    kind, holds, reason, message = verdict
    value, old = "True" if holds else "False", known.get(kind, {})
    return {
        "type": kind,
        "status": value,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": rfc3339(now),
        "lastTransitionTime": old["lastTransitionTime"] if old.get("status") == value else rfc3339(now),
    }
