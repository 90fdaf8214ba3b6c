"""A researcher's first hour by the command line alone: invited, signed in by a code, a project, something that runs."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.browser import Browser, browser
from tests.support.command_line import CommandLine
from tests.support.images import busybox_archive
from tests.support.kubectl import Kubectl
from tests.support.program import Program
from tests.support.waiting import LIMIT, WITHIN, until

ANNA, PASSWORD = "anna@uni.example", "correct horse battery"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: main
        image: busybox:test
        command: [sh, -c, "echo begun; exec sleep 1000000"]
        resources: {limits: {cpu: 500m, memory: 64Mi}}
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""


async def test_a_researchers_first_hour(fresh_program: Program, tmp_path: Path) -> None:
    program = fresh_program
    program.platform = True
    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    invited = program.skerry("users", "add", ANNA).stdout
    told = program.skerry("login", "--show-fingerprint").stdout.split()
    announced = program.get("-n", "kube-public", "configmap/skerry-platform")["data"]
    skerry = CommandLine(tmp_path)
    kubectl = Kubectl(skerry.kubeconfig, tmp_path / "cache")
    async with browser(announced["url"], announced["ca.crt"].encode()) as anna:
        (link,) = re.findall(r"https://\S+", invited)
        path = urlsplit(link).path
        await anna.submit(await anna.get(path), path, password=PASSWORD, again=PASSWORD)
        await _signs_in_by_a_code(skerry, anna, told[1:])
    assert ANNA in (await skerry("whoami")).out
    assert "you are in no project" in (await skerry("projects", "ls")).out
    assert "free" in (await skerry("tiers", "ls")).out
    await _has_a_project(skerry)
    await _something_runs(skerry, kubectl)
    await _is_told_what_is_too_much(skerry, kubectl)
    await _sleeps_and_wakes(skerry, kubectl)
    assert "Signed out" in (await skerry("logout")).out
    assert (await kubectl.attempt("get", "pods", env=skerry.environment)).code != 0


async def _signs_in_by_a_code(skerry: CommandLine, anna: Browser, words: list[str]) -> None:
    """On a machine without a browser, by the line that the operator gave."""
    process = await skerry.start(*words, "--device", "-n", "lidar")
    assert process.stderr is not None
    said = ""
    async with asyncio.timeout(LIMIT):
        while not (code := re.search(r"and type (\S+)", said)):
            line = (await process.stderr.readline()).decode()
            assert line, said
            said += line
    shown = await anna.submit(await anna.get("/identity/device"), "/identity/device", user_code=code[1])
    await anna.submit(shown, "/identity/device", answer="Allow")
    _, err = await asyncio.wait_for(process.communicate(), LIMIT)
    assert process.returncode == 0, err


async def _has_a_project(skerry: CommandLine) -> None:
    await skerry("requests", "create", "project", "lidar", "--reason", "maps of the coast")

    async def is_ready() -> bool:
        shown = await skerry.attempt("projects", "show", "lidar", "-o", "json")
        conditions = (json.loads(shown.out).get("status") or {}).get("conditions") or [] if shown.code == 0 else []
        return any((one["type"], one["status"]) == ("Ready", "True") for one in conditions)

    await until(is_ready, "the project")
    assert "lidar" in (await skerry("projects", "ls")).out


async def _something_runs(skerry: CommandLine, kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=DEPLOYMENT, env=skerry.environment)
    await kubectl("rollout", "status", "deployment/web", WITHIN, env=skerry.environment)

    async def has_begun() -> bool:
        """A container is ready before it has said anything."""
        return (await kubectl("logs", "deployment/web", env=skerry.environment)).out == "begun\n"

    await until(has_begun, "its word")
    assert (await kubectl("exec", "deployment/web", "--", "id", "-u", env=skerry.environment)).out == "1000\n"
    pods = json.loads((await kubectl("get", "pods", "-o", "json", env=skerry.environment)).out)["items"]
    assert {one["metadata"]["annotations"]["skerry.dev/user"] for one in pods} == {ANNA}


async def _is_told_what_is_too_much(skerry: CommandLine, kubectl: Kubectl) -> None:
    await kubectl("scale", "deployment/web", "--replicas=5", env=skerry.environment)

    async def is_told() -> bool:
        shown = (await skerry("projects", "show", "lidar")).out
        return "requests.cpu: asked for 500m, used 2 of 2" in shown and "skerry requests create quota lidar" in shown

    await until(is_told, "what a controller was refused")
    await kubectl("scale", "deployment/web", "--replicas=1", env=skerry.environment)
    members = await skerry.attempt("members", "add", "lidar", "ben@uni.example", "--role", "viewer")
    assert members.code == 0, members.err
    refused = await kubectl.attempt("get", "secrets", "-n", "skerry-identity", env=skerry.environment)
    assert "cannot list resource" in refused.err


async def _sleeps_and_wakes(skerry: CommandLine, kubectl: Kubectl) -> None:
    async def pods() -> int:
        return len(json.loads((await kubectl("get", "pods", "-o", "json", env=skerry.environment)).out)["items"])

    async def sleeps() -> bool:
        return await pods() == 0

    async def is_awake() -> bool:
        return await pods() == 1

    await until(is_awake, "one again")
    await skerry("projects", "hibernate", "lidar")
    await until(sleeps, "asleep")
    await skerry("projects", "wake", "lidar")
    await until(is_awake, "awake")
