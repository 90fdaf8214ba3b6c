"""Pods that run as whose they are, on a test cluster: as people, programs and controllers make them."""

from __future__ import annotations

import pytest

from skerry.kube.errors import Forbidden
from skerry.kube.objects import Obj, labels_of
from skerry.kube.resources import DEPLOYMENTS, NAMESPACES, PODS
from skerry.platform.identity.types import USERS
from skerry.platform.projects.types import PROJECTS
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until

_CONTAINER = {"name": "c", "image": "x", "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}}}


def pod(name: str, **container: object) -> Obj:
    return {"metadata": {"name": name}, "spec": {"containers": [{**_CONTAINER, **container}]}}


def runs_as(obj: Obj) -> tuple[int, int, int]:
    said = obj["spec"]["securityContext"]
    return said["runAsUser"], said["runAsGroup"], said["fsGroup"]


async def person(running: RunningPlatform, name: str, **numbers: int) -> None:
    await running.admin.create(USERS, {"metadata": {"name": name}, "spec": {"username": name, **numbers}})


async def labelled(running: RunningPlatform, value: str | None) -> None:
    async def is_so() -> bool:
        found = [one for one in (await running.admin.list(NAMESPACES)).items if one["metadata"]["name"] == "lidar"]
        return bool(found) and labels_of(found[0]).get("skerry.dev/run-as") == value

    await until(is_so, f"the namespace says {value}")


async def test_pods_run_as_whose_they_are_when_the_project_asks() -> None:
    async with running_platform() as running:
        admin, anna, ben = running.admin, running.as_user("anna"), running.as_user("ben")
        await person(running, "anna", uidNumber=1042, gidNumber=100)
        await person(running, "ben")
        members = [{"user": "ben", "role": "editor"}]
        loose = {"podSecurity": "privileged"}
        spec = {"owner": "anna", "members": members, "overrides": loose}
        await admin.create(PROJECTS, {"metadata": {"name": "lidar"}, "spec": spec})
        await labelled(running, None)
        await until(lambda: _may_write(running), "members may write")
        await anna.patch(PROJECTS, "lidar", {"spec": {"runAs": "Person"}})
        await labelled(running, "person")
        with pytest.raises(Forbidden, match=r"only operators change spec\.runAs"):
            await anna.patch(PROJECTS, "lidar", {"spec": {"runAs": "Manifest"}})

        made = await anna.create(PODS, pod("mine", securityContext={"runAsUser": 0}), "lidar")
        assert runs_as(made) == (1042, 100, 100)
        assert made["spec"]["containers"][0]["securityContext"]["runAsUser"] == 1042
        extra = {"spec": {"ephemeralContainers": [{"name": "e", "image": "x", "securityContext": {"runAsUser": 0}}]}}
        with pytest.raises(
            Forbidden, match="pods of this project run as 1042:100, whose they are: container e runs as 0:100"
        ):
            await anna.patch(PODS, "mine", extra, "lidar", subresource="ephemeralcontainers", kind="strategic")

        with pytest.raises(Forbidden, match="ben has no uidNumber and gidNumber: the directory where"):
            await ben.create(PODS, pod("his"), "lidar")
        with pytest.raises(Forbidden, match="and system:serviceaccount:lidar:skerry-deployer is none"):
            deployer = running.admin.acting_as("system:serviceaccount:lidar:skerry-deployer")
            await deployer.create(PODS, pod("its"), "lidar")

        template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [_CONTAINER]}}
        wanted = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
        await anna.create(DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": wanted}, "lidar")

        async def theirs() -> bool:
            pods = (await admin.list(PODS, "lidar")).items
            return [runs_as(one) for one in pods if labels_of(one).get("app")] == [(1042, 100, 100)]

        await until(theirs, "what a controller makes runs as whose the Deployment is")


async def _may_write(running: RunningPlatform) -> bool:
    try:
        for name in ("anna", "ben"):
            await running.as_user(name).list(PODS, "lidar")
        await running.admin.acting_as("system:serviceaccount:lidar:skerry-deployer").list(PODS, "lidar")
    except Forbidden:
        return False
    return True
