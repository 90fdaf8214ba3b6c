"""The examples of the pages about tiers, projects and working in one, as they are written there, by kubectl."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from skerry.kube.objects import Obj
from skerry.kube.resources import RESOURCE_QUOTAS
from tests.component.platform.test_guarding import until_roles_are_whole, until_says_of_namespace
from tests.component.platform.test_projects import until_says
from tests.support.kubectl import Kubectl
from tests.support.platform import running_platform

DOCS = Path(__file__).parents[3] / "docs"
BEN = "--as=ben@institute.example"


def examples(page: str, *kinds: str) -> list[Obj]:
    """Those of these kinds, in order."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S)
    return [one for block in blocks for one in yaml.safe_load_all(block) if one["kind"] in kinds]


async def test_the_examples_do_what_they_say(tmp_path: Path) -> None:
    tiers, projects = examples("resources/tier.md", "Tier"), examples("resources/project.md", "Project")
    guide = examples("guide-researchers.md", "Pod", "NetworkPolicy")
    assert [len(tiers), len(projects), len(guide)] == [2, 1, 2]
    async with running_platform() as running:
        kubectl = Kubectl(running.cluster.kubeconfig, tmp_path)
        await kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([*tiers, *projects]))
        await until_says(running, "lidar", "Ready")
        await until_roles_are_whole(running)
        shown = (await kubectl("get", "project", "lidar")).out.split()
        assert {"free", "anna@uni.example", "True"} <= set(shown)

        await kubectl("apply", "-f", "-", BEN, stdin=yaml.safe_dump_all(guide))
        await kubectl("create", "namespace", "lidar-more", BEN)
        await until_says_of_namespace(running, "lidar-more")
        await kubectl("create", "configmap", "a", "-n", "lidar-more", BEN)
        refused = await kubectl.attempt("create", "namespace", "more", BEN)
        assert "those are: lidar-..." in refused.err
        asked = ("auth", "can-i", "create", "serviceaccounts", "--subresource=token", "-n", "lidar", BEN)
        answer = await kubectl.attempt(*asked)
        assert answer.out == "no\n"

        await kubectl("patch", "project", "lidar", "--type=merge", "-p", '{"spec":{"tier":"campaign"}}')
        await until_says(running, "lidar", "Ready")
        quota = await running.admin.get(RESOURCE_QUOTAS, "skerry", "lidar-more")
        assert quota["spec"]["hard"]["requests.nvidia.com/gpu"] == "1"
