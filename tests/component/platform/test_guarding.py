"""What members of a project may and may not do, asked of a cluster by their own names; refusals by their text."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from skerry.kube.errors import Forbidden
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import (
    API_SERVICES,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    INGRESSES,
    NAMESPACES,
    NETWORK_POLICIES,
    PODS,
    RESOURCE_QUOTAS,
    ROLE_BINDINGS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from skerry.platform.projects.types import MADE_LABEL, PROJECT_LABEL, PROJECTS, TIERS
from tests.component.platform.test_projects import project, until_says
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until

RBAC = "rbac.authorization.k8s.io"
ADMISSION = "admissionregistration.k8s.io"
WEBHOOKS = [
    Resource(ADMISSION, "v1", f"{phase.lower()}webhookconfigurations", f"{phase}WebhookConfiguration", namespaced=False)
    for phase in ("Mutating", "Validating")
]
NAMESPACED_ROLES = Resource(RBAC, "v1", "roles", "Role")
ROLES = {"viewer": ("viewer",), "editor": ("viewer", "editor"), "owner": ("viewer", "editor", "owner")}
MEMBERS = [
    {"user": "ben", "role": "editor"},
    {"user": "vic", "role": "viewer"},
    {"group": "crew", "role": "editor"},
]


async def test_members_make_namespaces_of_their_project_and_no_others() -> None:
    async with running_platform() as running:
        await running.admin.create(PROJECTS, project("lidar", members=MEMBERS))
        await running.admin.create(PROJECTS, project("lidar-sea", owner="sue"))
        await until_says(running, "lidar", "Ready")
        await until_says(running, "lidar-sea", "Ready")
        await until_roles_are_whole(running)
        ben, vic = running.as_user("ben"), running.as_user("vic")

        made = await ben.create(NAMESPACES, namespace("lidar-ci", team="x"))
        labels = made["metadata"]["labels"]
        assert (labels[PROJECT_LABEL], labels["team"]) == ("lidar", "x")
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        await until_says_of_namespace(running, "lidar-ci")
        await ben.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "lidar-ci")
        await running.as_user("dan", "crew").create(NAMESPACES, namespace("lidar-dan"))

        for name in ("other", "lidarx", "kube-system-2", "lidar-sea-x", "lidar-sea"):
            with pytest.raises(Forbidden, match=f"namespace {name} would belong to no project in which ben makes"):
                await ben.create(NAMESPACES, namespace(name))
        loose = {"pod-security.kubernetes.io/enforce": "privileged", PROJECT_LABEL: "lidar-sea"}
        strict = await ben.create(NAMESPACES, namespace("lidar-loose", **loose))
        assert strict["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        with pytest.raises(Forbidden, match="are the platform's: leave them out"):
            await ben.create(NAMESPACES, namespace("lidar-y", **{"skerry.dev/extra": "x"}))
        with pytest.raises(Forbidden, match='cannot create resource "namespaces"'):
            await vic.create(NAMESPACES, namespace("lidar-vic"))

        anna = running.as_user("anna")
        await until_says_of_namespace(running, "lidar-loose")
        await anna.delete(NAMESPACES, "lidar-loose")
        with pytest.raises(Forbidden, match=r"take it out of spec\.namespaces first"):
            await anna.delete(NAMESPACES, "lidar")
        with pytest.raises(Forbidden, match="cannot delete resource"):
            await ben.delete(NAMESPACES, "lidar-ci")

        tight = {"spec": {"namespaces": 1, "lifetimeDays": None}}
        await running.admin.patch(TIERS, "free", tight)

        names = (f"lidar-more-{number}" for number in count())

        async def is_full() -> bool:
            try:
                await ben.create(NAMESPACES, namespace(next(names)))
            except Forbidden as error:
                return "its tier allows 1: delete one, or ask an operator" in error.message
            return False

        await until(is_full, "so many and no more")


async def test_who_may_write_namespaces_cannot_move_them() -> None:
    """Somebody whom an operator gave all rights on namespaces, and none on projects."""
    async with running_platform() as running:
        await running.admin.create(PROJECTS, project("lidar"))
        await until_says(running, "lidar", "Ready")
        rule = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["*"]}
        await give(running, "gus", [rule])
        gus = running.as_user("gus")
        await gus.create(NAMESPACES, namespace("free-standing"))
        with pytest.raises(Forbidden, match="only operators give a namespace to a project"):
            await gus.create(NAMESPACES, namespace("mine", **{PROJECT_LABEL: "lidar"}))
        for name in ("lidar", "free-standing"):
            with pytest.raises(
                Forbidden, match=f"only operators change label {PROJECT_LABEL} of a project's namespace"
            ):
                await gus.patch(NAMESPACES, name, labelled({PROJECT_LABEL: "other"}))
        with pytest.raises(Forbidden, match=f"only operators change label {PROJECT_LABEL}"):
            await gus.patch(NAMESPACES, "lidar", labelled({PROJECT_LABEL: None}))
        with pytest.raises(Forbidden, match=r"label pod-security\.kubernetes\.io/enforce"):
            await gus.patch(NAMESPACES, "lidar", labelled({"pod-security.kubernetes.io/enforce": "privileged"}))
        await gus.patch(NAMESPACES, "lidar", labelled({"team": "x"}))


async def test_owners_change_members_and_no_more() -> None:
    async with running_platform() as running:
        await running.admin.create(PROJECTS, project("lidar", members=MEMBERS))
        await until_says(running, "lidar", "Ready")
        anna, ben = running.as_user("anna"), running.as_user("ben")
        free = {"description": "maps", "members": [*MEMBERS, {"user": "eve", "role": "viewer"}], "state": "Active"}
        await anna.patch(PROJECTS, "lidar", {"spec": {**free, "namespaces": ["lidar", "lidar-b"]}})
        for change, text in (
            ({"tier": "guaranteed"}, "only operators change spec.tier; ask for another: skerry requests create"),
            ({"overrides": {"quota": {"pods": "1k"}}}, "only operators change spec.overrides; ask for more"),
            ({"expires": "2099-01-01T00:00:00Z"}, "only operators change spec.expires; ask for longer"),
            ({"owner": "ben"}, "only operators change spec.owner"),
            ({"sites": ["north"]}, "only operators change spec.sites"),
            ({"namespaces": ["lidar", "other"]}, "namespace other is not named lidar-...: only operators"),
            ({"members": [{"group": "system:authenticated", "role": "viewer"}]}, "a name of the cluster's own"),
        ):
            with pytest.raises(Forbidden, match=text):
                await anna.patch(PROJECTS, "lidar", {"spec": change})
        with pytest.raises(Forbidden, match=r"only operators change metadata\.finalizers"):
            await anna.patch(PROJECTS, "lidar", {"metadata": {"finalizers": None}})
        with pytest.raises(Forbidden, match='cannot patch resource "projects"'):
            await ben.patch(PROJECTS, "lidar", {"spec": {"description": "mine"}})
        with pytest.raises(Forbidden, match='cannot delete resource "projects"'):
            await anna.delete(PROJECTS, "lidar")
        await give(running, "anna", [{"apiGroups": ["skerry.dev"], "resources": ["projects"], "verbs": ["delete"]}])
        with pytest.raises(Forbidden, match="operators delete projects, as all data in their namespaces goes"):
            await anna.delete(PROJECTS, "lidar")
        with pytest.raises(Forbidden, match='cannot get resource "projects"'):
            await running.as_user("sue").get(PROJECTS, "lidar")


async def test_nobody_escapes_by_objects_in_a_namespace() -> None:
    async with running_platform() as running:
        await running.admin.create(PROJECTS, project("lidar", members=MEMBERS))
        await running.admin.create(PROJECTS, project("other", owner="sue"))
        await until_says(running, "lidar", "Ready")
        await until_says(running, "other", "Ready")
        anna, ben, vic = (running.as_user(name) for name in ("anna", "ben", "vic"))

        await until_roles_are_whole(running)
        with pytest.raises(Forbidden, match='cannot create resource "configmaps"'):
            await vic.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "lidar")
        with pytest.raises(Forbidden, match='cannot get resource "secrets"'):
            await vic.get(SECRETS, "any", "lidar")
        with pytest.raises(Forbidden, match='cannot list resource "configmaps"'):
            await ben.list(CONFIG_MAPS, "other")

        await _gives_more_rights(anna, ben)
        await _comes_between(anna, ben)
        await _touches_the_platforms(anna, ben)
        await _makes_what_lasts(anna, ben)


async def _gives_more_rights(anna: HttpClient, ben: HttpClient) -> None:
    """No rights for people, none above one's own, none for accounts elsewhere."""
    for kind, name in (("User", "ben"), ("Group", "system:authenticated")):
        with pytest.raises(Forbidden, match=f"{kind.lower()} {name}: people get rights in project lidar as its"):
            await anna.create(ROLE_BINDINGS, binding("skerry:viewer", {"kind": kind, "name": name}), "lidar")
    with pytest.raises(Forbidden, match="service account other/default is not of project lidar"):
        await ben.create(ROLE_BINDINGS, binding("skerry:viewer", account("default", "other")), "lidar")
    with pytest.raises(Forbidden, match="is attempting to grant RBAC permissions not currently held"):
        await ben.create(ROLE_BINDINGS, binding("skerry:owner", account("default")), "lidar")
    rule = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
    with pytest.raises(Forbidden, match="is attempting to grant RBAC permissions not currently held"):
        await ben.create(NAMESPACED_ROLES, {"metadata": {"name": "more"}, "rules": [rule]}, "lidar")
    await ben.create(ROLE_BINDINGS, binding("skerry:viewer", account("default")), "lidar")


