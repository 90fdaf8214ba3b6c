"""What `kubectl get` shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from skerry.engine.schema.contract import Column, Kind, Printer
from skerry.engine.schema.printing.cells import human_duration
from skerry.engine.schema.printing.printers import printer_of
from skerry.engine.schema.registry import builtin
from skerry.engine.schema.table import table
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj, Resource

from .objects import APPS, CORE, REGISTRY

NOW = datetime(2024, 1, 1, 1, 0, 0, tzinfo=UTC)
BORN = "2024-01-01T00:55:00Z"
META = {"name": "web", "namespace": "default", "creationTimestamp": BORN}


def cells(kind: Kind, obj: Obj) -> dict[str, Any]:
    """The one row, by column."""
    shown = table(kind, [obj], None, NOW, "None")
    (row,) = shown["rows"]
    names = [column["name"] for column in shown["columnDefinitions"]]
    assert len(names) == len(row["cells"])
    return dict(zip(names, row["cells"], strict=True))


@pytest.mark.parametrize("kind", builtin().kinds(), ids=lambda kind: kind.resource.group_resource)
def test_every_kind_prints_the_emptiest_object(kind: Kind) -> None:
    shown = cells(kind, {"metadata": {"name": "web", "creationTimestamp": BORN}})
    assert "web" in shown.values()
    assert not any(value is None for value in shown.values())


def test_the_table_itself() -> None:
    shown = table(
        CORE["configmaps"], [{"metadata": META, "data": {"a": "1"}}], {"resourceVersion": "7"}, NOW, "Metadata"
    )
    assert (shown["kind"], shown["apiVersion"], shown["metadata"]) == (
        "Table",
        "meta.k8s.io/v1",
        {"resourceVersion": "7"},
    )
    assert shown["columnDefinitions"][0]["format"] == "name"
    assert shown["rows"] == [
        {
            "cells": ["web", 1, "5m"],
            "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": META},
        }
    ]
    obj = {"metadata": {**META, "resourceVersion": "3"}}
    whole = table(CORE["configmaps"], [obj], None, NOW, "Object")
    assert whole["rows"][0]["object"] is obj
    assert whole["metadata"] == {"resourceVersion": "3"}
    assert "object" not in table(CORE["configmaps"], [obj], None, NOW, "None")["rows"][0]
    with pytest.raises(BadRequest, match="includeObject"):
        table(CORE["configmaps"], [], {}, NOW, "Everything")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (185, "3m5s"),
        (600, "10m"),
        (10799, "179m"),
        (10800, "3h"),
        (12600, "3h30m"),
        (86400, "24h"),
        (172800, "2d"),
        (180000, "2d2h"),
        (864000, "10d"),
        (63072000, "2y"),
        (63072000 + 86400 * 3, "2y3d"),
        (86400 * 365 * 9, "9y"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


def pod(*statuses: Obj, spec: Obj | None = None, **fields: Any) -> Obj:
    containers = [{"name": f"c{index}"} for index in range(max(len(statuses), 1))]
    status = {"phase": "Running", "containerStatuses": list(statuses), **fields}
    return {"metadata": META, "spec": {"containers": containers, **(spec or {})}, "status": status}


def running(restarts: int = 0, **fields: Any) -> Obj:
    return {"ready": True, "restartCount": restarts, "state": {"running": {}}, **fields}


def waiting(reason: str) -> Obj:
    return {"ready": False, "restartCount": 0, "state": {"waiting": {"reason": reason}}}


def ended(**terminated: Any) -> Obj:
    return {"ready": False, "restartCount": 0, "state": {"terminated": {"exitCode": 0, **terminated}}}


DIED = {"lastState": {"terminated": {"finishedAt": "2024-01-01T00:57:00Z"}}}
INIT = {"initContainers": [{"name": "i0"}, {"name": "i1"}]}
SIDECAR = {"initContainers": [{"name": "s", "restartPolicy": "Always"}]}


@pytest.mark.parametrize(
    ("obj", "ready", "status", "restarts"),
    [
        (pod(phase="Pending"), "0/1", "Pending", "0"),
        (pod(running()), "1/1", "Running", "0"),
        (pod(running(2, **DIED), running(1)), "2/2", "Running", "3 (3m ago)"),
        (pod(waiting("CrashLoopBackOff")), "0/1", "CrashLoopBackOff", "0"),
        (pod(waiting("ContainerCreating"), phase="Pending"), "0/1", "ContainerCreating", "0"),
        (pod(ended(reason="Completed"), phase="Succeeded"), "0/1", "Completed", "0"),
        (pod(ended(exitCode=3)), "0/1", "ExitCode:3", "0"),
        (pod(ended(signal=9, exitCode=137)), "0/1", "Signal:9", "0"),
        (pod(ended(reason="OOMKilled", exitCode=137)), "0/1", "OOMKilled", "0"),
        (
            pod(ended(reason="Completed"), running(), conditions=[{"type": "Ready", "status": "True"}]),
            "1/2",
            "Running",
            "0",
        ),
        (pod(ended(reason="Completed"), running()), "1/2", "NotReady", "0"),
        (pod(phase="Failed", reason="Evicted"), "0/1", "Evicted", "0"),
        (
            pod(phase="Pending", conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]),
            "0/1",
            "SchedulingGated",
            "0",
        ),
        (
            pod(waiting("PodInitializing"), spec=INIT, initContainerStatuses=[running(), waiting("PodInitializing")]),
            "0/1",
            "Init:0/2",
            "0",
        ),
        (
            pod(waiting("PodInitializing"), spec=INIT, initContainerStatuses=[ended(), running()]),
            "0/1",
            "Init:1/2",
            "0",
        ),
        (pod(spec=INIT, initContainerStatuses=[ended(exitCode=1)]), "0/1", "Init:ExitCode:1", "0"),
        (pod(spec=INIT, initContainerStatuses=[ended(exitCode=1, reason="Error")]), "0/1", "Init:Error", "0"),
        (pod(spec=INIT, initContainerStatuses=[waiting("ImagePullBackOff")]), "0/1", "Init:ImagePullBackOff", "0"),
        (
            pod(running(), spec=SIDECAR, initContainerStatuses=[running(4, name="s", started=True)]),
            "2/2",
            "Running",
            "4",
        ),
        ({**pod(running()), "metadata": {**META, "deletionTimestamp": BORN}}, "1/1", "Terminating", "0"),
        ({**pod(phase="Succeeded"), "metadata": {**META, "deletionTimestamp": BORN}}, "0/1", "Succeeded", "0"),
        ({**pod(running(), reason="NodeLost"), "metadata": {**META, "deletionTimestamp": BORN}}, "1/1", "Unknown", "0"),
    ],
)
def test_pods(obj: Obj, ready: str, status: str, restarts: str) -> None:
    shown = cells(CORE["pods"], obj)
    assert (shown["Ready"], shown["Status"], shown["Restarts"]) == (ready, status, restarts)


def test_wide_columns_of_pods() -> None:
    obj = pod(running(), spec={"nodeName": "n", "readinessGates": [{"conditionType": "x"}]}, podIP="10.0.0.1")
    shown = cells(CORE["pods"], obj)
    assert list(shown) == [
        "Name",
        "Ready",
        "Status",
        "Restarts",
        "Age",
        "IP",
        "Node",
        "Nominated Node",
        "Readiness Gates",
    ]
    assert list(shown.values())[5:] == ["10.0.0.1", "n", "<none>", "0/1"]
    priorities = [column.priority for column in printer_of(CORE["pods"]).columns]
    assert priorities == [0] * 5 + [1] * 4


def test_workloads() -> None:
    template = {"spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:2"}]}}
    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "z", "operator": "In", "values": ["2", "1"]}],
    }
    obj = {
        "metadata": META,
        "spec": {"replicas": 3, "template": template, "selector": selector},
        "status": {"replicas": 3, "readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1},
    }
    assert list(cells(APPS["deployments"], obj).values()) == [
        "web",
        "2/3",
        3,
        1,
        "5m",
        "a,b",
        "x:1,y:2",
        "app=web,z in (1,2)",
    ]
    assert list(cells(APPS["replicasets"], obj).values())[:5] == ["web", 3, 3, 2, "5m"]
    assert list(cells(APPS["statefulsets"], obj).values()) == ["web", "2/3", "5m", "a,b", "x:1,y:2"]


@pytest.mark.parametrize(
    ("spec", "status", "external"),
    [
        ({"type": "ClusterIP"}, {}, "<none>"),
        ({"type": "LoadBalancer"}, {}, "<pending>"),
        (
            {"type": "LoadBalancer"},
            {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "x.y"}]}},
            "1.2.3.4,x.y",
        ),
        ({"type": "ExternalName", "externalName": "db"}, {}, "db"),
        ({"type": "NodePort", "externalIPs": ["9.9.9.9"]}, {}, "9.9.9.9"),
    ],
)
def test_services(spec: Obj, status: Obj, external: str) -> None:
    ports = [{"port": 80, "protocol": "TCP"}, {"port": 53, "nodePort": 30053, "protocol": "UDP"}]
    shown = cells(CORE["services"], {"metadata": META, "spec": {**spec, "ports": ports}, "status": status})
    assert shown["External-IP"] == external
    assert shown["Port(s)"] == "80/TCP,53:30053/UDP"


def test_nodes() -> None:
    labels = {"node-role.kubernetes.io/control-plane": "", "node-role.kubernetes.io/worker": ""}
    status = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
        "nodeInfo": {
            "kubeletVersion": "v1.36.0",
            "osImage": "Debian",
            "kernelVersion": "6",
            "containerRuntimeVersion": "containerd://1",
        },
    }
    obj = {"metadata": {**META, "labels": labels}, "spec": {"unschedulable": True}, "status": status}
    assert list(cells(CORE["nodes"], obj).values()) == [
        "web",
        "Ready,SchedulingDisabled",
        "control-plane,worker",
        "5m",
        "v1.36.0",
        "10.0.0.1",
        "<none>",
        "Debian",
        "6",
        "containerd://1",
    ]


def test_events() -> None:
    obj = {
        "metadata": META,
        "type": "Normal",
        "reason": "Started",
        "message": "Started it\n",
        "count": 4,
        "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{a}"},
        "source": {"component": "kubelet", "host": "n"},
        "firstTimestamp": BORN,
        "lastTimestamp": "2024-01-01T00:59:00Z",
    }
    assert list(cells(CORE["events"], obj).values()) == [
        "60s",
        "Normal",
        "Started",
        "pod/p",
        "spec.containers{a}",
        "kubelet, n",
        "Started it",
        "5m",
        4,
        "web",
    ]


def test_endpoints_are_shortened() -> None:
    addresses = [{"ip": f"10.0.0.{number}"} for number in range(5)]
    obj = {"metadata": META, "subsets": [{"addresses": addresses, "ports": [{"port": 80}]}]}
    assert cells(CORE["endpoints"], obj)["Endpoints"] == "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more..."


def test_jobs_and_claims() -> None:
    jobs = REGISTRY.kind("batch", "v1", "jobs")
    assert jobs is not None
    status = {
        "succeeded": 1,
        "startTime": BORN,
        "completionTime": "2024-01-01T00:55:09Z",
        "conditions": [{"type": "Complete", "status": "True"}],
    }
    shown = cells(jobs, {"metadata": META, "spec": {"completions": 1}, "status": status})
    assert (shown["Status"], shown["Completions"], shown["Duration"]) == ("Complete", "1/1", "9s")
    claim = {
        "metadata": META,
        "spec": {"volumeName": "pv1", "storageClassName": "fast"},
        "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce", "ReadOnlyMany"]},
    }
    assert list(cells(CORE["persistentvolumeclaims"], claim).values())[1:6] == [
        "Bound",
        "pv1",
        "1Gi",
        "RWO,ROX",
        "fast",
    ]


def test_a_custom_resource_named_like_a_built_in_kind_is_not_printed_like_it() -> None:
    custom = Kind(Resource("serving.example.com", "v1", "services", "Service"), "service", "")
    assert cells(custom, {"metadata": META}) == {"Name": "web", "Age": "5m"}
    own = Printer((Column("Url"),), lambda obj, now: [obj["status"]["url"]])
    custom = Kind(custom.resource, "service", "", printer=own)
    assert cells(custom, {"metadata": META, "status": {"url": "x"}}) == {"Url": "x"}
