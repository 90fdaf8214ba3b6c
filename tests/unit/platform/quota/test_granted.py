"""What a project is granted, ready to be counted with."""

from __future__ import annotations

import pytest

from skerry.kube.objects import Obj
from skerry.platform.projects.quota.granted import Ungranted, allowance


def _tier(quota: Obj, version: str = "1") -> Obj:
    limits = {"default": {"cpu": "1", "memory": "1Gi"}, "defaultRequest": {"cpu": "100m"}}
    spec = {"quota": quota, "budgets": {"cpuHours": 500, "gpuHours": 1}, "limits": limits}
    return {"metadata": {"name": "free", "uid": f"{quota}", "resourceVersion": version}, "spec": spec}


def _project(**overrides: object) -> Obj:
    metadata = {"name": "lidar", "uid": f"{overrides}", "resourceVersion": "1"}
    return {"metadata": metadata, "spec": {"owner": "anna", "tier": "free", "overrides": overrides}}


def test_overrides_say_it_instead_of_the_tier() -> None:
    project = _project(quota={"pods": 50, "requests.nvidia.com/gpu": "2"}, budgets={"cpuHours": 900})
    found = allowance(project, _tier({"pods": "20", "limits.memory": "4096Mi"}))
    assert {name: str(value) for name, value in found.hard.items()} == {
        "pods": "50",
        "requests.nvidia.com/gpu": "2",
        "limits.memory": "4Gi",
    }
    assert found.hours == {"cpuHours": 900.0, "gpuHours": 1.0}
    assert found.requests == {"cpu": "100m", "memory": "1Gi"}


def test_what_is_changed_is_not_remembered() -> None:
    project = _project()
    assert allowance(project, _tier({"pods": "1"}, "1")).hard["pods"].value == 1
    changed = _tier({"pods": "2"}, "2")
    changed["metadata"]["uid"] = "{'pods': '1'}"
    assert allowance(project, changed).hard["pods"].value == 2


def test_what_cannot_be_said_grants_nothing() -> None:
    with pytest.raises(
        Ungranted, match=r"project lidar is of tier free, which does not exist: an operator has to make"
    ):
        allowance(_project(), None)
    with pytest.raises(Ungranted, match="what project lidar is granted cannot be read"):
        allowance(_project(), _tier({"pods": "many"}))
