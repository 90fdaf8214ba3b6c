"""Nodes, namespaces, events, and plain objects. Source: `printNode`, `printEvent` and their neighbours."""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.contract import Column, Printer
from skerry.engine.schema.printing.cells import AGE, NAME, NONE, UNKNOWN, age_of, columns, get, since, wide
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, labels_of, name_of

_ROLE = "node-role.kubernetes.io/"


def _node(obj: Obj, now: float) -> list[Any]:
    info = get(obj, "status", "nodeInfo") or {}
    return [
        name_of(obj),
        _node_status(obj),
        _roles(obj),
        age_of(obj, now),
        info.get("kubeletVersion", ""),
        _address(obj, "InternalIP"),
        _address(obj, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _node_status(obj: Obj) -> str:
    ready = condition_of(obj, "Ready")
    words = ["Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"]
    if get(obj, "spec", "unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(obj: Obj) -> str:
    roles = {key.removeprefix(_ROLE) for key in labels_of(obj) if key.startswith(_ROLE) and key != _ROLE}
    named = labels_of(obj).get("kubernetes.io/role")
    return ",".join(sorted(roles | ({named} if named else set()))) or NONE


def _address(obj: Obj, kind: str) -> str:
    addresses = get(obj, "status", "addresses") or ()
    return next((str(found["address"]) for found in addresses if found.get("type") == kind), NONE)


NODE = Printer(
    columns(
        NAME, "Status", "Roles", AGE, "Version", wide("Internal-IP"), wide("External-IP"), wide("OS-Image"),
        wide("Kernel-Version"), wide("Container-Runtime"),
    ),
    _node,
)  # fmt: skip


def _namespace(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), get(obj, "status", "phase") or "", age_of(obj, now)]


NAMESPACE = Printer(columns(NAME, "Status", AGE), _namespace)


def _event(obj: Obj, now: float) -> list[Any]:
    about = obj.get("involvedObject") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    series = obj.get("series") or {}
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or first
    return [
        since(last, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{about.get('kind', '').lower()}/{about.get('name', '')}"
        if about.get("name")
        else about.get("kind", "").lower(),
        about.get("fieldPath", ""),
        _event_source(obj),
        (obj.get("message") or "").strip(),
        since(first, now),
        series.get("count") or obj.get("count") or 1,
        name_of(obj),
    ]


def _event_source(obj: Obj) -> str:
    component = get(obj, "source", "component") or obj.get("reportingComponent") or ""
    host = get(obj, "source", "host") or obj.get("reportingInstance") or ""
    return f"{component}, {host}" if component and host else component


EVENT = Printer(
    columns(
        "Last Seen", "Type", "Reason", "Object", wide("Subobject"), wide("Source"), "Message", wide("First Seen"),
        wide("Count", "integer"), Column("Name", format="name", priority=1),
    ),
    _event,
)  # fmt: skip


def _config_map(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age_of(obj, now)]


CONFIG_MAP = Printer(columns(NAME, "Data", AGE), _config_map)


def _secret(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), obj.get("type", ""), len(obj.get("data") or ()), age_of(obj, now)]


SECRET = Printer(columns(NAME, "Type", Column("Data", "integer"), AGE), _secret)


def _service_account(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), len(obj.get("secrets") or ()), age_of(obj, now)]


SERVICE_ACCOUNT = Printer(columns(NAME, Column("Secrets", "integer"), AGE), _service_account)


def _lease(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), get(obj, "spec", "holderIdentity") or "", age_of(obj, now)]


LEASE = Printer(columns(NAME, "Holder", AGE), _lease)


def _quota(obj: Obj, now: float) -> list[Any]:
    hard, used = get(obj, "status", "hard") or {}, get(obj, "status", "used") or {}
    shown = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
    limits = ", ".join(text for name, text in shown.items() if name.startswith("limits"))
    requests = ", ".join(text for name, text in shown.items() if not name.startswith("limits"))
    return [name_of(obj), requests, limits, age_of(obj, now)]


RESOURCE_QUOTA = Printer(columns(NAME, "Request", "Limit", AGE), _quota)


def _created_at(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), get(obj, "metadata", "creationTimestamp") or ""]


CREATED_AT = Printer(columns(NAME, Column("Created At", "date")), _created_at)


def _component(obj: Obj, now: float) -> list[Any]:
    conditions = obj.get("conditions") or ()
    healthy: Obj = next((found for found in conditions if found.get("type") == "Healthy"), {})
    word = {"True": "Healthy", "False": "Unhealthy"}.get(healthy.get("status", ""), "Unknown")
    return [name_of(obj), word, healthy.get("message", ""), healthy.get("error", "")]


COMPONENT_STATUS = Printer(columns(NAME, "Status", "Message", "Error"), _component)
