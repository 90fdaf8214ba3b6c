"""Releases that must not be, or that something happened to: rights, namespaces, kills, bad values. Refusals by text."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from skerry.kube.conditions import condition_of
from skerry.kube.errors import Forbidden, Invalid, NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import CLUSTER_ROLES, DEPLOYMENTS, NAMESPACES, PODS, SECRETS
from skerry.platform.projects.types import PROJECTS
from skerry.platform.releases.types import RECOVER, RELEASES
from tests.component.platform.releasing import message_of, release, releasing, until_reason
from tests.component.platform.test_projects import project, until_says
from tests.support.helm import Helm
from tests.support.kept_charts import WEB_FILES, put_chart
from tests.support.waiting import until, until_raises

ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: taken-over}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
"""
ELSEWHERE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: planted, namespace: sea}\n"
PRIVILEGED = """
apiVersion: v1
kind: Pod
metadata: {name: root}
spec: {hostNetwork: true, containers: [{name: a, image: "a:1", securityContext: {privileged: true}}]}
"""
ROBBER = """
apiVersion: v1
kind: ConfigMap
metadata: {name: loot}
data: {all: {{ lookup "v1" "Secret" "sea" "" | quote }}}
"""
WRONG = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {porst: [{port: 80}]}\n"
LARGE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: '{{ until 200000000 | len }}'}\n"
BOMB = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\na0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
LEAKING = {
    "values.schema.json": '{"$ref": "http://127.0.0.1:1/latest/meta-data"}',
    "templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: leaking}\n",
}
ATTACKS = {
    "role": (ROLE, 'cannot create resource "clusterroles"|cannot (get|patch) resource "clusterroles"'),
    "elsewhere": (ELSEWHERE, 'cannot .* resource "configmaps" .* in the namespace "sea"'),
    "privileged": (PRIVILEGED, "privileged"),
    "robber": (ROBBER, 'cannot list resource "secrets" .* in the namespace "sea"'),
    "wrong": (WRONG, "porst"),
    "large": (LARGE, "the chart renders too much"),
    "bomb": (BOMB, "aliases"),
}


async def test_a_chart_may_do_no_more_than_its_project() -> None:
    async with releasing() as running:
        admin, ben = running.admin, running.as_user("ben")
        await admin.create(PROJECTS, project("sea", owner="sue"))
        await until_says(running, "sea", "Ready")
        for name, (manifest, _) in ATTACKS.items():
            await put_chart(admin, name, {"1.0.0": {"templates/a.yaml": manifest}})
            await ben.create(RELEASES, release(name, chart={"name": name}), "lidar")
        for name, (_, words) in ATTACKS.items():
            await until_fails(ben, name, words)
        await until_raises(NotFound, lambda: admin.get(CLUSTER_ROLES, "taken-over"))
        await until_raises(NotFound, lambda: admin.get(PODS, "root", "lidar"))

        # what a schema refers to is not fetched by the platform: the chart is used without it
        await put_chart(admin, "leaking", {"1.0.0": LEAKING})
        await ben.create(RELEASES, release("leaking", chart={"name": "leaking"}), "lidar")
        await until_reason(ben, "leaking", "Deployed")

        with pytest.raises(Forbidden):
            await ben.create(RELEASES, release("web"), "sea")
        await ben.create(RELEASES, release("other", targetNamespace="sea"), "lidar")
        said = message_of(await until_reason(ben, "other", "TargetRefused"))
        assert said.startswith("spec.targetNamespace sea is not a namespace of the same project")
        await ben.delete(RELEASES, "other", "lidar")  # and is no worse to get rid of
        await until_raises(NotFound, lambda: ben.get(RELEASES, "other", "lidar"))
        await ben.create(RELEASES, release("near", targetNamespace="lidar-b"), "lidar")
        await until_reason(ben, "near", "Deployed")
        assert await ben.get(DEPLOYMENTS, "near", "lidar-b")
        with pytest.raises(Invalid, match=r"spec\.targetNamespace cannot be changed"):
            await ben.patch(RELEASES, "near", {"spec": {"targetNamespace": "lidar"}}, "lidar")
        # a second release of the same name in the same place would be the first one's
        await ben.create(RELEASES, release("thief", releaseName="near", targetNamespace="lidar-b"), "lidar")
        assert "is of Release lidar/near" in message_of(await until_reason(ben, "thief", "NameTaken"))
        await ben.delete(RELEASES, "thief", "lidar")
        await until_raises(NotFound, lambda: ben.get(RELEASES, "thief", "lidar"))
        assert await ben.get(DEPLOYMENTS, "near", "lidar-b")

        # nor at the same time
        await asyncio.gather(*(
            ben.create(RELEASES, release(one, releaseName="twins", targetNamespace="lidar-b"), "lidar")
            for one in ("castor", "pollux")
        ))  # fmt: skip
        await until(lambda: reasons_are(ben, ("castor", "pollux"), ("Deployed", "NameTaken")), "one of both has it")

        # a namespace of no project: whoever administers the cluster, and nobody else
        for _ in ("once", "and again, with new rights"):
            await admin.create(NAMESPACES, {"metadata": {"name": "tools"}})
            await admin.create(RELEASES, release("web"), "tools")
            await until_reason(admin, "web", "Deployed", "tools")
            await admin.delete(NAMESPACES, "tools")
            await until_raises(NotFound, lambda: admin.get(NAMESPACES, "tools"))


