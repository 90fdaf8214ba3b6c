"""`skerry check` and `checking.check` beside a cluster with projects: what only it can tell."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from skerry.checking.check import check
from skerry.checking.checks import Checks
from skerry.kube.errors import Forbidden, NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS, DEPLOYMENTS, NAMESPACES
from skerry.platform.projects.types import PROJECTS
from tests.support.cli import account_kubeconfig, run
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until
from tests.unit.checking.objects import deployment, objects


async def test_what_a_cluster_tells(tmp_path: Path) -> None:
    async with running_platform() as running:
        anna, hers = await account_kubeconfig(running.cluster, running.admin, tmp_path, "anna")
        spec = {"owner": anna, "tier": "free"}
        await running.admin.create(PROJECTS, {"metadata": {"name": "lidar"}, "spec": spec})
        her_client = running.admin.acting_as(anna, ["system:authenticated"])
        await until(lambda: _is_granted(her_client))

        await _members_are_told_of_their_project(her_client, hers, tmp_path)
        await _the_api_has_the_last_word(running, her_client)
        await _what_comes_together_is_not_missing(running)
        await _kinds_of_the_cluster_are_known(running.admin)
        await _images_of_nodes_are_known(running.admin)


async def _is_granted(client: HttpClient) -> bool:
    """Whether she has her rights, and the project its quota."""
    try:
        await client.get(NAMESPACES, "lidar")
        return bool(((await client.get(PROJECTS, "lidar")).get("status") or {}).get("quota"))
    except (Forbidden, NotFound):
        return False


async def _members_are_told_of_their_project(client: HttpClient, kubeconfig: Path, folder: Path) -> None:
    """The free tier has 2 CPUs, restricted pods; nothing was made."""
    greedy = deployment({"resources": {"requests": {"cpu": "1500m"}, "limits": {"cpu": "1500m", "memory": "1Gi"}}})
    greedy["spec"]["template"]["spec"]["securityContext"] = {"runAsUser": 0}
    file = folder / "greedy.yaml"
    file.write_text(yaml.safe_dump(greedy))
    said = (await run(kubeconfig, "check", str(file), "-n", "lidar", code=1)).output
    assert 'the namespace refuses the pods: they violate PodSecurity "restricted:latest": runAsUser=0' in said
    assert "requests.cpu: 3 more are asked for, 0 of 2 are used in project lidar: 2 are left" in said
    assert said.count("requests.cpu:") == 1
    assert "or: skerry requests create quota lidar --set requests.cpu=3" in said
    fine = folder / "fine.yaml"
    fine.write_text(yaml.safe_dump(deployment()))
    document = json.loads((await run(kubeconfig, "check", str(fine), "-n", "lidar", "-o", "json")).output)
    assert [one["severity"] for one in document["findings"]] == ["Info"]  # images of nodes are not hers to read
    try:
        await client.get(DEPLOYMENTS, "web", "lidar")
        raise AssertionError("a check has made what it checked")
    except NotFound:
        pass


async def _the_api_has_the_last_word(running: RunningPlatform, client: HttpClient) -> None:
    apply = Checks(names=frozenset({"schema", "apply"}))
    role, service, lost = objects("""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {name: everything}
        rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
        ---
        {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 70000}]}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: nowhere}}
    """)
    report = await check(client, [role, service], "lidar", apply)
    texts = [str(one) for one in report.errors]
    assert 'clusterroles.rbac.authorization.k8s.io "everything" is forbidden: User "' in texts[0]
    assert 'Service web: Service "web" is invalid: [spec.ports[0].port: Invalid value: 70000' in texts[1]
    (absent,) = (await check(running.admin, [lost], "default", apply)).errors
    assert 'namespaces "nowhere" not found' in absent.message


async def _what_comes_together_is_not_missing(running: RunningPlatform) -> None:
    """A namespace and what goes into it, a role and its binding, a definition and an object of it."""
    together = objects("""
        {apiVersion: v1, kind: Namespace, metadata: {name: harbour}}
        ---
        {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: harbour}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: look}, rules: []}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: look}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: look}
        subjects: [{kind: User, name: anna, apiGroup: rbac.authorization.k8s.io}]
    """)
    boat: Obj = {"apiVersion": "example.org/v1", "kind": "Boat", "metadata": {"name": "a"}, "spec": {"sails": 2}}
    report = await check(running.admin, [*together, _definition(), boat], "default")
    assert report.text() == ""
    assert "harbour" not in [one["metadata"]["name"] for one in (await running.admin.list(NAMESPACES)).items]


def _definition() -> Obj:
    sails = {"type": "object", "properties": {"sails": {"type": "integer"}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": sails}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"kind": "Boat", "plural": "boats", "singular": "boat", "listKind": "BoatList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "boats.example.org"},
        "spec": {"group": "example.org", "scope": "Namespaced", "names": names, "versions": [version]},
    }


async def _kinds_of_the_cluster_are_known(admin: HttpClient) -> None:
    await admin.create(CUSTOM_RESOURCE_DEFINITIONS, _definition())
    boat: Obj = {"apiVersion": "example.org/v1", "kind": "Boat", "metadata": {"name": "a"}, "spec": {"sales": 2}}
    other = {**boat, "kind": "Ship"}

    async def says_so() -> bool:
        texts = [str(one) for one in (await check(admin, [boat, other], "default")).errors]
        return texts == [
            "Boat a: spec.sales: there is no such field (is sails meant?)",
            "Ship a: kind: the cluster has no Ship in example.org/v1 (is its operator installed?)",
        ]

    await until(says_so)


async def _images_of_nodes_are_known(admin: HttpClient) -> None:
    images = Checks(names=frozenset({"images"}))
    local = deployment({"image": "skerry.local/web:1"})
    assert [one.severity for one in (await check(admin, [local], "default", images)).findings] == ["Warning"]
    told = Checks(names=frozenset({"images"}), images=frozenset({"skerry.local/web:1"}))
    assert (await check(admin, [local], "default", told)).findings == ()
    told = Checks(names=frozenset({"images"}), images=frozenset({"other:1"}))
    assert [one.severity for one in (await check(admin, [local], "default", told)).findings] == ["Error"]
