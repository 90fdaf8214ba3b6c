"""docs/access.md does what it says: its commands run, in order, and its policy is a policy."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from skerry.engine.api.audit.policy import Level
from skerry.engine.api.audit.reading import parse_policy
from skerry.engine.api.auth.access import Access
from skerry.engine.api.request import User
from skerry.kube.resources import CLUSTER_ROLES
from tests.support.controllers import running_controllers
from tests.support.kubectl import Kubectl

PAGE = (Path(__file__).parents[3] / "docs" / "access.md").read_text()


async def test_the_commands_run(tmp_path: Path) -> None:
    commands = [line for block in re.findall(r"```\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
    answers = {}
    async with running_controllers() as world:
        kubectl = Kubectl(world.api.kubeconfig, tmp_path)
        for command in commands:
            program, *words = shlex.split(command)
            assert program == "kubectl"
            answers[command] = (await kubectl(*words)).out
        edit = world.context.informers.of(CLUSTER_ROLES)
        rule = {"apiGroups": [""], "resources": ["configmaps"]}
        await world.until(
            lambda: any(
                {**each, "verbs": None} == {**rule, "verbs": None} for each in (edit.get("edit") or {})["rules"]
            )
        )
    asked = [answer for command, answer in answers.items() if "can-i" in command and "--list" not in command]
    assert asked == ["yes\n", "yes\n"]
    assert "pods" in next(answer for command, answer in answers.items() if "--list" in command)


def test_the_policy_keeps_what_people_do() -> None:
    (text,) = re.findall(r"```yaml\n(apiVersion: audit.*?)```", PAGE, re.S)
    policy = parse_policy(text)
    anna, signer = User("anna"), User("x", ("system:serviceaccounts:kube-system",))
    secret = Access("create", "", "secrets", "", "lidar", "", anna)
    assert policy.verdict(secret).level is Level.METADATA
    assert policy.verdict(secret._replace(resource="pods")).level is Level.REQUEST
    assert policy.verdict(secret._replace(resource="pods", user=signer)).level is Level.NONE