async def test_what_is_missing_is_said_and_what_is_stuck_is_recovered(tmp_path: Path) -> None:
    async with releasing() as running:
        ben, helm = running.as_user("ben"), Helm(running.cluster.kubeconfig, tmp_path, "lidar")
        await ben.create(RELEASES, release("late", chart={"name": "nothing"}), "lidar")
        assert "there is no chart nothing" in message_of(await until_reason(ben, "late", "ChartMissing"))
        await ben.patch(RELEASES, "late", {"spec": {"chart": {"name": "web", "version": "^7"}}}, "lidar")
        assert "has no version ^7; it has: 1.0.0" in message_of(await until_reason(ben, "late", "VersionMissing"))
        await put_chart(running.admin, "nothing", {"1.0.0": WEB_FILES})
        await ben.patch(RELEASES, "late", {"spec": {"chart": {"name": "nothing", "version": None}}}, "lidar")
        await until_reason(ben, "late", "Deployed")

        # left by a platform that was killed while it installed
        first = {"metadata": {"labels": {"status": "pending-install"}}}
        await ben.patch(SECRETS, "sh.helm.release.v1.late.v1", first, "lidar")
        await ben.patch(RELEASES, "late", {"spec": {"values": {"text": "mended"}}}, "lidar")
        assert (await until_reason(ben, "late", "Deployed"))["status"]["revision"] == 2

        # bad from the first: nothing is left of it, a change mends it also while helm waits
        bad = {"ready": "false"}
        await ben.create(RELEASES, release("web", values=bad, timeoutSeconds=5), "lidar")
        assert "(uninstalled again)" in message_of(await until_reason(ben, "web", "InstallFailed"))
        assert [one["name"] for one in helm.json("list")] == ["late"]
        await ben.patch(RELEASES, "web", {"spec": {"timeoutSeconds": 3000, "values": {**bad, "text": "x"}}}, "lidar")
        await until(lambda: is_there(ben), "helm waits")
        await ben.patch(RELEASES, "web", {"spec": {"values": {"ready": None}}}, "lidar")
        found = await until_reason(ben, "web", "Deployed")

        # left pending by a platform that was killed
        latest = f"sh.helm.release.v1.web.v{found['status']['revision']}"
        await ben.patch(SECRETS, latest, {"metadata": {"labels": {"status": "pending-upgrade"}}}, "lidar")
        await ben.patch(RELEASES, "web", {"spec": {"values": {"text": "again"}}}, "lidar")
        found = await until_reason(ben, "web", "Deployed")
        # left pending by a person
        latest = f"sh.helm.release.v1.web.v{found['status']['revision']}"
        labels = {"status": "pending-upgrade", "skerry.dev/release": None, "skerry.dev/release-namespace": None}
        await ben.patch(SECRETS, latest, {"metadata": {"labels": labels}}, "lidar")
        await ben.patch(RELEASES, "web", {"spec": {"values": {"text": "more"}}}, "lidar")
        assert "skerry releases recover web -n lidar" in message_of(await until_reason(ben, "web", "Locked"))
        await ben.patch(RELEASES, "web", {"metadata": {"annotations": {RECOVER: "1"}}}, "lidar")
        await until_reason(ben, "web", "Deployed")


async def reasons_are(client: HttpClient, names: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    found = [condition_of(await client.get(RELEASES, one, "lidar"), "Ready") or {} for one in names]
    return sorted(str(one.get("reason")) for one in found) == sorted(wanted)


async def is_there(client: HttpClient) -> bool:
    return "web" in [one["metadata"]["name"] for one in (await client.list(DEPLOYMENTS, "lidar")).items]


async def until_fails(client: HttpClient, name: str, words: str) -> None:
    """Wait until it has failed, and the reason says these words."""

    async def failed() -> Obj | None:
        found = await client.get(RELEASES, name, "lidar")
        return found if (found.get("status") or {}).get("phase") == "Failed" else None

    found = await until(failed, f"{name} fails")
    assert found is not None
    assert re.search(words, message_of(found)), message_of(found)
