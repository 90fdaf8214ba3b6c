"""Projects on a test cluster: what they come to, how they change, how they end."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.kube.conditions import condition_of
from skerry.kube.errors import Forbidden, Invalid, NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import (
    CLUSTER_ROLES,
    NAMESPACES,
    NETWORK_POLICIES,
    PRIORITY_CLASSES,
    RESOURCE_QUOTAS,
    ROLE_BINDINGS,
    SECRETS,
    SERVICE_ACCOUNTS,
)
from skerry.platform.projects.types import PROJECT_LABEL, PROJECT_REQUESTS, PROJECTS, PULL_SECRETS, TIERS
from tests.support.lagging import lag
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until, until_raises


def project(name: str, **spec: Any) -> Obj:
    """A Project of anna's."""
    whole = {"owner": "anna", **spec}
    return {"apiVersion": PROJECTS.api_version, "kind": "Project", "metadata": {"name": name}, "spec": whole}


async def until_says(running: RunningPlatform, name: str, reason: str) -> str:
    """Wait until the condition Ready has this reason and is about the present spec; its message."""

    async def says() -> Obj | None:
        found = await running.admin.get(PROJECTS, name)
        ready = condition_of(found, "Ready")
        current = ready is not None and ready["observedGeneration"] == found["metadata"]["generation"]
        return ready if ready is not None and current and ready["reason"] == reason else None

    said = await until(says, f"{name}: {reason}")
    assert said is not None
    return str(said["message"])


async def test_a_project_comes_to_namespaces_with_everything_in_them() -> None:
    async with running_platform() as running:
        admin = running.admin
        assert {one["metadata"]["name"] for one in (await admin.list(TIERS)).items} == {"free", "guaranteed"}
        secret = {
            "metadata": {"name": "hub", "labels": {"skerry.dev/pull-secret": ""}},
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": '{"auths":{}}'},
        }
        await admin.create(SECRETS, secret, PULL_SECRETS)
        members = [{"user": "ben", "role": "editor"}, {"group": "readers", "role": "viewer"}]
        await admin.create(PROJECTS, project("lidar", namespaces=["lidar", "lidar-test"], members=members))
        await until_says(running, "lidar", "Ready")

        labels = (await admin.get(NAMESPACES, "lidar-test"))["metadata"]["labels"]
        assert labels[PROJECT_LABEL] == "lidar"
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        quota = await admin.get(RESOURCE_QUOTAS, "skerry", "lidar-test")
        assert quota["spec"]["hard"]["limits.memory"] == "4Gi"
        assert (await admin.get(NETWORK_POLICIES, "skerry-isolation", "lidar"))["spec"]["podSelector"] == {}
        bound = await admin.get(ROLE_BINDINGS, "skerry-editor", "lidar")
        assert [one["name"] for one in bound["subjects"]] == ["ben", "skerry:project:lidar:editor"]
        account = await admin.get(SERVICE_ACCOUNTS, "default", "lidar")
        assert account["imagePullSecrets"] == [{"name": "skerry-pull-hub"}]
        assert (await admin.get(SECRETS, "skerry-pull-hub", "lidar"))["data"]
        assert (await running.as_user("ben").get(PROJECTS, "lidar"))["spec"]["owner"] == "anna"

        change = {"spec": {"members": [], "tier": "guaranteed", "overrides": {"quota": {"pods": "0.5k"}}}}
        await admin.patch(PROJECTS, "lidar", change)
        await until_says(running, "lidar", "Ready")
        quota = await admin.get(RESOURCE_QUOTAS, "skerry", "lidar")
        assert quota["spec"]["hard"]["pods"] == "500"
        await until(lambda: _has_programs_only(admin), "ben is out")
        await until(lambda: _tell_by_themselves(admin), "who says what of the status")
        await until_raises(NotFound, lambda: admin.get(CLUSTER_ROLES, "skerry:project:lidar:editor"))
        assert (await admin.get(PRIORITY_CLASSES, "skerry-tier-guaranteed"))["value"] == 1000

        await admin.delete(RESOURCE_QUOTAS, "skerry", "lidar")

        async def made_again() -> bool:
            return bool((await admin.list(RESOURCE_QUOTAS, "lidar")).items)

        await until(made_again)

        await admin.delete(PROJECTS, "lidar")
        await until_raises(NotFound, lambda: admin.get(PROJECTS, "lidar"))
        await until_raises(NotFound, lambda: admin.get(NAMESPACES, "lidar-test"))
        await until_raises(NotFound, lambda: admin.get(CLUSTER_ROLES, "skerry:project:lidar:owner"))