async def _comes_between(anna: HttpClient, ben: HttpClient) -> None:
    """Nobody of a project comes between others and the API."""
    for resource in (*WEBHOOKS, API_SERVICES, CLUSTER_ROLE_BINDINGS):
        for someone in (anna, ben):
            with pytest.raises(Forbidden, match=f'cannot create resource "{resource.plural}"'):
                await someone.create(resource, {"metadata": {"name": "between"}})


async def _touches_the_platforms(anna: HttpClient, ben: HttpClient) -> None:
    """Nothing of the platform is changed, taken away or feigned."""
    for resource, name, text in (
        (ROLE_BINDINGS, "skerry-editor", "members are changed by `skerry members`"),
        (NETWORK_POLICIES, "skerry-isolation", "open more by a NetworkPolicy of your own beside it"),
        (SERVICE_ACCOUNTS, "skerry-deployer", "make one of your own beside it"),
    ):
        with pytest.raises(Forbidden, match=f"the platform keeps {resource.plural} {name} for project lidar: {text}"):
            await ben.delete(resource, name, "lidar")
        with pytest.raises(Forbidden, match="the platform keeps"):
            await ben.patch(resource, name, {"metadata": {"labels": {MADE_LABEL: None}}}, "lidar")
    feigned = {"metadata": {"name": "x", "labels": {MADE_LABEL: "lidar"}}}
    with pytest.raises(Forbidden, match="marks what the platform made: leave it out"):
        await ben.create(SERVICE_ACCOUNTS, feigned, "lidar")
    with pytest.raises(Forbidden, match='cannot delete resource "resourcequotas"'):
        await anna.delete(RESOURCE_QUOTAS, "skerry", "lidar")


