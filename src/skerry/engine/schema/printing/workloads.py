"""Controllers of pods. Source: `printDeployment`, `printReplicaSet` and their neighbours."""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.contract import Column, Printer
from skerry.engine.schema.printing.cells import (
    AGE,
    NAME,
    NONE,
    age_of,
    columns,
    containers_text,
    get,
    human_duration,
    labels_text,
    selector_text,
    since,
    wide,
)
from skerry.kube.clock import parse_time
from skerry.kube.conditions import condition_is_true
from skerry.kube.objects import Obj, controller_of, name_of

_MADE_OF = (wide("Containers"), wide("Images"), wide("Selector"))


def _number(name: str) -> Column:
    return Column(name, "integer")


def _made_of(obj: Obj) -> list[str]:
    spec = obj.get("spec") or {}
    return [*containers_text(spec.get("template")), selector_text(spec.get("selector"))]


def _count(obj: Obj, *path: str) -> int:
    return int(get(obj, *path) or 0)


def _deployment(obj: Obj, now: float) -> list[Any]:
    ready = f"{_count(obj, 'status', 'readyReplicas')}/{_count(obj, 'spec', 'replicas')}"
    updated, available = _count(obj, "status", "updatedReplicas"), _count(obj, "status", "availableReplicas")
    return [name_of(obj), ready, updated, available, age_of(obj, now), *_made_of(obj)]


DEPLOYMENT = Printer(columns(NAME, "Ready", _number("Up-to-date"), _number("Available"), AGE, *_MADE_OF), _deployment)


def _replica_set(obj: Obj, now: float) -> list[Any]:
    counts = [
        _count(obj, "spec", "replicas"),
        _count(obj, "status", "replicas"),
        _count(obj, "status", "readyReplicas"),
    ]
    return [name_of(obj), *counts, age_of(obj, now), *_made_of(obj)]


_COUNTS = (_number("Desired"), _number("Current"), _number("Ready"))
REPLICA_SET = Printer(columns(NAME, *_COUNTS, AGE, *_MADE_OF), _replica_set)


def _replication_controller(obj: Obj, now: float) -> list[Any]:
    return [*_replica_set(obj, now)[:-1], labels_text(get(obj, "spec", "selector"))]


REPLICATION_CONTROLLER = Printer(REPLICA_SET.columns, _replication_controller)


def _stateful_set(obj: Obj, now: float) -> list[Any]:
    ready = f"{_count(obj, 'status', 'readyReplicas')}/{_count(obj, 'spec', 'replicas')}"
    return [name_of(obj), ready, age_of(obj, now), *_made_of(obj)[:2]]


STATEFUL_SET = Printer(columns(NAME, "Ready", AGE, *_MADE_OF[:2]), _stateful_set)

_DAEMON_COUNTS = (
    "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable",
)  # fmt: skip


def _daemon_set(obj: Obj, now: float) -> list[Any]:
    counts = [_count(obj, "status", name) for name in _DAEMON_COUNTS]
    where = labels_text(get(obj, "spec", "template", "spec", "nodeSelector"))
    return [name_of(obj), *counts, where, age_of(obj, now), *_made_of(obj)]


DAEMON_SET = Printer(
    columns(NAME, *_COUNTS, _number("Up-to-date"), _number("Available"), "Node Selector", AGE, *_MADE_OF), _daemon_set
)


def _job(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), _job_status(obj), _completions(obj), _duration(obj, now), age_of(obj, now), *_made_of(obj)]


def _job_status(obj: Obj) -> str:
    for kind, word in (("Complete", "Complete"), ("Failed", "Failed")):
        if condition_is_true(obj, kind):
            return word
    if get(obj, "metadata", "deletionTimestamp"):
        return "Terminating"
    for kind, word in (("Suspended", "Suspended"), ("FailureTarget", "FailureTarget"), ("SuccessCriteriaMet",) * 2):
        if condition_is_true(obj, kind):
            return word
    return "Running"


def _completions(obj: Obj) -> str:
    done, wanted = _count(obj, "status", "succeeded"), get(obj, "spec", "completions")
    if wanted is not None:
        return f"{done}/{wanted}"
    parallel = _count(obj, "spec", "parallelism")
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def _duration(obj: Obj, now: float) -> str:
    start, end = get(obj, "status", "startTime"), get(obj, "status", "completionTime")
    if not start:
        return ""
    finish = parse_time(end).timestamp() if end else now
    return human_duration(finish - parse_time(start).timestamp())


JOB = Printer(columns(NAME, "Status", "Completions", "Duration", AGE, *_MADE_OF), _job)


def _cron_job(obj: Obj, now: float) -> list[Any]:
    spec, last = obj.get("spec") or {}, get(obj, "status", "lastScheduleTime")
    job = get(spec, "jobTemplate", "spec") or {}
    return [
        name_of(obj),
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        str(bool(spec.get("suspend"))),
        len(get(obj, "status", "active") or ()),
        since(last, now) if last else NONE,
        age_of(obj, now),
        *containers_text(job.get("template")),
        selector_text(job.get("selector")),
    ]


CRON_JOB = Printer(
    columns(NAME, "Schedule", "Timezone", "Suspend", _number("Active"), "Last Schedule", AGE, *_MADE_OF), _cron_job
)


def _controller_revision(obj: Obj, now: float) -> list[Any]:
    owner = controller_of(obj)
    owned_by = f"{owner['kind'].lower()}.{owner['apiVersion'].partition('/')[0]}/{owner['name']}" if owner else NONE
    return [name_of(obj), owned_by, obj.get("revision", 0), age_of(obj, now)]


CONTROLLER_REVISION = Printer(columns(NAME, "Controller", "Revision", AGE), _controller_revision)


def _autoscaler(obj: Obj, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    return [
        name_of(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _metrics(spec, status),
        str(spec["minReplicas"]) if spec.get("minReplicas") is not None else "<unset>",
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        age_of(obj, now),
    ]


def _metrics(spec: Obj, status: Obj) -> str:
    shown = []
    current = status.get("currentMetrics") or []
    for index, metric in enumerate(spec.get("metrics") or ()):
        found = current[index] if index < len(current) else {}
        kind = metric.get("type", "")
        part = kind[:1].lower() + kind[1:]
        wanted = get(metric, part, "target") or {}
        measured = get(found, part, "current") or {}
        label = f"{get(metric, part, 'name')}: " if kind in ("Resource", "ContainerResource") else ""
        if wanted.get("averageUtilization") is not None:
            is_known = measured.get("averageUtilization") is not None
            now = f"{measured['averageUtilization']}%" if is_known else "<unknown>"
            shown.append(f"{label}{now}/{wanted['averageUtilization']}%")
        else:
            amount = wanted.get("averageValue") or wanted.get("value") or "<auto>"
            shown.append(f"{label}{measured.get('averageValue') or measured.get('value') or '<unknown>'}/{amount}")
    extra = f" + {len(shown) - 2} more..." if len(shown) > 2 else ""
    return ", ".join(shown[:2]) + extra if shown else NONE


AUTOSCALER = Printer(
    columns(NAME, "Reference", "Targets", "MinPods", _number("MaxPods"), _number("Replicas"), AGE), _autoscaler
)


def _scale(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), _count(obj, "spec", "replicas"), _count(obj, "status", "replicas"), age_of(obj, now)]


SCALE = Printer(columns(NAME, _number("Desired"), _number("Available"), AGE), _scale)
