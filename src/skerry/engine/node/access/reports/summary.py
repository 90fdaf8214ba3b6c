"""`/stats/summary`: usage in the form of the kubelet's Summary. Pure.

Source: `k8s.io/kubelet/pkg/apis/stats/v1alpha1`.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.node.access.reports.facts import ContainerFacts, Disk, NodeFacts, PodFacts, Traffic, Usage
from skerry.engine.node.access.volume_reports import VolumeFacts
from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj


def summary(facts: NodeFacts) -> Obj:
    """The whole document."""
    at = rfc3339(facts.at)
    node: Obj = {"nodeName": facts.name, "cpu": _cpu(facts.usage, at)}
    node["memory"] = {**_memory(facts.usage, at), "availableBytes": facts.memory_available}
    if facts.disk is not None:
        node["fs"] = _file_system(facts.disk, at)
        images = _file_system(facts.disk, at)
        node["runtime"] = {"imageFs": images, "containerFs": images}
    return {"node": node, "pods": [_pod(one, facts.disk, at) for one in facts.pods]}


def _pod(pod: PodFacts, disk: Disk | None, at: str) -> Obj:
    total = _sum(one.usage for one in pod.containers)
    found: Obj = {
        "podRef": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
        "startTime": rfc3339(pod.started),
        "containers": [_container(one, disk, at) for one in pod.containers],
        "cpu": _cpu(total, at),
        "memory": _memory(total, at),
    }
    if pod.traffic is not None:
        found["network"] = {"time": at, **_interface(pod.traffic), "interfaces": [_interface(pod.traffic)]}
    if disk is not None:
        used = sum(one.disk_used + one.log_used for one in pod.containers)
        inodes = sum(one.inodes_used for one in pod.containers)
        found["ephemeral-storage"] = _part(disk, used, inodes, at)
    if pod.volumes:
        found["volume"] = [_volume(one, at) for one in pod.volumes]
    return found


def _volume(volume: VolumeFacts, at: str) -> Obj:
    figures = {
        "availableBytes": volume.available,
        "capacityBytes": volume.capacity,
        "usedBytes": volume.used,
        "inodesFree": volume.inodes_free,
        "inodes": volume.inodes,
        "inodesUsed": volume.inodes_used,
    }
    found: Obj = {"time": at, **{name: value for name, value in figures.items() if value is not None}}
    found["name"] = volume.name
    if volume.claim:
        found["pvcRef"] = {"name": volume.claim, "namespace": volume.namespace}
        found["volumeHealthStats"] = {"abnormal": not volume.healthy}
    return found


def _container(container: ContainerFacts, disk: Disk | None, at: str) -> Obj:
    found: Obj = {
        "name": container.name,
        "startTime": rfc3339(container.started),
        "cpu": _cpu(container.usage, at),
        "memory": _memory(container.usage, at),
    }
    if disk is not None:
        found["rootfs"] = _part(disk, container.disk_used, container.inodes_used, at)
        found["logs"] = _part(disk, container.log_used, 0, at)
    return found


def _cpu(usage: Usage, at: str) -> Obj:
    return {"time": at, "usageNanoCores": usage.rate, "usageCoreNanoSeconds": usage.cpu}


def _memory(usage: Usage, at: str) -> Obj:
    figures = {"usageBytes": usage.used, "workingSetBytes": usage.working_set, "rssBytes": usage.rss}
    return {"time": at, **figures}


def _interface(traffic: Traffic) -> Obj:
    received = {"rxBytes": traffic.received, "rxErrors": traffic.received_errors}
    return {"name": traffic.interface, **received, "txBytes": traffic.sent, "txErrors": traffic.sent_errors}


def _file_system(disk: Disk, at: str) -> Obj:
    return _part(disk, disk.used, disk.inodes_used, at)


def _part(disk: Disk, used: int, inodes_used: int, at: str) -> Obj:
    """What something uses of a file system."""
    return {
        "time": at,
        "availableBytes": disk.available,
        "capacityBytes": disk.capacity,
        "usedBytes": used,
        "inodesFree": disk.inodes_free,
        "inodes": disk.inodes,
        "inodesUsed": inodes_used,
    }


def _sum(usages: Iterable[Usage]) -> Usage:
    listed = list(usages)
    return Usage(
        cpu=sum(one.cpu for one in listed),
        rate=sum(one.rate for one in listed),
        used=sum(one.used for one in listed),
        working_set=sum(one.working_set for one in listed),
        rss=sum(one.rss for one in listed),
    )