async def _makes_what_lasts(anna: HttpClient, ben: HttpClient) -> None:
    """Nothing that outlives a membership."""
    lasting = {
        "metadata": {"name": "t", "annotations": {"kubernetes.io/service-account.name": "default"}},
        "type": "kubernetes.io/service-account-token",
    }
    with pytest.raises(Forbidden, match="tokens of service accounts in Secrets never expire"):
        await ben.create(SECRETS, lasting, "lidar")
    token = {"metadata": {"name": "default"}, "spec": {}}
    with pytest.raises(Forbidden, match='cannot create resource "serviceaccounts/token"'):
        await anna.create(SERVICE_ACCOUNTS, token, "lidar", "token")
    outside = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], "externalIPs": ["192.0.2.1"]}}
    with pytest.raises(Forbidden, match=r"spec\.externalIPs would take over addresses of others"):
        await ben.create(SERVICES, outside, "lidar")


async def test_what_a_controller_reaches_for_members() -> None:
    async with running_platform() as running:
        await running.admin.create(PROJECTS, project("lidar", members=MEMBERS))
        await running.admin.create(PROJECTS, project("sea"))
        await until_says(running, "lidar", "Ready")
        await until_says(running, "sea", "Ready")
        await until_roles_are_whole(running)
        ben = running.as_user("ben")
        for host in ("web.sea.svc.cluster.local", "web.nowhere.svc", "10.65.0.7"):
            with pytest.raises(Forbidden, match=rf"spec.externalName: {host} is not of project lidar"):
                await ben.create(SERVICES, alias("away", host), "lidar")
            with pytest.raises(Forbidden, match=rf"auth-url: {host} is not of project lidar"):
                await ben.create(INGRESSES, ingress("w", "w.localhost", **{"auth-url": f"http://{host}/x"}), "lidar")
        for number, host in enumerate(("db.example.org", "web.lidar.svc.cluster.local")):
            await ben.create(SERVICES, alias(f"near-{number}", host), "lidar")
        for host in ("localhost", ""):
            with pytest.raises(Forbidden, match="the platform"):
                await ben.create(INGRESSES, ingress("w", host), "lidar")
        with pytest.raises(Forbidden, match="host localhost takes the platform's own name"):
            await ben.create(INGRESSES, ingress("w", "w.localhost", **{"server-alias": "localhost"}), "lidar")
        await ben.create(INGRESSES, ingress("w", "w.localhost", **{"auth-url": "https://login.example.org/"}), "lidar")
        await running.admin.create(INGRESSES, ingress("all", ""), "lidar")


