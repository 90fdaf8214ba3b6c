"""What a Job may use up of a project's budgets before its own deadline ends it. Pure.

A Job without any deadline says nothing, and is admitted: its project is drained when the budget is used up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import Amounts
from skerry.kube.quota.pod_resources import pod_total
from skerry.kube.quota.usage import is_gpu

_HOUR = 3600.0


def hours_of(job: Obj, defaults: Mapping[str, str]) -> dict[str, float]:
    """The most hours it may use, by budget (`cpuHours`, `gpuHours`); {} when nothing ends it.

    `defaults`: what containers are given that ask for nothing (quantities by resource).
    """
    spec = job["spec"]
    pod = spec["template"].get("spec") or {}
    seconds = _pod_seconds(spec, pod)
    if seconds is None:
        return {}
    asked = pod_total(_with_defaults(pod, defaults), "requests")
    hours = {"cpuHours": _cpus(asked) * seconds / _HOUR, "gpuHours": _gpus(asked) * seconds / _HOUR}
    return {name: value for name, value in hours.items() if value > 0}


def _pod_seconds(spec: Obj, pod: Obj) -> float | None:
    """The longest that all its pods together may run; None: for ever."""
    parallel = int(spec.get("parallelism", 1))
    wanted = int(spec.get("completions") or max(parallel, 1))
    whole, each = spec.get("activeDeadlineSeconds"), pod.get("activeDeadlineSeconds")
    bounds = []
    if whole is not None:
        bounds.append(float(whole) * min(max(parallel, 1), wanted))
    if each is not None:
        bounds.append(float(each) * wanted)
    return min(bounds, default=None)


def _with_defaults(pod: Obj, defaults: Mapping[str, str]) -> Obj:
    """As a LimitRange and the defaulting of pods complete requests: what is limited is asked for, else the default."""

    def completed(container: Obj) -> Obj:
        resources = container.get("resources") or {}
        requests = {**defaults, **(resources.get("limits") or {}), **(resources.get("requests") or {})}
        return {**container, "resources": {**resources, "requests": requests}}

    lists = {part: [completed(one) for one in pod.get(part) or ()] for part in ("containers", "initContainers")}
    return {**pod, **lists}


def _cpus(asked: Amounts) -> float:
    return float(asked["cpu"].value) if "cpu" in asked else 0.0


def _gpus(asked: Amounts) -> float:
    return float(sum(one.value for name, one in asked.items() if is_gpu(name)))


def too_long(project: str, hours: Mapping[str, float], limits: Mapping[str, float], spent: Mapping[str, float]) -> str:
    """Why a Job cannot be started; "" when its deadline fits what is left. All in hours, by budget."""
    left = {name: max(limit - spent.get(name, 0.0), 0.0) for name, limit in limits.items()}
    over = [name for name in sorted(hours) if name in left and hours[name] > left[name]]
    if not over:
        return ""
    texts = [f"up to {hours[name]:.4g} {_WORDS[name]}, left {left[name]:.4g} of {limits[name]:.4g}" for name in over]
    wanted = " ".join(f"{_OPTIONS[name]} {math.ceil(spent.get(name, 0.0) + hours[name])}" for name in over)
    return (
        f"project {project}: this Job's deadline allows it more than is left of the budget: {'; '.join(texts)}. "
        "Give it a shorter activeDeadlineSeconds, fewer pods at once or smaller requests. "
        f"To ask for more: skerry requests create quota {project} {wanted} --reason '...'"
    )


_WORDS = {"cpuHours": "cpu-hours", "gpuHours": "GPU-hours"}
_OPTIONS = {"cpuHours": "--cpu-hours", "gpuHours": "--gpu-hours"}
