"""Whether a Job is over, and why. Pure. Source: `syncJob` in Kubernetes' `job_controller.go`, `success_policy.go`.

A verdict is first written as SuccessCriteriaMet or FailureTarget; Complete or Failed follows when all pods are gone and
counted. Once written it stands.
"""

from __future__ import annotations

from typing import NamedTuple

from skerry.engine.controllers.job.facts import is_failed, is_indexed, is_suspended, restarts_of
from skerry.engine.controllers.job.failure_policy import handling
from skerry.engine.controllers.job.indexes import Indexes
from skerry.engine.controllers.job.tally import Situation, Tally
from skerry.engine.controllers.pods import phase_of
from skerry.kube.clock import parse_time
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj


class Verdict(NamedTuple):
    """How it ends, as the conditions say it."""

    success: bool
    reason: str
    message: str

    @property
    def interim(self) -> str:
        """The type of the condition while pods are still there."""
        return "SuccessCriteriaMet" if self.success else "FailureTarget"

    @property
    def final(self) -> str:
        """The type of the condition in the end."""
        return "Complete" if self.success else "Failed"


REACHED = Verdict(True, "CompletionsReached", "Reached expected number of succeeded pods")


def verdict(situation: Situation, tally: Tally) -> Verdict | None:
    """None while the Job goes on."""
    job = situation.job
    return (
        _written(job, "SuccessCriteriaMet", success=True)
        or _written(job, "FailureTarget", success=False)
        or _by_failure_policy(situation)
        or _by_limits(situation, tally)
        or _by_indexes(job, tally)
        or _by_success_policy(job, tally)
    )


def is_complete(job: Obj, succeeded: int, active: int) -> bool:
    """Whether all that was to be done is: with no number of completions, one success and nothing that still runs."""
    completions = job["spec"].get("completions")
    return active == 0 and (succeeded > 0 if completions is None else succeeded >= completions)


def seconds_to_deadline(situation: Situation) -> float | None:
    """Until `spec.activeDeadlineSeconds` is over, 0 when it is; None without one or while nothing may run."""
    deadline = situation.job["spec"].get("activeDeadlineSeconds")
    if deadline is None or is_suspended(situation.job):
        return None
    started = (situation.job.get("status") or {}).get("startTime")
    elapsed = (situation.now - parse_time(started)).total_seconds() if started else 0.0
    return max(0.0, float(deadline) - elapsed)


def _written(job: Obj, type_: str, *, success: bool) -> Verdict | None:
    condition = condition_of(job, type_)
    if condition is None or condition.get("status") != "True":
        return None
    return Verdict(success, condition.get("reason", ""), condition.get("message", ""))


def _by_failure_policy(situation: Situation) -> Verdict | None:
    job = situation.job
    if not job["spec"].get("podFailurePolicy"):
        return None
    found = (handling(job, pod) for pod in situation.pods if is_failed(pod, job))
    failing = next((one for one in found if one.action == "FailJob"), None)
    return Verdict(False, "PodFailurePolicy", failing.message) if failing is not None else None


def _by_limits(situation: Situation, tally: Tally) -> Verdict | None:
    job = situation.job
    if tally.failed > int(job["spec"]["backoffLimit"]) or _restarted_too_often(situation):
        return Verdict(False, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    started = (job.get("status") or {}).get("startTime")
    if started and seconds_to_deadline(situation) == 0:
        return Verdict(False, "DeadlineExceeded", "Job was active longer than specified deadline")
    return None


def _restarted_too_often(situation: Situation) -> bool:
    """Containers that their node starts again count as the pods would that replace them."""
    spec = situation.job["spec"]
    if spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts = sum(restarts_of(pod) for pod in situation.pods if phase_of(pod) in ("Running", "Pending"))
    return restarts > 0 and restarts >= int(spec["backoffLimit"])


def _by_indexes(job: Obj, tally: Tally) -> Verdict | None:
    failed = tally.failed_indexes
    if not failed:
        return None
    most = job["spec"].get("maxFailedIndexes")
    if most is not None and len(failed) > most:
        message = "Job has exceeded the specified maximal number of failed indexes"
        return Verdict(False, "MaxFailedIndexesExceeded", message)
    if len(failed) + len(tally.completed) >= int(job["spec"]["completions"]):
        return Verdict(False, "FailedIndexes", "Job has failed indexes")
    return None


def _by_success_policy(job: Obj, tally: Tally) -> Verdict | None:
    policy = job["spec"].get("successPolicy")
    if not policy or not is_indexed(job) or not tally.completed:
        return None
    for index, rule in enumerate(policy.get("rules") or ()):
        if _is_met(rule, int(job["spec"]["completions"]), tally.completed):
            return Verdict(True, "SuccessPolicy", f"Matched rules at index {index}")
    return None


def _is_met(rule: Obj, completions: int, completed: Indexes) -> bool:
    count = rule.get("succeededCount")
    if rule.get("succeededIndexes") is None:
        return count is not None and len(completed) >= count
    wanted = Indexes.parse(rule["succeededIndexes"], completions)
    common = wanted.overlap(completed)
    return bool(wanted) and (common == len(wanted) or (count is not None and common >= count))
