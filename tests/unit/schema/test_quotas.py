"""The rules of ResourceQuota and LimitRange, with Kubernetes' words and field paths."""

from __future__ import annotations

import pytest

from skerry.engine.schema.kinds.core.limit_range import LimitRangeStrategy
from skerry.engine.schema.kinds.core.resource_quota import ResourceQuotaStrategy
from skerry.kube.objects import Obj

SCOPES = "spec.scopeSelector.matchExpressions"


def quota(hard: dict[str, str] | None = None, *scopes: str, **expression: object) -> Obj:
    spec: Obj = {"hard": hard or {}, "scopes": list(scopes)}
    if expression:
        spec["scopeSelector"] = {"matchExpressions": [expression]}
    return {"metadata": {"name": "q"}, "spec": spec}


@pytest.mark.parametrize(
    "fine",
    [
        quota({"pods": "3", "requests.nvidia.com/gpu": "2", "count/jobs.batch": "1", "requests.hugepages-2Mi": "4Mi"}),
        quota({"gold.storageclass.storage.k8s.io/requests.storage": "1Gi", "limits.memory": "1.5Gi"}),
        quota({"pods": "1", "cpu": "1"}, "NotBestEffort", "Terminating"),
        quota({"pods": "1"}, scopeName="PriorityClass", operator="In", values=["a"]),
    ],
)
def test_quotas_that_are_fine(fine: Obj) -> None:
    assert ResourceQuotaStrategy().validate(fine) == []


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        (quota({"gpu": "1"}), "spec.hard[gpu]", "must be a standard resource for quotas"),
        (quota({"pods": "-1"}), "spec.hard[pods]", "must be greater than or equal to 0"),
        (quota({"pods": "1500m"}), "spec.hard[pods]", "must be an integer"),
        (quota({}, "Nowhere"), "spec.scopes", "unsupported scope"),
        (quota({"cpu": "1"}, "BestEffort"), "spec.scopes", "unsupported scope applied to resource"),
        (quota({}, "BestEffort", "NotBestEffort"), "spec.scopes", "conflicting scopes"),
        (quota({}, scopeName="PriorityClass", operator="In"), f"{SCOPES}.values", "must be at least one value"),
        (quota({}, scopeName="BestEffort", operator="In", values=["x"]), f"{SCOPES}.operator", "must be 'Exist'"),
        (quota({}, scopeName="PriorityClass", operator="Is"), f"{SCOPES}.operator", "not a valid selector operator"),
    ],
)
def test_quotas_that_are_not(wrong: Obj, field: str, message: str) -> None:
    causes = {cause.field: cause.message for cause in ResourceQuotaStrategy().validate(wrong)}
    assert message in causes[field]


def test_scopes_stay() -> None:
    (cause,) = ResourceQuotaStrategy().validate_update(quota({}, "BestEffort"), quota())
    assert (cause.field, cause.message) == ("spec.scopes", 'Invalid value: ["BestEffort"]: field is immutable')


def limits(**item: object) -> Obj:
    return {"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", **item}]}}


def test_defaults_follow_from_bounds() -> None:
    obj = limits(max={"cpu": "2"}, min={"cpu": "1", "memory": "1Mi"}, default={"memory": "1Gi"})
    LimitRangeStrategy().default(obj)
    (item,) = obj["spec"]["limits"]
    assert item["default"] == {"cpu": "2", "memory": "1Gi"}
    assert item["defaultRequest"] == {"cpu": "2", "memory": "1Gi"}
    assert LimitRangeStrategy().validate(obj) == []


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        (limits(type="Thing"), "type", "must be a standard limit type or fully qualified"),
        (limits(type="Pod", default={"cpu": "1"}), "default", "may not be specified when `type` is 'Pod'"),
        (limits(type="PersistentVolumeClaim"), "limits", "either minimum or maximum storage value is required"),
        (limits(min={"cpu": "2"}, max={"cpu": "1"}), "min[cpu]", "min value 2 is greater than max value 1"),
        (
            limits(default={"cpu": "1"}, defaultRequest={"cpu": "1500m"}),
            "defaultRequest[cpu]",
            'Invalid value: "1500m": default request value 1500m is greater than default limit value 1',
        ),
        (limits(maxLimitRequestRatio={"cpu": "500m"}), "maxLimitRequestRatio[cpu]", "ratio 500m is less than 1"),
        (
            limits(min={"cpu": "1"}, max={"cpu": "2"}, maxLimitRequestRatio={"cpu": "3"}),
            "maxLimitRequestRatio[cpu]",
            "ratio 3 is greater than max/min = 2.000000",
        ),
        (limits(max={"gpu": "1"}), "max[gpu]", "must be a standard limit resource type or fully qualified"),
    ],
)
def test_limits_that_are_not_fine(wrong: Obj, field: str, message: str) -> None:
    causes = {cause.field: cause.message for cause in LimitRangeStrategy().validate(wrong)}
    assert message in causes[f"spec.limits[0].{field}"]


def test_one_item_per_type() -> None:
    twice = limits()
    twice["spec"]["limits"] *= 2
    (cause,) = LimitRangeStrategy().validate(twice)
    assert (cause.field, cause.message) == ("spec.limits[1].type", 'Duplicate value: "Container"')
