"""What `spec.podFailurePolicy` makes of a failed pod. Pure.

Source: Kubernetes `pkg/controller/job/pod_failure_policy.go`. The first rule that fits decides; a pod that none fits
counts as it would without a policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from skerry.kube.conditions import conditions_of
from skerry.kube.objects import Obj, name_of, namespace_of


class Handling(NamedTuple):
    """`action`: FailJob, FailIndex, Ignore, Count, or "" when no rule fits. `message`: why the Job fails."""

    action: str = ""
    message: str = ""

    @property
    def counts(self) -> bool:
        """Whether the failure counts towards the limits."""
        return self.action != "Ignore"


def handling(job: Obj, pod: Obj) -> Handling:
    """What the policy of a Job says about a pod of its that failed."""
    for index, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules") or ()):
        what = _matched(rule, pod)
        if what:
            return Handling(rule["action"], f"{what} matching {rule['action']} rule at index {index}")
    return Handling()


def _matched(rule: Obj, pod: Obj) -> str:
    """What of the pod the rule is about, in Kubernetes' words; "" when nothing is."""
    status, key = pod.get("status") or {}, f"{namespace_of(pod)}/{name_of(pod)}"
    if rule.get("onExitCodes"):
        found = _container(status.get("containerStatuses") or (), rule["onExitCodes"]) or _container(
            status.get("initContainerStatuses") or (), rule["onExitCodes"]
        )
        code = found["state"]["terminated"]["exitCode"] if found else 0
        return f"Container {found['name']} for pod {key} failed with exit code {code}" if found else ""
    for condition in conditions_of(pod):
        for pattern in rule.get("onPodConditions") or ():
            if condition["type"] == pattern["type"] and condition["status"] == pattern.get("status", "True"):
                return f"Pod {key} has condition {condition['type']}"
    return ""


def _container(statuses: Iterable[Obj], wanted: Obj) -> Obj | None:
    """The first container that ended with a code, other than 0, that is asked for."""
    for status in statuses:
        ended = (status.get("state") or {}).get("terminated")
        code = int((ended or {}).get("exitCode") or 0)
        named = wanted.get("containerName") in (None, status["name"])
        if ended and code and named and (code in wanted["values"]) == (wanted["operator"] == "In"):
            return status
    return None