def alias(name: str, host: str) -> Obj:
    return {"metadata": {"name": name}, "spec": {"type": "ExternalName", "externalName": host}}


def ingress(name: str, host: str, **annotations: str) -> Obj:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule: Obj = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    given = {f"nginx.ingress.kubernetes.io/{key}": text for key, text in annotations.items()}
    return {
        "metadata": {"name": name, "annotations": given},
        "spec": {"rules": [{**rule, **({"host": host} if host else {})}]},
    }


async def test_pods_run_at_their_sites_with_their_priority() -> None:
    async with running_platform() as running:
        loose = {"podSecurity": "privileged", "priority": 500}
        placed = project("lidar", sites=["north"], tier="guaranteed", overrides=loose, members=MEMBERS)
        await running.admin.create(PROJECTS, placed)
        await running.admin.create(PROJECTS, project("other", overrides={"podSecurity": "privileged"}))
        await until_says(running, "lidar", "Ready")
        await until_says(running, "other", "Ready")

        names = (f"a-{number}" for number in count())

        async def is_placed() -> Obj | None:
            made = await running.admin.create(PODS, pod(next(names), "lidar"))
            return made if made["spec"].get("priority") == 500 else None

        made = await until(is_placed, "its class is known")
        assert made is not None
        assert made["spec"]["priorityClassName"] == "skerry-project-lidar"
        node = made["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert node["nodeSelectorTerms"][0]["matchExpressions"] == [
            {"key": "skerry.dev/site", "operator": "In", "values": ["north"]}
        ]
        with pytest.raises(Forbidden, match="cannot name their node"):
            await running.admin.create(PODS, pod("b", "lidar", nodeName="node-1"))
        with pytest.raises(
            Forbidden, match=r"priority class skerry-tier-guaranteed \(1000\) is above what pods of project lidar have"
        ):
            await running.admin.create(PODS, pod("b", "lidar", priorityClassName="skerry-tier-guaranteed"))
        with pytest.raises(Forbidden, match=r"priority class system-node-critical .* is above"):
            await running.admin.create(PODS, pod("b", "other", priorityClassName="system-node-critical"))
        assert "affinity" not in (await running.admin.create(PODS, pod("b", "other")))["spec"]


def namespace(name: str, **labels: str) -> Obj:
    return {"metadata": {"name": name, "labels": labels}}


def labelled(labels: dict[str, str | None]) -> Obj:
    return {"metadata": {"labels": labels}}


def account(name: str, namespace: str = "lidar") -> Obj:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def binding(role: str, subject: Obj) -> Obj:
    group = {} if subject["kind"] == "ServiceAccount" else {"apiGroup": RBAC}
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}
    return {"metadata": {"generateName": "b-"}, "roleRef": reference, "subjects": [{**subject, **group}]}


def pod(name: str, namespace: str, **spec: Any) -> Obj:
    container = {"name": "main", "image": "app", "resources": {"limits": {"cpu": "10m", "memory": "10Mi"}}}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"containers": [container], **spec}}


async def give(running: RunningPlatform, user: str, rules: list[Obj]) -> None:
    """A ClusterRole of these rules, for one user."""
    name = f"test-{user}"
    role = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
    subject = {"apiGroup": RBAC, "kind": "User", "name": user}
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    whole = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
    await running.admin.create(CLUSTER_ROLES, role)
    await running.admin.create(CLUSTER_ROLE_BINDINGS, whole)


async def until_says_of_namespace(running: RunningPlatform, name: str) -> None:
    """Wait until people have their rights in a namespace that a member made."""

    async def is_furnished() -> bool:
        bound = {one["metadata"]["name"] for one in (await running.admin.list(ROLE_BINDINGS, name)).items}
        return {"skerry-owner", "skerry-editor"} <= bound

    await until(is_furnished, f"{name} is furnished")


async def until_roles_are_whole(running: RunningPlatform) -> None:
    """The cluster puts roles together from their parts in its own time."""

    async def are_whole() -> bool:
        rules = {name: (await running.admin.get(CLUSTER_ROLES, f"skerry:{name}")).get("rules") or [] for name in ROLES}
        parts = {name: (await running.admin.get(CLUSTER_ROLES, f"skerry:{name}-part"))["rules"] for name in ROLES}
        return all(one in rules[whole] for whole, has in ROLES.items() for part in has for one in parts[part])

    await until(are_whole, "roles are whole")
