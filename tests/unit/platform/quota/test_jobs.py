"""Jobs whose deadline allows them more than is left of a budget."""

from __future__ import annotations

import pytest

from skerry.kube.objects import Obj
from skerry.platform.projects.quota.jobs import hours_of, too_long

HOUR = 3600


def _job(resources: Obj, pod: Obj | None = None, **spec: int) -> Obj:
    containers = [{"name": "main", "resources": resources}]
    return {"spec": {**spec, "template": {"spec": {"containers": containers, **(pod or {})}}}}


TWO = {"requests": {"cpu": "2"}}


@pytest.mark.parametrize(
    ("job", "hours"),
    [
        (_job(TWO), {}),  # nothing ends it
        (_job(TWO, activeDeadlineSeconds=HOUR), {"cpuHours": 2}),
        (_job(TWO, activeDeadlineSeconds=HOUR, parallelism=3, completions=10), {"cpuHours": 6}),
        (_job(TWO, activeDeadlineSeconds=HOUR, parallelism=30, completions=2), {"cpuHours": 4}),
        (_job(TWO, activeDeadlineSeconds=HOUR, parallelism=5), {"cpuHours": 10}),
        (_job(TWO, activeDeadlineSeconds=HOUR, parallelism=0), {"cpuHours": 2}),  # it may be raised
        (_job(TWO, {"activeDeadlineSeconds": HOUR}, completions=10), {"cpuHours": 20}),
        (_job(TWO, {"activeDeadlineSeconds": HOUR}, completions=10, activeDeadlineSeconds=HOUR), {"cpuHours": 2}),
        (_job({}, activeDeadlineSeconds=HOUR), {"cpuHours": 0.5}),  # the tier's default
        (_job({"limits": {"cpu": "3"}}, activeDeadlineSeconds=HOUR), {"cpuHours": 3}),
        (
            _job({"requests": {"cpu": "1", "nvidia.com/gpu": "4", "example.com/key": "1"}},
                 activeDeadlineSeconds=HOUR),
            {"cpuHours": 1, "gpuHours": 4},
        ),
    ],
)  # fmt: skip
def test_the_most_that_a_job_may_use(job: Obj, hours: dict[str, float]) -> None:
    assert hours_of(job, {"cpu": "500m"}) == hours


def test_a_job_that_does_not_fit_what_is_left_is_told_so() -> None:
    limits, spent = {"cpuHours": 500.0, "gpuHours": 10.0}, {"cpuHours": 480.0}
    assert too_long("lidar", {"cpuHours": 20}, limits, spent) == ""
    assert too_long("lidar", {"gpuHours": 99}, {"cpuHours": 500.0}, spent) == ""
    assert too_long("lidar", {"cpuHours": 24, "gpuHours": 5}, limits, spent) == (
        "project lidar: this Job's deadline allows it more than is left of the budget: "
        "up to 24 cpu-hours, left 20 of 500. "
        "Give it a shorter activeDeadlineSeconds, fewer pods at once or smaller requests. "
        "To ask for more: skerry requests create quota lidar --cpu-hours 504 --reason '...'"
    )
    assert "left 0 of 500" in too_long("lidar", {"cpuHours": 1}, limits, {"cpuHours": 501.0})
