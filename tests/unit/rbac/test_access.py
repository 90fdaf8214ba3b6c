"""Several users over HTTP, each with a certificate: what they may do, what they may grant, and what they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from skerry.kube.errors import BadRequest, Forbidden, Invalid, NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import (
    CLUSTER_ROLES,
    CONFIG_MAPS,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    SECRETS,
    VOLUME_ATTACHMENTS,
)
from tests.support.api import RunningApi, running_api
from tests.support.users import client_of

GROUP = "rbac.authorization.k8s.io"
ROLES = Resource(GROUP, "v1", "roles", "Role")
ROLE_BINDINGS = Resource(GROUP, "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLE_BINDINGS = Resource(GROUP, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
ACCESS_REVIEWS = Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False)
LOCAL_REVIEWS = Resource("authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview")
OWN_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
RULES_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False
)
SELF_REVIEWS = Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False)


def binding(role: str, *subjects: tuple[str, str], kind: str = "ClusterRole", name: str = "b") -> Obj:
    return {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role},
        "subjects": [{"kind": each, "name": subject} for each, subject in subjects],
    }


def role(name: str, *verbs: str, resources: tuple[str, ...] = ("configmaps",), **more: Any) -> Obj:
    rule = {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs), **more}
    return {"metadata": {"name": name}, "rules": [rule]}


def config_map(name: str) -> Obj:
    return {"metadata": {"name": name}}


class Users:
    """Clients by name."""

    def __init__(self, api: RunningApi, folder: Path, stack: AsyncExitStack) -> None:
        self._api, self._folder, self._stack = api, folder, stack

    async def __call__(self, name: str, group: str = "") -> HttpClient:
        return await self._stack.enter_async_context(client_of(self._api, self._folder, name, group))


@pytest.fixture
async def api_and_users(tmp_path: Path) -> AsyncIterator[tuple[RunningApi, Users]]:
    async with running_api() as api, AsyncExitStack() as stack:
        yield api, Users(api, tmp_path, stack)


async def test_a_user_may_what_is_bound_and_is_told_of_the_rest(api_and_users: tuple[RunningApi, Users]) -> None:
    api, users = api_and_users
    anna = await users("anna")
    with pytest.raises(Forbidden) as refused:
        await anna.list(CONFIG_MAPS, "default")
    assert refused.value.message == (
        'configmaps is forbidden: User "anna" cannot list resource "configmaps" in API group "" '
        'in the namespace "default"'
    )
    await api.client.create(ROLE_BINDINGS, binding("reader", ("User", "anna")), "default")
    with pytest.raises(Forbidden) as refused:
        await anna.get(CONFIG_MAPS, "a", "default")
    assert refused.value.message.endswith(': RBAC: clusterrole.rbac.authorization.k8s.io "reader" not found')
    await api.client.create(CLUSTER_ROLES, role("reader", "get", "list"))
    assert (await anna.list(CONFIG_MAPS, "default")).items == []
    with pytest.raises(NotFound):
        await anna.get(CONFIG_MAPS, "a", "default")
    for forbidden in (anna.list(CONFIG_MAPS), anna.list(SECRETS, "default"), anna.list(CONFIG_MAPS, "kube-system")):
        with pytest.raises(Forbidden):
            await forbidden
    await api.client.delete(ROLE_BINDINGS, "b", "default")
    with pytest.raises(Forbidden):
        await anna.list(CONFIG_MAPS, "default")


async def test_groups_and_single_names(api_and_users: tuple[RunningApi, Users]) -> None:
    api, users = api_and_users
    ben = await users("ben", "team")
    await api.client.create(ROLES, role("one", "get", "update", "delete", resourceNames=["mine"]), "default")
    await api.client.create(ROLE_BINDINGS, binding("one", ("Group", "team"), kind="Role"), "default")
    for name in ("mine", "other"):
        await api.client.create(CONFIG_MAPS, config_map(name), "default")
    assert (await ben.get(CONFIG_MAPS, "mine", "default"))["metadata"]["name"] == "mine"
    for forbidden in (ben.get(CONFIG_MAPS, "other", "default"), ben.list(CONFIG_MAPS, "default")):
        with pytest.raises(Forbidden):
            await forbidden


async def test_nobody_grants_what_they_do_not_hold(api_and_users: tuple[RunningApi, Users]) -> None:
    api, users = api_and_users
    await api.client.create(ROLE_BINDINGS, binding("admin", ("User", "carla")), "default")
    carla = await users("carla")
    await carla.create(ROLES, role("fine", "get"), "default")
    with pytest.raises(Forbidden) as refused:
        await carla.create(ROLES, role("more", "get", "approve", resources=("nodes",)), "default")
    assert refused.value.message == (
        'roles.rbac.authorization.k8s.io "more" is forbidden: user "carla" (groups=["system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "approve"]}'
    )
    await carla.create(ROLE_BINDINGS, binding("edit", ("User", "dora"), name="dora"), "default")
    with pytest.raises(Forbidden, match="not currently held"):
        await carla.create(ROLE_BINDINGS, binding("cluster-admin", ("User", "dora"), name="all"), "default")
    with pytest.raises(NotFound, match=r'clusterrole\.rbac\.authorization\.k8s\.io "nothing" not found'):
        await carla.create(ROLE_BINDINGS, binding("nothing", ("User", "dora"), name="none"), "default")
    with pytest.raises(Forbidden, match="not currently held"):
        patch = {"rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]}
        await carla.patch(ROLES, "fine", patch, "default")
    may_bind = role("binder", "bind", resources=("clusterroles",), apiGroups=[GROUP], resourceNames=["cluster-admin"])
    await api.client.create(CLUSTER_ROLES, may_bind)
    await api.client.create(ROLE_BINDINGS, binding("binder", ("User", "carla"), name="may-bind"), "default")
    await carla.create(ROLE_BINDINGS, binding("cluster-admin", ("User", "dora"), name="all"), "default")


async def test_a_binding_keeps_its_role(api_and_users: tuple[RunningApi, Users]) -> None:
    api, _ = api_and_users
    made = await api.client.create(CLUSTER_ROLE_BINDINGS, binding("view", ("User", "anna")))
    with pytest.raises(Invalid, match="cannot change roleRef"):
        await api.client.update(CLUSTER_ROLE_BINDINGS, {**made, "roleRef": {**made["roleRef"], "name": "edit"}})


async def test_acting_as_somebody_else(api_and_users: tuple[RunningApi, Users]) -> None:
    api, users = api_and_users
    help_desk = await users("helpdesk")
    await api.client.create(ROLE_BINDINGS, binding("view", ("User", "anna")), "default")
    as_anna = help_desk.acting_as("anna")
    with pytest.raises(Forbidden, match='User "helpdesk" cannot impersonate'):
        await as_anna.list(CONFIG_MAPS, "default")
    rule = {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": ["anna"]}
    await api.client.create(CLUSTER_ROLES, {"metadata": {"name": "as-anna"}, "rules": [rule]})
    await api.client.create(CLUSTER_ROLE_BINDINGS, binding("as-anna", ("User", "helpdesk")))
    assert (await as_anna.list(CONFIG_MAPS, "default")).items == []
    with pytest.raises(Forbidden, match='User "anna" cannot list resource "secrets"'):
        await as_anna.list(SECRETS, "default")
    for other in (help_desk.acting_as("ben"), help_desk.acting_as("anna", ["system:masters"])):
        with pytest.raises(Forbidden):
            await other.list(CONFIG_MAPS, "default")
    seen = await as_anna.create(SELF_REVIEWS, {"metadata": {}})
    assert seen["status"]["userInfo"] == {"username": "anna", "groups": ["system:authenticated"]}


async def test_constrained_impersonation(api_and_users: tuple[RunningApi, Users]) -> None:
    api, users = api_and_users
    robot = await users("robot")
    await api.client.create(ROLE_BINDINGS, binding("edit", ("User", "anna")), "default")
    rules = [
        {"apiGroups": ["authentication.k8s.io"], "resources": ["users"], "verbs": ["impersonate:user-info"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["impersonate-on:user-info:list"]},
    ]
    await api.client.create(CLUSTER_ROLES, {"metadata": {"name": "lister"}, "rules": rules})
    await api.client.create(CLUSTER_ROLE_BINDINGS, binding("lister", ("User", "robot")))
    as_anna = robot.acting_as("anna")
    assert (await as_anna.list(CONFIG_MAPS, "default")).items == []
    with pytest.raises(Forbidden, match="impersonate-on:user-info:create"):
        await as_anna.create(CONFIG_MAPS, config_map("x"), "default")


async def test_access_reviews(api_and_users: tuple[RunningApi, Users]) -> None:
    api, users = api_and_users
    anna = await users("anna")
    await api.client.create(ROLE_BINDINGS, binding("view", ("User", "anna")), "default")
    asked = {"namespace": "default", "verb": "list", "resource": "pods"}
    reason = 'RBAC: allowed by RoleBinding "b/default" of ClusterRole "view" to User "anna"'
    for review in (
        await anna.create(OWN_REVIEWS, {"metadata": {}, "spec": {"resourceAttributes": asked}}),
        await api.client.create(
            ACCESS_REVIEWS, {"metadata": {}, "spec": {"resourceAttributes": asked, "user": "anna"}}
        ),
    ):
        assert review["status"] == {"allowed": True, "reason": reason}
    no = await anna.create(OWN_REVIEWS, {"metadata": {}, "spec": {"resourceAttributes": {**asked, "verb": "delete"}}})
    assert no["status"] == {"allowed": False}
    path = {"nonResourceAttributes": {"path": "/version", "verb": "get"}}
    assert (await anna.create(OWN_REVIEWS, {"metadata": {}, "spec": path}))["status"]["allowed"]
    with pytest.raises(Forbidden):
        await anna.create(ACCESS_REVIEWS, {"metadata": {}, "spec": {"resourceAttributes": asked, "user": "ben"}})
    with pytest.raises(Invalid, match="exactly one of nonResourceAttributes or resourceAttributes must be specified"):
        await anna.create(OWN_REVIEWS, {"metadata": {}, "spec": {}})
    local = {"metadata": {"namespace": "default"}, "spec": {"resourceAttributes": asked, "user": "anna"}}
    assert (await api.client.create(LOCAL_REVIEWS, local, "default"))["status"]["allowed"]
    with pytest.raises(Invalid, match=r"spec\.resourceAttributes\.namespace"):
        await api.client.create(LOCAL_REVIEWS, {**local, "metadata": {"namespace": "kube-system"}}, "kube-system")
    odd = {**asked, "fieldSelector": {"requirements": [{"key": "a", "operator": "Exists"}]}}
    review = await anna.create(OWN_REVIEWS, {"metadata": {}, "spec": {"resourceAttributes": odd}})
    assert "fieldSelector ignored due to parse error" in review["status"]["evaluationError"]


async def test_the_rules_of_oneself(api_and_users: tuple[RunningApi, Users]) -> None:
    api, users = api_and_users
    anna = await users("anna")
    await api.client.create(ROLES, role("mine", "get", resourceNames=["x"]), "default")
    await api.client.create(ROLE_BINDINGS, binding("mine", ("User", "anna"), kind="Role"), "default")
    status = (await anna.create(RULES_REVIEWS, {"metadata": {}, "spec": {"namespace": "default"}}))["status"]
    mine = {"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["x"]}
    assert mine in status["resourceRules"]
    assert any("/healthz" in rule["nonResourceURLs"] for rule in status["nonResourceRules"])
    assert status["incomplete"] is False
    with pytest.raises(BadRequest, match="no namespace on request"):
        await anna.create(RULES_REVIEWS, {"metadata": {}, "spec": {}})


async def test_a_node_sees_what_its_pods_use(api_and_users: tuple[RunningApi, Users]) -> None:
    api, users = api_and_users
    node = await users("system:node:one", "system:nodes")
    for name in ("used", "other"):
        await api.client.create(SECRETS, {"metadata": {"name": name}}, "default")
    variable = {"name": "X", "valueFrom": {"secretKeyRef": {"name": "used", "key": "k"}}}
    container = {"name": "c", "image": "i", "env": [variable]}
    pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "one", "containers": [container]}}
    with pytest.raises(Forbidden, match="no relationship found between node 'one' and this object"):
        await node.get(SECRETS, "used", "default")
    await api.client.create(PODS, pod, "default")
    assert (await node.get(SECRETS, "used", "default"))["metadata"]["name"] == "used"
    assert (await node.get(PODS, "p", "default"))["metadata"]["name"] == "p"
    for forbidden in (node.get(SECRETS, "other", "default"), node.list(SECRETS), node.list(PODS)):
        with pytest.raises(Forbidden):
            await forbidden


async def test_a_node_sees_the_claims_volumes_and_secrets_of_its_pods(api_and_users: tuple[RunningApi, Users]) -> None:
    """The secret is named by the volume of a claim that a pod uses, and by nothing else."""
    api, users = api_and_users
    node, other = await users("system:node:one", "system:nodes"), await users("system:node:two", "system:nodes")
    await api.client.create(SECRETS, {"metadata": {"name": "of-volume"}}, "default")
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeName": "pv-seen"}
    claim = {"metadata": {"name": "seen"}, "spec": {**asked, "storageClassName": ""}}
    made = await api.client.create(PERSISTENT_VOLUME_CLAIMS, claim, "default")
    reference = {"name": "of-volume", "namespace": "default"}
    volume = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "csi": {"driver": "d", "volumeHandle": "h", "nodeStageSecretRef": reference},
        "claimRef": {"namespace": "default", "name": "seen", "uid": made["metadata"]["uid"]},
    }
    await api.client.create(PERSISTENT_VOLUMES, {"metadata": {"name": "pv-seen"}, "spec": volume})
    source = {"persistentVolumeName": "pv-seen"}
    attachment = {"metadata": {"name": "at-one"}, "spec": {"attacher": "d", "nodeName": "one", "source": source}}
    await api.client.create(VOLUME_ATTACHMENTS, attachment)
    questions = (
        (PERSISTENT_VOLUME_CLAIMS, "seen", "default"), (PERSISTENT_VOLUMES, "pv-seen", None),
        (SECRETS, "of-volume", "default"),
    )  # fmt: skip
    for question in questions:
        with pytest.raises(Forbidden):
            await node.get(*question)
    uses = [{"name": "v", "persistentVolumeClaim": {"claimName": "seen"}}]
    spec = {"nodeName": "one", "containers": [{"name": "c", "image": "i"}], "volumes": uses}
    await api.client.create(PODS, {"metadata": {"name": "claiming"}, "spec": spec}, "default")
    for question in (*questions, (VOLUME_ATTACHMENTS, "at-one", None)):
        assert (await node.get(*question))["metadata"]["name"] == question[1]
        with pytest.raises(Forbidden):
            await other.get(*question)
