"""Jobs, CronJobs and autoscalers: what they may say, in Kubernetes' words, what may change, what a status may be."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.schema import validation
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import builtin
from skerry.kube.objects import Obj, copy_of
from tests.unit.schema.objects import by_field, changed, created, problems

REGISTRY = builtin()
TEMPLATE = {"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}]}}
INDEXED = {"completionMode": "Indexed", "completions": 3, "parallelism": 3}


def kind(group: str, version: str, plural: str) -> Kind:
    found = REGISTRY.kind(group, version, plural)
    assert found is not None
    return found


JOBS = kind("batch", "v1", "jobs")
CRON_JOBS = kind("batch", "v1", "cronjobs")
AUTOSCALERS = kind("autoscaling", "v2", "horizontalpodautoscalers")


def job(**spec: Any) -> Obj:
    return {"metadata": {"name": "j", "uid": "123"}, "spec": {"template": copy_of(TEMPLATE), **spec}}


def failing(**rule: Any) -> Obj:
    return {"podFailurePolicy": {"rules": [{"action": "FailJob", **rule}]}}


def codes(**given: Any) -> Obj:
    return failing(onExitCodes={"operator": "In", "values": [1], **given})


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"backoffLimit": -1}, "backoffLimit", "must be greater than or equal to 0"),
        ({"completionMode": "Indexed", "parallelism": 2}, "completions", "when completion mode is Indexed"),
        ({"backoffLimitPerIndex": 1}, "backoffLimitPerIndex", "requires indexed completion mode"),
        ({**INDEXED, "maxFailedIndexes": 1}, "backoffLimitPerIndex", "when maxFailedIndexes is specified"),
        (
            {**INDEXED, "backoffLimitPerIndex": 1, "maxFailedIndexes": 4},
            "maxFailedIndexes",
            "must be less than or equal to completions",
        ),
        ({"managedBy": "me"}, "managedBy", "must be a domain-prefixed path"),
        ({"podReplacementPolicy": "Never"}, "podReplacementPolicy", 'supported values: "Failed"'),
        (codes(values=[3, 1]), "podFailurePolicy.rules[0].onExitCodes.values", "must be ordered"),
        (codes(values=[0]), "podFailurePolicy.rules[0].onExitCodes.values[0]", "must not be 0 for the In operator"),
        (codes(values=[1, 1]), "podFailurePolicy.rules[0].onExitCodes.values[1]", "Duplicate value: 1"),
        (
            codes(containerName="x"),
            "podFailurePolicy.rules[0].onExitCodes.containerName",
            "must be one of the container or initContainer names in the pod template",
        ),
        (failing(), "podFailurePolicy.rules[0]", "specifying one of OnExitCodes and OnPodConditions is required"),
        ({"successPolicy": {"rules": [{"succeededCount": 1}]}}, "successPolicy", "requires indexed completion mode"),
        (
            {**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "0,5"}]}},
            "successPolicy.rules[0].succeededIndexes",
            'error parsing succeededIndexes: too large index: "5"',
        ),
        (
            {**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "0-1", "succeededCount": 3}]}},
            "successPolicy.rules[0].succeededCount",
            "must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)",
        ),
        ({"selector": {"matchLabels": {"a": "b"}}}, "selector", "`selector` not auto-generated"),
        ({"manualSelector": True}, "selector", "Required value"),
    ],
)
def test_what_a_job_may_not_say(spec: Obj, field: str, message: str) -> None:
    assert message in problems(JOBS, job(**spec))[f"spec.{field}"]


def test_policies_want_pods_that_are_not_restarted() -> None:
    template = {"spec": {**TEMPLATE["spec"], "restartPolicy": "OnFailure"}}
    found = problems(JOBS, job(template=template, **codes()))
    assert 'only "Never" is supported' in found["spec.template.spec.restartPolicy"]


def test_what_is_right() -> None:
    policy = {"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]}
    made = created(JOBS, job(podFailurePolicy=policy, **INDEXED))
    assert not validation.validate(JOBS, made)
    assert made["spec"]["podFailurePolicy"]["rules"][0]["onPodConditions"][0]["status"] == "True"
    assert made["spec"]["podReplacementPolicy"] == "Failed"
    assert made["metadata"]["labels"] == made["spec"]["template"]["metadata"]["labels"]
    own = job(manualSelector=True, selector={"matchLabels": {"a": "b"}})
    own["spec"]["template"]["metadata"] = {"labels": {"a": "b"}}
    assert not problems(JOBS, own)


def test_host_names_of_indexed_pods_must_fit() -> None:
    long = job(**INDEXED)
    long["metadata"]["name"] = "j" * 62
    assert "will not able to create pod with invalid DNS label" in problems(JOBS, long)["metadata.name"]


def test_indexed_jobs_grow_and_shrink_in_tandem() -> None:
    made = created(JOBS, job(**INDEXED))
    assert not changed(JOBS, made, lambda obj: obj["spec"].update(completions=5, parallelism=5))[1]
    found = changed(JOBS, made, lambda obj: obj["spec"].update(completions=5))[1]
    assert "can only be modified in tandem with spec.parallelism" in found["spec.completions"]
    plain = created(JOBS, job(completions=2))
    assert (
        "field is immutable"
        in changed(JOBS, plain, lambda obj: obj["spec"].update(completions=3))[1]["spec.completions"]
    )


def test_while_it_rests_a_job_may_be_moved() -> None:
    def moved(obj: Obj) -> None:
        obj["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
        obj["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "2"}}

    resting = created(JOBS, job(suspend=True))
    assert not changed(JOBS, resting, moved)[1]
    image = changed(JOBS, resting, lambda obj: obj["spec"]["template"]["spec"]["containers"][0].update(image="app:2"))
    assert image[1]["spec.template"].endswith("field is immutable")
    stopping = {**resting, "status": {"active": 1, "startTime": "2026-05-01T12:00:00Z"}}
    assert "spec.template" in changed(JOBS, stopping, moved)[1]


def is_true(type_: str) -> Obj:
    return {"type": type_, "status": "True"}


START = "2026-05-01T12:00:00Z"
DONE: Obj = {
    "startTime": START, "completionTime": START, "conditions": [is_true("SuccessCriteriaMet"), is_true("Complete")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("before", "status", "field", "message"),
    [
        ({}, {"ready": 2, "active": 1}, "ready", "cannot set more ready pods than active"),
        ({}, {**DONE, "active": 1}, "active", "active>0 is invalid for finished job"),
        (
            {},
            {**DONE, "conditions": [is_true("Complete")]},
            "conditions",
            "without the SuccessCriteriaMet=true condition",
        ),
        ({}, {"startTime": START, "conditions": [is_true("Failed")]}, "conditions", "without the FailureTarget=true"),
        ({}, {"completionTime": START}, "completionTime", "when there is no Complete=True condition"),
        ({}, {"completedIndexes": "1"}, "completedIndexes", "when non-indexed completion mode"),
        ({"failed": 2}, {"failed": 1}, "failed", "cannot decrease the failed counter"),
        ({"startTime": START}, {}, "startTime", "startTime cannot be removed for unsuspended job"),
        (DONE, {"startTime": START}, "conditions", "cannot disable the terminal Complete=True condition"),
        (
            {},
            {"uncountedTerminatedPods": {"succeeded": ["a"], "failed": ["a"]}},
            "uncountedTerminatedPods.failed[0]",
            'Duplicate value: "a"',
        ),
    ],
)
def test_what_a_status_may_not_say(before: Obj, status: Obj, field: str, message: str) -> None:
    old = {**created(JOBS, job()), "status": before}
    found: dict[str, str] = {}
    for cause in validation.validate_update(JOBS, {**copy_of(old), "status": status}, old):
        found[cause.field] = f"{found.get(cause.field, '')} {cause.message}"
    assert message in found[f"status.{field}"]


def test_a_finished_status_is_right() -> None:
    old = created(JOBS, job())
    assert not by_field(validation.validate_update(JOBS, {**copy_of(old), "status": DONE}, old))


def cron_job(**spec: Any) -> Obj:
    body = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": copy_of(TEMPLATE)}}, **spec}
    return {"metadata": {"name": "c"}, "spec": body}


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"schedule": "* * * * 7"}, "schedule", "end of range (7) above maximum (6): 7"),
        (
            {"schedule": "TZ=UTC 0 3 * * *"},
            "schedule",
            "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
        ),
        ({"timeZone": ""}, "timeZone", "timeZone must be nil or non-empty string"),
        ({"timeZone": "Local"}, "timeZone", "timeZone must be an explicit time zone as defined in"),
        ({"timeZone": "Nowhere/Else"}, "timeZone", "unknown time zone Nowhere/Else"),
        ({"timeZone": "../etc/passwd"}, "timeZone", "unknown time zone ../etc/passwd"),
        ({"concurrencyPolicy": "Maybe"}, "concurrencyPolicy", "Unsupported value"),
        ({"startingDeadlineSeconds": -1}, "startingDeadlineSeconds", "must be greater than or equal to 0"),
    ],
)
def test_what_a_cron_job_may_not_say(spec: Obj, field: str, message: str) -> None:
    assert message in problems(CRON_JOBS, cron_job(**spec))[f"spec.{field}"]


def test_a_cron_job_does_not_choose_its_pods() -> None:
    spec = {"template": copy_of(TEMPLATE), "selector": {"matchLabels": {"a": "b"}}, "manualSelector": True}
    found = problems(CRON_JOBS, cron_job(jobTemplate={"spec": spec}))
    assert "`selector` will be auto-generated" in found["spec.jobTemplate.spec.selector"]
    assert 'supported values: "false", "nil"' in found["spec.jobTemplate.spec.manualSelector"]
    assert not problems(CRON_JOBS, cron_job(timeZone="Europe/Berlin"))


def autoscaler(**spec: Any) -> Obj:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {"metadata": {"name": "h"}, "spec": {"scaleTargetRef": target, "maxReplicas": 3, **spec}}


def cpu(**target: Any) -> Obj:
    return {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]}


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"minReplicas": 0}, "minReplicas", "must be greater than or equal to 1"),
        (
            {"metrics": [{"type": "Resource"}]},
            "metrics[0].resource",
            "must populate information for the given metric source",
        ),
        (
            cpu(type="Utilization"),
            "metrics[0].resource.target.averageUtilization",
            "must set either a target raw value",
        ),
        (
            cpu(type="Much", averageUtilization=1),
            "metrics[0].resource.target.type",
            "must be either Utilization, Value",
        ),
        ({"behavior": {"scaleUp": {"policies": []}}}, "behavior.scaleUp.policies", "must specify at least one Policy"),
        (
            {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 4000}}},
            "behavior.scaleDown.stabilizationWindowSeconds",
            "must be less than or equal to 3600",
        ),
    ],
)
def test_what_an_autoscaler_may_not_say(spec: Obj, field: str, message: str) -> None:
    assert message in problems(AUTOSCALERS, autoscaler(**spec))[f"spec.{field}"]


def test_a_part_of_a_behavior_has_defaults_for_the_rest() -> None:
    made = created(AUTOSCALERS, autoscaler(behavior={"scaleDown": {"selectPolicy": "Disabled"}}))
    behavior = made["spec"]["behavior"]
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert [policy["type"] for policy in behavior["scaleUp"]["policies"]] == ["Pods", "Percent"]
    assert behavior["scaleDown"]["selectPolicy"] == "Disabled"
    assert behavior["scaleDown"]["policies"] == [{"type": "Percent", "value": 100, "periodSeconds": 15}]
    assert not validation.validate(AUTOSCALERS, made)
