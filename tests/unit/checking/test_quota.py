"""Check "quota": sums over what is asked for, without what is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skerry.checking.facts import Facts, Key, Space
from skerry.kube.objects import Obj, Resource
from tests.unit.checking.objects import deployment, found

_RESOURCES = {
    ("apps/v1", "Deployment"): Resource("apps", "v1", "deployments", "Deployment"),
    ("apps/v1", "StatefulSet"): Resource("apps", "v1", "statefulsets", "StatefulSet"),
    ("v1", "PersistentVolumeClaim"): Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
}


def quota(used: dict[str, str], **hard: str) -> Obj:
    names = {name.replace("_", "."): value for name, value in hard.items()}
    return {"metadata": {"name": "q"}, "spec": {"hard": names}, "status": {"hard": names, "used": used}}


def facts(
    *quotas: Obj, project: Obj | None = None, limits: tuple[Obj, ...] = (), current: Mapping[Key, Obj] | None = None
) -> Facts:
    space = Space(True, {}, quotas, [{"spec": {"limits": limits}}], project)
    spaces = {"default": space, "other": Space(True, {}, (), (), project)}
    return Facts("default", True, spaces, resources=_RESOURCES, current=current or {})


def claim(storage: str, name: str = "data") -> Obj:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def test_what_fits_and_what_does_not() -> None:
    """Two pods of 1 CPU at most."""
    fits = facts(quota({"limits.cpu": "1"}, limits_cpu="3", pods="9"))
    assert found("quota", deployment(), facts=fits) == []
    tight = facts(quota({"limits.cpu": "1500m"}, limits_cpu="3"))
    assert found("quota", deployment(), facts=tight) == [
        "Error: Deployment web: limits.cpu: 2 more are asked for, 1500m of 3 are used in quota q of namespace default: "
        "1500m are left (ask for less, stop what you do not need)"
    ]
    assert found("quota", deployment(), deployment(), facts=fits) != []
    assert found("quota", deployment()) == []


def test_an_upgrade_asks_for_the_difference() -> None:
    there = deployment() | {"status": {"replicas": 2}}
    full = quota({"limits.cpu": "2", "count/deployments.apps": "1"}, limits_cpu="2", **{"count/deployments_apps": "1"})
    key = ("apps/v1", "Deployment", "default", "web")
    assert found("quota", deployment(), facts=facts(full, current={key: there})) == []
    waiting = deployment() | {"status": {"replicas": 0}}
    assert len(found("quota", deployment(), facts=facts(full, current={key: waiting}))) == 1
    assert "count/deployments.apps" in "".join(found("quota", deployment(), facts=facts(full)))


def test_projects_have_one_number_for_all_their_namespaces() -> None:
    amounts = {"requests.storage": {"used": "4Gi", "hard": "10Gi"}}
    lidar: dict[str, Any] = {"metadata": {"name": "lidar"}, "status": {"quota": amounts}}
    here, there = claim("4Gi"), claim("3Gi")
    there["metadata"]["namespace"] = "other"
    known = facts(project=lidar)
    assert found("quota", here, facts=known) == []
    assert found("quota", here, there, facts=known) == [
        "Error: PersistentVolumeClaim data: requests.storage: 7Gi more are asked for, 4Gi of 10Gi are used in project "
        "lidar: 6Gi are left (ask for less, stop what you do not need, or: skerry requests create quota lidar "
        "--set requests.storage=11Gi)"
    ]


def test_claims_of_sets_count_by_pod() -> None:
    pods = deployment()
    volumes = {"volumeClaimTemplates": [claim("2Gi")], "replicas": 3, "serviceName": "web"}
    stateful = pods | {"kind": "StatefulSet", "spec": pods["spec"] | volumes}
    (said,) = found("quota", stateful, facts=facts(quota({}, requests_storage="5Gi")))
    assert "requests.storage: 6Gi more are asked for" in said


def test_limit_ranges_give_defaults_and_bounds() -> None:
    given = {"type": "Container", "default": {"cpu": "500m"}, "defaultRequest": {"cpu": "100m"}, "max": {"cpu": "1"}}
    silent = deployment({"resources": {}})
    assert found("quota", silent, facts=facts(quota({}, limits_cpu="1"), limits=(given,))) == []
    (refused,) = found("quota", silent, facts=facts(quota({}, limits_cpu="1")))
    assert refused.startswith("Error: Deployment web: must specify limits.cpu for: web")
    greedy = deployment({"resources": {"limits": {"cpu": "2"}}})
    (bound,) = found("quota", greedy, facts=facts(limits=(given,)))
    assert "maximum cpu usage per Container is 1, but limit is 2" in bound


def test_scopes_choose_pods() -> None:
    scoped = quota({}, pods="1")
    scoped["spec"]["scopes"] = ["BestEffort"]
    assert found("quota", deployment(), facts=facts(scoped)) == []
    assert len(found("quota", deployment({"resources": {}}), facts=facts(scoped))) == 1