async def test_a_project_that_is_ready_names_what_was_made_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lag(monkeypatch, NAMESPACES, seconds=3.0)
    async with running_platform() as running:
        await running.admin.create(PROJECTS, project("lidar", namespaces=["lidar", "lidar-test"]))
        await until_says(running, "lidar", "Ready")
        assert (await running.admin.get(PROJECTS, "lidar"))["status"]["namespaces"] == ["lidar", "lidar-test"]


async def _tell_by_themselves(admin: HttpClient) -> bool:
    """Parts of the status have owners of their own, so that none of them waits for another."""
    entries = (await admin.get(PROJECTS, "lidar"))["metadata"]["managedFields"]
    owned = {
        one["manager"]: set(one["fieldsV1"]["f:status"])
        for one in entries
        if one["operation"] == "Apply" and one.get("subresource") == "status"
    }
    names, quota = owned.get("skerry-projects", set()), owned.get("skerry-quota", set())
    return "f:namespaces" in names - quota and "f:quota" in quota - names


async def test_a_project_that_cannot_be_says_why() -> None:
    async with running_platform() as running:
        admin = running.admin
        await admin.create(NAMESPACES, {"metadata": {"name": "theirs"}})
        await admin.create(PROJECTS, project("lidar", tier="gold", namespaces=["lidar", "theirs", "kube-public"]))
        assert await until_says(running, "lidar", "TierMissing") == (
            "there is no tier gold: an operator makes it, or sets spec.tier to free or guaranteed"
        )
        await admin.patch(PROJECTS, "lidar", {"spec": {"tier": "free"}})
        said = await until_says(running, "lidar", "NamespaceTaken")
        assert said.startswith("theirs, kube-public: there is a namespace of that name that is not this project's")
        assert PROJECT_LABEL not in (await admin.get(NAMESPACES, "theirs"))["metadata"]["labels"]
        assert await admin.get(RESOURCE_QUOTAS, "skerry", "lidar")

        await admin.patch(PROJECTS, "lidar", {"spec": {"namespaces": ["lidar", "theirs"]}})
        await admin.patch(NAMESPACES, "theirs", {"metadata": {"labels": {PROJECT_LABEL: "lidar"}}})
        await until_says(running, "lidar", "Ready")
        assert await admin.get(RESOURCE_QUOTAS, "skerry", "theirs")

        # taken out of it again, it is nobody's: its people lose it
        await admin.patch(PROJECTS, "lidar", {"spec": {"namespaces": ["lidar"]}})
        await admin.patch(NAMESPACES, "theirs", {"metadata": {"labels": {PROJECT_LABEL: None}}})

        async def is_bare() -> bool:
            return not (await admin.list(ROLE_BINDINGS, "theirs")).items

        await until(is_bare, "released")
        await until_raises(NotFound, lambda: admin.get(RESOURCE_QUOTAS, "skerry", "theirs"))


async def test_what_cannot_be_is_refused_when_it_is_written() -> None:
    """One that nobody can read would keep everybody's requests from being looked at."""
    async with running_platform() as running:
        admin = running.admin
        for bad, said in (
            ({"quota": {"requests.cpu": "abc"}}, "spec.quota.requests.cpu"),
            ({"quota": {"requests.cpu": "-1"}}, "spec.quota.requests.cpu"),
            ({"quota": {"pods": -1}}, "greater than or equal to 0"),
            ({"limits": {"max": {"cpu": "much"}}}, "spec.limits.max.cpu"),
            ({"idle": {"afterHours": 2, "cpu": "none"}}, "spec.idle.cpu"),
            ({"egress": ["everywhere"]}, "spec.egress names networks, such as 10.0.0.0/8"),
        ):
            with pytest.raises(Invalid, match=said):
                await admin.create(TIERS, {"metadata": {"name": "bad"}, "spec": bad})
        fine = {"quota": {"pods": 5, "requests.cpu": "0.5", "requests.memory": "1Gi"}, "egress": ["10.0.0.0/8"]}
        await admin.create(TIERS, {"metadata": {"name": "fine"}, "spec": fine})
        with pytest.raises(Invalid, match=r"spec\.overrides\.quota\.requests\.cpu"):
            await admin.create(PROJECTS, project("lidar", overrides={"quota": {"requests.cpu": "abc"}}))
        asked = {"kind": "Quota", "project": "lidar", "quota": {"requests.cpu": "-3"}}
        with pytest.raises((Invalid, Forbidden), match=r"spec\.quota\.requests\.cpu"):
            await admin.create(PROJECT_REQUESTS, {"metadata": {"name": "less"}, "spec": asked})


async def _has_programs_only(admin: HttpClient) -> bool:
    bound = await admin.get(ROLE_BINDINGS, "skerry-editor", "lidar")
    return [one["name"] for one in bound["subjects"]] == ["skerry:project:lidar:editor"]
