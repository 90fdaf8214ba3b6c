"""Projects on a test cluster: what they come to."""

from __future__ import annotations

from skerry.kube.conditions import condition_is_true
from skerry.kube.resources import NAMESPACES
from skerry.platform.projects.types import PROJECT_LABEL, PROJECTS, TIERS
from tests.support.platform import running_platform
from tests.support.waiting import until


async def test_a_project_has_its_namespaces() -> None:
    async with running_platform() as running:
        assert {one["metadata"]["name"] for one in (await running.admin.list(TIERS)).items} == {"free", "guaranteed"}
        project = {"metadata": {"name": "lidar"}, "spec": {"owner": "anna", "namespaces": ["lidar", "lidar-test"]}}
        await running.admin.create(PROJECTS, {"apiVersion": "skerry.dev/v1alpha1", "kind": "Project", **project})

        async def is_ready() -> bool:
            return condition_is_true(await running.admin.get(PROJECTS, "lidar"), "Ready")

        await until(is_ready, "ready")
        made = await running.admin.get(NAMESPACES, "lidar-test")
        assert made["metadata"]["labels"][PROJECT_LABEL] == "lidar"
