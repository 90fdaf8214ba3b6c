"""The pod of a Job: from its template, with the tracking finalizer and what a completion index brings. Pure.

Source: `manageJob` and `indexed_job_utils.go` in Kubernetes' `pkg/controller/job`.
"""

from __future__ import annotations

from skerry.engine.controllers.job.facts import (
    COMPLETION_INDEX,
    FINALIZER,
    IGNORED_INDEX_FAILURES,
    INDEX_FAILURES,
    ignored_index_failures,
    index_failures,
    is_indexed,
    limits_each_index,
)
from skerry.engine.controllers.job.failure_policy import handling
from skerry.engine.controllers.pod_template import pod_from_template
from skerry.kube.objects import Obj, annotations_of, labels_of, name_of
from skerry.kube.resources import JOBS

INDEX_VARIABLE = "JOB_COMPLETION_INDEX"
_LONGEST_PREFIX = 58  # characters; five random ones follow


def build_pod(job: Obj, index: int | None = None, replaced: Obj | None = None) -> Obj:
    """The pod to create. `replaced`: the failed pod of the same index whose failures it remembers."""
    pod = pod_from_template(job, JOBS)
    metadata = pod["metadata"]
    given = metadata.get("finalizers") or []
    metadata["finalizers"] = given if FINALIZER in given else [*given, FINALIZER]
    if not is_indexed(job) or index is None:
        return pod
    metadata["generateName"] = _prefix(name_of(job), index)
    metadata["labels"] = {**labels_of(pod), COMPLETION_INDEX: str(index)}
    metadata["annotations"] = {**annotations_of(pod), COMPLETION_INDEX: str(index)}
    if limits_each_index(job):
        metadata["annotations"] |= _failures(job, replaced)
    pod["spec"] = {**_with_index_variable(pod["spec"]), "hostname": f"{name_of(job)}-{index}"}
    return pod


def _prefix(name: str, index: int) -> str:
    suffix = f"-{index}-"
    return f"{name[: _LONGEST_PREFIX - len(suffix)]}{suffix}"


def _failures(job: Obj, replaced: Obj | None) -> dict[str, str]:
    """How often the index has failed, the pod that is replaced included."""
    if replaced is None:
        return {INDEX_FAILURES: "0"}
    counts = handling(job, replaced).counts
    counted = index_failures(replaced) + int(counts)
    ignored = ignored_index_failures(replaced) + int(not counts)
    annotations = {INDEX_FAILURES: str(counted)}
    return {**annotations, IGNORED_INDEX_FAILURES: str(ignored)} if ignored else annotations


def _with_index_variable(spec: Obj) -> Obj:
    """Every container has the index in its environment, unless it says otherwise."""
    changed = {}
    for part in ("initContainers", "containers"):
        if spec.get(part):
            changed[part] = [_with_variable(container) for container in spec[part]]
    return {**spec, **changed}


def _with_variable(container: Obj) -> Obj:
    env = container.get("env") or []
    if any(variable["name"] == INDEX_VARIABLE for variable in env):
        return container
    path = {"fieldRef": {"fieldPath": f"metadata.labels['{COMPLETION_INDEX}']"}}
    return {**container, "env": [*env, {"name": INDEX_VARIABLE, "valueFrom": path}]}
